//! A Worker with PlainTransports, their peers and the network between them, on one virtual clock.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use mafalda_api::id::{ConsumerId, ProducerId, RouterId, SessionId, TransportId, WorkerId};
use mafalda_api::labels::Labels;
use mafalda_api::types::data_structures::{ListenInfo, Protocol};
use mafalda_api::types::rtp_parameters::RtpParameters;
use mafalda_api::types::srtp_parameters::{SrtpCryptoSuite, SrtpParameters};
use mafalda_api::waist::{
    Call, Command, ConnectPlainTransport, Consume, CreatePlainTransport, CreateRouter, Event, Failure,
    ObjectState, Operation, PlainTransportState, Produce, Reply,
};
use mafalda_media::buffer::{Batch, SendBuffer};
use mafalda_media::dtls::Certificate;
use mafalda_media::worker::{Input, ListenSocket, Output, SocketBuffers, Worker, WorkerConfig};
use mafalda_media::{SocketId, Tuple};
use mafalda_testkit::media::Codec;
use mafalda_testkit::{Clock, Conditions, Network, Packet, SERVER, browser_capabilities, router_codecs};

use super::peer::{PAYLOAD_TYPE, PlainPeer};

/// One way between a peer and the server.
const DELAY: Duration = Duration::from_millis(20);

/// How a PlainTransport is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) rtcp_mux: bool,
    pub(crate) comedia: bool,
    pub(crate) suite: Option<SrtpCryptoSuite>,
}

/// The usual one: a port for both, a peer that is named, no SRTP.
pub(crate) const USUAL: Settings = Settings { rtcp_mux: true, comedia: false, suite: None };

/// A Transport and its peer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member {
    pub(crate) transport: TransportId,
    peer: usize,
}

pub(crate) struct Stage {
    pub(crate) clock: Clock,
    pub(crate) network: Network,
    pub(crate) worker: Worker,
    pub(crate) worker_id: WorkerId,
    pub(crate) router: RouterId,
    out: SendBuffer,
    sockets: HashMap<SocketId, SocketAddr>,
    next_socket: u32,
    peers: Vec<PlainPeer>,
    objects: HashMap<mafalda_api::id::ObjectId, ObjectState>,
    pub(crate) events: Vec<Event>,
    reply: Option<Result<Reply, Failure>>,
}

impl Stage {
    pub(crate) fn new(seed: u64) -> Self {
        let clock = Clock::new();
        let certificate = Certificate::generate().expect("a certificate");
        let config = WorkerConfig { id: WorkerId::new(), certificate };
        let mut stage = Self {
            network: Network::new(seed),
            worker_id: config.id,
            worker: Worker::new(config, [seed as u8; 32], clock.now()),
            clock,
            router: RouterId::new(),
            // Small, so that the machine meets a full buffer now and then.
            out: SendBuffer::new(8 * 1024),
            sockets: HashMap::new(),
            next_socket: 1,
            peers: Vec::new(),
            objects: HashMap::new(),
            events: Vec::new(),
            reply: None,
        };
        stage.router = stage.add_router();
        stage
    }

    pub(crate) fn add_router(&mut self) -> RouterId {
        let id = RouterId::new();
        self.call(CreateRouter { id, worker: self.worker_id, media_codecs: router_codecs() })
            .expect("a Router");
        id
    }

    pub(crate) fn call<O: Operation>(&mut self, operation: O) -> Result<O::Reply, Failure> {
        let command: Command = operation.into();
        let mut sockets = Vec::new();
        if let Command::CreatePlainTransport(create) = &command {
            sockets = (0..create.listen_infos.len()).map(|info| self.bind(info)).collect();
        }
        let call = Call { owner: SessionId::new(), labels: Labels::default(), tags: Vec::new(), command };
        self.feed(Input::Call { request: 1, call: Box::new(call), sockets });
        let reply = self.reply.take().expect("a call is answered in its drain")?;
        Ok(O::Reply::try_from(reply).ok().expect("the reply is that of the operation"))
    }

    fn bind(&mut self, info: usize) -> ListenSocket {
        let socket = SocketId(self.next_socket);
        let local = SocketAddr::new(SERVER, 40_000 + self.next_socket as u16);
        self.next_socket += 1;
        self.sockets.insert(socket, local);
        ListenSocket { socket, info, local, buffers: SocketBuffers::default() }
    }

