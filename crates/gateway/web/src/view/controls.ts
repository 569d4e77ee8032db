// The buttons: microphone, camera, link, leave.
import type { Call } from '../call';
import type { Kind } from '../protocol';
import { h, icon, type IconName } from './dom';
import { copyLink } from './share';

const LABELS: Record<Kind, { on: string; off: string; key: string; icons: [IconName, IconName] }> = {
  audio: { on: 'Mute', off: 'Unmute', key: 'M', icons: ['mic', 'micOff'] },
  video: { on: 'Stop camera', off: 'Start camera', key: 'V', icons: ['camera', 'cameraOff'] },
};

export class Controls {
  readonly element: HTMLElement;
  private readonly switches: Record<Kind, HTMLButtonElement>;

  constructor(
    private readonly call: Call,
    link: string,
  ) {
    const toggle = (kind: Kind) => h('button.round', { type: 'button', onclick: () => void call.toggle(kind) });
    this.switches = { audio: toggle('audio'), video: toggle('video') };
    const share = h('button.round', { type: 'button', title: 'Copy link', aria: { label: 'Copy link' }, onclick: () => void copyLink(link) }, icon('link'));
    const leave = h('button.round.leave', { type: 'button', title: 'Leave', aria: { label: 'Leave' }, onclick: () => call.leave() }, icon('leave'));
    this.element = h('nav.controls', { aria: { label: 'Call' } }, this.switches.audio, this.switches.video, share, leave);
  }

  render(): void {
    for (const kind of ['audio', 'video'] as const) {
      const button = this.switches[kind];
      const on = this.call.sends(kind);
      const { icons, key, ...labels } = LABELS[kind];
      const name = icons[on ? 0 : 1];
      if (button.dataset['shows'] !== name) button.replaceChildren(icon(name));
      button.dataset['shows'] = name;
      button.title = `${on ? labels.on : labels.off} (${key})`;
      button.setAttribute('aria-label', on ? labels.on : labels.off);
      button.setAttribute('aria-keyshortcuts', key);
      button.classList.toggle('off', !on);
      button.disabled = this.call.busy.has(kind);
    }
  }
}
