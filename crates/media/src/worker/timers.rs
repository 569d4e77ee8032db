//! Deadlines of a Worker, in a heap each for those of one sort.
//!
//! Who has deadlines keeps an [`Alarm`], which says for when it is set. A deadline that moves to later isn't moved in the heap:
//! the old entry comes up first, finds nothing due, and is set anew. So the heap holds few more entries than there are alarms,
//! and a packet that puts a deadline off costs a comparison.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use mafalda_api::id::WebRtcServerId;

use crate::router::{ObserverKey, RouterKey, StreamKey, TransportKey};

/// A deadline that has passed already is looked at again after this long: what waits for something that doesn't come must not
/// keep a Worker busy for ever. It is what the driver's wait is rounded to.
const GRAIN: Duration = Duration::from_millis(1);

/// Whose deadline it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// ICE consent, DTLS flights, RTCP rounds and feedback of a Transport.
    Transport(RouterKey, TransportKey),
    /// Connections that wait in a WebRtcServer.
    Server(WebRtcServerId),
    /// NACKs and key-frame requests of a Producer's stream.
    Stream(RouterKey, StreamKey),
    /// The next look of an RtpObserver at what it has heard.
    Observer(RouterKey, ObserverKey),
}

/// For when something is set in the heap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Alarm(Option<Instant>);

/// The heap; `K` says whose a deadline is.
#[derive(Debug)]
pub(crate) struct Timers<K> {
    heap: BinaryHeap<Reverse<(Instant, K)>>,
}

impl<K: Ord> Default for Timers<K> {
    fn default() -> Self {
        Self { heap: BinaryHeap::new() }
    }
}

impl<K: Ord> Timers<K> {
    /// Sees to it that the alarm goes off at that time, or earlier, but not in this turn any more.
    pub(crate) fn set(&mut self, now: Instant, alarm: &mut Alarm, timer: K, at: Option<Instant>) {
        let Some(at) = at.map(|at| at.max(now + GRAIN)) else { return };
        if alarm.0.is_none_or(|set| at < set) {
            alarm.0 = Some(at);
            self.heap.push(Reverse((at, timer)));
        }
    }

    /// When the next one goes off.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// One that has gone off. The alarm it belongs to must then [`Alarm::ring`].
    pub(crate) fn pop(&mut self, now: Instant) -> Option<(Instant, K)> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| entry)
    }
}

impl Alarm {
    /// Whether it was set for this time; then it is no longer set. Else the entry was one of an earlier setting.
    pub(crate) fn ring(&mut self, at: Instant) -> bool {
        let own = self.0 == Some(at);
        if own {
            self.0 = None;
        }
        own
    }
}

#[cfg(test)]
mod tests {
    use slotmap::Key;

    use super::*;

    #[test]
    fn a_deadline_that_is_put_off_costs_no_entry_and_one_that_comes_nearer_rings_once() {
        #[expect(clippy::disallowed_methods, reason = "a test needs some instant")]
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let timer = Timer::Transport(RouterKey::null(), TransportKey::null());
        let mut timers = Timers::default();
        let mut alarm = Alarm::default();
        timers.set(start, &mut alarm, timer, Some(at(20)));
        timers.set(start, &mut alarm, timer, Some(at(30)));
        assert_eq!(timers.heap.len(), 1);
        timers.set(start, &mut alarm, timer, Some(at(10)));
        assert_eq!(timers.next(), Some(at(10)));
        assert!(timers.pop(at(9)).is_none());
        let (first, _) = timers.pop(at(40)).unwrap();
        let (second, _) = timers.pop(at(40)).unwrap();
        assert!(alarm.ring(first) && !alarm.ring(second));
    }

    #[test]
    fn a_deadline_that_has_passed_does_not_ring_in_the_same_turn() {
        #[expect(clippy::disallowed_methods, reason = "a test needs some instant")]
        let now = Instant::now();
        let timer = Timer::Transport(RouterKey::null(), TransportKey::null());
        let mut timers = Timers::default();
        timers.set(now, &mut Alarm::default(), timer, Some(now));
        assert!(timers.pop(now).is_none());
        assert!(timers.pop(now + GRAIN).is_some());
    }
}
