//! The root machine: a Worker with its Routers, without I/O.
//!
//! Give it what happened with [`Worker::handle`], then call [`Worker::poll`] until it gives `None`: one mutation, then the drain.
//! Call it with [`Input::Timeout`] when [`Worker::timeout`] has come. A batch of datagrams belongs to the machine until its drain
//! is over; [`Worker::reclaim`] gives the memory back.

mod call;
pub(crate) mod drops;
mod input;
mod output;
mod paths;
pub(crate) mod timers;
pub(crate) mod turn;

use std::collections::VecDeque;
use std::time::Instant;

use hashbrown::HashMap;
use mafalda_api::id::{ConsumerId, ProducerId, RouterId, TransportId, WorkerId};
use mafalda_api::waist::{Failure, Reply};
use rand::SeedableRng;
use rand::rngs::StdRng;
use slotmap::SlotMap;

use crate::buffer::{Batch, Datagram, Run, SendBuffer, Sender};
use crate::demux::Kind;
use crate::dtls::Certificate;
use crate::router::{MediaOutput, Router, RouterKey, TransportState};
use crate::stun;
use crate::{Now, SocketId, Tuple};

pub use drops::{DropReason, Drops};
pub use input::{Input, ListenSocket};
pub use output::Output;
pub(crate) use paths::{Paths, TransportAt};
pub(crate) use turn::Turn;

use timers::{Timer, Timers};
use turn::{Effects, Wrap};

/// Largest RTP or RTCP packet that is taken in, as in mediasoup: a network's packet with room for every header.
const MEDIA_LEN_MAX: usize = 2048;

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
    config: WorkerConfig,
    rng: StdRng,
    now: Now,
    routers: SlotMap<RouterKey, Router>,
    router_ids: HashMap<RouterId, RouterKey>,
    transports: HashMap<TransportId, TransportAt>,
    producers: HashMap<ProducerId, RouterKey>,
    consumers: HashMap<ConsumerId, TransportAt>,
    paths: Paths,
    timers: Timers,
    effects: Effects,
    replies: VecDeque<(u64, Result<Reply, Failure>)>,
    batch: Option<Batch>,
}

impl Worker {
    /// A Worker without Routers. All its randomness comes from the seed, which must come from the operating system.
    #[must_use]
    pub fn new(config: WorkerConfig, seed: [u8; 32], now: Now) -> Self {
        Self {
            config,
            rng: StdRng::from_seed(seed),
            now,
            routers: SlotMap::with_key(),
            router_ids: HashMap::new(),
            transports: HashMap::new(),
            producers: HashMap::new(),
            consumers: HashMap::new(),
            paths: Paths::default(),
            timers: Timers::default(),
            effects: Effects::default(),
            replies: VecDeque::new(),
            batch: None,
        }
    }

    /// Takes in what happened.
    pub fn handle(&mut self, now: Now, input: Input) {
        self.now = now;
        match input {
            Input::Datagrams(batch) => self.on_batch(batch),
            Input::Call { request, call, sockets } => self.on_call(request, *call, &sockets),
            Input::Accepted { listener, connection } => self.on_accepted(listener, connection),
            Input::Disconnected { connection } => self.on_disconnected(connection),
            Input::Unsent { tuple, sender, packets } => self.on_unsent(tuple, sender, packets),
            Input::Timeout => self.on_timeout(),
        }
    }

    /// The next thing to do; `None` when there is nothing left until the next input.
    pub fn poll(&mut self, out: &mut SendBuffer) -> Option<Output> {
        if let Some(output) = self.poll_control(out).or_else(|| self.poll_media(out)) {
            return Some(output);
        }
        if let Some(event) = self.effects.events.pop_front() {
            return Some(Output::Event(event));
        }
        if let Some((request, result)) = self.replies.pop_front() {
            return Some(Output::Reply { request, result });
        }
        self.effects.closing.pop().map(Output::CloseSocket)
    }

