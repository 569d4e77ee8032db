//! Clients and one Worker of the engine in memory, on virtual time.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mafalda_api::id::{ConsumerId, ProducerId, RouterId, SessionId, TransportId, WorkerId};
use mafalda_api::labels::Labels;
use mafalda_api::ortc::generate_router_rtp_capabilities;
use mafalda_api::types::data_structures::{IceParameters, ListenInfo, Protocol};
use mafalda_api::types::rtp_parameters::RtpCapabilitiesFinalized;
use mafalda_api::types::srtp_parameters::SrtpCryptoSuite;
use mafalda_api::waist::{
    Call, Close, Command, ConnectPlainTransport, ConnectWebRtcTransport, Consume, CreatePlainTransport,
    CreateRouter, CreateWebRtcTransport, Event, Listen, ObjectState, Produce,
};
use mafalda_media::buffer::{Batch, SendBuffer};
use mafalda_media::demux::Kind;
use mafalda_media::dtls::Certificate;
use mafalda_media::rtp::extension::Label;
use mafalda_media::worker::{Input, ListenSocket, Output, SocketBuffers, Worker, WorkerConfig};
use mafalda_media::{SocketId, Tuple};

use super::super::*;
use crate::link::LinkQuality;
use crate::media::Codec;
use crate::negotiation::{
    Habits, StreamNames, draw_srtp_parameters, dtls_parameters, fingerprints, receive_capabilities,
    receive_track, send_parameters, srtp_keys,
};
use crate::target::router_codecs;

/// The grain of virtual time.
const TICK: Duration = Duration::from_millis(1);

/// A client with its address.
pub(super) struct Peer {
    pub(super) client: Client,
    address: SocketAddr,
    transport: TransportId,
}

pub(super) struct World {
    worker: Worker,
    id: WorkerId,
    router: RouterId,
    capabilities: RtpCapabilitiesFinalized,
    pub(super) now: Now,
    epoch: Instant,
    out: SendBuffer,
    wire: Wire,
    pub(super) peers: Vec<Peer>,
    certificate: Certificate,
    sockets: u32,
    streams: u32,
    appeared: Vec<ObjectState>,
    pub(super) link: LinkQuality,
    pub(super) verify_every: u32,
    pub(super) habits: Habits,
    /// Flips a bit in one packet of so many on its way to clients.
    pub(super) damage_every: Option<u64>,
    delivered: u64,
}

/// What was published.
#[derive(Clone, Copy)]
pub(super) struct Published {
    pub(super) stream: u32,
    producer: ProducerId,
    codec: Codec,
}

impl World {
    pub(super) fn new() -> Self {
        #[expect(clippy::disallowed_methods, reason = "virtual time starts somewhere")]
        let epoch = Instant::now();
        let now = Now { at: epoch, unix: Duration::from_secs(1_700_000_000) };
        let (id, router) = (WorkerId::new(), RouterId::new());
        let config = WorkerConfig { id, certificate: Certificate::generate().unwrap() };
        let mut world = Self {
            worker: Worker::new(config, [3; 32], now),
            id,
            router,
            capabilities: generate_router_rtp_capabilities(router_codecs()).unwrap(),
            now,
            epoch,
            out: SendBuffer::new(256 * 1024),
            wire: Wire::new(),
            peers: Vec::new(),
            certificate: Certificate::generate().unwrap(),
            sockets: 0,
            streams: 0,
            appeared: Vec::new(),
            link: LinkQuality::default(),
            verify_every: 1,
            habits: Habits { transport_cc: true, nack: true },
            damage_every: None,
            delivered: 0,
        };
        world.call(CreateRouter { id: router, worker: world.id, media_codecs: router_codecs() });
        world
    }

    fn call(&mut self, command: impl Into<Command>) {
        self.call_with(command, Vec::new());
    }

    fn call_with(&mut self, command: impl Into<Command>, sockets: Vec<ListenSocket>) {
        let call = Call {
            owner: SessionId::new(),
            labels: Labels::default(),
            tags: Vec::new(),
            command: command.into(),
        };
        self.worker.handle(self.now, Input::Call { request: 1, call: Box::new(call), sockets });
        self.drain_worker();
    }

    /// A client at the other end of a new Transport; its number.
    pub(super) fn join(&mut self) -> usize {
        self.join_with(|_| {})
    }

