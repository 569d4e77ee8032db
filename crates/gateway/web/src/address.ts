// What the page's address says: /r/ROOM?name=NAME&join#token=TOKEN, and the settings in docs/conference.md.

export const HEIGHTS = [180, 360, 540, 720, 1080] as const;
export type Height = (typeof HEIGHTS)[number];
const CODECS = ['vp8', 'vp9', 'h264', 'av1'] as const;
export type Codec = (typeof CODECS)[number];

export interface Address {
  room: string;
  name: string;
  token: string;
  /** Enter at once, with camera and microphone. */
  join: boolean;
  /** The codec to send with, if the room has it. */
  codec: Codec | undefined;
  /** Lines of the camera's picture. */
  height: Height;
  /** Media over TCP only. */
  tcp: boolean;
}

const HEIGHT_DEFAULT: Height = 540;

export function read(location: Location): Address {
  const query = new URLSearchParams(location.search);
  const path = /^\/r\/([^/]+)$/.exec(location.pathname)?.[1];
  return {
    room: path ? decode(path) : '',
    name: query.get('name')?.trim() ?? '',
    token: new URLSearchParams(location.hash.slice(1)).get('token') ?? '',
    join: query.has('join'),
    codec: CODECS.find((codec) => codec === query.get('codec')),
    height: HEIGHTS.find((height) => String(height) === query.get('height')) ?? HEIGHT_DEFAULT,
    tcp: query.has('tcp'),
  };
}

/** What one gives to others, without one's own name and settings. */
export function link(room: string, token: string): string {
  const url = new URL(`/r/${encodeURIComponent(room)}`, location.href);
  if (token) url.hash = new URLSearchParams({ token }).toString();
  return url.href;
}

/** Where other tools stream into the room and watch it. They get the token as a header of their own. */
export function tools(room: string): { whip: string; whep: string } {
  const at = (protocol: string): string => new URL(`/${protocol}/${encodeURIComponent(room)}`, location.href).href;
  return { whip: at('whip'), whep: at('whep') };
}

/** Where this page is once it is in a room: the link with the settings of the present address, so that a reload keeps them. */
export function inside(room: string, token: string): string {
  const url = new URL(link(room, token));
  const query = new URLSearchParams(location.search);
  query.delete('name');
  query.delete('join');
  url.search = query.toString();
  return url.href;
}

/** Makes a room's name of what somebody typed; empty if nothing is left. The server takes the same letters. */
export function toRoomName(text: string): string {
  const words = text.trim().normalize('NFC').replace(/[^\p{L}\p{N}._]+/gu, '-');
  let name = words.replace(/^-+|-+$/g, '');
  while (new TextEncoder().encode(name).length > 64) name = [...name].slice(0, -1).join('');
  return name;
}

export function randomRoomName(): string {
  const pick = (words: string): string => {
    const list = words.split(' ');
    return list[Math.floor(Math.random() * list.length)] ?? '';
  };
  const adjective = pick('amber azure brave bright calm clever cosy curious gentle golden happy kind lively lucky merry mild noble quiet quick silver sunny swift tidy warm');
  const noun = pick('balcony bakery bridge canal corner courtyard fountain garden harbor hill kiosk lantern library market meadow orchard park plaza school square station tram village window');
  return `${adjective}-${noun}-${10 + Math.floor(Math.random() * 90)}`;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
