// Who speaks.
import type { types } from 'mediasoup-client';

import type { Session } from './session';

/** Effective level, about -40 dBov: above the noise of a room, below a quiet voice. */
const SPEAKING_LEVEL = 0.01;
/** How long somebody counts as speaking after the last sound, so that the mark doesn't flicker between words. */
const HOLD_MS = 900;

/** What getStats has added up of a sound since its beginning. */
interface Energy {
  energy: number;
  seconds: number;
}

export class SpeakerMeter {
  private energies = new Map<string, Energy>();
  private readonly heard = new Map<string, number>();

  /** The ids of the peers that have spoken since the last call, one's own among them. */
  async measure({ peers, peerId, producers }: Session): Promise<Set<string>> {
    const sounds: [string, types.Producer | types.Consumer][] = [];
    if (producers.audio && !producers.audio.paused) sounds.push([peerId, producers.audio]);
    for (const { id, remotes } of peers.values()) {
      const audio = [...remotes.values()].find(({ kind, paused }) => kind === 'audio' && !paused);
      if (audio?.consumer) sounds.push([id, audio.consumer]);
    }
    const energies = await Promise.all(sounds.map(async ([id, sound]) => [id, await energyOf(sound)] as const));
    const now = performance.now();
    for (const [id, energy] of energies) {
      if (level(this.energies.get(id), energy) > SPEAKING_LEVEL) this.heard.set(id, now);
    }
    this.energies = new Map(energies);
    for (const [id, at] of this.heard) if (now - at > HOLD_MS) this.heard.delete(id);
    return new Set([...this.heard.keys()].filter((id) => this.energies.has(id)));
  }
}

function level(before: Energy | undefined, now: Energy): number {
  if (!before || now.seconds <= before.seconds) return 0;
  return Math.sqrt(Math.max(0, now.energy - before.energy) / (now.seconds - before.seconds));
}

async function energyOf(sound: types.Producer | types.Consumer): Promise<Energy> {
  if (!sound.closed) {
    for (const { type, totalAudioEnergy, totalSamplesDuration } of (await sound.getStats()).values()) {
      if (['inbound-rtp', 'media-source'].includes(type) && totalAudioEnergy !== undefined) {
        return { energy: totalAudioEnergy, seconds: totalSamplesDuration };
      }
    }
  }
  return { energy: 0, seconds: 0 };
}