    /// Creates a Transport and a peer that knows its ports and keys, but isn't known to it.
    pub(crate) fn meet(&mut self, settings: Settings) -> Member {
        let info = ListenInfo { ip: SERVER, ..ListenInfo::of_place(Protocol::Udp) };
        let id = TransportId::new();
        let create = CreatePlainTransport {
            id,
            router: self.router,
            listen_infos: vec![info; if settings.rtcp_mux { 1 } else { 2 }],
            rtcp_mux: settings.rtcp_mux,
            comedia: settings.comedia,
            srtp_crypto_suite: settings.suite,
            max_incoming_bitrate: None,
        };
        self.call(create).expect("a PlainTransport");
        let state = self.state(id).clone();
        let number = self.peers.len();
        let mut peer = PlainPeer::new(self.clock.now().at, number as u8 + 1, settings.rtcp_mux);
        peer.to_rtp = SocketAddr::new(SERVER, state.tuple.local_port());
        peer.to_rtcp =
            state.rtcp_tuple.map_or(peer.to_rtp, |tuple| SocketAddr::new(SERVER, tuple.local_port()));
        self.network.set_both(peer.rtp.ip(), Conditions::delayed(DELAY));
        self.peers.push(peer);
        Member { transport: id, peer: number }
    }

    /// The operation that tells a Transport of its peer, with or without its address.
    pub(crate) fn connection(
        &self,
        member: Member,
        settings: Settings,
        srtp_parameters: Option<SrtpParameters>,
    ) -> ConnectPlainTransport {
        let peer = self.peer(member);
        let named = !settings.comedia;
        ConnectPlainTransport {
            id: member.transport,
            ip: named.then_some(peer.rtp.ip()),
            port: named.then_some(peer.rtp.port()),
            rtcp_port: (named && !settings.rtcp_mux).then_some(peer.rtcp.port()),
            srtp_parameters,
        }
    }

    /// Creates a Transport without SRTP and a peer; both know of each other.
    pub(crate) fn join(&mut self, settings: Settings) -> Member {
        let member = self.meet(settings);
        self.call(self.connection(member, settings, None)).expect("connected");
        member
    }

    pub(crate) fn peer(&self, member: Member) -> &PlainPeer {
        &self.peers[member.peer]
    }

    pub(crate) fn peer_mut(&mut self, member: Member) -> &mut PlainPeer {
        &mut self.peers[member.peer]
    }

    pub(crate) fn host(&self, member: Member) -> IpAddr {
        self.peer(member).rtp.ip()
    }

    pub(crate) fn set_loss(&mut self, loss: f64) {
        for peer in &self.peers {
            self.network.set_both(peer.rtp.ip(), Conditions::delayed(DELAY).lossy(loss));
        }
    }

    pub(crate) fn state(&self, id: TransportId) -> &PlainTransportState {
        match self.objects.get(&id.into()) {
            Some(ObjectState::PlainTransport(state)) => state,
            other => panic!("{id} is {other:?}"),
        }
    }

    /// A Producer of what a peer sends: VP8 with NACK and PLI.
    pub(crate) fn produce(&mut self, member: Member) -> ProducerId {
        let json = serde_json::json!({
            "codecs": [{
                "mimeType": "video/VP8", "payloadType": PAYLOAD_TYPE, "clockRate": 90000,
                "rtcpFeedback": [{ "type": "nack" }, { "type": "nack", "parameter": "pli" }]
            }],
            "encodings": [{ "ssrc": self.peer(member).ssrc }],
        });
        let rtp_parameters: RtpParameters = serde_json::from_value(json).expect("RTP parameters");
        let id = ProducerId::new();
        let produce = Produce {
            id,
            transport: member.transport,
            kind: Codec::Vp8.kind(),
            rtp_parameters,
            paused: false,
            key_frame_request_delay: 0,
            alias: None,
            mapped_ssrcs: Vec::new(),
        };
        self.call(produce).expect("a Producer");
        id
    }