    /// When to call with [`Input::Timeout`].
    #[must_use]
    pub fn timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// The memory of the last batch, once its drain is over.
    pub fn reclaim(&mut self) -> Option<Batch> {
        let mut batch = self.batch.take()?;
        batch.clear();
        Some(batch)
    }

    /// What was dropped so far, by reason.
    #[must_use]
    pub fn drops(&self) -> &Drops {
        &self.effects.drops
    }

    /// Takes a live Transport out of its Router, with all that belongs to it; for [`Worker::put_transport`] of another Worker.
    pub fn take_transport(&mut self, now: Now, id: TransportId) -> Option<TransportState> {
        self.now = now;
        let at = self.transports.remove(&id)?;
        let state = self.routers.get_mut(at.router)?.take(at.transport)?;
        self.forget(&state.transport);
        Some(state)
    }

    /// Sets a Transport into a Router of this Worker. Its sockets must be known here under the same numbers.
    ///
    /// # Errors
    /// When there is no such Router, or something of the Transport is there already. The state is given back.
    pub fn put_transport(
        &mut self,
        now: Now,
        router: RouterId,
        state: TransportState,
    ) -> Result<(), (Failure, Box<TransportState>)> {
        self.now = now;
        let Some(key) = self.router_ids.get(&router).copied() else {
            return Err((Failure::not_found(router), Box::new(state)));
        };
        let Some(router) = self.routers.get_mut(key) else {
            return Err((Failure::not_found(router), Box::new(state)));
        };
        if let Err(failure) = router.can_put(&state) {
            return Err((failure, Box::new(state)));
        }
        let turn = &mut Turn {
            now: self.now,
            rng: &mut self.rng,
            effects: &mut self.effects,
            timers: &mut self.timers,
        };
        let transport = router.put(turn, state);
        self.remember(TransportAt { router: key, transport });
        Ok(())
    }

    fn on_batch(&mut self, mut batch: Batch) {
        for index in 0..batch.len() {
            let Some(datagram) = batch.datagram(index) else { continue };
            if let Err(reason) = self.on_datagram(&mut batch, datagram) {
                self.effects.drops.count(reason);
            }
        }
        self.batch = Some(batch);
    }

    fn on_datagram(&mut self, batch: &mut Batch, datagram: Datagram) -> Result<(), DropReason> {
        let kind = Kind::of(batch.bytes(datagram.range())).map_err(|_| DropReason::UnknownProtocol)?;
        if kind == Kind::Stun {
            return self.on_stun(batch.bytes(datagram.range()), datagram.tuple);
        }
        let at = self.paths.by_tuple(datagram.tuple).ok_or(DropReason::UnknownTuple)?;
        let len = datagram.range().len();
        if kind != Kind::Dtls && len > MEDIA_LEN_MAX {
            return Err(DropReason::TooLarge);
        }
        let (router, mut turn, paths) = self.split(at).ok_or(DropReason::UnknownTuple)?;
        let turn = &mut turn;
        let Some(transport) = router.transports.get_mut(at.transport) else {
            return Err(DropReason::UnknownTuple);
        };
        transport.traffic.received.count(turn.now, len);
        match kind {
            Kind::Rtcp => router.on_rtcp(turn, at.transport, batch.bytes_mut(datagram.range())),
            Kind::Rtp => {
                let moved = transport.ice.selected() != Some(datagram.tuple)
                    && transport.ice.on_media(datagram.tuple);
                if moved {
                    transport.settle(turn, paths, at);
                }
                router.on_rtp(turn, at.transport, batch, datagram)?;
                turn.effects.mark_dirty(at.router);
                Ok(())
            }
            Kind::Dtls | Kind::Stun => self.on_dtls(batch.bytes(datagram.range()), datagram.tuple, at),
        }
    }

