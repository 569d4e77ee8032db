// Two tabs of Firefox in a conference, through the page and the engine: they see and hear each other, and go on doing so. What is
// claimed is read from getStats, which is Firefox's own account.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import puppeteer from 'puppeteer-core';

import { Demo } from '../../browser/demo.mjs';
import { eventually } from '../../browser/eventually.mjs';
import { Network, SERVER } from '../network.mjs';

const ROOM = 'plaza';
const PUBLISHER = 'Camera';
const PORT = 3000;
/** How long pictures and sound must go on. */
const FLOW_S = 5;

let demo;
let browser;
const tabs = [];

before(async () => {
  const namespace = process.env.MAFALDA_SERVER_NAMESPACE;
  assert.ok(namespace, 'run conference.mjs, which makes the network');
  demo = await Demo.start(PORT, SERVER, Network.inside(namespace));
  browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr',
    headless: true,
    acceptInsecureCerts: true,
    extraPrefsFirefox: {
      'media.navigator.streams.fake': true,
      'media.navigator.permission.disabled': true,
      'media.autoplay.default': 0,
      'media.peerconnection.ice.obfuscate_host_addresses': false,
      'media.peerconnection.ice.default_address_only': false,
      'media.peerconnection.ice.no_host': false,
    },
  });
});

after(async () => {
  for (const { page, name } of process.env.MAFALDA_ARTIFACTS ? tabs : []) {
    const path = join(process.env.MAFALDA_ARTIFACTS, `firefox-${name}.png`);
    await page.screenshot({ path }).catch(() => {});
  }
  await browser?.close();
  await demo?.stop();
});

async function open(name, settings = {}) {
  const page = await browser.newPage();
  const query = new URLSearchParams({ name, join: '', height: '180', ...settings });
  await page.goto(`${demo.url}/r/${ROOM}?${query}#token=${demo.token}`, { waitUntil: 'domcontentloaded' });
  const tab = { name, page };
  tabs.push(tab);
  await eventually(`${name} is in the room`, () => page.evaluate(() => window.mafalda?.state === 'connected'));
  return tab;
}

/** What a tab gets from the other of that name. */
async function from(tab, name) {
  const { peers } = await tab.page.evaluate(() => window.mafalda.stats());
  return Object.values(peers).find((peer) => peer.name === name);
}

function receives(tab, name) {
  return eventually(`${tab.name} sees and hears ${name}`, async () => {
    const peer = await from(tab, name);
    return peer?.video?.framesDecoded > 5 && peer.audio?.totalAudioEnergy > 0;
  });
}

function pairs() {
  const [one, two] = tabs;
  return [
    [one, two],
    [two, one],
  ];
}

test('two tabs see and hear each other', async () => {
  await open('Mafalda');
  await open('Felipe');
  for (const [viewer, other] of pairs()) await receives(viewer, other.name);
});

test(`and go on for ${FLOW_S} seconds`, async () => {
  for (let second = 0; second < FLOW_S; second++) {
    const earlier = await Promise.all(pairs().map(([viewer, other]) => from(viewer, other.name)));
    await sleep(1_000);
    const later = await Promise.all(pairs().map(([viewer, other]) => from(viewer, other.name)));
    for (const [at, [viewer, other]] of pairs().entries()) {
      const frames = later[at].video.framesDecoded - earlier[at].video.framesDecoded;
      const energy = later[at].audio.totalAudioEnergy - earlier[at].audio.totalAudioEnergy;
      assert.ok(frames > 3, `${viewer.name} sees ${frames} frames of ${other.name} in second ${second}`);
      assert.ok(energy > 0, `${viewer.name} hears ${other.name} in second ${second}`);
    }
  }
});

test('media come from the address that the demo told', async () => {
  for (const { page, name } of tabs) {
    const { send, recv } = await page.evaluate(() => window.mafalda.stats());
    for (const { dtlsState, remote } of [send, recv]) assert.deepEqual([dtlsState, remote.address], ['connected', SERVER], name);
  }
});

test('a publisher made of webrtcbin is seen and heard in both, until it ends', async () => {
  const script = join(dirname(fileURLToPath(import.meta.url)), '../webrtcbin/publish.py');
  const url = `${demo.url}/whip/${ROOM}?name=${PUBLISHER}`;
  const publisher = spawn('/usr/bin/python3', [script, url, demo.token], { stdio: ['pipe', 'inherit', 'inherit'] });
  const ended = once(publisher, 'exit');
  try {
    for (const tab of tabs) await receives(tab, PUBLISHER);
    const [earlier] = await Promise.all(tabs.map((tab) => from(tab, PUBLISHER)));
    await sleep(2_000);
    const later = await from(tabs[0], PUBLISHER);
    assert.ok(later.video.framesDecoded - earlier.video.framesDecoded > 10, 'and goes on');
    publisher.stdin.end();
    assert.deepEqual(await ended, [0, null], 'it ends well');
    for (const tab of tabs) await eventually('it is gone', async () => (await from(tab, PUBLISHER)) === undefined);
  } finally {
    publisher.kill();
  }
});
