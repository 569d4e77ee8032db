//! When to send a flight again (RFC 6347 §4.2.4.1).

use std::time::{Duration, Instant};

/// The wait before the first repetition: mediasoup's. Shorter repeats needlessly on long ways, longer delays each client
/// that loses a packet; RFC 6347 recommends 1 s, for networks without the ICE checks that came before.
const FIRST: Duration = Duration::from_millis(100);

/// The longest wait, mediasoup's.
const LONGEST: Duration = Duration::from_secs(4);

/// How often the engine sends a flight again before it gives up by itself.
pub(super) const REPETITIONS_MAX: u8 = 7;

/// The schedule of one flight: 0.1, 0.3, 0.7, 1.5, 3.1, 6.3 and 10.3 s after it was sent.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    due: Option<Instant>,
    wait: Duration,
    repetitions: u8,
}

impl Backoff {
    /// A new flight was sent.
    pub(super) fn restart(&mut self, now: Instant) {
        *self = Self { due: Some(now + FIRST), wait: FIRST, repetitions: 0 };
    }

    /// The flight was sent again.
    pub(super) fn advance(&mut self, now: Instant) {
        self.wait = (self.wait * 2).min(LONGEST);
        self.repetitions += 1;
        self.due = Some(now + self.wait);
    }

    /// Nothing is to be repeated.
    pub(super) fn stop(&mut self) {
        *self = Self::default();
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Whether the flight has been sent as often as it can be.
    pub(super) fn is_spent(&self) -> bool {
        self.repetitions >= REPETITIONS_MAX
    }
}
