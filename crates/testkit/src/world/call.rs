//! What an application would do: calls of the waist, and the few steps that each client goes through.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use mafalda_api::id::{ConsumerId, ProducerId, RouterId, SessionId, TransportId, WebRtcServerId};
use mafalda_api::labels::Labels;
use mafalda_api::types::data_structures::{DtlsRole, ListenInfo, Protocol};
use mafalda_api::types::rtp_parameters::{MediaKind, RtpCapabilities, RtpParameters};
use mafalda_api::waist::{
    Call, Command, ConnectWebRtcTransport, Consume, ConsumerState, CreateRouter, CreateWebRtcServer,
    CreateWebRtcTransport, Failure, Listen, ObjectState, Operation, Produce, ProducerState, RestartIce,
    RouterState, WebRtcTransportState,
};
use mafalda_media::worker::{Input, ListenSocket, SocketBuffers};

use super::{PeerId, SERVER, Socket, World};
use crate::capability::router_codecs;
use crate::network::Conditions;
use crate::peer::{Peer, PeerSettings, TrackId, TrackSettings};

/// Server ports begin here.
const FIRST_PORT: u16 = 40_000;

/// How a peer joins.
#[derive(Clone, Debug)]
pub struct JoinSettings {
    /// Its part in DTLS: [`DtlsRole::Server`] makes the engine the client.
    pub dtls_role: DtlsRole,
    /// Its capabilities; `None`: those of the Router, payload types and ids too, as for a browser that receives.
    pub capabilities: Option<RtpCapabilities>,
    /// Both its links.
    pub conditions: Conditions,
    /// What it sends over: UDP, or a TCP connection. With that its links must not lose or reorder.
    pub protocol: Protocol,
}

impl Default for JoinSettings {
    fn default() -> Self {
        Self {
            dtls_role: DtlsRole::Client,
            capabilities: None,
            conditions: Conditions::default(),
            protocol: Protocol::Udp,
        }
    }
}

/// A track on its way in.
#[derive(Clone, Copy, Debug)]
pub struct Sending {
    /// Who sends.
    pub peer: PeerId,
    /// What.
    pub track: TrackId,
    /// The Producer that takes it.
    pub producer: ProducerId,
}

/// A track on its way out.
#[derive(Clone, Copy, Debug)]
pub struct Receiving {
    /// Who receives.
    pub peer: PeerId,
    /// The Consumer that sends.
    pub consumer: ConsumerId,
    /// Its SSRC.
    pub ssrc: u32,
}

impl World {
    /// Carries an operation out.
    ///
    /// # Errors
    /// As the operation says.
    ///
    /// # Panics
    /// When there is no answer at once, or one of another operation.
    pub fn call<O: Operation>(&mut self, operation: O) -> Result<O::Reply, Failure> {
        let command: Command = operation.into();
        let home = command.target().and_then(|target| self.homes.get(&target)).copied();
        self.call_at(home.unwrap_or(0), command)
            .map(|reply| O::Reply::try_from(reply).ok().expect("the reply is that of the operation"))
    }

    fn call_at(&mut self, engine: usize, command: Command) -> Result<mafalda_api::waist::Reply, Failure> {
        self.next_request += 1;
        let request = self.next_request;
        let sockets = self.bind(engine, &command);
        let call = Call { owner: SessionId::new(), labels: Labels::default(), tags: Vec::new(), command };
        self.feed(engine, Input::Call { request, call: Box::new(call), sockets });
        self.replies.remove(&request).expect("a call is answered in its drain")
    }

    /// What a driver does before it hands in a call that needs sockets.
    fn bind(&mut self, engine: usize, command: &Command) -> Vec<ListenSocket> {
        let (owner, infos): (_, &[ListenInfo]) = match command {
            Command::CreateDirectTransport(create) => {
                let (owner, local) = (create.id.into(), (Ipv4Addr::UNSPECIFIED, 0).into());
                let socket = Socket { engine, protocol: Protocol::Udp, local, owner, accepted: None };
                return vec![ListenSocket {
                    socket: self.add_socket(socket),
                    info: 0,
                    local,
                    buffers: SocketBuffers::default(),
                }];
            }
            Command::CreateWebRtcServer(create) => (create.id.into(), &create.listen_infos),
            Command::CreateWebRtcTransport(create) => match &create.listen {
                Listen::Individual(infos) => (create.id.into(), infos),
                Listen::Server(_) => return Vec::new(),
            },
            Command::CreatePipeTransport(create) => {
                (create.id.into(), std::slice::from_ref(&create.listen_info))
            }
            _ => return Vec::new(),
        };
        let mut sockets = Vec::new();
        for (info, listen_info) in infos.iter().enumerate() {
            let port = FIRST_PORT + u16::try_from(self.next_socket).expect("a test has few sockets");
            let (protocol, local) = (listen_info.protocol, SocketAddr::new(listen_info.ip, port));
            let socket = self.add_socket(Socket { engine, protocol, local, owner, accepted: None });
            self.addresses.insert(local, socket);
            sockets.push(ListenSocket { socket, info, local, buffers: SocketBuffers::default() });
        }
        sockets
    }

