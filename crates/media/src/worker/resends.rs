//! Packets that receivers have asked for again, until it is their turn.
//!
//! Whoever asks for everything must not hold up the media, calls and deadlines of all others: a turn looks at so many requests, and
//! sends so many packets again. What is left waits, bounded; it refers to the streams' rings and to no batch.

use std::collections::VecDeque;

use mafalda_api::id::ConsumerId;

use crate::buffer::Run;
use crate::producer::Numbering;
use crate::router::{RouterKey, StreamKey, TransportKey};
use crate::stream::Resend;

/// Packets sent again per turn. Each takes from half a microsecond, in a run with others, to four alone: half a millisecond at most.
/// Fewer delay repairs where many receivers lose at once, more delay everything else.
const SENDS_PER_TURN: usize = 128;
/// Packet numbers of NACKs that are looked up per turn, at about ten nanoseconds each. A turn's worth of browsers asks for some
/// thousand; a datagram can name eight thousand.
const REQUESTS_PER_TURN: usize = 16_384;
/// Packets that wait: 32 turns' worth. What was asked for later than that will be asked for again.
const WAITING_MAX: usize = 4096;

/// A packet that a receiver asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResendJob {
    pub(crate) router: RouterKey,
    pub(crate) stream: StreamKey,
    /// Whose numbers those of the packet are: under another numbering the same number is another packet.
    pub(crate) numbering: Numbering,
    /// Who asked for it, and where he is.
    pub(crate) transport: TransportKey,
    pub(crate) consumer: ConsumerId,
    pub(crate) resend: Resend,
}

/// The packets that wait, in order.
#[derive(Debug)]
pub(crate) struct Resends {
    waiting: VecDeque<ResendJob>,
    /// Those that are written already and leave together.
    run: Option<Run>,
    /// What is left to this turn.
    sends: usize,
    requests: usize,
}

impl Default for Resends {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), run: None, sends: SENDS_PER_TURN, requests: REQUESTS_PER_TURN }
    }
}

impl Resends {
    /// A new turn.
    pub(super) fn begin(&mut self) {
        (self.sends, self.requests) = (SENDS_PER_TURN, REQUESTS_PER_TURN);
    }

    /// Whether another request may be looked at in this turn, and its packet would find room.
    pub(crate) fn may_look(&mut self) -> bool {
        let may = self.requests > 0 && self.waiting.len() < WAITING_MAX;
        self.requests -= usize::from(may);
        may
    }

    /// Lets a packet wait that [`Resends::may_look`] had room for.
    pub(crate) fn push(&mut self, job: ResendJob) {
        self.waiting.push_back(job);
    }

    /// The packet whose turn it is; `None` when none waits or this turn has sent its share.
    pub(super) fn front(&self) -> Option<ResendJob> {
        self.waiting.front().copied().filter(|_| self.sends > 0)
    }

    /// The packet that was in front is dealt with.
    pub(super) fn pop(&mut self) {
        self.sends -= usize::from(self.waiting.pop_front().is_some());
    }

    /// Joins a packet that is written to the run; gives back what is whole with that.
    pub(super) fn gather(&mut self, packet: Run) -> Option<Run> {
        let joined = self.run.as_mut().is_some_and(|run| run.join(&packet));
        if joined { None } else { self.run.replace(packet) }
    }

    /// The run, as far as it has come.
    pub(super) fn take_run(&mut self) -> Option<Run> {
        self.run.take()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use slotmap::Key;

    use super::*;

    fn job(out_index: u64) -> ResendJob {
        ResendJob {
            router: RouterKey::null(),
            stream: StreamKey::null(),
            numbering: Numbering(1),
            transport: TransportKey::null(),
            consumer: ConsumerId::new(),
            resend: Resend { in_index: 0, out_index, transport_cc: 0, abs_send_time: 0, first: true },
        }
    }

    #[test]
    fn a_turn_looks_at_so_many_requests_and_no_more_wait_than_may() {
        let mut resends = Resends::default();
        let looked = (0..2 * REQUESTS_PER_TURN).filter(|_| resends.may_look()).count();
        assert_eq!(looked, REQUESTS_PER_TURN);
        resends.begin();
        let pushed = (0..2 * WAITING_MAX as u64).filter(|index| {
            let may = resends.may_look();
            if may {
                resends.push(job(*index));
            }
            may
        });
        assert_eq!(pushed.count(), WAITING_MAX);
    }

    #[test]
    fn a_turn_sends_its_share_in_order_and_the_rest_waits() {
        let mut resends = Resends::default();
        (0..300).for_each(|index| resends.push(job(index)));
        let mut turns = Vec::new();
        while !resends.is_empty() {
            resends.begin();
            let mut sent = Vec::new();
            while let Some(job) = resends.front() {
                sent.push(job.resend.out_index);
                resends.pop();
            }
            turns.push(sent.len());
            assert!(sent.windows(2).all(|pair| pair[0] + 1 == pair[1]));
        }
        assert_eq!(turns, [SENDS_PER_TURN, SENDS_PER_TURN, 300 - 2 * SENDS_PER_TURN]);
    }
}