    fn on_dtls(&mut self, datagram: &[u8], tuple: Tuple, at: TransportAt) -> Result<(), DropReason> {
        let (router, mut turn, paths) = self.split(at).ok_or(DropReason::UnknownTuple)?;
        let transport = router.transports.get_mut(at.transport).ok_or(DropReason::UnknownTuple)?;
        transport.ice.on_media(tuple);
        let useful = transport.handshake.handle(turn.now, datagram);
        let settled = transport.settle(&mut turn, paths, at);
        router.on_settled(&mut turn, at.transport, settled);
        if useful { Ok(()) } else { Err(DropReason::MalformedDtls) }
    }

    fn on_stun(&mut self, datagram: &[u8], tuple: Tuple) -> Result<(), DropReason> {
        let message = stun::Message::parse(datagram).map_err(|_| DropReason::MalformedStun)?;
        let at = match self.paths.by_tuple(tuple) {
            Some(at) => at,
            None => {
                let name = message.local_username_fragment().and_then(|name| std::str::from_utf8(name).ok());
                let listener = self.paths.by_socket(tuple.socket).ok_or(DropReason::UnknownUsername)?;
                let at = name.and_then(|name| self.paths.by_username(name, tuple.socket));
                // A wrong name gets its answer from the Transport whose socket it came to.
                at.unwrap_or(listener)
            }
        };
        let (router, mut turn, paths) = self.split(at).ok_or(DropReason::UnknownTuple)?;
        let transport = router.transports.get_mut(at.transport).ok_or(DropReason::UnknownTuple)?;
        transport.traffic.received.count(turn.now, datagram.len());
        let mut answer = [0; stun::RESPONSE_LEN_MAX];
        let len = transport.ice.handle(turn.now, tuple, &message, &mut answer);
        let len = len.map_err(|_| DropReason::UnansweredStun)?;
        turn.effects.control.push(Wrap::Plain(tuple), &answer[..len], &mut turn.effects.drops);
        let settled = transport.settle(&mut turn, paths, at);
        router.on_settled(&mut turn, at.transport, settled);
        Ok(())
    }

    fn on_accepted(&mut self, listener: SocketId, connection: Tuple) {
        let at = self.paths.by_socket(listener);
        let transport = at.and_then(|at| self.routers.get_mut(at.router)?.transports.get_mut(at.transport));
        match (transport, at) {
            (Some(transport), Some(at)) => {
                transport.endpoints.on_accepted(listener, connection.socket);
                self.paths.add_socket(connection.socket, at);
            }
            _ => self.effects.closing.push(connection.socket),
        }
    }

    fn on_disconnected(&mut self, connection: SocketId) {
        let Some(at) = self.paths.by_socket(connection) else { return };
        self.paths.remove_socket(connection);
        let Some((router, mut turn, paths)) = self.split(at) else { return };
        let Some(transport) = router.transports.get_mut(at.transport) else { return };
        transport.endpoints.remove_connection(connection);
        transport.ice.remove_socket(connection);
        let settled = transport.settle(&mut turn, paths, at);
        router.on_settled(&mut turn, at.transport, settled);
    }

    fn on_unsent(&mut self, tuple: Tuple, sender: Sender, packets: u32) {
        let (Sender::Consumer(number), Some(at)) = (sender, self.paths.by_tuple(tuple)) else { return };
        if let Some(router) = self.routers.get_mut(at.router) {
            router.on_unsent(at.transport, number, packets);
        }
    }

    fn on_timeout(&mut self) {
        while let Some((at, timer)) = self.timers.pop(self.now.at) {
            match timer {
                Timer::Transport(router, transport) => {
                    self.on_transport_alarm(TransportAt { router, transport }, at);
                }
                Timer::Stream(router, stream) => {
                    let Some(router) = self.routers.get_mut(router) else { continue };
                    let turn = &mut Turn {
                        now: self.now,
                        rng: &mut self.rng,
                        effects: &mut self.effects,
                        timers: &mut self.timers,
                    };
                    router.on_stream_alarm(turn, stream, at);
                }
            }
        }
    }

