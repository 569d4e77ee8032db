// Makes the network, and runs the visitors' side inside their namespace: the browser is spoken with over its own loopback.
//
// Environment: MAFALDA_DEMO (binary), FIREFOX (browser), MAFALDA_ARTIFACTS (folder for what a failure leaves).
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Network } from '../network.mjs';

const network = Network.make();
try {
  const [program, ...args] = Network.inside(network.visitor);
  const script = join(dirname(fileURLToPath(import.meta.url)), 'visitors.test.mjs');
  const { status } = spawnSync(program, [...args, process.execPath, '--test', script], {
    stdio: 'inherit',
    env: { ...process.env, MAFALDA_SERVER_NAMESPACE: network.server },
  });
  process.exitCode = status ?? 1;
} finally {
  network.remove();
}
