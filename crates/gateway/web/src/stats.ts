// What getStats says, boiled down: per transport, per kind that is sent, per peer and kind that is received.
import type { types } from 'mediasoup-client';

import type { Kind } from './protocol';
import type { Session } from './session';

export interface Endpoint {
  address: string;
  port: number;
  protocol: string;
}

export interface TransportSummary {
  state: string;
  /** Changes with each ICE restart. */
  iceUfrag: string;
  dtlsState: string;
  dtlsRole: string;
  srtpCipher: string;
  /** The pair that media goes over. */
  local: Endpoint | null;
  remote: Endpoint | null;
  /** Every address of the server that this transport knows. */
  candidates: Endpoint[];
  roundTripMs: number | null;
  packetsSent: number;
  packetsReceived: number;
  bytesSent: number;
  bytesReceived: number;
}

export interface InboundSummary {
  paused: boolean;
  codec: string;
  packetsReceived: number;
  packetsLost: number;
  bytesReceived: number;
  jitterMs: number;
  nackCount: number;
  /** Audio: energy since the beginning, and the level of late from 0 to 1. */
  totalAudioEnergy?: number;
  audioLevel?: number;
  /** Video. */
  framesDecoded?: number;
  framesDropped?: number;
  keyFramesDecoded?: number;
  freezeCount?: number;
  totalFreezesSeconds?: number;
  framesPerSecond?: number;
  width?: number;
  height?: number;
  pliCount?: number;
}

export interface OutboundSummary {
  paused: boolean;
  codec: string;
  packetsSent: number;
  bytesSent: number;
  retransmittedPacketsSent: number;
  nackCount: number;
  pliCount?: number;
  /** What the server says it lost of late, from 0 to 1. */
  fractionLost: number | null;
  audioLevel?: number;
  framesEncoded?: number;
  framesPerSecond?: number;
  width?: number;
  height?: number;
}

export interface PeerSummary {
  name: string;
  audio: InboundSummary | null;
  video: InboundSummary | null;
}

export interface Summary {
  /** `performance.now()`, in milliseconds. */
  at: number;
  iceRestarts: number;
  send: TransportSummary | null;
  recv: TransportSummary | null;
  sending: Record<Kind, OutboundSummary | null>;
  peers: Record<string, PeerSummary>;
}

// Reports have fields that depend on their type and on the browser.
type Stat = Record<string, any>;

export async function summarize(session: Session): Promise<Summary> {
  const peers: Record<string, PeerSummary> = {};
  const [send, recv, audio, video] = await Promise.all([
    transport(session.send),
    transport(session.recv),
    outbound(session.producers.audio),
    outbound(session.producers.video),
    ...[...session.peers.values()].map(async ({ id, name, remotes }) => {
      const peer: PeerSummary = { name, audio: null, video: null };
      await Promise.all(
        [...remotes.values()].map(async ({ kind, paused, consumer }) => {
          if (consumer && !consumer.closed) peer[kind] = inbound(await consumer.getStats(), paused);
        }),
      );
      peers[id] = peer;
    }),
  ]);
  return {
    at: performance.now(),
    iceRestarts: session.iceRestarts,
    send: send as TransportSummary | null,
    recv: recv as TransportSummary | null,
    sending: { audio: audio as OutboundSummary | null, video: video as OutboundSummary | null },
    peers,
  };
}

async function transport(transport: types.Transport | undefined): Promise<TransportSummary | null> {
  if (!transport || transport.closed) return null;
  const stats = [...(await transport.getStats()).values()] as Stat[];
  const own = stats.find(({ type }) => type === 'transport') ?? {};
  const pairs = stats.filter(({ type }) => type === 'candidate-pair');
  // Firefox has no transport report and marks the pair instead.
  const pair = pairs.find(({ id, selected }) => id === own['selectedCandidatePairId'] || selected);
  const byId = (id: string): Endpoint | null => endpoint(stats.find((stat) => stat['id'] === id));
  const rtt = pair?.['currentRoundTripTime'] as number | undefined;
  return {
    state: transport.connectionState,
    iceUfrag: own['iceLocalUsernameFragment'] ?? '',
    dtlsState: own['dtlsState'] ?? '',
    dtlsRole: own['dtlsRole'] ?? '',
    srtpCipher: own['srtpCipher'] ?? '',
    local: pair ? byId(pair['localCandidateId']) : null,
    remote: pair ? byId(pair['remoteCandidateId']) : null,
    candidates: stats
      .filter(({ type }) => type === 'remote-candidate')
      .map(endpoint)
      .filter((candidate) => candidate !== null),
    roundTripMs: rtt === undefined ? null : rtt * 1000,
    packetsSent: own['packetsSent'] ?? pair?.['packetsSent'] ?? 0,
    packetsReceived: own['packetsReceived'] ?? pair?.['packetsReceived'] ?? 0,
    bytesSent: own['bytesSent'] ?? pair?.['bytesSent'] ?? 0,
    bytesReceived: own['bytesReceived'] ?? pair?.['bytesReceived'] ?? 0,
  };
}

function endpoint(candidate: Stat | undefined): Endpoint | null {
  if (!candidate) return null;
  return { address: candidate['address'] ?? '', port: candidate['port'] ?? 0, protocol: candidate['protocol'] ?? '' };
}

async function outbound(producer: types.Producer | undefined): Promise<OutboundSummary | null> {
  if (!producer || producer.closed) return null;
  const stats = [...(await producer.getStats()).values()] as Stat[];
  const of = (type: string): Stat => stats.find((stat) => stat['type'] === type) ?? {};
  const rtp = of('outbound-rtp');
  return {
    paused: producer.paused,
    codec: codec(stats, rtp),
    packetsSent: rtp['packetsSent'] ?? 0,
    bytesSent: rtp['bytesSent'] ?? 0,
    retransmittedPacketsSent: rtp['retransmittedPacketsSent'] ?? 0,
    nackCount: rtp['nackCount'] ?? 0,
    pliCount: rtp['pliCount'],
    fractionLost: of('remote-inbound-rtp')['fractionLost'] ?? null,
    audioLevel: of('media-source')['audioLevel'],
    framesEncoded: rtp['framesEncoded'],
    framesPerSecond: rtp['framesPerSecond'],
    width: rtp['frameWidth'],
    height: rtp['frameHeight'],
  };
}

function inbound(report: RTCStatsReport, paused: boolean): InboundSummary {
  const stats = [...report.values()] as Stat[];
  const rtp = stats.find(({ type }) => type === 'inbound-rtp') ?? {};
  return {
    paused,
    codec: codec(stats, rtp),
    packetsReceived: rtp['packetsReceived'] ?? 0,
    packetsLost: rtp['packetsLost'] ?? 0,
    bytesReceived: rtp['bytesReceived'] ?? 0,
    jitterMs: (rtp['jitter'] ?? 0) * 1000,
    nackCount: rtp['nackCount'] ?? 0,
    totalAudioEnergy: rtp['totalAudioEnergy'],
    audioLevel: rtp['audioLevel'],
    framesDecoded: rtp['framesDecoded'],
    framesDropped: rtp['framesDropped'],
    keyFramesDecoded: rtp['keyFramesDecoded'],
    freezeCount: rtp['freezeCount'],
    totalFreezesSeconds: rtp['totalFreezesDuration'],
    framesPerSecond: rtp['framesPerSecond'],
    width: rtp['frameWidth'],
    height: rtp['frameHeight'],
    pliCount: rtp['pliCount'],
  };
}

function codec(stats: Stat[], rtp: Stat): string {
  return stats.find(({ id }) => id === rtp['codecId'])?.['mimeType'] ?? '';
}
