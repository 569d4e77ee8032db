//! Virtual time. It stands still until it is moved.

use std::time::{Duration, Instant};

use mafalda_media::Now;

/// Where the Unix clock of every world begins: 2026-01-01. A fixed one, so that timestamps in failures mean the same each time.
const UNIX_BASE: Duration = Duration::from_secs(1_767_225_600);

/// A clock that its owner moves.
#[derive(Debug)]
pub struct Clock {
    base: Now,
    now: Now,
}

impl Clock {
    /// A clock that stands at its beginning.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "two defaults would not be equal")]
    pub fn new() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "an Instant can be had in no other way; only its distance to others counts"
        )]
        let base = Now { at: Instant::now(), unix: UNIX_BASE };
        Self { base, now: base }
    }

    /// The time now, on both clocks.
    #[must_use]
    pub fn now(&self) -> Now {
        self.now
    }

    /// Virtual time since the beginning.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.now.at - self.base.at
    }

    /// Moves on by so much.
    pub fn advance(&mut self, by: Duration) {
        self.now = self.now.after(by);
    }

    /// Moves on to that time. Time doesn't go back: an earlier one does nothing.
    pub fn advance_to(&mut self, at: Instant) {
        self.advance(at.saturating_duration_since(self.now.at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_clocks_move_together_and_never_back() {
        let mut clock = Clock::new();
        let start = clock.now();
        clock.advance(Duration::from_millis(20));
        clock.advance_to(start.at);
        assert_eq!(clock.elapsed(), Duration::from_millis(20));
        assert_eq!(clock.now().unix - start.unix, clock.now().at - start.at);
    }
}
