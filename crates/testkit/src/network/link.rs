//! One direction of a host's access to the network.

use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng as _, RngExt as _, SeedableRng};

/// What a link does to packets. The default is a perfect link: at once, all, in order.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Conditions {
    /// Chance of a packet to get lost, 0 to 1.
    pub loss: f64,
    /// Chance of a packet to arrive twice, 0 to 1.
    pub duplication: f64,
    /// Chance of a packet to be held back so that later ones pass it, 0 to 1.
    pub reordering: f64,
    /// How long a packet is held back then, at most.
    pub hold: Duration,
    /// Time that each packet takes.
    pub delay: Duration,
    /// Time that it may take on top of that; it varies from packet to packet and never changes their order.
    pub jitter: Duration,
    /// Bits per second that pass; `None` is no bound.
    pub bandwidth: Option<u64>,
    /// With a bandwidth: how much time's worth of bits may wait before packets are dropped.
    pub queue: Duration,
}

impl Conditions {
    /// A link on which everything takes that long.
    #[must_use]
    pub fn delayed(delay: Duration) -> Self {
        Self { delay, ..Self::default() }
    }

    /// The same link with this chance of loss.
    #[must_use]
    pub fn lossy(self, loss: f64) -> Self {
        Self { loss, ..self }
    }
}

/// What passed a link, and what didn't.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkStats {
    /// Packets that were sent into it.
    pub sent: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Packets lost by chance.
    pub lost: u64,
    /// Packets that didn't fit the queue.
    pub overflowed: u64,
    /// Packets sent while the host was unplugged.
    pub cut: u64,
    /// Packets that came out twice.
    pub duplicated: u64,
    /// Packets that were held back.
    pub held: u64,
}

/// A link and where its queue stands.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) conditions: Conditions,
    pub(super) plugged: bool,
    pub(super) stats: LinkStats,
    /// When the last bit in the queue will have left.
    busy_until: Option<Instant>,
    /// When the latest packet that kept its place arrives: none may overtake it.
    latest: Option<Instant>,
    rng: StdRng,
}

impl Link {
    /// A perfect link, whose chance comes from this seed.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            conditions: Conditions::default(),
            plugged: true,
            stats: LinkStats::default(),
            busy_until: None,
            latest: None,
            rng: StdRng::seed_from_u64(seed),
        }
    }

    /// When a packet comes out at the other end: never, once or twice.
    pub(super) fn pass(&mut self, now: Instant, len: usize) -> [Option<Instant>; 2] {
        self.stats.sent += 1;
        self.stats.bytes += len as u64;
        if !self.plugged {
            self.stats.cut += 1;
            return [None; 2];
        }
        // Chance is drawn for every packet in the same order, so that what one packet meets doesn't change the next one's fate.
        let Conditions { loss, duplication, reordering, .. } = self.conditions;
        let [lost, doubled, held] =
            [loss, duplication, reordering].map(|chance| self.rng.random_bool(chance));
        let [jitter, hold] =
            [self.conditions.jitter, self.conditions.hold].map(|most| part(most, &mut self.rng));
        if lost {
            self.stats.lost += 1;
            return [None; 2];
        }
        let Some(left) = self.leave(now, len) else {
            self.stats.overflowed += 1;
            return [None; 2];
        };
        let earliest = left + self.conditions.delay + jitter;
        let mut arrival = self.latest.map_or(earliest, |latest| latest.max(earliest));
        if held {
            self.stats.held += 1;
            arrival += hold;
        } else {
            self.latest = Some(arrival);
        }
        self.stats.duplicated += u64::from(doubled);
        [Some(arrival), doubled.then(|| arrival + hold)]
    }

    /// When the last bit of a packet has gone through the bottleneck; `None` when the queue is full.
    fn leave(&mut self, now: Instant, len: usize) -> Option<Instant> {
        let Some(bandwidth) = self.conditions.bandwidth else { return Some(now) };
        let begin = self.busy_until.map_or(now, |busy| busy.max(now));
        if begin - now > self.conditions.queue {
            return None;
        }
        let nanoseconds = len as u64 * 8 * 1_000_000_000 / bandwidth.max(1);
        let end = begin + Duration::from_nanos(nanoseconds);
        self.busy_until = Some(end);
        Some(end)
    }
}

/// A time between nothing and that.
fn part(most: Duration, rng: &mut StdRng) -> Duration {
    most.mul_f64(f64::from(rng.next_u32()) / f64::from(u32::MAX))
}
