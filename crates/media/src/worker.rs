//! The root machine: a Worker with its Routers, without I/O.
//!
//! Give it what happened with [`Worker::handle`], then call [`Worker::poll`] until it gives `None`: one mutation, then the drain.
//! Call it with [`Input::Timeout`] when [`Worker::timeout`] has come. A batch of datagrams belongs to the machine until its drain
//! is over; [`Worker::reclaim`] gives the memory back.
//!
//! A batch for many Consumers is long work. A driver that has other things to do may rest at any [`Output::Flush`]: it hands in
//! whatever has happened but datagrams, and polls on. What that brought comes first then, and media go on where they were.

mod call;
mod datagram;
mod direct;
mod drain;
pub(crate) mod drops;
mod handshakes;
mod input;
mod output;
mod paths;
mod pipe;
mod plain;
pub(crate) mod resends;
mod server;
pub(crate) mod timers;
pub(crate) mod turn;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use hashbrown::HashMap;
use mafalda_api::id::{
    ConsumerId, DataConsumerId, DataProducerId, ProducerId, RouterId, RtpObserverId, TransportId,
    WebRtcServerId, WorkerId,
};
use mafalda_api::waist::{Failure, Reply};
use mafalda_api::worker::{WorkerLogLevel, WorkerLogTag};
use slotmap::SlotMap;

use crate::buffer::{Batch, SendBuffer, Sender};
use crate::dtls::Certificate;
use crate::ice::UsernameFragment;
use crate::router::{ObserverKey, Router, RouterKey, TransportState};
use crate::server::WebRtcServer;
use crate::transport::{Identity, Transport, WebRtc};
use crate::{Now, SocketId, Tuple};

pub use drops::{DropReason, Drops};
pub use input::{Input, ListenSocket, SocketBuffers};
pub use output::Output;
use paths::SocketOwner;
pub(crate) use paths::{Paths, TransportAt};
pub use turn::OutMessage;
pub(crate) use turn::Turn;

use handshakes::Handshakes;
use timers::Timer;

/// How long a round of RTCP waits for something else to do. A Worker that forwards has it done within its turns; one that doesn't wakes
/// up ten times a second for the rounds of all its Transports, not once for each: waking up costs more than a round does.
const ROUND_PATIENCE: Duration = Duration::from_millis(100);

/// As soon as time has moved on: the next turn of the driver.
const MOMENT: Duration = Duration::from_nanos(1);

/// Alarms that are answered at once: the rest has to wait for the next turn, with media in between. A round of RTCP in which there is
/// nothing to report took two microseconds, so many of them a quarter of a millisecond.
const ALARMS_PER_INPUT: usize = 128;

/// What a Worker is made of.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// Its id.
    pub id: WorkerId,
    /// What it shows to its peers.
    pub certificate: Certificate,
}

/// The machine.
#[derive(Debug)]
pub struct Worker {
    id: WorkerId,
    identity: Identity,
    turn: Turn,
    servers: HashMap<WebRtcServerId, WebRtcServer>,
    routers: SlotMap<RouterKey, Router>,
    router_ids: HashMap<RouterId, RouterKey>,
    transports: HashMap<TransportId, TransportAt>,
    producers: HashMap<ProducerId, RouterKey>,
    consumers: HashMap<ConsumerId, TransportAt>,
    observers: HashMap<RtpObserverId, (RouterKey, ObserverKey)>,
    data_producers: HashMap<DataProducerId, RouterKey>,
    data_consumers: HashMap<DataConsumerId, RouterKey>,
    paths: Paths,
    handshakes: Handshakes,
    replies: VecDeque<(u64, Result<Reply, Failure>)>,
    batch: Option<Batch>,
}

impl Worker {
    /// A Worker without Routers. All its randomness comes from the seed, which must come from the operating system.
    #[must_use]
    pub fn new(config: WorkerConfig, seed: [u8; 32], now: Now) -> Self {
        Self {
            id: config.id,
            identity: Identity::new(config.certificate),
            turn: Turn::new(config.id, seed, now),
            servers: HashMap::new(),
            routers: SlotMap::with_key(),
            router_ids: HashMap::new(),
            transports: HashMap::new(),
            producers: HashMap::new(),
            consumers: HashMap::new(),
            observers: HashMap::new(),
            data_producers: HashMap::new(),
            data_consumers: HashMap::new(),
            paths: Paths::default(),
            handshakes: Handshakes::default(),
            replies: VecDeque::new(),
            batch: None,
        }
    }

