//! What every part of the machine is handed in a turn: the time, randomness, and where its doings go.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Instant;

use mafalda_api::id::{DataConsumerId, WorkerId};
use mafalda_api::waist::{DataMessage, Event};
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::drops::{DropReason, Drops};
use super::paths::TransportAt;
use super::resends::Resends;
use super::timers::{Alarm, Timer, Timers};
use crate::log::Log;
use crate::router::{RouterKey, TransportKey};
use crate::{Now, SocketId, Tuple};

/// Bytes of handshakes, answers and feedback that may wait within one turn. A turn's 256 datagrams can't ask for more than a
/// fraction of that; it bounds what a bug, or a very strange peer, can cost.
const CONTROL_BYTES_MAX: usize = 1 << 20;

/// Trace events told of one turn. Larger tells all of a burst; smaller bounds what tracing costs the others in the Worker: at about a
/// microsecond each, this is half a millisecond.
pub(crate) const TRACES_PER_TURN_MAX: usize = 512;

/// Messages to applications that may wait within one drain: one message for as many DataConsumers. They share its bytes; what is kept of
/// each is a few words.
const MESSAGES_MAX: usize = 65_536;

/// Handed down through a turn, and kept from one to the next.
#[derive(Debug)]
pub(crate) struct Turn {
    /// When the turn happens.
    pub(crate) now: Now,
    /// The Worker's randomness.
    pub(crate) rng: StdRng,
    /// What the Worker says of itself.
    pub(crate) log: Log,
    /// What comes of it.
    pub(crate) effects: Effects,
    /// What is to be sent again.
    pub(crate) resends: Resends,
    /// Deadlines.
    pub(crate) timers: Timers<Timer>,
    /// When Transports' rounds of RTCP may begin; they can wait for [`ROUND_PATIENCE`](super::ROUND_PATIENCE).
    pub(crate) rounds: Timers<(RouterKey, TransportKey)>,
}

impl Turn {
    pub(crate) fn new(worker: WorkerId, seed: [u8; 32], now: Now) -> Self {
        Self {
            now,
            log: Log::new(worker),
            rng: StdRng::from_seed(seed),
            effects: Effects::default(),
            resends: Resends::default(),
            timers: Timers::default(),
            rounds: Timers::default(),
        }
    }

    /// Sees to it that the alarm goes off at that time, or earlier.
    pub(crate) fn wake(&mut self, alarm: &mut Alarm, timer: Timer, at: Option<Instant>) {
        self.timers.set(self.now.at, alarm, timer, at);
    }
}

/// What a turn has brought about, waiting to be polled.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    /// For the log.
    pub(crate) events: VecDeque<Event>,
    /// Trace events among them that this turn has had, and how many more there would have been.
    traces: usize,
    missed: u64,
    /// Handshakes, answers and feedback.
    pub(crate) control: ControlQueue,
    /// Messages for applications.
    messages: VecDeque<OutMessage>,
    /// Sockets that are no longer needed.
    pub(crate) closing: Vec<SocketId>,
    /// What was dropped, by reason.
    pub(crate) drops: Drops,
    /// Routers that have packets to forward.
    pub(crate) dirty: Vec<RouterKey>,
    /// Routers that have scores to tell.
    pub(crate) scored: Vec<RouterKey>,
    /// Transports whose peers sent media from elsewhere: told once, however often they went to and fro.
    pub(crate) moved: Vec<TransportAt>,
}

impl Effects {
    /// A Router has packets to forward.
    pub(crate) fn mark_dirty(&mut self, router: RouterKey) {
        if self.dirty.last() != Some(&router) {
            self.dirty.push(router);
        }
    }

    /// A Router has scores to tell.
    pub(crate) fn mark_scored(&mut self, router: RouterKey) {
        if self.scored.last() != Some(&router) {
            self.scored.push(router);
        }
    }

    /// A Transport's peer has moved.
    pub(crate) fn mark_moved(&mut self, transport: TransportAt) {
        if self.moved.last() != Some(&transport) {
            self.moved.push(transport);
        }
    }

    /// Sends a packet that is not media.
    pub(crate) fn send(&mut self, wrap: Wrap, packet: &[u8]) {
        self.control.push(wrap, packet, &mut self.drops);
    }

    /// Sends a message to an application; `false` when too many wait.
    pub(crate) fn send_message(&mut self, message: OutMessage) -> bool {
        let has_room = self.messages.len() < MESSAGES_MAX;
        if has_room {
            self.messages.push_back(message);
        }
        has_room
    }

    /// The message that is next.
    pub(super) fn next_message(&mut self) -> Option<OutMessage> {
        self.messages.pop_front()
    }

    /// Tells of something that happened.
    pub(crate) fn tell(&mut self, event: Event) {
        self.events.push_back(event);
    }

    /// Tells of something that is traced, if this turn has not told enough.
    pub(crate) fn trace(&mut self, event: impl FnOnce() -> Option<Event>) {
        if self.traces >= TRACES_PER_TURN_MAX {
            self.missed += 1;
        } else if let Some(event) = event() {
            self.traces += 1;
            self.tell(event);
        }
    }

    /// Another turn of the driver begins.
    pub(crate) fn begin(&mut self) {
        self.traces = 0;
    }

    /// Trace events that were left out since this was asked last.
    pub(crate) fn take_missed(&mut self) -> Option<u64> {
        let missed = std::mem::take(&mut self.missed);
        (missed > 0).then_some(missed)
    }
}

/// A message of a DataConsumer, for the application of a DirectTransport.
#[derive(Clone, Debug)]
pub struct OutMessage {
    /// The number of its end.
    pub socket: SocketId,
    /// Whose it is.
    pub consumer: DataConsumerId,
    /// The message.
    pub message: DataMessage,
}

/// How a control packet leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrap {
    /// As it is, to there.
    Plain(Tuple),
    /// Under SRTCP, to where the Transport's peer is then.
    Rtcp(RouterKey, TransportKey),
}

/// Small packets that are not media, in order, in one buffer that is reused.
#[derive(Debug, Default)]
pub(crate) struct ControlQueue {
    bytes: Vec<u8>,
    entries: VecDeque<(Wrap, Range<usize>)>,
}

impl ControlQueue {
    /// Queues a packet by copy; counts it as dropped when the queue is full.
    fn push(&mut self, wrap: Wrap, packet: &[u8], drops: &mut Drops) {
        let start = self.bytes.len();
        if start + packet.len() > CONTROL_BYTES_MAX {
            return drops.count(DropReason::ControlQueueFull);
        }
        self.bytes.extend_from_slice(packet);
        self.entries.push_back((wrap, start..self.bytes.len()));
    }

    /// The packet that is next.
    pub(crate) fn front(&self) -> Option<(Wrap, &[u8])> {
        self.entries.front().map(|(wrap, range)| (*wrap, &self.bytes[range.clone()]))
    }

    /// Takes the packet out that was next.
    pub(crate) fn pop(&mut self) {
        self.entries.pop_front();
        if self.entries.is_empty() {
            self.bytes.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_messages_wait_than_may() {
        let message = DataMessage { ppid: 53, payload: [1].into() };
        let out =
            || OutMessage { socket: SocketId(1), consumer: DataConsumerId::new(), message: message.clone() };
        let mut effects = Effects::default();
        assert_eq!((0..MESSAGES_MAX + 9).filter(|_| effects.send_message(out())).count(), MESSAGES_MAX);
        assert_eq!(std::iter::from_fn(|| effects.next_message()).count(), MESSAGES_MAX);
        assert!(effects.send_message(out()), "there is room again");
    }
}
