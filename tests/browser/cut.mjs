// Takes the network away from one tab: nftables drops every packet between it and the server's addresses for its transports,
// whatever port the tab itself uses. (A browser's offline switch doesn't touch WebRTC.) Needs root.
import { execFileSync } from 'node:child_process';

const TABLE = `mafalda_test_${process.pid}`;

function nft(...args) {
  try {
    return execFileSync('nft', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    const reason = error.code === 'ENOENT' ? 'nft is missing: apt-get install nftables' : error.stderr?.trim();
    throw new Error(`nftables can't be used here, so a tab's network can't be cut; run as root. ${reason}`);
  }
}

export class Cut {
  /** `ports` are those of the server that only this tab uses. */
  static begin(ports) {
    const set = `{ ${[...new Set(ports)].join(', ')} }`;
    nft('add', 'table', 'inet', TABLE);
    try {
      nft('add', 'chain', 'inet', TABLE, 'out', '{ type filter hook output priority 0 ; }');
      for (const side of ['sport', 'dport']) {
        nft('add', 'rule', 'inet', TABLE, 'out', `meta l4proto { tcp, udp } th ${side} ${set} counter drop`);
      }
    } catch (error) {
      Cut.end();
      throw error;
    }
    return new Cut();
  }

  /** Packets that were dropped so far: from the server, and to it. */
  dropped() {
    const { nftables } = JSON.parse(nft('--json', 'list', 'table', 'inet', TABLE));
    const rules = nftables.flatMap(({ rule }) => (rule ? [rule] : []));
    const [fromServer, toServer] = rules.map(({ expr }) => expr.find(({ counter }) => counter).counter.packets);
    return { fromServer, toServer };
  }

  /** Gives the network back. Does nothing if it isn't cut. */
  static end() {
    try {
      nft('delete', 'table', 'inet', TABLE);
    } catch {}
  }
}

process.on('exit', Cut.end);