    /// The same Worker, which logs from that weight on and about that. Without this it logs nothing.
    #[must_use]
    pub fn with_log(mut self, level: WorkerLogLevel, tags: &[WorkerLogTag]) -> Self {
        self.turn.log.set_level(level);
        self.turn.log.set_tags(tags);
        self
    }

    /// Takes in what happened.
    ///
    /// Datagrams whose packets weren't polled to the end are lost to others that come in.
    pub fn handle(&mut self, now: Now, input: Input) {
        self.begin(now);
        // A turn of the driver has one of each of these, but dozens of calls: with work for each, a crowd that joins while transports
        // are made for more of it would hold up media for many milliseconds.
        let goes_on = matches!(input, Input::Datagrams(_) | Input::Timeout);
        match input {
            Input::Datagrams(batch) => {
                self.abandon();
                self.on_batch(batch);
            }
            Input::Call { request, call, sockets } => self.on_call(request, *call, &sockets),
            Input::Accepted { listener, connection } => self.on_accepted(listener, connection),
            Input::Disconnected { connection } => self.on_disconnected(connection),
            Input::Unsent { tuple, sender, packets } => self.on_unsent(tuple, sender, packets),
            Input::Message { socket, data_producer, message, audience } => {
                self.on_message(socket, data_producer, &message, &audience);
            }
            Input::MessageLost { data_consumer, bytes } => self.on_message_lost(data_consumer, bytes),
            Input::Refused { socket, sends } => self.on_refused(socket, sends),
            Input::Timeout => self.on_timeout(),
        }
        if goes_on {
            self.go_rounds();
            self.go_on_with_handshakes();
        }
    }

    /// The next thing to do; `None` when there is nothing left until the next input.
    pub fn poll(&mut self, out: &mut SendBuffer) -> Option<Output> {
        self.poll_output(out)
    }

    /// When to call with [`Input::Timeout`].
    #[must_use]
    pub fn timeout(&self) -> Option<Instant> {
        if !self.handshakes.is_empty() {
            // At once: what waits was due when it came.
            return Some(self.turn.now.at);
        }
        if !self.turn.resends.is_empty() {
            return Some(self.turn.now.at + MOMENT);
        }
        let rounds = self.turn.rounds.next().map(|at| at + ROUND_PATIENCE);
        self.turn.timers.next().into_iter().chain(rounds).min()
    }

    /// The last batch, once its drain is over: empty, or with what is left of it to be handed in again.
    pub fn reclaim(&mut self) -> Option<Batch> {
        if !self.turn.effects.dirty.is_empty() {
            return None;
        }
        let mut batch = self.batch.take()?;
        batch.close();
        Some(batch)
    }

    /// What was dropped so far, by reason.
    #[must_use]
    pub fn drops(&self) -> &Drops {
        &self.turn.effects.drops
    }

    /// Takes a live Transport out of its Router, with all that belongs to it; for [`Worker::put_transport`] of another Worker. A
    /// DirectTransport stays where its application's end is: it gives none.
    pub fn take_transport(&mut self, now: Now, id: TransportId) -> Option<TransportState> {
        self.begin(now);
        let at = self.transports.get(&id).copied()?;
        self.routers.get(at.router)?.transports.get(at.transport).filter(|it| it.as_direct().is_none())?;
        let state = self.routers.get_mut(at.router)?.take(at.transport)?;
        self.forget(at, &state.transport);
        Some(state)
    }

    /// Sets a Transport into a Router of this Worker. Its sockets must be known here under the same numbers; if it listens on a
    /// WebRtcServer, that must be one of this Worker.
    ///
    /// # Errors
    /// When there is no such Router or WebRtcServer, or something of the Transport is there already. The state is given back.
    pub fn put_transport(
        &mut self,
        now: Now,
        router: RouterId,
        state: TransportState,
    ) -> Result<(), (Failure, Box<TransportState>)> {
        self.begin(now);
        if let Err(failure) = self.can_put(router, &state) {
            return Err((failure, Box::new(state)));
        }
        let key = self.router_ids.get(&router).copied().unwrap_or_default();
        let Some(home) = self.routers.get_mut(key) else {
            return Err((Failure::not_found(router), Box::new(state)));
        };
        let transport = home.put(&mut self.turn, state);
        self.remember(TransportAt { router: key, transport });
        Ok(())
    }

