// Waiting for what a browser does in its own time.
import { setTimeout as sleep } from 'node:timers/promises';

/** How long anything may take on a machine that is busy with three tabs. */
export const PATIENCE_MS = 20_000;

/** Repeats `probe` until it gives something true, and gives that. */
export async function eventually(what, probe, patienceMs = PATIENCE_MS) {
  const end = Date.now() + patienceMs;
  let last;
  for (;;) {
    try {
      const value = await probe();
      if (value) return value;
      last = value;
    } catch (error) {
      last = error.message;
    }
    if (Date.now() > end) throw new Error(`${what}: not within ${patienceMs / 1000} s (last: ${JSON.stringify(last)})`);
    await sleep(200);
  }
}
