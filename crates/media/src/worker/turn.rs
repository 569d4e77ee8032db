//! What every part of the machine is handed in a turn: the time, randomness, and where its doings go.

use std::collections::VecDeque;
use std::ops::Range;

use mafalda_api::waist::Event;
use rand::rngs::StdRng;

use super::drops::{DropReason, Drops};
use super::timers::Timers;
use crate::router::{RouterKey, TransportKey};
use crate::{Now, SocketId, Tuple};

/// Bytes of handshakes, answers and feedback that may wait within one turn. A turn's 256 datagrams can't ask for more than a
/// fraction of that; it bounds what a bug, or a very strange peer, can cost.
const CONTROL_BYTES_MAX: usize = 1 << 20;

/// Handed down through a turn.
pub(crate) struct Turn<'a> {
    /// When the turn happens.
    pub(crate) now: Now,
    /// The Worker's randomness.
    pub(crate) rng: &'a mut StdRng,
    /// What comes of it.
    pub(crate) effects: &'a mut Effects,
    /// Deadlines.
    pub(crate) timers: &'a mut Timers,
}

/// What a turn has brought about, waiting to be polled.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    /// For the log.
    pub(crate) events: VecDeque<Event>,
    /// Handshakes, answers and feedback.
    pub(crate) control: ControlQueue,
    /// Sockets that are no longer needed.
    pub(crate) closing: Vec<SocketId>,
    /// What was dropped, by reason.
    pub(crate) drops: Drops,
    /// Routers that have packets to forward.
    pub(crate) dirty: Vec<RouterKey>,
}

impl Effects {
    /// A Router has packets to forward.
    pub(crate) fn mark_dirty(&mut self, router: RouterKey) {
        if self.dirty.last() != Some(&router) {
            self.dirty.push(router);
        }
    }

    /// Tells of something that happened.
    pub(crate) fn tell(&mut self, event: Event) {
        self.events.push_back(event);
    }
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
    pub(crate) fn push(&mut self, wrap: Wrap, packet: &[u8], drops: &mut Drops) {
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