    pub(super) fn join_with(&mut self, change: impl FnOnce(&mut WebRtcAccess)) -> usize {
        let (transport, socket) = (TransportId::new(), SocketId(self.sockets));
        let server = SocketAddr::from(([10, 0, 0, 1], 4000 + self.sockets as u16));
        self.sockets += 1;
        let command = CreateWebRtcTransport {
            id: transport,
            router: self.router,
            listen: Listen::Individual(vec![ListenInfo::of_place(Protocol::Udp)]),
            enable_udp: true,
            enable_tcp: false,
            prefer_udp: false,
            prefer_tcp: false,
            ice_consent_timeout: 30,
            max_incoming_bitrate: None,
        };
        self.call_with(
            command,
            vec![ListenSocket { socket, info: 0, local: server, buffers: SocketBuffers::default() }],
        );
        let state = self.appeared.iter().find_map(|state| match state {
            ObjectState::WebRtcTransport(state) if state.id == transport => Some((**state).clone()),
            _ => None,
        });
        let state = state.unwrap();
        let dtls_parameters = dtls_parameters(&self.certificate);
        self.call(ConnectWebRtcTransport { id: transport, dtls_parameters });
        let mut access = WebRtcAccess {
            ice: IceParameters::clone(&state.ice_parameters),
            fingerprints: fingerprints(&state.dtls_parameters),
            certificate: self.certificate.clone(),
        };
        change(&mut access);
        self.seat(transport, server, Access::WebRtc(Box::new(access)))
    }

    /// A client at the other end of a new PlainTransport; its number.
    pub(super) fn join_plain(&mut self, suite: Option<SrtpCryptoSuite>) -> usize {
        let (transport, socket) = (TransportId::new(), SocketId(self.sockets));
        let server = SocketAddr::from(([10, 0, 0, 1], 4000 + self.sockets as u16));
        self.sockets += 1;
        let command = CreatePlainTransport {
            id: transport,
            router: self.router,
            listen_infos: vec![ListenInfo::of_place(Protocol::Udp)],
            rtcp_mux: true,
            comedia: true,
            srtp_crypto_suite: suite,
            max_incoming_bitrate: None,
        };
        self.call_with(
            command,
            vec![ListenSocket { socket, info: 0, local: server, buffers: SocketBuffers::default() }],
        );
        let theirs = self.appeared.iter().find_map(|state| match state {
            ObjectState::PlainTransport(state) if state.id == transport => {
                Some(state.srtp_parameters.clone())
            }
            _ => None,
        });
        let mut rng = StdRng::seed_from_u64(self.sockets.into());
        let keys =
            theirs.unwrap().map(|theirs| (draw_srtp_parameters(theirs.crypto_suite, &mut rng), theirs));
        let srtp_parameters = keys.as_ref().map(|(ours, _)| ours.clone());
        self.call(ConnectPlainTransport {
            id: transport,
            ip: None,
            port: None,
            rtcp_port: None,
            srtp_parameters,
        });
        let keys = keys.map(|(ours, theirs)| (srtp_keys(&ours).unwrap(), srtp_keys(&theirs).unwrap()));
        self.seat(transport, server, Access::Plain(keys.map(Box::new)))
    }

    fn seat(&mut self, transport: TransportId, server: SocketAddr, access: Access) -> usize {
        let traits = Traits {
            epoch: self.epoch,
            verify_every: self.verify_every,
            link: self.link,
            seed: u64::from(self.sockets),
        };
        let config = ClientConfig { remote: server, access, traits };
        let address = SocketAddr::from(([192, 0, 2, 1], 1000 + server.port()));
        self.peers.push(Peer { client: Client::new(config, self.now), address, transport });
        self.peers.len() - 1
    }

    pub(super) fn publish(
        &mut self,
        peer: usize,
        codec: Codec,
        change: impl FnOnce(&mut SendTrack),
    ) -> Published {
        let stream = self.streams;
        self.streams += 1;
        let bitrate = if codec == Codec::Opus { 32_000 } else { 1_000_000 };
        let shape = Shape::new(codec, bitrate, 30).unwrap();
        let names = StreamNames {
            stream,
            ssrc: 1000 + 2 * stream,
            rtx_ssrc: 1001 + 2 * stream,
            mid: Label::new(stream.to_string().as_bytes()).unwrap(),
            cname: "test".into(),
        };
        let (rtp_parameters, mut track) =
            send_parameters(&self.capabilities, shape, &names, self.habits).unwrap();
        change(&mut track);
        let id = ProducerId::new();
        self.call(Produce {
            id,
            transport: self.peers[peer].transport,
            kind: codec.kind(),
            rtp_parameters,
            paused: false,
            key_frame_request_delay: 0,
            alias: None,
            mapped_ssrcs: Vec::new(),
        });
        self.peers[peer].client.send(track, self.now);
        Published { stream, producer: id, codec }
    }