    /// Ids are unique in a Worker.
    fn can_put(&self, router: RouterId, state: &TransportState) -> Result<(), Failure> {
        if !self.router_ids.contains_key(&router) {
            return Err(Failure::not_found(router));
        }
        let webrtc = state.transport.as_webrtc();
        let server = webrtc.and_then(|webrtc| webrtc.endpoints.server());
        if let Some(id) = server.filter(|id| !self.servers.contains_key(id)) {
            return Err(self.no_server(id));
        }
        let id = state.transport.id;
        let known = |name: UsernameFragment| self.paths.by_name(name.as_bytes()).is_some();
        let named = webrtc.is_some_and(|webrtc| webrtc.ice.username_fragments().any(known));
        if self.transports.contains_key(&id) || named {
            return Err(Failure::already_exists(id));
        }
        if let Some(id) = state.transport.producers.iter().find(|id| self.knows_producer(**id)) {
            return Err(Failure::already_exists(*id));
        }
        if let Some(id) = state.aliases().find(|id| self.knows_producer(*id)) {
            return Err(Failure::already_exists(id));
        }
        match state.transport.consumers.keys().find(|id| self.consumers.contains_key(*id)) {
            Some(id) => Err(Failure::already_exists(*id)),
            None => Ok(()),
        }
    }

    /// Whether a Producer has this id, or is known by it.
    fn knows_producer(&self, id: ProducerId) -> bool {
        self.producers.contains_key(&id) || self.routers.values().any(|router| router.has_alias(id))
    }

    fn begin(&mut self, now: Now) {
        if now.at > self.turn.now.at {
            // Another turn of the driver; inputs of one turn share its bounds.
            self.turn.resends.begin();
            self.turn.effects.begin();
        }
        self.turn.now = now;
        self.handshakes.begin();
    }

    fn on_accepted(&mut self, listener: SocketId, connection: Tuple) {
        let accepted = match self.paths.owner(listener) {
            Some(SocketOwner::Transport(at)) => self.accept(at, listener, connection.socket),
            Some(SocketOwner::Server(id)) => self.let_wait(id, listener, connection.socket),
            None => None,
        };
        if accepted.is_none() {
            self.turn.effects.closing.push(connection.socket);
        }
    }

    /// `None` when the Transport is gone.
    fn accept(&mut self, at: TransportAt, listener: SocketId, connection: SocketId) -> Option<()> {
        let (router, turn, paths) = self.split(at)?;
        let WebRtc { endpoints, ice, .. } = router.transports.get_mut(at.transport)?.as_webrtc_mut()?;
        let in_use = |socket| ice.tuples().any(|tuple| tuple.socket == socket);
        if let Some(given_up) = endpoints.on_accepted(listener, connection, in_use) {
            paths.remove_socket(given_up);
            turn.effects.closing.push(given_up);
        }
        paths.set_owner(connection, SocketOwner::Transport(at));
        Some(())
    }

    fn on_disconnected(&mut self, connection: SocketId) {
        let at = match self.paths.owner(connection) {
            Some(SocketOwner::Transport(at)) => at,
            Some(SocketOwner::Server(id)) => return self.stop_waiting(id, connection),
            None => return,
        };
        self.paths.remove_socket(connection);
        let Some((router, turn, paths)) = self.split(at) else { return };
        let Some(transport) = router.transports.get_mut(at.transport) else { return };
        if let Some(webrtc) = transport.as_webrtc_mut() {
            webrtc.endpoints.remove_connection(connection);
            webrtc.ice.remove_socket(connection);
        }
        let settled = transport.settle(turn, paths, at);
        router.on_settled(turn, at.transport, settled);
    }

    fn on_unsent(&mut self, tuple: Tuple, sender: Sender, packets: u32) {
        let (Sender::Consumer(ssrc), Some(at)) = (sender, self.by_path(tuple)) else { return };
        if let Some(router) = self.routers.get_mut(at.router) {
            router.on_unsent(at.transport, ssrc, packets);
        }
    }

