//! The time of a turn, read once by the driver and handed down.

use std::time::{Duration, Instant};

/// The moment at which a turn happens.
///
/// Both clocks are read together, once per turn, by whoever drives the machine; no machine reads a clock itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Monotonic time: all deadlines and intervals.
    pub at: Instant,
    /// Time since the Unix epoch, UTC: NTP timestamps and statistics.
    pub unix: Duration,
}

impl Now {
    /// The same moment, `later` further on in both clocks.
    #[must_use]
    pub fn after(self, later: Duration) -> Self {
        Self { at: self.at + later, unix: self.unix + later }
    }

    /// The unix clock as a 64-bit NTP timestamp (RFC 3550 §4): seconds since 1900 in the upper half, fraction in the lower.
    #[must_use]
    pub fn ntp(self) -> u64 {
        /// Seconds from 1900-01-01 to 1970-01-01 (RFC 868).
        const UNIX_EPOCH_NTP: u64 = 2_208_988_800;
        let seconds = self.unix.as_secs().wrapping_add(UNIX_EPOCH_NTP) & 0xffff_ffff;
        let fraction = (u64::from(self.unix.subsec_nanos()) << 32) / 1_000_000_000;
        (seconds << 32) | fraction
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ntp_has_the_epoch_offset_and_a_binary_fraction() {
        #[expect(clippy::disallowed_methods, reason = "a test needs some instant")]
        let now = Now { at: Instant::now(), unix: Duration::new(1, 500_000_000) };
        assert_eq!(now.ntp(), (2_208_988_801 << 32) | 0x8000_0000);
    }
}
