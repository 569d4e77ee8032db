// Short messages that come and go by themselves, and are read out.
import { h } from './dom';

const SHOWN_MS = 7_000;
/** Older ones make place. */
const NOTICES_MAX = 3;

const list = h('div.notices', { aria: { role: 'status', live: 'polite' } });

export function notify(text: string): void {
  if (!list.isConnected) document.body.append(list);
  if ([...list.children].some((shown) => shown.firstChild?.textContent === text)) return;
  const notice = h('div.notice', {}, h('span', {}, text));
  const dismiss = () => notice.remove();
  notice.append(h('button.plain', { type: 'button', onclick: dismiss, aria: { label: 'Dismiss' } }, '×'));
  list.append(notice);
  while (list.children.length > NOTICES_MAX) list.firstChild?.remove();
  setTimeout(() => notice.remove(), SHOWN_MS);
}
