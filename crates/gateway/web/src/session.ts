// One stay in a room over one WebSocket: transports, what is sent, what the others send. When the connection breaks it ends,
// and the call makes another.
import { Device, type types } from 'mediasoup-client';

import type { Address, Height } from './address';
import type { Kind, Notice, PeerView, ProducerView } from './protocol';
import { Signal } from './signal';

/** How long ICE may be disconnected before it is restarted: many such breaks heal by themselves. */
const ICE_PATIENCE_MS = 2_500;
/** How often a restart that doesn't help is tried, one every `ICE_PATIENCE_MS`, before the session is given up. */
const ICE_RESTARTS_MAX = 6;

/** The most that one picture of each height needs to look right. */
const VIDEO_BITRATE: Record<Height, number> = { 180: 250_000, 360: 700_000, 540: 1_200_000, 720: 2_000_000, 1080: 3_500_000 };

/** What a peer sends, as far as it has arrived here. */
export interface Remote extends ProducerView {
  consumer?: types.Consumer;
}

export interface RemotePeer {
  id: string;
  name: string;
  /** It streams in by WHIP, and hears nothing. */
  byWhip: boolean;
  remotes: Map<string, Remote>;
}

export interface SessionEvents {
  onChange(): void;
  /** It is over, and not because of `close`. */
  onBroken(reason: string): void;
  /** ICE is being restarted, or has come back. */
  onMediaLost(lost: boolean): void;
}

export class Session {
  readonly peers = new Map<string, RemotePeer>();
  readonly producers: Partial<Record<Kind, types.Producer>> = {};
  recv: types.Transport | undefined;
  send: types.Transport | undefined;
  iceRestarts = 0;
  peerId = '';
  secret = '';
  private readonly lost = new Set<types.Transport>();
  private joined = false;
  private over = false;

  private constructor(
    private readonly signal: Signal,
    private readonly device: types.Device,
    private readonly address: Address,
    private readonly events: SessionEvents,
  ) {
    signal.onNotice = (notice) => this.onNotice(notice);
    signal.onClose = (reason) => this.break(reason || 'the connection was lost');
  }

  /** Joins and begins to receive what there is. `replaces` is the secret of the session before. */
  static async join(address: Address, events: SessionEvents, replaces?: string): Promise<Session> {
    const device = await Device.factory();
    const signal = await Signal.open();
    const session = new Session(signal, device, address, events);
    try {
      await session.enter(replaces);
      session.joined = true;
    } catch (error) {
      session.close();
      throw error;
    }
    return session;
  }

  /** Leaves. Tracks of the camera and microphone go on. */
  close(): void {
    this.over = true;
    this.signal.close();
    this.send?.close();
    this.recv?.close();
  }

  /** Sends a track, in place of the earlier one of its kind if there is one. One that isn't enabled begins paused. */
  async publish(kind: Kind, track: MediaStreamTrack): Promise<void> {
    const producer = this.producers[kind];
    if (producer) {
      await producer.replaceTrack({ track });
      return;
    }
    const appData = { paused: !track.enabled };
    this.send ??= await this.createTransport('send');
    const codec = kind === 'video' && this.address.codec ? this.codec(this.address.codec) : undefined;
    const encodings = kind === 'video' ? [{ maxBitrate: VIDEO_BITRATE[this.address.height] }] : undefined;
    const codecOptions = kind === 'audio' ? { opusFec: true, opusDtx: false } : { videoGoogleStartBitrate: 600 };
    // Paused means that nothing is sent, and the track stays ours.
    this.producers[kind] = await this.send.produce({
      track,
      encodings,
      codecOptions,
      codec,
      appData,
      stopTracks: false,
      zeroRtpOnPause: true,
    });
  }

  async setPaused(kind: Kind, paused: boolean): Promise<void> {
    const producer = this.producers[kind];
    if (!producer || producer.paused === paused) return;
    if (paused) producer.pause();
    else producer.resume();
    await this.signal.request(paused ? 'pauseProducer' : 'resumeProducer', { producerId: producer.id });
  }

  /** New ICE credentials on each transport that is in use; media goes on over the old pair until the new one works. */
  async restartIce(): Promise<void> {
    const used = [this.send, this.recv].filter((transport) => transport && transport.connectionState !== 'new');
    await Promise.all(used.map((transport) => this.restartIceOf(transport as types.Transport)));
  }

  private async enter(replaces?: string): Promise<void> {
    const { room, name, token } = this.address;
    const joined = await this.signal.request('join', { room, name, token: token || undefined, replaces });
    this.peerId = joined.peerId;
    this.secret = joined.secret;
    for (const peer of joined.peers) this.addPeer(peer);
    await this.device.load({ routerRtpCapabilities: joined.rtpCapabilities });
    this.recv = await this.createTransport('recv');
    // Including what was announced since the answer.
    for (const peer of this.peers.values()) {
      for (const remote of peer.remotes.values()) void this.consume(peer.id, remote);
    }
  }

