// window.mafalda: what tests and curious people may read. docs/conference.md describes it.
import type { Call } from './call';
import { type Summary, summarize } from './stats';

export interface DebugPeer {
  id: string;
  name: string;
  byWhip: boolean;
  /** `null` if it sends none. */
  audio: { paused: boolean } | null;
  video: { paused: boolean } | null;
}

export interface Debug {
  readonly state: string;
  readonly trouble: string;
  readonly room: string;
  readonly peerId: string;
  readonly peers: DebugPeer[];
  stats(): Promise<Summary | null>;
}

declare global {
  interface Window {
    mafalda?: Debug;
  }
}

export function expose(call: Call): void {
  const debug: Debug = {
    get state() {
      return call.state;
    },
    get trouble() {
      return call.trouble;
    },
    get room() {
      return call.address.room;
    },
    get peerId() {
      return call.session?.peerId ?? '';
    },
    get peers() {
      return call.peers.map(({ id, name, byWhip, remotes }) => {
        const of = (kind: string) => {
          const remote = [...remotes.values()].find((remote) => remote.kind === kind);
          return remote ? { paused: remote.paused } : null;
        };
        return { id, name, byWhip, audio: of('audio'), video: of('video') };
      });
    },
    async stats() {
      return call.session ? summarize(call.session) : null;
    },
  };
  window.mafalda = Object.freeze(debug);
}
