//! The network that a client pretends to sit behind: packets get lost and come late, in order, all from one seed.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Datagrams that are late at once, per direction of a client. A second of 10 Mbit/s; what is more is lost, as in a router.
pub(crate) const LATE_MAX: usize = 1024;

/// How bad the network is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LinkQuality {
    /// Share of datagrams lost, 0 to 1.
    pub loss: f64,
    /// Most that a datagram is late; each by a random part of it, and never before one that left earlier.
    pub jitter: Duration,
}

impl LinkQuality {
    /// Whether nothing happens on it.
    #[must_use]
    pub fn is_perfect(&self) -> bool {
        self.loss <= 0.0 && self.jitter.is_zero()
    }
}

/// What becomes of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It goes through at once.
    Passes,
    /// It was kept, or lost.
    Taken,
}

/// One direction of a client's network.
#[derive(Debug)]
pub(crate) struct Link {
    quality: LinkQuality,
    rng: StdRng,
    late: VecDeque<(Instant, Box<[u8]>)>,
    lost: u64,
}

impl Link {
    pub(crate) fn new(quality: LinkQuality, seed: u64) -> Self {
        Self { quality, rng: StdRng::seed_from_u64(seed), late: VecDeque::new(), lost: 0 }
    }

    /// Decides over a datagram.
    pub(crate) fn offer(&mut self, now: Instant, datagram: &[u8]) -> Fate {
        if self.quality.is_perfect() {
            return Fate::Passes;
        }
        if self.rng.random_bool(self.quality.loss.clamp(0.0, 1.0)) {
            self.lost += 1;
            return Fate::Taken;
        }
        if self.quality.jitter.is_zero() {
            return Fate::Passes;
        }
        if self.late.len() >= LATE_MAX {
            self.lost += 1;
            return Fate::Taken;
        }
        let due = now + self.quality.jitter.mul_f64(self.rng.random());
        let due = self.late.back().map_or(due, |(last, _)| due.max(*last));
        self.late.push_back((due, datagram.into()));
        Fate::Taken
    }

    /// The next late datagram whose time has come.
    pub(crate) fn take(&mut self, now: Instant) -> Option<Box<[u8]>> {
        self.late.pop_front_if(|(due, _)| *due <= now).map(|(_, datagram)| datagram)
    }

    /// When to call [`Link::take`].
    pub(crate) fn timeout(&self) -> Option<Instant> {
        self.late.front().map(|(due, _)| *due)
    }

    /// Datagrams that never got through.
    pub(crate) fn lost(&self) -> u64 {
        self.lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "virtual time starts somewhere")]
    fn start() -> Instant {
        Instant::now()
    }

    fn link(loss: f64, jitter_ms: u64) -> Link {
        Link::new(LinkQuality { loss, jitter: Duration::from_millis(jitter_ms) }, 5)
    }

    #[test]
    fn a_perfect_link_does_nothing() {
        let mut link = link(0.0, 0);
        assert!((0..1000).all(|_| link.offer(start(), &[1]) == Fate::Passes));
        assert_eq!((link.timeout(), link.lost()), (None, 0));
    }

    #[test]
    fn so_much_is_lost_and_the_same_again_from_the_same_seed() {
        let run = || {
            let mut link = link(0.1, 0);
            (0..10_000).map(|_| link.offer(start(), &[1]) == Fate::Taken).collect::<Vec<bool>>()
        };
        let lost = run().into_iter().filter(|lost| *lost).count();
        assert!((900..1100).contains(&lost), "{lost}");
        assert_eq!(run(), run());
    }

    #[test]
    fn late_datagrams_come_in_order_and_within_the_jitter() {
        let (mut link, start) = (link(0.0, 20), start());
        let at = |ms| start + Duration::from_millis(ms);
        for number in 0..50_u8 {
            assert_eq!(link.offer(at(number.into()), &[number]), Fate::Taken);
        }
        let mut got = Vec::new();
        while let Some(due) = link.timeout() {
            assert_eq!(link.take(due - Duration::from_nanos(1)), None, "not before its time");
            let number = link.take(due).unwrap()[0];
            assert!(due >= at(number.into()) && due <= at(u64::from(number) + 20));
            got.push(number);
        }
        assert_eq!(got, (0..50).collect::<Vec<u8>>());
    }

    #[test]
    fn no_more_are_late_than_may_be() {
        let (mut link, start) = (link(0.0, 1000), start());
        for _ in 0..LATE_MAX + 7 {
            link.offer(start, &[1]);
        }
        assert_eq!(link.lost(), 7);
        let late = std::iter::from_fn(|| link.take(start + Duration::from_secs(1))).count();
        assert_eq!(late, LATE_MAX);
    }
}