    /// Creates a Router with all codecs of [`crate::media::Codec`] in the first Worker.
    ///
    /// # Panics
    /// When it is refused.
    pub fn create_router(&mut self) -> RouterId {
        self.create_router_in(self.worker())
    }

    /// Creates a Router with all codecs of [`crate::media::Codec`].
    ///
    /// # Panics
    /// When it is refused.
    pub fn create_router_in(&mut self, worker: mafalda_api::id::WorkerId) -> RouterId {
        let id = RouterId::new();
        self.call(CreateRouter { id, worker, media_codecs: router_codecs() }).expect("a Router");
        id
    }

    /// Creates a WebRtcServer that listens over UDP and over TCP.
    ///
    /// # Panics
    /// When it is refused.
    pub fn create_webrtc_server(&mut self, worker: mafalda_api::id::WorkerId) -> WebRtcServerId {
        let id = WebRtcServerId::new();
        let infos = [Protocol::Udp, Protocol::Tcp];
        let listen_infos =
            infos.map(|protocol| ListenInfo { ip: SERVER, ..ListenInfo::of_place(protocol) }).into();
        self.call(CreateWebRtcServer { id, worker, listen_infos }).expect("a WebRtcServer");
        id
    }

    /// The operation that creates a Transport on a WebRtcServer.
    #[must_use]
    pub fn server_transport_options(router: RouterId, server: WebRtcServerId) -> CreateWebRtcTransport {
        CreateWebRtcTransport {
            listen: Listen::Server(server),
            enable_tcp: true,
            ..Self::transport_options(router)
        }
    }

    /// The operation that creates a Transport, for tests that change it first.
    #[must_use]
    pub fn transport_options(router: RouterId) -> CreateWebRtcTransport {
        CreateWebRtcTransport {
            id: TransportId::new(),
            router,
            listen: Listen::Individual(vec![ListenInfo {
                ip: SERVER,
                ..ListenInfo::of_place(Protocol::Udp)
            }]),
            enable_udp: true,
            enable_tcp: false,
            prefer_udp: false,
            prefer_tcp: false,
            ice_consent_timeout: 30,
            max_incoming_bitrate: None,
        }
    }

    /// Creates a Transport and a peer that begins to connect to it.
    ///
    /// # Panics
    /// When a step is refused.
    pub fn join(&mut self, router: RouterId, settings: &JoinSettings) -> PeerId {
        self.join_by(Self::transport_options(router), settings)
    }

    /// Creates that Transport and a peer that begins to connect to it.
    ///
    /// # Panics
    /// When a step is refused.
    pub fn join_by(&mut self, create: CreateWebRtcTransport, settings: &JoinSettings) -> PeerId {
        let id = self.meet(create, settings);
        self.connect(id);
        id
    }

