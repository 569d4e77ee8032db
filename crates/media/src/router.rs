//! A Router in the machine: the tables that forwarding runs along.
//!
//! It holds its Transports, its Producers and their streams, and in each stream one row per Consumer. The parts of it:
//! `ingress` (a datagram on its way to a stream), `egress` (from the streams to the send buffer, through an `outlet` per
//! Consumer), `feedback` (RTCP that comes), `report` (RTCP that goes), `score` (how good streams are), `trace` (what is told of single packets), `media` (Producers and
//! Consumers come, change and go), `observe` (RtpObservers and what they hear), `rows` (rows leave their tables), `data` (messages), `migrate` (a Transport leaves or comes, live) and `inspect` (dumps and statistics).

mod data;
mod egress;
mod feedback;
mod ingress;
mod inspect;
mod media;
mod migrate;
mod observe;
mod outlet;
mod report;
mod rows;
mod score;
mod trace;

use std::sync::Arc;

use hashbrown::HashMap;
use mafalda_api::id::{ConsumerId, ProducerId, RouterId};
use mafalda_api::types::rtp_parameters::RtpCapabilitiesFinalized;
use mafalda_api::waist::{CloseCause, Event, Origin, RouterState};
use slotmap::{SlotMap, new_key_type};

use crate::observer::RtpObserver;
use crate::producer::{Producer, ProducerStream};
use crate::rtcp::{Arrival, ReportBlock};
use crate::transport::{Settled, Transport};
use crate::worker::Turn;
use crate::worker::timers::Timer;

use data::Data;
use egress::Cursor;
pub(crate) use egress::MediaOutput;
pub use migrate::TransportState;
#[cfg(test)]
pub(crate) use observe::OBSERVERS_PER_PRODUCER_MAX;
use score::ScoreNews;

new_key_type! {
    /// A Router of a Worker.
    pub(crate) struct RouterKey;
    /// A Transport of a Router.
    pub(crate) struct TransportKey;
    /// A Producer's stream of a Router.
    pub(crate) struct StreamKey;
    /// An RtpObserver of a Router.
    pub(crate) struct ObserverKey;
}

/// A Router.
#[derive(Debug)]
pub(crate) struct Router {
    pub(crate) key: RouterKey,
    pub(crate) id: RouterId,
    pub(crate) origin: Origin,
    pub(crate) capabilities: Arc<RtpCapabilitiesFinalized>,
    /// Boxed: a table that grows moves pointers, not megabytes while media wait.
    pub(crate) transports: SlotMap<TransportKey, Box<Transport>>,
    pub(crate) producers: HashMap<ProducerId, Producer>,
    /// Producers that are known by another Router's Producer's id, by that id.
    aliases: HashMap<ProducerId, ProducerId>,
    streams: SlotMap<StreamKey, ProducerStream>,
    /// Consumers of each Producer, here or not (yet) here.
    consumers_of: HashMap<ProducerId, Vec<(TransportKey, ConsumerId)>>,
    pub(crate) observers: SlotMap<ObserverKey, RtpObserver>,
    pub(crate) data: Data,
    /// Streams with packets to forward.
    dirty: Vec<StreamKey>,
    cursor: Cursor,
    next_mapped_ssrc: u32,
    scores: ScoreNews,
    /// Memory of a report round and of an acknowledgement, empty in between.
    blocks: Vec<ReportBlock>,
    acknowledged: Vec<Arrival>,
}

impl Router {
    pub(crate) fn new(
        key: RouterKey,
        id: RouterId,
        origin: Origin,
        capabilities: Arc<RtpCapabilitiesFinalized>,
        first_mapped_ssrc: u32,
    ) -> Self {
        Self {
            key,
            id,
            origin,
            capabilities,
            transports: SlotMap::with_key(),
            producers: HashMap::new(),
            aliases: HashMap::new(),
            streams: SlotMap::with_key(),
            consumers_of: HashMap::new(),
            observers: SlotMap::with_key(),
            data: Data::default(),
            dirty: Vec::new(),
            cursor: Cursor::default(),
            next_mapped_ssrc: first_mapped_ssrc,
            scores: ScoreNews::default(),
            blocks: Vec::new(),
            acknowledged: Vec::new(),
        }
    }

    /// What others know of it.
    pub(crate) fn state(&self, worker: mafalda_api::id::WorkerId) -> RouterState {
        RouterState {
            id: self.id,
            origin: self.origin.clone(),
            worker,
            rtp_capabilities: self.capabilities.clone(),
        }
    }

