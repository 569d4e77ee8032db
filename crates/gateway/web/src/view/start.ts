// Where one says who one is and which room to enter.
import { randomRoomName, toRoomName } from '../address';
import { h, icon } from './dom';

export interface Entry {
  room: string;
  name: string;
  /** Without camera and microphone. */
  watch: boolean;
}

export interface StartOptions {
  room: string;
  name: string;
  problem?: string;
}

export function showStart(root: HTMLElement, { room, name, problem }: StartOptions, enter: (entry: Entry) => void): void {
  const nameInput = h('input', { name: 'name', value: name, required: true, maxLength: 40, autocomplete: 'name', placeholder: 'How the others see you' });
  const roomInput = h('input', { name: 'room', value: room, maxLength: 64, autocomplete: 'off', spellcheck: false, placeholder: randomRoomName() });
  roomInput.setAttribute('autocapitalize', 'none');
  const submit = (watch: boolean): void => {
    if (!nameInput.reportValidity()) return;
    const chosen = toRoomName(roomInput.value) || roomInput.placeholder;
    enter({ room: chosen, name: nameInput.value.trim(), watch });
  };
  const form = h(
    'form.card',
    {
      onsubmit: (event) => {
        event.preventDefault();
        submit(false);
      },
    },
    h('img.logo', { src: '/icon.svg', alt: '', width: 56, height: 56 }),
    h('h1', {}, room ? 'You’re invited' : 'Mafalda'),
    h('p.lead', {}, room ? 'Say who you are, and go in.' : 'Meet in the browser. Whoever has the link is in the room.'),
    warning(problem ?? (window.isSecureContext ? undefined : INSECURE)),
    h('label', {}, h('span', {}, 'Your name'), nameInput),
    h('label', {}, h('span', {}, 'Room'), roomInput),
    h('button.primary', { type: 'submit' }, 'Join'),
    h('button.quiet', { type: 'button', onclick: () => submit(true) }, 'Join without camera and microphone'),
  );
  root.replaceChildren(h('main.start', {}, form));
  (name ? (form.querySelector('.primary') as HTMLElement) : nameInput).focus();
}

const INSECURE =
  'This page came over an insecure connection, so the browser gives it no camera and no microphone. You can join and watch.';

function warning(text: string | undefined): HTMLElement | null {
  return text ? h('p.warning', { aria: { role: 'alert' } }, icon('warning'), h('span', {}, text)) : null;
}
