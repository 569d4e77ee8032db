// The addresses under which tools that speak WHIP and WHEP come into the room and watch it.
import * as address from '../address';
import { h, icon } from './dom';
import { copy } from './share';

/** A button, and the dialog that it opens. */
export function tools(room: string, token: string): HTMLElement {
  const { whip, whep } = address.tools(room);
  const dialog: HTMLDialogElement = h(
    'dialog.tools',
    { aria: { label: 'Addresses for other tools' } },
    h('h2', {}, 'Other tools'),
    h('p', {}, 'OBS, GStreamer, or any page or player that speaks WHIP and WHEP.'),
    row('Stream into this room', 'WHIP', whip),
    row('Watch this room', 'WHEP', whep),
    token ? row('Bearer token', '', token) : null,
    h('p.hint', {}, 'Behind the first, ', h('code', {}, '?name=NAME'), ' says who streams. Behind the second, ', h('code', {}, '/NAME'), ' chooses whom to watch.'),
    h('button.quiet', { type: 'button', onclick: () => dialog.close() }, 'Close'),
  );
  // A click beside it closes it too.
  dialog.addEventListener('click', ({ target }) => {
    if (target === dialog) dialog.close();
  });
  const label = 'Stream or watch with other tools';
  const open = h('button.chip', { type: 'button', title: label, aria: { label }, onclick: () => dialog.showModal() }, icon('broadcast'));
  return h('div.tools-corner', {}, open, dialog);
}

function row(what: string, protocol: string, text: string): HTMLElement {
  const label = protocol ? `Copy the ${protocol} address` : `Copy the ${what.toLowerCase()}`;
  const button = h('button.chip', { type: 'button', title: label, aria: { label }, onclick: () => void copy(text, 'Copied.') }, icon('copy'));
  const title = h('div.what', {}, what, protocol ? h('span.via', {}, protocol) : null);
  return h('div.row', {}, title, h('code', {}, text), button);
}