  private async createTransport(direction: 'send' | 'recv'): Promise<types.Transport> {
    const view = await this.signal.request('createTransport', { direction });
    const iceCandidates = this.address.tcp
      ? view.iceCandidates.filter(({ protocol }) => protocol === 'tcp')
      : view.iceCandidates;
    const options = { ...view, iceCandidates };
    const transport =
      direction === 'send' ? this.device.createSendTransport(options) : this.device.createRecvTransport(options);
    const transportId = transport.id;
    transport.on('connect', ({ dtlsParameters }, done, fail) => {
      this.signal.request('connectTransport', { transportId, dtlsParameters }).then(done, fail);
    });
    transport.on('produce', ({ kind, rtpParameters, appData }, done, fail) => {
      const paused = appData['paused'] === true;
      this.signal.request('produce', { transportId, kind, rtpParameters, paused }).then(done, fail);
    });
    transport.on('connectionstatechange', (state) => void this.watchIce(transport, state));
    return transport;
  }

  private codec(name: string): types.RtpCodecCapability | undefined {
    const mimeType = `video/${name}`;
    return this.device.sendRtpCapabilities.codecs?.find((codec) => codec.mimeType.toLowerCase() === mimeType);
  }

  private async watchIce(transport: types.Transport, state: types.ConnectionState): Promise<void> {
    if (state === 'connected') this.setLost(transport, false);
    if (!['disconnected', 'failed'].includes(state) || this.lost.has(transport)) return;
    this.setLost(transport, true);
    for (let tries = 0; tries < ICE_RESTARTS_MAX; tries++) {
      await new Promise((resolve) => setTimeout(resolve, ICE_PATIENCE_MS));
      if (this.over || !this.lost.has(transport)) return;
      // A request that fails ends the session by itself.
      await this.restartIceOf(transport).catch(() => {});
    }
    if (this.lost.has(transport)) this.break('media doesn’t get through');
  }

  private async restartIceOf(transport: types.Transport): Promise<void> {
    const { iceParameters } = await this.signal.request('restartIce', { transportId: transport.id });
    await transport.restartIce({ iceParameters });
    this.iceRestarts += 1;
  }

  private setLost(transport: types.Transport, lost: boolean): void {
    if (lost) this.lost.add(transport);
    else if (!this.lost.delete(transport)) return;
    if (!this.over) this.events.onMediaLost(this.lost.size > 0);
  }

  private addPeer({ id, name, via, producers }: PeerView): void {
    const remotes = new Map(producers.map((producer) => [producer.id, { ...producer }]));
    this.peers.set(id, { id, name, byWhip: via === 'whip', remotes });
  }

  private onNotice(notice: Notice): void {
    switch (notice.event) {
      case 'peerJoined':
        this.addPeer({ ...notice.data, producers: [] });
        break;
      case 'peerLeft':
        this.peers.delete(notice.data.id);
        break;
      case 'newProducer': {
        const { peerId, ...producer } = notice.data;
        this.peers.get(peerId)?.remotes.set(producer.id, producer);
        void this.consume(peerId, producer);
        break;
      }
      case 'producerPaused':
      case 'producerResumed': {
        const remote = this.peers.get(notice.data.peerId)?.remotes.get(notice.data.id);
        if (remote) remote.paused = notice.event === 'producerPaused';
        break;
      }
      case 'producerClosed': {
        const remotes = this.peers.get(notice.data.peerId)?.remotes;
        remotes?.get(notice.data.id)?.consumer?.close();
        remotes?.delete(notice.data.id);
        break;
      }
      case 'roomClosed':
        this.break('the room was closed');
        return;
    }
    this.events.onChange();
  }

  /** Receives one Producer. The server starts it paused, and it is resumed once everything here is ready for it. */
  private async consume(peerId: string, { id: producerId }: ProducerView): Promise<void> {
    // What is announced while we are still joining is consumed at the end of that.
    if (!this.recv) return;
    const rtpCapabilities = this.device.recvRtpCapabilities;
    try {
      const { type: _, producerPaused: __, ...options } = await this.signal.request('consume', {
        transportId: this.recv.id,
        producerId,
        rtpCapabilities,
      });
      // One stream per peer keeps lips and voice together.
      const consumer = await this.recv.consume({ ...options, streamId: peerId });
      const remote = this.peers.get(peerId)?.remotes.get(producerId);
      if (!remote) {
        consumer.close();
        return;
      }
      remote.consumer = consumer;
      this.events.onChange();
      await this.signal.request('resumeConsumer', { consumerId: consumer.id });
    } catch (error) {
      // It closed meanwhile, or this browser can't decode it.
      if (!this.over) console.warn('not consumed', producerId, error);
    }
  }

  private break(reason: string): void {
    if (this.over) return;
    this.close();
    // Until it has joined, `join` itself fails.
    if (this.joined) this.events.onBroken(reason);
  }
}
