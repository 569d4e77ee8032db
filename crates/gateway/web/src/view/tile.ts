// One person on the stage: picture or initials, name, who speaks, how good the connection is.
import type { Quality } from '../quality';
import { h, icon } from './dom';

export interface TileState {
  name: string;
  /** It streams in by WHIP. */
  byWhip: boolean;
  audioTrack: MediaStreamTrack | undefined;
  videoTrack: MediaStreamTrack | undefined;
  /** Whether a picture is to be expected at all. */
  hasVideo: boolean;
  muted: boolean;
}

export class Tile {
  readonly element: HTMLElement;
  private readonly video: HTMLVideoElement;
  private readonly avatar = h('div.avatar', { aria: { hidden: 'true' } });
  private readonly name = h('span.name');
  private readonly via = h('span.via', { title: 'Streams in by WHIP: it hears and sees nobody', hidden: true }, 'WHIP');
  private readonly mute = icon('micOff');
  private readonly bars = h('div.bars', { aria: { role: 'img' } }, h('i'), h('i'), h('i'));
  private readonly stream = new MediaStream();

  /** `onBlocked` is called when the browser wants a click before it plays sound. */
  constructor(
    readonly id: string,
    private readonly own: boolean,
    private readonly onBlocked: () => void,
  ) {
    this.video = h('video', { autoplay: true, playsInline: true, muted: own, disablePictureInPicture: own });
    this.mute.setAttribute('aria-label', 'muted');
    this.element = h('article.tile', {}, this.avatar, this.video, h('div.label', {}, this.mute, this.name, this.via), this.bars);
    this.element.classList.toggle('own', own);
    this.element.dataset['peer'] = id;
  }

  render(state: TileState): void {
    const name = this.own ? `${state.name} (you)` : state.name;
    if (this.name.textContent !== name) {
      this.name.textContent = name;
      this.avatar.textContent = initials(state.name);
      this.element.style.setProperty('--hue', String(hue(state.name)));
      this.element.setAttribute('aria-label', name);
    }
    this.via.hidden = !state.byWhip;
    this.element.classList.toggle('with-video', state.hasVideo && state.videoTrack !== undefined);
    this.element.classList.toggle('muted', state.muted);
    const tracks = [state.videoTrack, this.own ? undefined : state.audioTrack];
    if (this.hold(tracks.filter((track) => track !== undefined))) void this.play();
  }

  setSpeaking(speaking: boolean): void {
    this.element.classList.toggle('speaking', speaking);
  }

  setQuality(quality: Quality | undefined): void {
    this.bars.dataset['level'] = quality?.level ?? 'unknown';
    const text = quality ? `${{ good: 'Good', fair: 'Fair', poor: 'Poor' }[quality.level]} connection` : 'Connection unknown';
    this.bars.title = quality ? `${text}\n${quality.text}` : text;
    this.bars.setAttribute('aria-label', text);
  }

  /** Plays, or finds out that it may not yet. */
  async play(): Promise<void> {
    try {
      await this.video.play();
    } catch (error) {
      if (error instanceof DOMException && error.name === 'NotAllowedError') this.onBlocked();
    }
  }

  remove(): void {
    this.video.srcObject = null;
    this.element.remove();
  }

  /** Makes the stream hold just these tracks. True if something came. */
  private hold(tracks: MediaStreamTrack[]): boolean {
    for (const track of this.stream.getTracks()) if (!tracks.includes(track)) this.stream.removeTrack(track);
    const missing = tracks.filter((track) => !this.stream.getTracks().includes(track));
    for (const track of missing) this.stream.addTrack(track);
    // A stream without tracks would keep the page from being loaded.
    const source = tracks.length > 0 ? this.stream : null;
    if (this.video.srcObject !== source) this.video.srcObject = source;
    return missing.length > 0;
  }
}

function initials(name: string): string {
  const words = name.split(/\s+/).filter(Boolean);
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].map((word) => [...(word ?? '')][0] ?? '');
  return letters.join('').toUpperCase();
}

/** The same name has the same color for everybody. */
function hue(name: string): number {
  let hash = 7;
  for (const letter of name) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) % 360;
  return hash;
}