    /// A Consumer for a peer; its SSRC. Lost packets are sent again as they were.
    pub(crate) fn consume(&mut self, member: Member, producer: ProducerId) -> u32 {
        let id = ConsumerId::new();
        let mut rtp_capabilities = browser_capabilities();
        rtp_capabilities.codecs.retain(|codec| !codec.mime_type().is_rtx());
        let consume = Consume {
            id,
            transport: member.transport,
            producer,
            rtp_capabilities,
            paused: false,
            mid: None,
            enable_rtx: None,
            ignore_dtx: false,
            remote_numbers: false,
            pipe: false,
        };
        self.call(consume).expect("a Consumer");
        let Some(ObjectState::Consumer(state)) = self.objects.get(&id.into()) else { panic!("no Consumer") };
        state.rtp_parameters.encodings[0].ssrc.expect("an SSRC")
    }

    pub(crate) fn send(&mut self, packets: impl IntoIterator<Item = Packet>) {
        let now = self.clock.now().at;
        packets.into_iter().for_each(|packet| self.network.send(now, &packet));
    }

    pub(crate) fn run(&mut self, time: Duration) {
        let end = self.clock.now().at + time;
        loop {
            let peers = self.peers.iter().map(PlainPeer::timeout);
            let next = peers.chain(self.worker.timeout()).chain(self.network.next()).min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.clock.advance_to(next);
            self.deliver();
            self.wake();
        }
        self.clock.advance_to(end);
    }

    fn deliver(&mut self) {
        let now = self.clock.now();
        let at = self.clock.elapsed();
        let mut batch = Batch::default();
        while let Some(packet) = self.network.arrived(now.at) {
            if packet.to.ip() == SERVER {
                let socket = self.sockets.iter().find(|(_, local)| **local == packet.to);
                if let Some((socket, _)) = socket {
                    assert!(batch.push(Tuple { socket: *socket, remote: packet.from }, &packet.bytes));
                }
                continue;
            }
            let peer = self.peers.iter_mut().find(|peer| peer.rtp.ip() == packet.to.ip());
            let answers = peer.expect("the Worker sends to peers alone").handle(at, &packet);
            self.send(answers);
        }
        if !batch.is_empty() {
            self.feed(Input::Datagrams(batch));
        }
    }

    fn wake(&mut self) {
        let now = self.clock.now();
        if self.worker.timeout().is_some_and(|at| at <= now.at) {
            self.feed(Input::Timeout);
        }
        let packets: Vec<Packet> = self.peers.iter_mut().flat_map(|peer| peer.turn(now.at)).collect();
        self.send(packets);
    }

    fn feed(&mut self, input: Input) {
        self.worker.handle(self.clock.now(), input);
        self.drain();
    }

    pub(crate) fn drain(&mut self) {
        let now = self.clock.now().at;
        let mut runs = Vec::new();
        loop {
            let output = self.worker.poll(&mut self.out);
            if matches!(output, None | Some(Output::Flush)) {
                for run in std::mem::take(&mut runs) {
                    let run: mafalda_media::buffer::Run = run;
                    let from = self.sockets[&run.socket()];
                    for bytes in self.out.packets(&run) {
                        let packet = Packet { from, to: run.destination(), bytes: bytes.to_vec() };
                        self.network.send(now, &packet);
                    }
                }
                self.out.clear();
            }
            match output {
                None => break,
                Some(Output::Flush) => {}
                Some(Output::Send(run)) => runs.push(run),
                Some(Output::Reply { result, .. }) => self.reply = Some(result),
                Some(Output::Event(event)) => self.learn(event),
                Some(Output::Missed { events }) => panic!("{events} traces left out: no scene has so many"),
                Some(Output::Message(message)) => panic!("nobody sends {message:?}"),
                Some(Output::CloseSocket(socket)) => drop(self.sockets.remove(&socket)),
            }
        }
        self.worker.reclaim();
    }

    fn learn(&mut self, event: Event) {
        let id = event.subject();
        match &event {
            Event::Appeared(state) => drop(self.objects.insert(id, state.clone())),
            Event::Closed { .. } => drop(self.objects.remove(&id)),
            event => self.objects.get_mut(&id).expect("an event of what is there").apply(event),
        }
        self.events.push(event);
    }

    /// How many sockets are open.
    pub(crate) fn sockets(&self) -> usize {
        self.sockets.len()
    }
}
