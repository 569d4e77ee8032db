//! Workers, peers and the network between them, on one clock.
//!
//! The world goes from one event to the next: a packet arrives, a deadline comes, a frame is due. After each the machine that it
//! happened to is drained, so nothing is ever left behind and nothing waits for real time. What goes out of the Workers is
//! watched all the time: a packet that breaks SRTP's rules fails the test, whichever it is.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use mafalda_api::id::{DataConsumerId, ObjectId, RouterId, TransportId, WorkerId};
use mafalda_api::types::data_structures::Protocol;
use mafalda_api::waist::{DataMessage, Event, Failure, ObjectState, Reply};
use mafalda_media::buffer::Batch;
use mafalda_media::dtls::Certificate;
use mafalda_media::worker::{Drops, Input};
use mafalda_media::{Now, SocketId, Tuple};

use crate::peer::Peer;
use crate::{Clock, Network, Packet};

mod call;
pub use call::{JoinSettings, Receiving, Sending};

mod direct;
pub use direct::DirectPacket;

mod engine;
use engine::Engine;

mod pipe;
pub use pipe::{Pipe, PipeSettings, pipe_host};

mod wire;
use wire::Wire;

/// Where the Workers are: threads of one machine.
pub const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));

/// Packets to the Workers that are remembered, for tests that send them again or spoil them.
const OVERHEARD_MAX: usize = 512;

/// Events at one instant from which on something runs in circles.
const EVENTS_AT_ONCE_MAX: u32 = 20_000;

/// One of a world's peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PeerId(usize);

/// All of it.
#[derive(Debug)]
pub struct World {
    seed: u64,
    clock: Clock,
    network: Network,
    certificate: Certificate,
    engines: Vec<Engine>,
    peers: Vec<Peer>,
    transports: HashMap<PeerId, TransportId>,
    sockets: HashMap<SocketId, Socket>,
    next_socket: u32,
    addresses: HashMap<SocketAddr, SocketId>,
    /// TCP connections, by listener and by who connected.
    connections: HashMap<(SocketId, SocketAddr), SocketId>,
    objects: HashMap<ObjectId, ObjectState>,
    homes: HashMap<ObjectId, usize>,
    events: Vec<(Duration, Event)>,
    replies: HashMap<u64, Result<Reply, Failure>>,
    next_request: u64,
    wire: Wire,
    /// What came out of DirectTransports.
    direct: HashMap<TransportId, Vec<DirectPacket>>,
    messages: Vec<(DataConsumerId, DataMessage)>,
    overheard: VecDeque<Packet>,
    events_at_once: (Option<Instant>, u32),
}

/// A socket of the server.
#[derive(Clone, Copy, Debug)]
struct Socket {
    engine: usize,
    protocol: Protocol,
    local: SocketAddr,
    /// A Transport, or a WebRtcServer.
    owner: ObjectId,
    /// Of a connection: its listener and who is at the other end.
    accepted: Option<(SocketId, SocketAddr)>,
}

