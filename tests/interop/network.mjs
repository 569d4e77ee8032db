// Two network namespaces joined by a cable: one for the server, one for who visits it. Firefox and GStreamer don't pair with a
// candidate on loopback, and a visitor that has no other network can't take another way. Needs root.
import { execFileSync } from 'node:child_process';

/** Names of interfaces have 15 characters at the most. */
const NAME = `mfd${process.pid}`;
/** RFC 5737's TEST-NET-2: nobody's. */
export const SERVER = '198.51.100.1';
export const VISITOR = '198.51.100.2';

function ip(...args) {
  execFileSync('ip', args, { stdio: ['ignore', 'inherit', 'inherit'] });
}

export class Network {
  static make() {
    const network = new Network();
    try {
      network.#join();
    } catch (error) {
      network.remove();
      throw new Error(`no network namespaces can be made here; run as root, with iproute2: ${error.message}`);
    }
    return network;
  }

  server = `${NAME}-server`;
  visitor = `${NAME}-visitor`;

  #join() {
    const ends = [
      [this.server, `${NAME}s`, SERVER],
      [this.visitor, `${NAME}v`, VISITOR],
    ];
    for (const [namespace] of ends) ip('netns', 'add', namespace);
    ip('link', 'add', ends[0][1], 'netns', this.server, 'type', 'veth', 'peer', 'name', ends[1][1], 'netns', this.visitor);
    for (const [namespace, link, address] of ends) {
      ip('-n', namespace, 'address', 'add', `${address}/30`, 'dev', link);
      for (const up of ['lo', link]) ip('-n', namespace, 'link', 'set', up, 'up');
    }
    // Firefox gathers no candidates where there is no way out.
    ip('-n', this.visitor, 'route', 'add', 'default', 'via', SERVER);
  }

  /** The words in front of a command that run it there. */
  static inside(namespace) {
    return ['ip', 'netns', 'exec', namespace];
  }

  /** Removes what was made; the cable goes with its ends. */
  remove() {
    for (const namespace of [this.server, this.visitor]) {
      try {
        execFileSync('ip', ['netns', 'delete', namespace], { stdio: 'ignore' });
      } catch {
        // It was never made.
      }
    }
  }
}
