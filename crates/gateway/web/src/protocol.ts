// What is said over the WebSocket. docs/conference.md describes it with examples.
import type { types } from 'mediasoup-client';

export type Kind = types.MediaKind;

export interface ProducerView {
  id: string;
  kind: Kind;
  paused: boolean;
}

export interface PeerView {
  id: string;
  name: string;
  /** Absent for who speaks this protocol. */
  via?: 'whip';
  producers: ProducerView[];
}

export interface TransportView {
  id: string;
  iceParameters: types.IceParameters;
  iceCandidates: types.IceCandidate[];
  dtlsParameters: types.DtlsParameters;
}

type OfTransport = { transportId: string };
type OfProducer = { producerId: string };
type OfConsumer = { consumerId: string };
type Done = Record<string, never>;

/** Each method: what it is given and what it answers. */
export interface Methods {
  join: [
    { room: string; name: string; token?: string; replaces?: string },
    { peerId: string; secret: string; rtpCapabilities: types.RtpCapabilities; peers: PeerView[] },
  ];
  leave: [Record<string, never>, Done];
  createTransport: [{ direction: 'send' | 'recv' }, TransportView];
  connectTransport: [OfTransport & { dtlsParameters: types.DtlsParameters }, Done];
  restartIce: [OfTransport, { iceParameters: types.IceParameters }];
  produce: [OfTransport & { kind: Kind; rtpParameters: types.RtpParameters; paused?: boolean }, { id: string }];
  pauseProducer: [OfProducer, Done];
  resumeProducer: [OfProducer, Done];
  closeProducer: [OfProducer, Done];
  consume: [
    OfTransport & OfProducer & { rtpCapabilities: types.RtpCapabilities },
    {
      id: string;
      producerId: string;
      kind: Kind;
      rtpParameters: types.RtpParameters;
      type: string;
      producerPaused: boolean;
    },
  ];
  resumeConsumer: [OfConsumer, Done];
  closeConsumer: [OfConsumer, Done];
}

export type Notice =
  | { event: 'peerJoined'; data: { id: string; name: string; via?: 'whip' } }
  | { event: 'peerLeft'; data: { id: string } }
  | { event: 'newProducer'; data: ProducerView & { peerId: string } }
  | { event: 'producerPaused' | 'producerResumed' | 'producerClosed'; data: { peerId: string; id: string } }
  | { event: 'roomClosed'; data: Record<string, never> };