    /// Creates that Transport and a peer for it; neither knows of the other yet.
    ///
    /// # Panics
    /// When the Transport is refused.
    pub fn meet(&mut self, create: CreateWebRtcTransport, settings: &JoinSettings) -> PeerId {
        let transport = create.id;
        let router = create.router;
        self.call(create).expect("a Transport");
        let id = PeerId(self.peers.len());
        let [high, low] = u16::try_from(id.0).expect("a test has few peers").to_be_bytes();
        let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 1, high, low)), 5000);
        self.network.set_both(address.ip(), settings.conditions);
        let capabilities = settings.capabilities.clone().unwrap_or_else(|| self.router_capabilities(router));
        let seed = self.seed.wrapping_mul(1000).wrapping_add(id.0 as u64);
        let peer = PeerSettings {
            address,
            protocol: settings.protocol,
            dtls_role: settings.dtls_role,
            capabilities,
            seed,
        };
        self.peers.push(Peer::new(self.now(), peer));
        self.transports.insert(id, transport);
        id
    }

    fn connect(&mut self, peer: PeerId) {
        let transport = self.transport(peer);
        let dtls_parameters = self.peer_mut(peer).dtls_parameters();
        self.call(ConnectWebRtcTransport { id: transport, dtls_parameters }).expect("connected");
        self.approach(peer, transport);
    }

    /// A peer begins to connect to a Transport, whether that expects it or not.
    pub fn approach(&mut self, peer: PeerId, transport: TransportId) {
        let state = self.transport_state(transport).clone();
        let peer = self.peer_mut(peer);
        peer.connect(&state.ice_parameters, &state.ice_candidates, &state.dtls_parameters);
    }

    /// Restarts ICE on both sides.
    ///
    /// # Panics
    /// When it is refused.
    pub fn restart_ice(&mut self, peer: PeerId) {
        let transport = self.transport(peer);
        let ice = self.call(RestartIce { id: transport }).expect("new credentials");
        let candidates = self.transport_state(transport).ice_candidates.clone();
        self.peer_mut(peer).restart_ice(&ice, &candidates);
    }

    /// A peer begins to send.
    ///
    /// # Panics
    /// When the Producer is refused.
    pub fn produce(&mut self, peer: PeerId, settings: &TrackSettings) -> Sending {
        let now = self.now();
        let (track, rtp_parameters) = self.peer_mut(peer).send(now, settings);
        let producer = self.produce_operation(peer, settings.codec.kind(), rtp_parameters);
        let id = producer.id;
        self.call(producer).expect("a Producer");
        Sending { peer, track, producer: id }
    }

    /// The operation that makes a Producer of what a peer sends.
    #[must_use]
    pub fn produce_operation(&self, peer: PeerId, kind: MediaKind, rtp_parameters: RtpParameters) -> Produce {
        Produce {
            id: ProducerId::new(),
            transport: self.transport(peer),
            kind,
            rtp_parameters,
            paused: false,
            key_frame_request_delay: 0,
            alias: None,
            mapped_ssrcs: Vec::new(),
        }
    }

    /// A peer begins to receive.
    ///
    /// # Panics
    /// When the Consumer is refused.
    pub fn consume(&mut self, peer: PeerId, producer: ProducerId) -> Receiving {
        let consume = self.consume_operation(peer, producer);
        self.consume_by(peer, consume)
    }

    /// A peer begins to receive by that operation.
    ///
    /// # Panics
    /// When the Consumer is refused.
    pub fn consume_by(&mut self, peer: PeerId, consume: Consume) -> Receiving {
        let consumer = consume.id;
        self.call(consume).expect("a Consumer");
        let state = self.consumer_state(consumer).clone();
        self.peer_mut(peer).receive(state.kind, &state.rtp_parameters);
        let ssrc = state.rtp_parameters.encodings.first().and_then(|it| it.ssrc);
        Receiving { peer, consumer, ssrc: ssrc.expect("a Consumer has an SSRC") }
    }

    /// The operation that makes a Consumer for a peer, for tests that change it first.
    #[must_use]
    pub fn consume_operation(&self, peer: PeerId, producer: ProducerId) -> Consume {
        Consume {
            id: ConsumerId::new(),
            transport: self.transport(peer),
            producer,
            rtp_capabilities: self.peer(peer).capabilities().clone(),
            paused: false,
            mid: None,
            enable_rtx: None,
            ignore_dtx: false,
            remote_numbers: false,
            pipe: false,
        }
    }

    /// A Router's capabilities, as a client gets them: by way of JSON.
    ///
    /// # Panics
    /// When they don't survive it.
    #[must_use]
    pub fn router_capabilities(&self, router: RouterId) -> RtpCapabilities {
        let json =
            serde_json::to_value(&*self.router_state(router).rtp_capabilities).expect("JSON can be written");
        serde_json::from_value(json).expect("JSON can be read")
    }

    /// What is known of a Router.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn router_state(&self, id: RouterId) -> &RouterState {
        match self.object(id) {
            Some(ObjectState::Router(state)) => state,
            other => panic!("{id} is {other:?}"),
        }
    }

    /// What is known of a Transport.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn transport_state(&self, id: TransportId) -> &WebRtcTransportState {
        match self.object(id) {
            Some(ObjectState::WebRtcTransport(state)) => state,
            other => panic!("{id} is {other:?}"),
        }
    }

    /// What is known of a Producer.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn producer_state(&self, id: ProducerId) -> &ProducerState {
        match self.object(id) {
            Some(ObjectState::Producer(state)) => state,
            other => panic!("{id} is {other:?}"),
        }
    }

    /// What is known of a Consumer.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn consumer_state(&self, id: ConsumerId) -> &ConsumerState {
        match self.object(id) {
            Some(ObjectState::Consumer(state)) => state,
            other => panic!("{id} is {other:?}"),
        }
    }
}
