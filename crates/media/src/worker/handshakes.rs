//! Handshake datagrams wait here for their turn, so that a crowd that joins doesn't hold up the media of those who are in.
//!
//! One step of a handshake takes up to a tenth of a millisecond, a hundred times what a media packet takes.

use std::collections::VecDeque;

use crate::Tuple;

/// Steps per input of datagrams, and per timeout; others make none. More hold up media, fewer hold up who joins: the dearest step took
/// 0.12 ms with ECDSA, so a turn with one of either gives half a millisecond to handshakes at the most.
pub(super) const STEPS_PER_INPUT: usize = 2;
/// Bytes that wait: some thousand flights. What comes when it is full is dropped, and comes again (RFC 6347 §4.2.4).
const WAITING_BYTES_MAX: usize = 1 << 20;

/// The datagrams that wait, in order.
#[derive(Debug, Default)]
pub(super) struct Handshakes {
    waiting: VecDeque<(Tuple, Box<[u8]>)>,
    bytes: usize,
    /// Steps left to this input.
    steps: usize,
}

impl Handshakes {
    /// A new input.
    pub(super) fn begin(&mut self) {
        self.steps = STEPS_PER_INPUT;
    }

    /// Whether a step may be made now: none is left, or others wait that came before.
    pub(super) fn may_step(&mut self) -> bool {
        let may = self.waiting.is_empty() && self.steps > 0;
        self.steps -= usize::from(may);
        may
    }

    /// Lets a datagram wait; `false` when there is no room.
    pub(super) fn push(&mut self, tuple: Tuple, datagram: &[u8]) -> bool {
        let fits = self.bytes + datagram.len() <= WAITING_BYTES_MAX;
        if fits {
            self.bytes += datagram.len();
            self.waiting.push_back((tuple, datagram.into()));
        }
        fits
    }

    /// The datagram whose turn it is; `None` when none waits or this input's steps are used up.
    pub(super) fn pop(&mut self) -> Option<(Tuple, Box<[u8]>)> {
        if self.steps == 0 {
            return None;
        }
        let (tuple, datagram) = self.waiting.pop_front()?;
        self.steps -= 1;
        self.bytes -= datagram.len();
        Some((tuple, datagram))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SocketId;

    fn tuple(port: u16) -> Tuple {
        Tuple { socket: SocketId(1), remote: ([127, 0, 0, 1], port).into() }
    }

    #[test]
    fn an_input_has_so_many_steps_and_those_who_wait_come_first() {
        let mut handshakes = Handshakes::default();
        handshakes.begin();
        let made =
            (0..5).filter(|port| handshakes.may_step() || !handshakes.push(tuple(*port), &[1])).count();
        assert_eq!(made, STEPS_PER_INPUT);
        assert!(handshakes.pop().is_none(), "none is left to this input");
        handshakes.begin();
        assert!(!handshakes.may_step(), "three wait");
        let next: Vec<_> = std::iter::from_fn(|| handshakes.pop()).map(|(tuple, _)| tuple).collect();
        assert_eq!(next, [tuple(2), tuple(3)]);
        handshakes.begin();
        assert!(handshakes.pop().is_some() && handshakes.may_step() && handshakes.is_empty());
    }

    #[test]
    fn no_more_wait_than_there_is_room_for() {
        let mut handshakes = Handshakes::default();
        let pushed = (0..2000).filter(|_| handshakes.push(tuple(1), &[0; 1000])).count();
        assert_eq!(pushed, WAITING_BYTES_MAX / 1000);
        handshakes.begin();
        assert!(handshakes.pop().is_some() && handshakes.push(tuple(1), &[0; 1000]));
    }
}