    fn on_transport_alarm(&mut self, at: TransportAt, rang: Instant) {
        let Some((router, mut turn, paths)) = self.split(at) else { return };
        let turn = &mut turn;
        let Some(transport) = router.transports.get_mut(at.transport) else { return };
        if !transport.alarm.ring(rang) {
            return;
        }
        transport.ice.handle_timeout(turn.now);
        transport.handshake.handle_timeout(turn.now);
        let settled = transport.settle(turn, paths, at);
        router.on_report_time(turn, at.transport);
        router.on_settled(turn, at.transport, settled);
    }

    fn poll_control(&mut self, out: &mut SendBuffer) -> Option<Output> {
        while let Some((wrap, packet)) = self.effects.control.front() {
            if out.room() < packet.len() + crate::srtp::OVERHEAD_MAX {
                return Some(Output::Flush);
            }
            let written = match wrap {
                Wrap::Plain(tuple) => {
                    out.spare()[..packet.len()].copy_from_slice(packet);
                    Some((tuple, packet.len(), self.paths.by_tuple(tuple)))
                }
                Wrap::Rtcp(router, transport) => self
                    .routers
                    .get_mut(router)
                    .and_then(|router| router.transports.get_mut(transport))
                    .and_then(|transport| transport.protect_rtcp(packet, out.spare()))
                    .map(|(tuple, len)| (tuple, len, Some(TransportAt { router, transport }))),
            };
            self.effects.control.pop();
            if let Some((tuple, len, at)) = written {
                self.count_sent(at, len);
                return Some(Output::Send(Run::new(tuple, Sender::Control, out.commit(len), len)));
            }
        }
        None
    }

    fn count_sent(&mut self, at: Option<TransportAt>, len: usize) {
        let transport = at.and_then(|at| self.routers.get_mut(at.router)?.transports.get_mut(at.transport));
        if let Some(transport) = transport {
            transport.traffic.sent.count(self.now, len);
        }
    }

    fn poll_media(&mut self, out: &mut SendBuffer) -> Option<Output> {
        let empty = Batch::default();
        while let Some(key) = self.effects.dirty.last().copied() {
            let batch = self.batch.as_ref().unwrap_or(&empty);
            let router = self.routers.get_mut(key);
            let output =
                router.and_then(|router| router.poll_media(self.now, batch, out, &mut self.effects.drops));
            match output {
                Some(MediaOutput::Run(run)) => return Some(Output::Send(run)),
                Some(MediaOutput::Full) => return Some(Output::Flush),
                None => drop(self.effects.dirty.pop()),
            }
        }
        None
    }

    /// A Router together with the turn that it works in, and the tables of paths.
    fn split(&mut self, at: TransportAt) -> Option<(&mut Router, Turn<'_>, &mut Paths)> {
        let router = self.routers.get_mut(at.router)?;
        let turn =
            Turn { now: self.now, rng: &mut self.rng, effects: &mut self.effects, timers: &mut self.timers };
        Some((router, turn, &mut self.paths))
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
        for socket in transport.endpoints.sockets() {
            self.paths.add_socket(socket, at);
        }
        for tuple in transport.ice.tuples() {
            self.paths.add_tuple(tuple, at);
        }
        self.paths.add_username(transport.ice.local().username_fragment.as_str(), at);
    }

    fn forget(&mut self, transport: &crate::transport::Transport) {
        self.transports.remove(&transport.id);
        for id in &transport.producers {
            self.producers.remove(id);
        }
        for id in transport.consumers.keys() {
            self.consumers.remove(id);
        }
        transport.endpoints.sockets().for_each(|socket| self.paths.remove_socket(socket));
        transport.ice.tuples().for_each(|tuple| self.paths.remove_tuple(tuple));
        for name in transport.usernames() {
            self.paths.remove_username(name.as_str());
        }
    }
}