    fn on_timeout(&mut self) {
        for _ in 0..ALARMS_PER_INPUT {
            // Those that are left are due at once: the driver comes back for them, with media in between.
            let Some((at, timer)) = self.turn.timers.pop(self.turn.now.at) else { return };
            match timer {
                Timer::Transport(router, transport) => {
                    self.on_transport_alarm(TransportAt { router, transport }, at);
                }
                Timer::Server(id) => self.on_server_alarm(id, at),
                Timer::Stream(router, stream) => {
                    let Some(router) = self.routers.get_mut(router) else { continue };
                    let turn = &mut self.turn;
                    router.on_stream_alarm(turn, stream, at);
                }
                Timer::Observer(router, observer) => {
                    let Some(router) = self.routers.get_mut(router) else { continue };
                    router.on_observer_alarm(&mut self.turn, observer, at);
                }
            }
        }
    }

    /// RTCP of all Transports whose round may begin.
    fn go_rounds(&mut self) {
        for _ in 0..ALARMS_PER_INPUT {
            let Some((at, (router, transport))) = self.turn.rounds.pop(self.turn.now.at) else { return };
            if let Some(router) = self.routers.get_mut(router) {
                router.on_round(&mut self.turn, transport, at);
            }
        }
    }

    fn on_transport_alarm(&mut self, at: TransportAt, rang: Instant) {
        let Some((router, turn, paths)) = self.split(at) else { return };
        let Some(transport) = router.transports.get_mut(at.transport) else { return };
        if !transport.alarm.ring(rang) {
            return;
        }
        if let Some(webrtc) = transport.as_webrtc_mut() {
            webrtc.ice.handle_timeout(turn.now);
            webrtc.handshake.handle_timeout(turn.now);
        }
        let settled = transport.settle(turn, paths, at);
        router.on_report_time(turn, at.transport);
        router.on_settled(turn, at.transport, settled);
    }

    /// A Router together with the turn that it works in, and the tables of paths.
    fn split(&mut self, at: TransportAt) -> Option<(&mut Router, &mut Turn, &mut Paths)> {
        let router = self.routers.get_mut(at.router)?;
        Some((router, &mut self.turn, &mut self.paths))
    }

    /// Everything of a Transport that others find it by.
    fn remember(&mut self, at: TransportAt) {
        let Some(transport) =
            self.routers.get(at.router).and_then(|router| router.transports.get(at.transport))
        else {
            return;
        };
        self.transports.insert(transport.id, at);
        self.producers.extend(transport.producers.iter().map(|id| (*id, at.router)));
        self.consumers.extend(transport.consumers.keys().map(|id| (*id, at)));
        for socket in transport.way.sockets() {
            self.paths.set_owner(socket, SocketOwner::Transport(at));
        }
        for tuple in transport.way.tuples() {
            self.paths.add_tuple(tuple, at);
        }
        let Some(webrtc) = transport.as_webrtc() else { return };
        for name in webrtc.ice.username_fragments() {
            self.paths.add_name(name, at);
        }
        if let Some(server) = webrtc.endpoints.server().and_then(|id| self.servers.get_mut(&id)) {
            server.transports.insert(transport.id);
        }
    }

    fn forget(&mut self, at: TransportAt, transport: &Transport) {
        self.transports.remove(&transport.id);
        for id in &transport.producers {
            self.producers.remove(id);
        }
        for id in transport.consumers.keys() {
            self.consumers.remove(id);
        }
        if let Some(ends) = &transport.data {
            for id in &ends.producers {
                self.data_producers.remove(id);
            }
            for id in &ends.consumers {
                self.data_consumers.remove(id);
            }
        }
        transport.way.sockets().into_iter().for_each(|socket| self.paths.remove_socket(socket));
        transport.way.tuples().into_iter().for_each(|tuple| self.paths.remove_tuple(tuple, at));
        let Some(webrtc) = transport.as_webrtc() else { return };
        webrtc.ice.username_fragments().for_each(|name| self.paths.remove_name(name));
        if let Some(server) = webrtc.endpoints.server().and_then(|id| self.servers.get_mut(&id)) {
            server.transports.remove(&transport.id);
        }
    }
}

#[cfg(test)]
mod tests;
