// One tab in a conference, seen through the page itself: its tiles, its buttons, and window.mafalda.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { chromium } from 'playwright-core';

import { eventually, PATIENCE_MS } from './eventually.mjs';

export { eventually, PATIENCE_MS };

const SWITCHES = [
  '--no-sandbox',
  '--use-fake-device-for-media-stream=fps=20',
  '--use-fake-ui-for-media-stream',
  '--autoplay-policy=no-user-gesture-required',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--disable-default-apps',
  '--disable-domain-reliability',
  '--disable-breakpad',
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
  '--disable-dev-shm-usage',
  '--disable-gpu',
  '--mute-audio',
];

export function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, args: SWITCHES });
}

export class Tab {
  console = [];

  /**
   * Opens a tab in a browser context of its own. `settings` are those of the page's address, `script` runs before the page's
   * own, `context` are options of the browser context.
   */
  static async open(browser, url, room, name, { settings = {}, token, script, context = {} } = {}) {
    const tab = new Tab();
    tab.name = name;
    tab.context = await browser.newContext({
      viewport: { width: 1280, height: 720 },
      permissions: ['camera', 'microphone'],
      ignoreHTTPSErrors: true,
      ...context,
    });
    tab.page = await tab.context.newPage();
    if (script) await tab.page.addInitScript(script);
    tab.page.on('console', (message) => tab.console.push(`${message.type()}: ${message.text()}`));
    tab.page.on('pageerror', (error) => tab.console.push(`thrown: ${error.stack}`));
    const query = new URLSearchParams({ name, join: '', height: '180', ...settings });
    const hash = token ? `#token=${token}` : '';
    await tab.page.goto(`${url}/r/${room}?${query}${hash}`, { waitUntil: 'domcontentloaded' });
    return tab;
  }

  /** Waits until it is in the room. */
  async entered() {
    await eventually(`${this.name} is in the room`, async () => (await this.call()).state === 'connected');
    return this;
  }

  close() {
    return this.context.close();
  }

  /** What the page knows of the call. */
  call() {
    return this.page.evaluate(() => {
      const { state, trouble, room, peerId, peers } = window.mafalda;
      return { state, trouble, room, peerId, peers };
    });
  }

  stats() {
    return this.page.evaluate(() => window.mafalda.stats());
  }

  /** What getStats says of the peer of this name. */
  async from(name) {
    const { peers } = await this.stats();
    return Object.values(peers).find((peer) => peer.name === name);
  }

  peer(name) {
    return this.call().then(({ peers }) => peers.find((peer) => peer.name === name));
  }

  tile(name) {
    return this.page.locator(`.tile[aria-label="${name}"]`);
  }

  press(label) {
    return this.page.getByRole('button', { name: label, exact: true }).click();
  }

  /** A small picture of what is really shown for a peer: bytes of red, green, blue, alpha. */
  pixels(name) {
    return this.tile(name).locator('video').evaluate((video) => {
      const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 36 });
      const context = canvas.getContext('2d');
      context.drawImage(video, 0, 0, 64, 36);
      return [...context.getImageData(0, 0, 64, 36).data];
    });
  }

  /** Waits until pictures and sound of a peer come in. */
  async receives(name) {
    await eventually(`${this.name} sees and hears ${name}`, async () => {
      const peer = await this.from(name);
      return peer?.video?.framesDecoded > 5 && peer.audio?.totalAudioEnergy > 0;
    });
  }

  /** Leaves behind what helps to understand a failure. */
  async report(folder) {
    if (!folder) return;
    await mkdir(folder, { recursive: true });
    await this.page.screenshot({ path: join(folder, `failed-${this.name}.png`) }).catch(() => {});
  }
}
