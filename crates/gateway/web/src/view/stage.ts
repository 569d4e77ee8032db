// The room: a grid of people and the buttons below it.
import * as address from '../address';
import type { Call } from '../call';
import { SpeakerMeter } from '../meter';
import { ofPeer, ofSelf } from '../quality';
import type { RemotePeer } from '../session';
import { type Summary, summarize } from '../stats';
import { Controls } from './controls';
import { h, icon } from './dom';
import { GAP, tileSize } from './grid';
import { copyLink } from './share';
import { Tile } from './tile';
import { tools } from './tools';

const QUALITY_EVERY_MS = 2_000;
const SPEAKING_EVERY_MS = 300;
const OWN = 'self';

export class Stage {
  private readonly tiles = new Map<string, Tile>();
  private readonly grid = h('section.grid', { aria: { label: 'People in the room' } });
  private readonly count = h('span');
  private readonly banner = h('div.banner', { aria: { role: 'status', live: 'polite' } });
  private readonly invitation: HTMLElement;
  private readonly unblock: HTMLButtonElement;
  private readonly controls: Controls;
  private readonly element: HTMLElement;
  private readonly timers: number[];
  private readonly observer = new ResizeObserver(() => this.arrange());
  private readonly meter = new SpeakerMeter();
  private before: Summary | undefined;

  constructor(
    root: HTMLElement,
    private readonly call: Call,
  ) {
    const { room, token } = call.address;
    const link = address.link(room, token);
    this.controls = new Controls(call, link);
    this.invitation = invitation(link);
    this.unblock = h('button.primary.unblock', { type: 'button', hidden: true, onclick: () => this.playAll() }, 'Click to hear the others');
    const header = h(
      'header.bar',
      {},
      h('img', { src: '/icon.svg', alt: 'Mafalda', width: 26, height: 26 }),
      h('h1', { title: room }, room),
      tools(room, token),
      h('div.people', {}, icon('people'), this.count),
    );
    this.element = h('main.stage', {}, header, this.banner, this.grid, this.unblock, this.controls.element);
    root.replaceChildren(this.element);
    this.observer.observe(this.grid);
    this.timers = [
      window.setInterval(() => void this.measureQuality(), QUALITY_EVERY_MS),
      window.setInterval(() => void this.measureSpeaking(), SPEAKING_EVERY_MS),
    ];
    document.addEventListener('keydown', this.onKey);
    this.render();
  }

  render(): void {
    const { call } = this;
    const peers = call.peers;
    const trouble = call.trouble || (call.state === 'connecting' ? 'Joining…' : '');
    if (this.banner.textContent !== trouble) this.banner.textContent = trouble;
    this.element.classList.toggle('in-trouble', trouble !== '');
    this.count.textContent = String(peers.length + 1);
    this.count.parentElement?.setAttribute('aria-label', `${peers.length + 1} in the room`);
    this.tile(OWN).render({
      name: call.address.name,
      byWhip: false,
      audioTrack: undefined,
      videoTrack: call.sends('video') ? call.tracks.video : undefined,
      hasVideo: call.sends('video'),
      muted: !call.sends('audio'),
    });
    for (const peer of peers) this.tile(peer.id).render(stateOf(peer));
    for (const [id, tile] of this.tiles) {
      if (id !== OWN && !peers.some((peer) => peer.id === id)) {
        tile.remove();
        this.tiles.delete(id);
      }
    }
    const alone = peers.length === 0 && call.state === 'connected' && !call.trouble;
    if (alone) this.grid.append(this.invitation);
    else this.invitation.remove();
    this.controls.render();
    this.arrange();
  }

  /** False if it was removed before. */
  remove(): boolean {
    if (!this.element.isConnected) return false;
    for (const timer of this.timers) clearInterval(timer);
    this.observer.disconnect();
    document.removeEventListener('keydown', this.onKey);
    for (const tile of this.tiles.values()) tile.remove();
    this.element.remove();
    return true;
  }

  private tile(id: string): Tile {
    let tile = this.tiles.get(id);
    if (!tile) {
      tile = new Tile(id, id === OWN, () => {
        this.unblock.hidden = false;
      });
      this.tiles.set(id, tile);
      this.grid.append(tile.element);
    }
    return tile;
  }

  private playAll(): void {
    this.unblock.hidden = true;
    for (const tile of this.tiles.values()) void tile.play();
  }

  private arrange(): void {
    const { clientWidth: width, clientHeight: height, children, style } = this.grid;
    const tile = tileSize(children.length, { width, height });
    style.setProperty('--gap', `${GAP}px`);
    style.setProperty('--width', `${tile.width}px`);
    style.setProperty('--height', `${tile.height}px`);
  }

  private async measureQuality(): Promise<void> {
    const { session } = this.call;
    if (!session || document.hidden) return;
    const now = await summarize(session);
    for (const [id, tile] of this.tiles) {
      tile.setQuality(id === OWN ? ofSelf(now, this.before) : ofPeer(now, this.before, id));
    }
    this.before = now;
  }

  private async measureSpeaking(): Promise<void> {
    const { session } = this.call;
    if (!session || document.hidden) return;
    const speaking = await this.meter.measure(session);
    for (const [id, tile] of this.tiles) tile.setSpeaking(speaking.has(id === OWN ? session.peerId : id));
  }

  private readonly onKey = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.key === 'm') void this.call.toggle('audio');
    if (event.key === 'v') void this.call.toggle('video');
  };
}

function stateOf({ name, byWhip, remotes }: RemotePeer) {
  const of = (kind: string) => [...remotes.values()].findLast((remote) => remote.kind === kind);
  const [audio, video] = [of('audio'), of('video')];
  return {
    name,
    byWhip,
    audioTrack: audio?.consumer?.track,
    videoTrack: video?.consumer?.track,
    hasVideo: video !== undefined && !video.paused,
    muted: audio === undefined || audio.paused,
  };
}

function invitation(link: string): HTMLElement {
  const copy = h('button.primary', { type: 'button', onclick: () => void copyLink(link) }, 'Copy link');
  return h('aside.invitation', {}, h('h2', {}, 'Nobody else is here yet'), h('p', {}, 'Send this link to whom you want to meet.'), h('code', {}, link), copy);
}
