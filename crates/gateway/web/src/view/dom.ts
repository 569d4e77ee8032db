// Elements in one expression.

type Child = Node | string | null | undefined | false;

/** `h('button.primary', { type: 'submit' }, 'Join')`; a handler is an `on…` property. */
export function h<K extends keyof HTMLElementTagNameMap>(
  selector: K | `${K}.${string}`,
  properties: Partial<HTMLElementTagNameMap[K]> & { aria?: Record<string, string> } = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const [tag, ...classes] = selector.split('.');
  const element = document.createElement(tag as K);
  element.classList.add(...classes);
  const { aria, ...rest } = properties;
  Object.assign(element, rest);
  for (const [name, value] of Object.entries(aria ?? {})) element.setAttribute(name === 'role' ? name : `aria-${name}`, value);
  element.append(...children.filter((child): child is Node | string => Boolean(child)));
  return element;
}

const ICONS = {
  mic: '<rect x="9" y="3" width="6" height="11" rx="3"/><path d="M5.500 11.500a6.500 6.500 0 0 0 13 0M12 18v3"/>',
  micOff: '<path d="M15 9.500V6a3 3 0 0 0-5.800-1.100M9 9v2a3 3 0 0 0 4.600 2.500M5.500 11.500a6.500 6.500 0 0 0 10.300 5.300M18.500 11.500c0 .9-.2 1.700-.5 2.500M12 18v3M4 4l16 16"/>',
  camera: '<rect x="3" y="6.500" width="12" height="11" rx="2.500"/><path d="m15 10.500 4.700-2.700a.9.9 0 0 1 1.300.8v6.800a.9.9 0 0 1-1.300.8L15 13.500"/>',
  cameraOff: '<path d="M8.500 6.500h4A2.500 2.500 0 0 1 15 9v3.500M15 16a2.500 2.500 0 0 1-2 1.500H5.500A2.500 2.500 0 0 1 3 15V9c0-1 .6-1.900 1.500-2.300M15 10.500l4.700-2.700a.9.9 0 0 1 1.300.8v6.800a.9.9 0 0 1-1 .9M4 4l16 16"/>',
  leave: '<path d="M3.600 13.600c-.8-1-.8-2.300.1-3.200 4.600-4.300 12-4.300 16.600 0 .9.9.9 2.200.1 3.200l-.7.8c-.5.600-1.400.8-2.100.4l-1.900-1a1.700 1.700 0 0 1-.9-1.500v-1.100a9.300 9.300 0 0 0-5.600 0v1.100c0 .600-.3 1.200-.9 1.500l-1.900 1c-.7.400-1.600.200-2.100-.4z" fill="currentColor"/>',
  link: '<path d="M10 13.500a4 4 0 0 0 5.700 0l3-3a4 4 0 0 0-5.700-5.700l-1 1M14 10.500a4 4 0 0 0-5.700 0l-3 3a4 4 0 0 0 5.700 5.700l1-1"/>',
  broadcast: '<circle cx="12" cy="12" r="2"/><path d="M8.200 15.800a5.400 5.400 0 0 1 0-7.600M15.800 8.200a5.400 5.400 0 0 1 0 7.600M5.400 18.600a9.300 9.300 0 0 1 0-13.200M18.600 5.400a9.300 9.300 0 0 1 0 13.200"/>',
  copy: '<rect x="8.500" y="8.500" width="11.500" height="11.500" rx="2.500"/><path d="M15.500 5.500A2 2 0 0 0 13.500 4H6.500A2.500 2.500 0 0 0 4 6.500v7a2 2 0 0 0 1.500 2"/>',
  people: '<circle cx="9" cy="8.500" r="3.200"/><path d="M3 19c.4-3.300 2.800-5.200 6-5.200s5.600 1.900 6 5.200M15.500 5.600a3.200 3.200 0 0 1 0 5.800M17.500 14.300c2 .7 3.300 2.300 3.500 4.700"/>',
  warning: '<path d="M12 9v4.500M12 17h.01M10.300 4.300 2.800 17.200A2 2 0 0 0 4.500 20h15a2 2 0 0 0 1.700-2.800L13.700 4.300a2 2 0 0 0-3.400 0z"/>',
};

export type IconName = keyof typeof ICONS;

export function icon(name: IconName): HTMLElement {
  const element = h('span.icon', { aria: { hidden: 'true' } });
  element.innerHTML = `<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round">${ICONS[name]}</svg>`;
  element.dataset['icon'] = name;
  return element;
}
