// Who speaks.
import type { types } from 'mediasoup-client';

import type { Session } from './session';

/** About -40 dBov: above the noise of a room, below a quiet voice. */
const SPEAKING_LEVEL = 0.01;
/** How long somebody counts as speaking after the last sound, so that the mark doesn't flicker between words. */
const HOLD_MS = 800;

export class SpeakerMeter {
  private readonly heard = new Map<string, number>();

  /** The ids of the peers that speak now, one's own among them. */
  async measure({ peers, peerId, producers }: Session): Promise<Set<string>> {
    const now = performance.now();
    const own = producers.audio;
    const sources = [...peers.values()].map(async ({ id, remotes }) => {
      const audio = [...remotes.values()].find(({ kind, paused, consumer }) => kind === 'audio' && !paused && consumer);
      if (audio?.consumer && (await levelOf(audio.consumer)) > SPEAKING_LEVEL) this.heard.set(id, now);
      if (!audio) this.heard.delete(id);
    });
    if (own && !own.paused) {
      sources.push(levelSent(own).then((level) => void (level > SPEAKING_LEVEL && this.heard.set(peerId, now))));
    }
    await Promise.all(sources);
    for (const [id, at] of this.heard) if (now - at > HOLD_MS) this.heard.delete(id);
    return new Set(this.heard.keys());
  }
}

/** The receiver knows the level of the packet that is played now; a report of statistics costs more. */
async function levelOf(consumer: types.Consumer): Promise<number> {
  const source = consumer.rtpReceiver?.getSynchronizationSources()[0];
  return source?.audioLevel ?? levelIn(await consumer.getStats(), 'inbound-rtp');
}

async function levelSent(producer: types.Producer): Promise<number> {
  return levelIn(await producer.getStats(), 'media-source');
}

function levelIn(report: RTCStatsReport, type: string): number {
  for (const stat of report.values()) if (stat.type === type) return stat.audioLevel ?? 0;
  return 0;
}