    /// The own id of the Producer that applications know by this one.
    pub(crate) fn own_id(&self, known: ProducerId) -> ProducerId {
        self.aliases.get(&known).copied().unwrap_or(known)
    }

    /// Whether a Producer here is known by this id, which is not its own.
    pub(crate) fn has_alias(&self, id: ProducerId) -> bool {
        self.aliases.contains_key(&id)
    }

    /// Takes a Transport in.
    pub(crate) fn add_transport(&mut self, turn: &mut Turn, transport: Transport) -> TransportKey {
        let key = self.transports.insert(Box::new(transport));
        self.set_transport_alarm(turn, key);
        key
    }

    /// Closes a Transport and all that lives in it. Its sockets and paths are the caller's to clear.
    pub(crate) fn close_transport(
        &mut self,
        turn: &mut Turn,
        key: TransportKey,
        cause: CloseCause,
    ) -> Option<Box<Transport>> {
        let transport = self.transports.get(key)?;
        turn.effects.tell(Event::Closed { id: transport.id.into(), cause });
        let consumers: Vec<ConsumerId> = transport.consumers.keys().copied().collect();
        for producer in transport.producers.clone() {
            self.close_producer(turn, producer, CloseCause::TransportClosed);
        }
        for consumer in consumers {
            self.close_consumer(turn, key, consumer, CloseCause::TransportClosed);
        }
        self.close_data_of(turn, key);
        self.transports.remove(key)
    }

    /// Sees to it that the Transport is woken for its next deadline, and has its next round of RTCP.
    pub(crate) fn set_transport_alarm(&mut self, turn: &mut Turn, key: TransportKey) {
        if let Some(transport) = self.transports.get_mut(key) {
            let (at, round) = (transport.timeout(), transport.next_round());
            turn.wake(&mut transport.alarm, Timer::Transport(self.key, key), at);
            turn.rounds.set(turn.now.at, &mut transport.round, (self.key, key), round);
        }
    }

    /// Sees to it that the stream is woken for its next deadline.
    fn set_stream_alarm(&mut self, turn: &mut Turn, key: StreamKey) {
        if let Some(stream) = self.streams.get_mut(key) {
            let at = stream.timeout();
            turn.wake(&mut stream.alarm, Timer::Stream(self.key, key), at);
        }
    }

    /// A stream's alarm has gone off: packets are asked for, or a key frame again.
    pub(crate) fn on_stream_alarm(&mut self, turn: &mut Turn, key: StreamKey, at: std::time::Instant) {
        let Some(stream) = self.streams.get_mut(key) else { return };
        if !stream.alarm.ring(at) {
            return;
        }
        let scored = stream.recv.as_mut().and_then(|recv| recv.handle_timeout(turn.now)).is_some();
        let again = stream.key_frames.handle_timeout(turn.now);
        if again && !stream.paused {
            self.ask_for_key_frame(turn, key);
        }
        self.ask_for_lost(turn, key);
        if scored {
            self.mark_producer_score(turn, key);
        }
        self.set_stream_alarm(turn, key);
    }

    /// It is time for a Transport's round of RTCP.
    pub(crate) fn on_round(&mut self, turn: &mut Turn, key: TransportKey, at: std::time::Instant) {
        if self.transports.get_mut(key).is_some_and(|transport| transport.round.ring(at)) {
            self.on_report_time(turn, key);
            self.set_transport_alarm(turn, key);
        }
    }

    /// Sends what RTCP of a Transport is due. ICE and DTLS are the Worker's to wake.
    pub(crate) fn on_report_time(&mut self, turn: &mut Turn, key: TransportKey) {
        let Some(transport) = self.transports.get_mut(key) else { return };
        if !transport.protection.is_ready() {
            return;
        }
        if transport.next_rtcp <= turn.now.at {
            let rested = transport.schedule_rtcp(turn);
            self.report(turn, key);
            if rested {
                self.trim(turn, key);
            }
        }
        self.acknowledge(turn, key);
        self.limit_sender(turn, key);
    }

    /// ICE or DTLS have made progress: media may flow from now on, and deadlines are others.
    pub(crate) fn on_settled(&mut self, turn: &mut Turn, key: TransportKey, settled: Settled) {
        if settled.connected || settled.reachable {
            self.refresh_consumers(turn, key);
        }
        self.set_transport_alarm(turn, key);
    }
}
