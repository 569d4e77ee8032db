// How good a connection is, from two summaries a moment apart.
import type { InboundSummary, Summary } from './stats';

export type Level = 'good' | 'fair' | 'poor';

export interface Quality {
  level: Level;
  /** For the person who wants to know. */
  text: string;
}

/** Above these people begin to notice, and above the second they complain. */
const LOSS = { fair: 0.03, poor: 0.1 };
const ROUND_TRIP_MS = { fair: 200, poor: 500 };

/** The quality of what comes from one peer. */
export function ofPeer(now: Summary, before: Summary | undefined, id: string): Quality | undefined {
  const peer = now.peers[id];
  if (!peer?.audio && !peer?.video) return undefined;
  const seconds = before ? (now.at - before.at) / 1000 : 0;
  const kinds = [peer.audio, peer.video].filter((summary) => summary !== null);
  const old = [before?.peers[id]?.audio, before?.peers[id]?.video];
  const grown = (field: 'packetsReceived' | 'packetsLost' | 'bytesReceived'): number =>
    sum(kinds, field) - (before ? sum(old, field) : 0);
  const packets = grown('packetsReceived');
  const lost = Math.max(0, grown('packetsLost'));
  const loss = packets + lost > 0 ? lost / (packets + lost) : 0;
  const lines = [bitrate(seconds > 0 ? (grown('bytesReceived') * 8) / seconds : 0), percent(loss)];
  const { video } = peer;
  if (video && !video.paused && video.width) {
    lines.push(`${video.width}×${video.height}, ${Math.round(video.framesPerSecond ?? 0)} frames/s, ${video.codec.replace('video/', '')}`);
  }
  return { level: level(loss, now.recv?.roundTripMs ?? 0), text: lines.join('\n') };
}

/** The quality of one's own way to the server. */
export function ofSelf(now: Summary, before: Summary | undefined): Quality | undefined {
  const transport = now.send?.state === 'connected' ? now.send : now.recv;
  if (transport?.state !== 'connected') return undefined;
  const seconds = before ? (now.at - before.at) / 1000 : 0;
  const losses = [now.sending.audio, now.sending.video].map((sent) => sent?.fractionLost ?? 0);
  const loss = Math.max(...losses);
  const round = transport.roundTripMs;
  const up = seconds > 0 && now.send && before?.send ? ((now.send.bytesSent - before.send.bytesSent) * 8) / seconds : 0;
  const lines = [`up ${bitrate(Math.max(0, up))}`, percent(loss)];
  if (round !== null) lines.push(`round trip ${Math.round(round)} ms`);
  lines.push(`over ${transport.remote?.protocol.toUpperCase() ?? '?'}`);
  return { level: level(loss, round ?? 0), text: lines.join('\n') };
}

function level(loss: number, roundTripMs: number): Level {
  if (loss > LOSS.poor || roundTripMs > ROUND_TRIP_MS.poor) return 'poor';
  return loss > LOSS.fair || roundTripMs > ROUND_TRIP_MS.fair ? 'fair' : 'good';
}

function sum(of: (InboundSummary | null | undefined)[], field: 'packetsReceived' | 'packetsLost' | 'bytesReceived'): number {
  return of.reduce((total, summary) => total + (summary?.[field] ?? 0), 0);
}

function bitrate(bits: number): string {
  return bits >= 1_000_000 ? `${(bits / 1_000_000).toFixed(1)} Mbit/s` : `${Math.round(bits / 1000)} kbit/s`;
}

function percent(loss: number): string {
  return `${(loss * 100).toFixed(loss > 0 && loss < 0.1 ? 1 : 0)} % lost`;
}
