//! When each client wants to be drained next.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

/// One deadline per client. Setting it anew leaves the old entry in the heap, which is passed over when its time comes; a client
/// whose deadline moves later only gets one entry all the same.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    heap: BinaryHeap<Reverse<(Instant, usize)>>,
    /// By client: what is due, and the earliest entry that is in the heap.
    due: Vec<Due>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Due {
    at: Option<Instant>,
    queued: Option<Instant>,
}

impl Deadlines {
    pub(super) fn set(&mut self, client: usize, at: Option<Instant>) {
        if self.due.len() <= client {
            self.due.resize(client + 1, Due::default());
        }
        let Some(due) = self.due.get_mut(client) else { return };
        due.at = at;
        if let Some(at) = at
            && due.queued.is_none_or(|queued| at < queued)
        {
            due.queued = Some(at);
            self.heap.push(Reverse((at, client)));
        }
    }

    /// When to look again; maybe too early, never too late.
    pub(super) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// A client whose deadline has come. It has none until it is set again.
    pub(super) fn pop(&mut self, now: Instant) -> Option<usize> {
        while let Some(Reverse((at, client))) = self.heap.peek().copied()
            && at <= now
        {
            self.heap.pop();
            let Some(due) = self.due.get_mut(client) else { continue };
            if due.queued != Some(at) {
                // An earlier entry took its place and has been seen to.
                continue;
            }
            due.queued = None;
            match due.at {
                Some(at) if at <= now => {
                    due.at = None;
                    return Some(client);
                }
                later => self.set(client, later),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[expect(clippy::disallowed_methods, reason = "virtual time starts somewhere")]
    fn start() -> Instant {
        Instant::now()
    }

    fn popped(deadlines: &mut Deadlines, now: Instant) -> Vec<usize> {
        std::iter::from_fn(|| deadlines.pop(now)).collect()
    }

    #[test]
    fn clients_come_in_the_order_of_their_deadlines_and_once() {
        let start = start();
        let at = |ms| start + Duration::from_millis(ms);
        let mut deadlines = Deadlines::default();
        for (client, ms) in [(0, 30), (1, 10), (2, 20)] {
            deadlines.set(client, Some(at(ms)));
        }
        assert_eq!(popped(&mut deadlines, at(9)), Vec::<usize>::new());
        assert_eq!(popped(&mut deadlines, at(25)), [1, 2]);
        assert_eq!(popped(&mut deadlines, at(25)), Vec::<usize>::new());
        assert_eq!(deadlines.next(), Some(at(30)));
    }

    #[test]
    fn a_deadline_moves_both_ways_and_away() {
        let start = start();
        let at = |ms| start + Duration::from_millis(ms);
        let mut deadlines = Deadlines::default();
        deadlines.set(0, Some(at(10)));
        deadlines.set(0, Some(at(50)));
        assert_eq!(popped(&mut deadlines, at(20)), Vec::<usize>::new());
        deadlines.set(0, Some(at(30)));
        assert_eq!(popped(&mut deadlines, at(40)), [0]);
        assert_eq!(
            popped(&mut deadlines, at(60)),
            Vec::<usize>::new(),
            "the entry at 50 has no meaning any more"
        );
        deadlines.set(0, Some(at(70)));
        deadlines.set(0, None);
        assert_eq!(popped(&mut deadlines, at(80)), Vec::<usize>::new());
        assert_eq!(deadlines.next(), None);
    }

    #[test]
    fn a_client_that_is_set_often_does_not_fill_the_heap() {
        let start = start();
        let mut deadlines = Deadlines::default();
        for ms in 0..1000 {
            deadlines.set(0, Some(start + Duration::from_millis(10_000 + ms)));
        }
        assert_eq!(deadlines.heap.len(), 1);
    }
}
