// Starts and ends the mafalda-demo under test.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const repository = join(dirname(fileURLToPath(import.meta.url)), '../..');

const binary = process.env.MAFALDA_DEMO ?? join(repository, 'target/debug/mafalda-demo');

/** How long it may take to start or to end. */
const PATIENCE_MS = 10_000;

/** A port that nobody has at the moment. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

export class Demo {
  #process;
  log = '';

  /** On loopback unless another address is given; behind the words in front, if any, which say where it is to run. */
  static async start(port, ip = '127.0.0.1', inFront = []) {
    if (!existsSync(binary)) {
      throw new Error(`${binary} is missing: run \`cargo build\`, or set MAFALDA_DEMO to the binary to test`);
    }
    const demo = new Demo();
    const [program, ...args] = [...inFront, binary, '--listen', `${ip}:${port}`, '--log', process.env.RUST_LOG ?? 'info'];
    demo.#process = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [demo.#process.stdout, demo.#process.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        demo.log += text;
      });
    }
    const end = Date.now() + PATIENCE_MS;
    while (!demo.log.includes('Ctrl-C')) {
      if (Date.now() > end || demo.#process.exitCode !== null) throw new Error(`mafalda-demo doesn't start:\n${demo.log}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const link = new URL(/https?:\/\/\S+/.exec(demo.log)[0]);
    demo.url = link.origin;
    demo.token = new URLSearchParams(link.hash.slice(1)).get('token');
    return demo;
  }

  get alive() {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** Ends it as a service manager would, and gives its exit code. */
  async stop() {
    if (!this.alive) return this.#process.exitCode;
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGTERM');
    const hard = setTimeout(() => this.#process.kill('SIGKILL'), PATIENCE_MS);
    const [code] = await ended;
    clearTimeout(hard);
    return code;
  }
}
