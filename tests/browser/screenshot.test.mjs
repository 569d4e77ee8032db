// Takes docs/conference.png anew, when MAFALDA_SCREENSHOT is set: three people, through the page and the engine.
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Demo, freePort, repository } from './demo.mjs';
import { portrait } from './portrait.mjs';
import { eventually, launch, Tab } from './tab.mjs';

const PEOPLE = {
  Mafalda: { skin: '#f2c9a6', hair: '#231d1c', long: true, shirt: '#c8352f', wall: ['#7fa3b5', '#3c5a6e'], bow: '#d63a35' },
  Felipe: { skin: '#f0cfae', hair: '#b98a4a', shirt: '#3f6f9f', wall: ['#b9a184', '#6b5842'] },
  Susanita: { skin: '#f5d3b8', hair: '#e2b84f', long: true, shirt: '#5d8a66', wall: ['#a792b8', '#574a6e'] },
};

const skip = process.env.MAFALDA_SCREENSHOT ? false : 'MAFALDA_SCREENSHOT is not set';

test('the picture for the documentation', { skip }, async () => {
  const demo = await Demo.start(await freePort());
  const browser = await launch();
  try {
    const context = { colorScheme: 'dark' };
    const tabs = await Promise.all(
      Object.entries(PEOPLE).map(async ([name, looks]) => {
        const script = `(${portrait})(${JSON.stringify(looks)})`;
        const tab = await Tab.open(browser, demo.url, 'plaza', name, { settings: { height: '540' }, script, context });
        return tab.entered();
      }),
    );
    const viewer = tabs[0];
    for (const name of Object.keys(PEOPLE).slice(1)) {
      await viewer.receives(name);
      await eventually('the picture is sharp', async () => (await viewer.from(name)).video.height >= 540);
    }
    await tabs[1].press('Mute');
    await sleep(5_000);
    await viewer.page.screenshot({ path: join(repository, 'docs/conference.png') });
  } finally {
    await browser.close();
    await demo.stop();
  }
});