impl World {
    /// A world with one Worker and nobody else.
    ///
    /// # Panics
    /// When no certificate can be made.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut world = Self {
            seed,
            clock: Clock::new(),
            network: Network::new(seed),
            certificate: Certificate::generate().expect("a certificate can be made"),
            engines: Vec::new(),
            peers: Vec::new(),
            transports: HashMap::new(),
            sockets: HashMap::new(),
            next_socket: 1,
            addresses: HashMap::new(),
            connections: HashMap::new(),
            objects: HashMap::new(),
            homes: HashMap::new(),
            events: Vec::new(),
            replies: HashMap::new(),
            next_request: 0,
            wire: Wire::default(),
            direct: HashMap::new(),
            messages: Vec::new(),
            overheard: VecDeque::new(),
            events_at_once: (None, 0),
        };
        world.add_worker();
        world
    }

    /// Adds a Worker. The first one is there from the beginning.
    pub fn add_worker(&mut self) -> WorkerId {
        let seed = self.seed.wrapping_add(self.engines.len() as u64);
        let engine = Engine::new(self.certificate.clone(), seed, self.clock.now());
        let id = engine.id;
        self.homes.insert(id.into(), self.engines.len());
        self.engines.push(engine);
        id
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Now {
        self.clock.now()
    }

    /// Virtual time since the beginning.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    /// The network, to make it better or worse.
    pub fn network(&mut self) -> &mut Network {
        &mut self.network
    }

    /// A peer.
    #[must_use]
    pub fn peer(&self, id: PeerId) -> &Peer {
        &self.peers[id.0]
    }

    /// A peer, to do something with it; what it wants to send then is sent with the next event.
    pub fn peer_mut(&mut self, id: PeerId) -> &mut Peer {
        &mut self.peers[id.0]
    }

    /// The Transport that a peer is connected to.
    #[must_use]
    pub fn transport(&self, peer: PeerId) -> TransportId {
        self.transports[&peer]
    }

    /// An address where the server listens for a peer.
    ///
    /// # Panics
    /// When its Transport has no socket.
    #[must_use]
    pub fn listener(&self, peer: PeerId) -> SocketAddr {
        let transport = self.transport(peer);
        let server = self.object(transport).and_then(ObjectState::webrtc_server);
        let owner = server.unwrap_or(transport.into());
        let socket = self.sockets.values().find(|socket| socket.owner == owner);
        socket.expect("a peer's Transport has a socket").local
    }

    /// What is known of an object, as a mirror would know it from the events.
    #[must_use]
    pub fn object(&self, id: impl Into<ObjectId>) -> Option<&ObjectState> {
        self.objects.get(&id.into())
    }

    /// All that happened, with the time since the beginning.
    #[must_use]
    pub fn events(&self) -> &[(Duration, Event)] {
        &self.events
    }

    /// What happened to an object, in order.
    pub fn events_of(&self, id: impl Into<ObjectId>) -> impl Iterator<Item = &(Duration, Event)> {
        let id = id.into();
        self.events.iter().filter(move |(_, event)| event.subject() == id)
    }

    /// What a Worker dropped.
    ///
    /// # Panics
    /// When there is no such Worker.
    #[must_use]
    pub fn drops(&self, worker: WorkerId) -> Drops {
        *self.engines[self.homes[&worker.into()]].worker.drops()
    }

    /// The first Worker.
    #[must_use]
    pub fn worker(&self) -> WorkerId {
        self.engines[0].id
    }

    /// The last packets that reached the Workers, the latest last.
    #[must_use]
    pub fn overheard(&self) -> &VecDeque<Packet> {
        &self.overheard
    }

    /// Goes on for so long.
    pub fn run(&mut self, time: Duration) {
        let end = self.now().at + time;
        while self.step(end) {}
    }

    /// Goes on until that is so, but no longer than that. Says whether it came to be.
    pub fn run_until(&mut self, most: Duration, mut is_so: impl FnMut(&Self) -> bool) -> bool {
        let end = self.now().at + most;
        loop {
            if is_so(self) {
                return true;
            }
            if !self.step(end) {
                return is_so(self);
            }
        }
    }

    /// Goes on with the next event, if it comes before that time; else goes to that time.
    fn step(&mut self, end: Instant) -> bool {
        let engines = self.engines.iter().filter_map(|engine| engine.worker.timeout());
        let next = engines.chain(self.peers.iter().map(Peer::timeout)).chain(self.network.next()).min();
        let Some(next) = next.filter(|next| *next <= end) else {
            self.clock.advance_to(end);
            return false;
        };
        self.clock.advance_to(next);
        self.count_event();
        self.deliver();
        self.wake();
        true
    }

    fn count_event(&mut self) {
        let now = self.now().at;
        let (at, count) = &mut self.events_at_once;
        *count = if *at == Some(now) { *count + 1 } else { 0 };
        *at = Some(now);
        let timeouts: Vec<_> = self.peers.iter().map(|peer| peer.timeout() <= now).collect();
        assert!(self.events_at_once.1 < EVENTS_AT_ONCE_MAX, "in circles; peers that are due: {timeouts:?}");
    }

    /// Hands over all that has arrived by now: to each Worker as one batch, as a driver would.
    fn deliver(&mut self) {
        let now = self.now();
        let mut batches: Vec<Batch> = self.engines.iter_mut().map(Engine::take_batch).collect();
        let mut sent = Vec::new();
        while let Some(packet) = self.network.arrived(now.at) {
            if is_server(packet.to.ip()) {
                let Some((socket, home)) = self.socket_at(packet.to, packet.from) else { continue };
                if batches[home].is_full() {
                    let full = std::mem::replace(&mut batches[home], self.engines[home].take_batch());
                    self.feed(home, Input::Datagrams(full));
                }
                batches[home].push(Tuple { socket, remote: packet.from }, &packet.bytes);
                self.overhear(packet);
            } else if let Some(peer) = self.peers.iter_mut().find(|peer| peer.address() == packet.to) {
                peer.handle(now, &packet);
                peer.turn(now, &mut sent);
            }
        }
        self.send(sent);
        for (engine, batch) in batches.into_iter().enumerate() {
            if batch.is_empty() {
                self.engines[engine].give_back(batch);
            } else {
                self.feed(engine, Input::Datagrams(batch));
            }
        }
    }

    /// Does what is due by now.
    fn wake(&mut self) {
        let now = self.now();
        for engine in 0..self.engines.len() {
            if self.engines[engine].worker.timeout().is_some_and(|at| at <= now.at) {
                self.feed(engine, Input::Timeout);
            }
        }
        let mut sent = Vec::new();
        for peer in self.peers.iter_mut().filter(|peer| peer.timeout() <= now.at) {
            peer.turn(now, &mut sent);
        }
        self.send(sent);
    }

    /// The socket that a packet comes to. Who sends to a listener of TCP connects first, without a handshake on the network.
    fn socket_at(&mut self, address: SocketAddr, remote: SocketAddr) -> Option<(SocketId, usize)> {
        let listener = *self.addresses.get(&address)?;
        let socket = *self.sockets.get(&listener)?;
        if socket.protocol == Protocol::Udp {
            return Some((listener, socket.engine));
        }
        if let Some(connection) = self.connections.get(&(listener, remote)) {
            return Some((*connection, socket.engine));
        }
        let connection = self.add_socket(Socket { accepted: Some((listener, remote)), ..socket });
        self.connections.insert((listener, remote), connection);
        let tuple = Tuple { socket: connection, remote };
        self.feed(socket.engine, Input::Accepted { listener, connection: tuple });
        Some((connection, socket.engine))
    }

    fn add_socket(&mut self, socket: Socket) -> SocketId {
        let id = SocketId(self.next_socket);
        self.next_socket += 1;
        self.sockets.insert(id, socket);
        id
    }

    /// Which Transport's keys a packet that leaves is under.
    fn sender_of(&self, socket: &Socket, remote: SocketAddr) -> Option<TransportId> {
        match socket.owner {
            ObjectId::Transport(transport) => Some(transport),
            _ => {
                let peer = self.peers.iter().rposition(|peer| peer.has_been_at(remote))?;
                self.transports.get(&PeerId(peer)).copied()
            }
        }
    }

    fn overhear(&mut self, packet: Packet) {
        if self.overheard.len() == OVERHEARD_MAX {
            self.overheard.pop_front();
        }
        self.overheard.push_back(packet);
    }

    fn send(&mut self, packets: impl IntoIterator<Item = Packet>) {
        let now = self.now().at;
        packets.into_iter().for_each(|packet| self.network.send(now, &packet));
    }

    /// Sends a packet that nobody made, from wherever it says.
    pub fn inject(&mut self, packet: Packet) {
        self.send([packet]);
    }

    /// Gives a Worker an input and drains it.
    fn feed(&mut self, engine: usize, input: Input) {
        let now = self.now();
        self.engines[engine].worker.handle(now, input);
        self.drain(engine);
    }

    fn drain(&mut self, engine: usize) {
        let now = self.now();
        let at = self.clock.elapsed();
        let drained = self.engines[engine].drain();
        for (tuple, bytes) in drained.packets {
            let socket =
                *self.sockets.get(&tuple.socket).expect("a Worker sends by sockets that it was given");
            assert_eq!(socket.engine, engine, "a Worker sends by its own sockets");
            if let (true, ObjectId::Transport(transport)) = (socket.local.ip().is_unspecified(), socket.owner)
            {
                let rtcp = tuple == Tuple::direct_rtcp(tuple.socket);
                self.direct.entry(transport).or_default().push(DirectPacket { rtcp, bytes });
                continue;
            }
            match self.sender_of(&socket, tuple.remote) {
                // There is no rule for what is not protected.
                Some(transport) if self.is_open_pipe(transport) => {}
                Some(transport) => self.wire.check(transport, &bytes),
                None => assert!(bytes[0] < 4, "strangers get answers to their checks and nothing else"),
            }
            self.network.send(now.at, &Packet { from: socket.local, to: tuple.remote, bytes });
        }
        self.messages.extend(drained.messages.into_iter().map(|it| (it.consumer, it.message)));
        for event in drained.events {
            self.learn(engine, &event);
            self.events.push((at, event));
        }
        for socket in drained.closed {
            match self.sockets.remove(&socket) {
                Some(Socket { accepted: Some(accepted), .. }) => drop(self.connections.remove(&accepted)),
                Some(socket) => drop(self.addresses.remove(&socket.local)),
                None => {}
            }
        }
        for (request, result) in drained.replies {
            let twice = self.replies.insert(request, result);
            assert!(twice.is_none(), "request {request} was answered twice");
        }
    }

    /// Whether it is a PipeTransport without SRTP.
    fn is_open_pipe(&self, transport: TransportId) -> bool {
        matches!(
            self.object(transport),
            Some(ObjectState::PipeTransport(state)) if state.srtp_parameters.is_none()
        )
    }

    /// Keeps what a mirror would.
    fn learn(&mut self, engine: usize, event: &Event) {
        let id = event.subject();
        match event {
            Event::Appeared(state) => {
                self.homes.insert(id, engine);
                let known = self.objects.insert(id, state.clone());
                assert!(known.is_none(), "{id} appeared twice");
            }
            Event::Closed { .. } => {
                assert!(self.objects.remove(&id).is_some(), "{id} closed without having been there");
                self.homes.remove(&id);
            }
            event => {
                let object = self.objects.get_mut(&id);
                object.unwrap_or_else(|| panic!("{event:?} of what isn't there")).apply(event);
            }
        }
    }

    /// Moves a live Transport, with all that belongs to it, into a Router of another Worker, or of its own.
    ///
    /// # Panics
    /// When the Workers refuse.
    pub fn migrate(&mut self, transport: TransportId, router: RouterId) {
        self.try_migrate(transport, router).expect("the Router takes it");
    }

    /// Tries to move a live Transport; where it is refused, it stays.
    ///
    /// # Errors
    /// What the Worker of the Router says.
    ///
    /// # Panics
    /// When the Transport isn't there, or its own Worker doesn't take it back.
    pub fn try_migrate(&mut self, transport: TransportId, router: RouterId) -> Result<(), Failure> {
        let (from, to) = (self.homes[&transport.into()], self.homes[&router.into()]);
        let home = self.object(transport).and_then(ObjectState::parent);
        let Some(ObjectId::Router(home)) = home else { panic!("a Transport lives in a Router") };
        let now = self.now();
        let state = self.engines[from].worker.take_transport(now, transport).expect("the Transport is there");
        self.drain(from);
        for socket in self.sockets.values_mut().filter(|socket| socket.owner == transport.into()) {
            socket.engine = to;
        }
        if let Err((failure, state)) = self.engines[to].worker.put_transport(now, router, state) {
            for socket in self.sockets.values_mut().filter(|socket| socket.owner == transport.into()) {
                socket.engine = from;
            }
            let back = self.engines[from].worker.put_transport(now, home, *state);
            back.map_err(|(failure, _)| failure).expect("what was taken out fits in again");
            self.drain(from);
            return Err(failure);
        }
        let children = self.objects.values().filter(|object| object.parent() == Some(transport.into()));
        let moved: Vec<ObjectId> = children.map(ObjectState::id).chain([transport.into()]).collect();
        self.homes.extend(moved.into_iter().map(|id| (id, to)));
        self.drain(to);
        Ok(())
    }
}

/// Whether Workers are there: at the address for clients, or at one of those for pipes.
fn is_server(ip: IpAddr) -> bool {
    ip == SERVER || pipe::is_pipe_host(ip)
}
