// The call as a person sees it: it goes on while sessions come and go under it.
import type { Address } from './address';
import * as media from './media';
import type { Kind } from './protocol';
import { type RemotePeer, Session } from './session';
import { RequestError } from './signal';

/** Waits between attempts to come back, the last one for ever. */
const BACK_OFF_MS = [300, 1_000, 2_000, 4_000, 8_000];

/** Refusals that another attempt won't change. */
const FINAL_CODES = ['wrongToken', 'badRequest', 'roomFull'];

export type CallState = 'connecting' | 'connected' | 'reconnecting' | 'ended';

export interface CallEvents {
  /** Something that is shown has changed. */
  onChange(): void;
  /** Something to tell the person. */
  onNotice(text: string): void;
}

export class Call {
  state: CallState = 'connecting';
  /** Why it isn't as it should be, in plain words. */
  trouble = '';
  session: Session | undefined;
  readonly tracks: Partial<Record<Kind, MediaStreamTrack>> = {};
  readonly muted: Record<Kind, boolean> = { audio: false, video: false };
  /** Kinds that are being switched right now. */
  readonly busy = new Set<Kind>();
  private attempt = 0;
  private syncing: Promise<void> = Promise.resolve();

  constructor(
    readonly address: Address,
    private readonly events: CallEvents,
  ) {}

  /** The others; while the connection is broken those that were there. */
  get peers(): RemotePeer[] {
    return this.session ? [...this.session.peers.values()] : [];
  }

  sends(kind: Kind): boolean {
    return this.tracks[kind] !== undefined && !this.muted[kind];
  }

  /** Enters the room. Rejects if that fails; from then on the call comes back by itself. */
  async start(withMedia: boolean): Promise<void> {
    if (withMedia) {
      const { audio, video, problem } = await media.openBoth(this.address.height);
      this.adopt('audio', audio);
      this.adopt('video', video);
      if (problem) this.events.onNotice(`${problem} You can see and hear the others.`);
    }
    await this.connect();
    window.addEventListener('online', this.onOnline);
  }

  leave(): void {
    this.state = 'ended';
    window.removeEventListener('online', this.onOnline);
    this.session?.close();
    for (const track of Object.values(this.tracks)) track.stop();
    this.events.onChange();
  }

  /** Switches the microphone or the camera. A camera that is off is let go, so that its light goes out. */
  async toggle(kind: Kind): Promise<void> {
    if (this.busy.has(kind) || this.state === 'ended') return;
    this.busy.add(kind);
    try {
      await (this.sends(kind) ? this.switchOff(kind) : this.switchOn(kind));
    } catch (error) {
      this.events.onNotice(`That didn’t work: ${error instanceof Error ? error.message : error}`);
    } finally {
      this.busy.delete(kind);
      this.events.onChange();
    }
  }

  private async switchOff(kind: Kind): Promise<void> {
    this.muted[kind] = true;
    const track = this.tracks[kind];
    if (track) track.enabled = false;
    if (kind === 'video') track?.stop();
    this.events.onChange();
    await this.sync();
  }

  private async switchOn(kind: Kind): Promise<void> {
    if (this.tracks[kind]?.readyState !== 'live') {
      const opened = await media.openOne(kind, this.address.height);
      if (opened.problem) this.events.onNotice(opened.problem);
      if (!opened[kind]) return;
      this.adopt(kind, opened[kind]);
    }
    const track = this.tracks[kind];
    if (track) track.enabled = true;
    this.muted[kind] = false;
    await this.sync();
  }

  /** Sends what is switched on and pauses what is not, one change at a time. Without a connection the next one does it. */
  private sync(): Promise<void> {
    const synced = this.syncing.then(() => this.syncNow());
    this.syncing = synced.catch(() => {});
    return synced;
  }

  private async syncNow(): Promise<void> {
    if (this.state !== 'connected' || !this.session) return;
    const { producers } = this.session;
    for (const kind of ['audio', 'video'] as const) {
      const track = this.tracks[kind];
      if (track?.readyState === 'live' && producers[kind]?.track !== track) await this.session.publish(kind, track);
      await this.session.setPaused(kind, !this.sends(kind));
    }
  }

  /** Takes a track as ours. If its device goes away it counts as switched off. */
  private adopt(kind: Kind, track: MediaStreamTrack | undefined): void {
    if (!track) return;
    this.tracks[kind] = track;
    track.contentHint = kind === 'audio' ? 'speech' : 'motion';
    track.addEventListener('ended', () => {
      this.events.onNotice(`Your ${kind === 'audio' ? 'microphone' : 'camera'} was disconnected.`);
      void this.switchOff(kind).catch(() => {});
    });
  }

  private async connect(): Promise<void> {
    const events = {
      onChange: () => this.events.onChange(),
      onBroken: (reason: string) => void this.reconnect(reason),
      onMediaLost: (lost: boolean) => this.onMediaLost(lost),
    };
    const session = await Session.join(this.address, events, this.session?.secret);
    if (this.ended) return session.close();
    this.session = session;
    this.attempt = 0;
    this.setState('connected', '');
    await this.sync().catch((error) => this.onUnsent(error));
  }

  private async reconnect(reason: string): Promise<void> {
    console.warn('session ended:', reason);
    this.setState('reconnecting', 'Connection lost. Reconnecting…');
    while (!this.ended) {
      const wait = BACK_OFF_MS[Math.min(this.attempt++, BACK_OFF_MS.length - 1)];
      await new Promise((resolve) => setTimeout(resolve, wait));
      if (this.ended) return;
      try {
        await this.connect();
        return;
      } catch (error) {
        if (error instanceof RequestError && FINAL_CODES.includes(error.code)) {
          this.events.onNotice(error.message);
          this.leave();
          return;
        }
      }
    }
  }

  /** If the connection broke meanwhile, the next one tries again. */
  private onUnsent(error: unknown): void {
    if (this.state !== 'connected') return;
    this.events.onNotice(`The others can’t see or hear you: ${error instanceof Error ? error.message : error}`);
  }

  private onMediaLost(lost: boolean): void {
    if (this.state !== 'connected') return;
    this.setState('connected', lost ? 'Your network is unstable. Restoring sound and picture…' : '');
  }

  /** The network has changed: what worked before may not any more, and nothing tells sooner. */
  private readonly onOnline = (): void => {
    void this.session?.restartIce().catch(() => {});
  };

  private setState(state: CallState, trouble: string): void {
    if (this.ended) return;
    this.state = state;
    this.trouble = trouble;
    this.events.onChange();
  }

  private get ended(): boolean {
    return this.state === 'ended';
  }
}
