// Chromium without any library: it publishes by WHIP and is seen in the conference page, watches by WHEP and sees who is there.
//
// Environment: MAFALDA_DEMO (binary), CHROMIUM (browser), MAFALDA_ARTIFACTS (folder for what a failure leaves).
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, afterEach, before, test } from 'node:test';

import { Bare } from './bare.mjs';
import { Demo, freePort } from './demo.mjs';
import { eventually, launch, PATIENCE_MS, Tab } from './tab.mjs';

const ROOM = 'studio';
/** How long the first picture may take once somebody has asked for it. */
const FIRST_PICTURE_MS = 3_000;

let demo;
let browser;
let mafalda;
let failed = false;

before(async () => {
  demo = await Demo.start(await freePort());
  browser = await launch();
  mafalda = await (await Tab.open(browser, demo.url, ROOM, 'Mafalda')).entered();
});

afterEach(async (context) => {
  if (context.error && !failed) {
    failed = true;
    await mafalda?.report(process.env.MAFALDA_ARTIFACTS);
    console.error([`mafalda-demo:\n${demo?.log}`, `${mafalda?.name}:\n  ${mafalda?.console.join('\n  ')}`].join('\n'));
  }
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

/** A step of the story; after a failure the rest is left out. */
function step(name, run) {
  test(name, async (context) => (failed ? context.skip('an earlier step failed') : run(context)));
}

/** A page of the server that runs nothing. */
function bare() {
  return Bare.open(browser, `${demo.url}/licenses.txt`);
}

/** Whether pictures and sound come in at a viewer from now on. */
async function flows(viewer) {
  const before = await viewer.inbound();
  await eventually('pictures and sound go on', async () => {
    const now = await viewer.inbound();
    return now.frames >= before.frames + 10 && now.energy > before.energy;
  });
}

step('who publishes by WHIP is seen and heard in the page, and marked', async () => {
  const publisher = await bare();
  const answer = await publisher.publish(`/whip/${ROOM}?name=Camera`);
  assert.equal(answer.status, 201);
  await mafalda.receives('Camera');
  assert.equal((await mafalda.peer('Camera')).byWhip, true);
  await mafalda.tile('Camera').locator('.via').waitFor({ timeout: PATIENCE_MS });
  assert.equal(await mafalda.tile('Mafalda (you)').locator('.via').isVisible(), false);

  const viewer = await bare();
  await viewer.watch(`/whep/${ROOM}`);
  await flows(viewer);
  assert.equal((await viewer.inbound()).codec, 'video/VP8');

  assert.equal(await publisher.end(), 200);
  await eventually('the tile is gone', async () => (await mafalda.tile('Camera').count()) === 0);
  await eventually('the viewer is told', async () => (await viewer.state()) !== 'connected');
  assert.equal(await viewer.end(), 404);
  await Promise.all([publisher.close(), viewer.close()]);
});

step('who watches by WHEP sees somebody of the page, at once', async () => {
  const viewer = await bare();
  const asked = Date.now();
  await viewer.watch(`/whep/${ROOM}/Mafalda`);
  await eventually('there is a picture', async () => (await viewer.inbound()).frames > 0, FIRST_PICTURE_MS);
  console.log(`a picture after ${Date.now() - asked} ms`);
  await flows(viewer);
  assert.deepEqual((await mafalda.call()).peers, [], 'who watches is no member');
  await viewer.close();
});

step('a viewer restarts ICE and goes on', async () => {
  const viewer = await bare();
  await viewer.watch(`/whep/${ROOM}`);
  await flows(viewer);
  const { status, tag, before, after } = await viewer.restartIce();
  assert.equal(status, 200);
  assert.notEqual(tag.before, tag.after);
  assert.notEqual(before, after, 'the server has new credentials');
  await eventually('it is connected with them', async () => (await viewer.state()) === 'connected');
  await flows(viewer);
  await viewer.close();
});

step('each codec of the room can be published and watched', async () => {
  for (const codec of ['VP9', 'H264', 'AV1']) {
    const publisher = await bare();
    await publisher.publish(`/whip/codecs?name=${codec}`, { codec: `video/${codec}` });
    const viewer = await bare();
    await viewer.watch(`/whep/codecs/${codec}`);
    await flows(viewer);
    assert.equal((await viewer.inbound()).codec, `video/${codec}`);
    await Promise.all([publisher.close(), viewer.close()]);
  }
});

step('of a simulcast one stream is taken', async () => {
  const publisher = await bare();
  const answer = await publisher.publish('/whip/simulcast', { simulcast: true });
  assert.doesNotMatch(answer.sdp, /a=simulcast|a=rid/);
  const viewer = await bare();
  await viewer.watch('/whep/simulcast');
  await flows(viewer);
  await Promise.all([publisher.close(), viewer.close()]);
});

step('the page tells the addresses', async () => {
  await mafalda.page.getByRole('button', { name: 'Stream or watch with other tools' }).click();
  const dialog = mafalda.page.locator('dialog.tools');
  await dialog.getByText(`${demo.url}/whip/${ROOM}`, { exact: true }).waitFor({ timeout: PATIENCE_MS });
  await mafalda.context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await dialog.getByRole('button', { name: 'Copy the WHEP address' }).click();
  const copied = await mafalda.page.evaluate(() => navigator.clipboard.readText());
  assert.equal(copied, `${demo.url}/whep/${ROOM}`);
  await dialog.getByRole('button', { name: 'Close' }).click();
  assert.equal(await dialog.isVisible(), false);
});

step('a page of another host publishes and watches with the token', async () => {
  const open = await Demo.start(await freePort(), '0.0.0.0');
  const elsewhere = createServer((_, response) => response.setHeader('Content-Type', 'text/html').end()).listen(0, '127.0.0.1');
  try {
    await once(elsewhere, 'listening');
    const strange = () => Bare.open(browser, `http://127.0.0.1:${elsewhere.address().port}`);
    const url = `https://127.0.0.1:${new URL(open.url).port}`;
    const stranger = await strange();
    await assert.rejects(stranger.publish(`${url}/whip/${ROOM}`), /Error: 401/);
    await assert.rejects(stranger.watch(`${demo.url}/whep/${ROOM}`), /Failed to fetch/, 'no token is asked for there');
    const publisher = await strange();
    assert.equal((await publisher.publish(`${url}/whip/${ROOM}`, { token: open.token })).status, 201);
    const viewer = await strange();
    await viewer.watch(`${url}/whep/${ROOM}`, { token: open.token });
    await flows(viewer);
    assert.equal(await viewer.end(), 200);
    await Promise.all([stranger, publisher, viewer].map((page) => page.close()));
  } finally {
    elsewhere.close();
    assert.equal(await open.stop(), 0);
  }
});
