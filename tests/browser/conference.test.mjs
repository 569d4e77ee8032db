// Three people in a conference, through the page and the engine: they see and hear each other, mute, leave, lose their
// network and come back. What is claimed is read from getStats and from the pixels on the screen.
//
// Environment: MAFALDA_DEMO (binary), CHROMIUM (browser), MAFALDA_ARTIFACTS (folder for what a failure leaves).
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Cut } from './cut.mjs';
import { Demo, freePort } from './demo.mjs';
import { eventually, launch, PATIENCE_MS, Tab } from './tab.mjs';

/** How long pictures must flow without a freeze. */
const FLOW_MS = 10_000;
/** How long a tab is without network. */
const CUT_MS = 5_000;
const ROOM = 'plaza';

let demo;
let browser;
let failed = false;
const tabs = {};

before(async () => {
  demo = await Demo.start(await freePort());
  browser = await launch();
});

afterEach(async (context) => {
  Cut.end();
  // A step that fails leaves nothing to go on from; its first report counts.
  if (context.error && !failed) {
    failed = true;
    for (const tab of Object.values(tabs)) await tab.report(process.env.MAFALDA_ARTIFACTS);
    const logs = Object.values(tabs).map((tab) => `${tab.name}:\n  ${tab.console.join('\n  ')}`);
    console.error([`mafalda-demo:\n${demo?.log}`, ...logs].join('\n'));
  }
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

async function open(name, options) {
  const tab = await Tab.open(browser, demo.url, ROOM, name, options);
  tabs[name] = tab;
  return tab.entered();
}

/** Everybody who is there with everybody else, as [viewer, name]. */
function pairs() {
  const all = Object.values(tabs);
  return all.flatMap((viewer) => all.filter((tab) => tab !== viewer).map(({ name }) => [viewer, name]));
}

async function everybodyReceives() {
  await Promise.all(pairs().map(([viewer, name]) => viewer.receives(name)));
}

/** Frames and energy that come in during a time. */
async function inflow(viewer, name, duringMs) {
  const from = await viewer.from(name);
  await sleep(duringMs);
  const to = await viewer.from(name);
  return {
    frames: (to.video?.framesDecoded ?? 0) - (from.video?.framesDecoded ?? 0),
    energy: (to.audio?.totalAudioEnergy ?? 0) - (from.audio?.totalAudioEnergy ?? 0),
  };
}

/** Waits until frames and sound from everybody come in anew, not only once. */
async function everybodyFlows() {
  for (const [viewer, name] of pairs()) {
    await eventually(`${viewer.name} goes on to see and hear ${name}`, async () => {
      const { frames, energy } = await inflow(viewer, name, 1_000);
      return frames > 3 && energy > 0;
    });
  }
}

const step = (name, body) => test(name, (context) => (failed ? context.skip('an earlier step failed') : body(context)));

step('three tabs see and hear each other', async () => {
  await Promise.all(['Mafalda', 'Felipe', 'Susanita'].map((name) => open(name)));
  await everybodyReceives();
});

step('pictures move for ten seconds without a freeze', async () => {
  const look = () => Promise.all(pairs().map(async ([viewer, name]) => (await viewer.from(name)).video));
  const seconds = FLOW_MS / 1000;
  const samples = [await look()];
  for (let second = 0; second < seconds; second++) {
    await sleep(1_000);
    samples.push(await look());
  }
  for (const [at, [viewer, name]] of pairs().entries()) {
    const [first, last] = [samples[0][at], samples[seconds][at]];
    for (let second = 0; second < seconds; second++) {
      const frames = samples[second + 1][at].framesDecoded - samples[second][at].framesDecoded;
      assert.ok(frames > 0, `${viewer.name} decodes frames of ${name} in second ${second}`);
    }
    assert.equal(last.freezeCount - first.freezeCount, 0, `${viewer.name} sees ${name} without a freeze`);
  }
});

step('what is on the screen changes', async () => {
  for (const [viewer, name] of pairs()) {
    const before = await viewer.pixels(name);
    assert.ok(new Set(before).size > 3, `${viewer.name} sees more than one color of ${name}`);
    await eventually(`${viewer.name} sees ${name} move`, async () => {
      const now = await viewer.pixels(name);
      return now.filter((value, at) => Math.abs(value - before[at]) > 24).length > 20;
    });
  }
});

step('somebody who speaks is marked, and connections are told good', async () => {
  const { Mafalda } = tabs;
  await Mafalda.page.locator('.tile:not(.own).speaking').first().waitFor({ timeout: PATIENCE_MS });
  await Mafalda.page.locator('.tile:not(.own) .bars[data-level="good"]').first().waitFor({ timeout: PATIENCE_MS });
});

step('who mutes is not heard, and the others see it', async () => {
  const { Mafalda, Felipe, Susanita } = tabs;
  await Felipe.press('Mute');
  for (const viewer of [Mafalda, Susanita]) {
    await eventually(`${viewer.name} is told`, async () => (await viewer.peer('Felipe')).audio.paused);
    assert.match(await viewer.tile('Felipe').getAttribute('class'), /\bmuted\b/);
    await eventually('sound on its way has arrived', async () => (await inflow(viewer, 'Felipe', 500)).energy === 0);
    const { energy, frames } = await inflow(viewer, 'Felipe', 2_000);
    assert.equal(energy, 0, `${viewer.name} hears nothing of Felipe`);
    assert.ok(frames > 0, `${viewer.name} still sees Felipe`);
  }
  await Felipe.press('Unmute');
  await everybodyFlows();
});

step('who stops the camera shows a name, and comes back', async () => {
  const { Mafalda, Felipe } = tabs;
  await Felipe.press('Stop camera');
  await eventually('Mafalda is told', async () => (await Mafalda.peer('Felipe')).video.paused);
  assert.doesNotMatch(await Mafalda.tile('Felipe').getAttribute('class'), /with-video/);
  await Felipe.press('Start camera');
  await eventually('Mafalda sees Felipe again', async () => (await inflow(Mafalda, 'Felipe', 500)).frames > 0);
});

step('an ICE restart changes the credentials and nothing else', async () => {
  const { Mafalda } = tabs;
  const before = await Mafalda.stats();
  // What a browser tells when it has changed networks.
  await Mafalda.page.evaluate(() => window.dispatchEvent(new Event('online')));
  const now = await eventually('both transports have new credentials', async () => {
    const now = await Mafalda.stats();
    const changed = (side) => now[side].iceUfrag !== before[side].iceUfrag && now[side].state === 'connected';
    return changed('send') && changed('recv') && now;
  });
  assert.equal(now.iceRestarts, before.iceRestarts + 2);
  assert.equal(now.recv.dtlsState, 'connected');
  await everybodyFlows();
});

step('a tab that loses its network for five seconds comes back', async () => {
  const { Mafalda, Susanita } = tabs;
  const { send, recv, peers } = await Susanita.stats();
  const ids = Object.keys(peers);
  const cut = Cut.begin([...send.candidates, ...recv.candidates].map(({ port }) => port));
  await sleep(1_000);
  const [mine, theirs] = [await Susanita.stats(), await Mafalda.from('Susanita')];
  await sleep(CUT_MS - 1_000);
  const [mineLater, theirsLater, dropped] = [await Susanita.stats(), await Mafalda.from('Susanita'), cut.dropped()];
  Cut.end();

  assert.ok(dropped.fromServer > 0 && dropped.toServer > 0, `packets were dropped: ${JSON.stringify(dropped)}`);
  const received = (stats, id) => stats.peers[id].video.packetsReceived;
  for (const id of ids) assert.equal(received(mineLater, id), received(mine, id), 'nothing came in');
  assert.equal(theirsLater.video.packetsReceived, theirs.video.packetsReceived, 'nothing went out');

  await everybodyFlows();
  await eventually('the notice is gone', async () => (await Susanita.call()).trouble === '');
});

step('a tab over TCP alone sees, hears, is seen and heard', async () => {
  const Manolito = await open('Manolito', { settings: { tcp: '' } });
  await everybodyReceives();
  const { send, recv } = await Manolito.stats();
  assert.deepEqual([send.remote.protocol, recv.remote.protocol], ['tcp', 'tcp']);
  const { recv: other } = await tabs.Mafalda.stats();
  assert.equal(other.remote.protocol, 'udp', 'the others prefer UDP');
  await everybodyFlows();
  delete tabs.Manolito;
  await Manolito.close();
});

step('a tab may send with any codec of the room', async () => {
  for (const codec of ['vp9', 'h264', 'av1']) {
    const name = `Manolito ${codec}`;
    const sender = await open(name, { settings: { codec } });
    delete tabs[name];
    await tabs.Mafalda.receives(name);
    const { video } = await tabs.Mafalda.from(name);
    assert.equal(video.codec.toLowerCase(), `video/${codec}`);
    await sender.close();
    await eventually(`${name} is gone`, async () => (await tabs.Mafalda.tile(name).count()) === 0);
  }
});

step('who has no camera is told so, and watches', async () => {
  const script = () => {
    navigator.mediaDevices.getUserMedia = async () => {
      throw new DOMException('', 'NotFoundError');
    };
  };
  const viewer = await open('Guille', { script });
  delete tabs.Guille;
  await viewer.page.getByText('No camera was found.').waitFor({ timeout: PATIENCE_MS });
  await viewer.receives('Mafalda');
  assert.deepEqual(await tabs.Mafalda.peer('Guille'), { ...(await tabs.Mafalda.peer('Guille')), audio: null, video: null });
  await viewer.close();
});

step('who leaves vanishes', async () => {
  const { Mafalda, Felipe, Susanita } = tabs;
  await eventually('Manolito, whose tab was closed, is gone', async () => (await Mafalda.tile('Manolito').count()) === 0);
  await Felipe.press('Leave');
  for (const viewer of [Mafalda, Susanita]) {
    await eventually(`${viewer.name} sees Felipe go`, async () => (await viewer.tile('Felipe').count()) === 0);
    assert.deepEqual((await viewer.call()).peers.length, 1);
  }
  await Felipe.page.getByRole('button', { name: 'Join', exact: true }).waitFor({ timeout: PATIENCE_MS });
  delete tabs.Felipe;
  await Felipe.close();
});

step('tabs come back by themselves, and as muted as they were, when the server has been restarted', async () => {
  await tabs.Susanita.press('Mute');
  const { port } = new URL(demo.url);
  assert.equal(await demo.stop(), 0, 'it ends cleanly');
  const { Mafalda } = tabs;
  await eventually('the page says so', async () => (await Mafalda.call()).state === 'reconnecting');
  assert.match(await Mafalda.page.locator('.banner').textContent(), /Reconnecting/);
  demo = await Demo.start(Number(port));
  await Promise.all(
    Object.values(tabs).map((tab) => eventually('it is back', async () => (await tab.call()).peers.length === 1)),
  );
  const heard = async () => (await Mafalda.peer('Susanita'))?.audio?.paused === true;
  await eventually('Susanita is still muted', heard);
  await tabs.Susanita.press('Unmute');
  await everybodyReceives();
  await everybodyFlows();
});

step('on another address the page is secure and asks for a token', async () => {
  const open = await Demo.start(await freePort(), '0.0.0.0');
  try {
    assert.match(open.url, /^https:/);
    const url = `https://127.0.0.1:${new URL(open.url).port}`;
    const stranger = await Tab.open(browser, url, ROOM, 'Stranger', { token: 'guessed' });
    await stranger.page.getByText('This link isn’t valid').waitFor({ timeout: PATIENCE_MS });
    const [one, two] = await Promise.all(
      ['Raquel', 'Miguelito'].map(async (name) => (await Tab.open(browser, url, ROOM, name, { token: open.token })).entered()),
    );
    await one.receives('Miguelito');
    await two.receives('Raquel');
    await Promise.all([stranger, one, two].map((tab) => tab.close()));
  } finally {
    assert.equal(await open.stop(), 0);
  }
});

step('no tab has complained', () => {
  for (const tab of Object.values(tabs)) {
    const bad = tab.console.filter((line) => /^(thrown|error):/.test(line) && !/WebSocket connection/.test(line));
    assert.deepEqual(bad, [], tab.name);
  }
});