    pub(super) fn subscribe(&mut self, peer: usize, published: Published) {
        let id = ConsumerId::new();
        self.call(Consume {
            id,
            transport: self.peers[peer].transport,
            producer: published.producer,
            rtp_capabilities: receive_capabilities(&self.capabilities, self.habits),
            paused: false,
            mid: None,
            enable_rtx: None,
            ignore_dtx: false,
            remote_numbers: false,
            pipe: false,
        });
        let parameters = self.appeared.iter().find_map(|state| match state {
            ObjectState::Consumer(state) if state.id == id => Some(state.rtp_parameters.clone()),
            _ => None,
        });
        let (track, transport_cc) =
            receive_track(&parameters.unwrap(), published.stream, published.codec).unwrap();
        self.peers[peer].client.receive(track, transport_cc, self.now);
    }

    /// Closes a client's Transport at the server.
    pub(super) fn close_transport(&mut self, peer: usize) {
        let id = self.peers[peer].transport;
        self.call(Close { ids: vec![id.into()] });
    }

    /// Lets time pass.
    pub(super) fn ms(&mut self, ms: u64) {
        for _ in 0..ms {
            self.now = self.now.after(TICK);
            if self.worker.timeout().is_some_and(|at| at <= self.now.at) {
                self.worker.handle(self.now, Input::Timeout);
                self.drain_worker();
            }
            for peer in 0..self.peers.len() {
                self.drain_client(peer);
            }
        }
    }

    /// What each stream has made, as a run tells it in the end.
    pub(super) fn made(&self) -> HashMap<u32, u64> {
        self.peers
            .iter()
            .flat_map(|peer| peer.client.sent())
            .map(|(stream, made, _)| (stream, made))
            .collect()
    }

    /// What came at a client, of its streams in order.
    pub(super) fn received(&self, peer: usize) -> Vec<(ReceiveCounters, Option<Verdict>)> {
        let made = self.made();
        let received = self.peers[peer].client.received(self.now, |stream| made.get(&stream).copied());
        received.map(|(_, counters, complaint)| (counters, complaint)).collect()
    }

    pub(super) fn drain_client(&mut self, index: usize) {
        let peer = &mut self.peers[index];
        peer.client.drain(self.now, &mut self.wire);
        let mut batches = vec![Batch::default()];
        for message in self.wire.messages() {
            let socket = SocketId(u32::from(message.remote.port() - 4000));
            for datagram in message.bytes.chunks(message.segment_size.into()) {
                let tuple = Tuple { socket, remote: peer.address };
                if !batches.last_mut().unwrap().push(tuple, datagram) {
                    batches.push(Batch::default());
                    assert!(batches.last_mut().unwrap().push(tuple, datagram));
                }
            }
        }
        self.wire.clear();
        for batch in batches.into_iter().filter(|batch| !batch.is_empty()) {
            self.worker.handle(self.now, Input::Datagrams(batch));
            self.drain_worker();
        }
    }

    fn drain_worker(&mut self) {
        let mut runs = Vec::new();
        loop {
            let output = self.worker.poll(&mut self.out);
            let over = output.is_none();
            match output {
                Some(Output::Send(run)) => runs.push(run),
                Some(Output::Event(Event::Appeared(state))) => self.appeared.push(state),
                Some(Output::Reply { result, .. }) => drop(result.unwrap()),
                Some(
                    Output::Event(_) | Output::Missed { .. } | Output::Message(_) | Output::CloseSocket(_),
                ) => {}
                Some(Output::Flush) | None => {
                    for run in runs.drain(..) {
                        let packets: Vec<Vec<u8>> = self.out.packets(&run).map(<[u8]>::to_vec).collect();
                        packets.into_iter().for_each(|packet| self.deliver(run.tuple, packet));
                    }
                    self.out.clear();
                }
            }
            if over {
                return;
            }
        }
    }

    fn deliver(&mut self, tuple: Tuple, mut packet: Vec<u8>) {
        let is_media = matches!(Kind::of(&packet), Ok(Kind::Rtp));
        self.delivered += u64::from(is_media);
        if is_media && self.damage_every.is_some_and(|every| self.delivered.is_multiple_of(every)) {
            *packet.last_mut().unwrap() ^= 1;
        }
        if let Some(peer) = self.peers.iter_mut().find(|peer| peer.address == tuple.remote) {
            peer.client.handle(self.now, &mut packet);
        }
    }
}
