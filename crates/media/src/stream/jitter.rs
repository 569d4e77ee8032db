//! Interarrival jitter (RFC 3550 §6.4.1, Appendix A.8).

use std::time::Instant;

use super::report::rtp_ticks;
use crate::Now;

/// A step between two packets larger than this is a new timeline (a source that restarted), not jitter.
const STEP_MAX_SECONDS: u32 = 5;

/// The estimator of one stream.
#[derive(Clone, Debug)]
pub(super) struct Jitter {
    clock_rate: u32,
    epoch: Option<Instant>,
    /// Arrival minus timestamp of the last packet, in ticks, modulo 2^32.
    transit: u32,
    /// Sixteen times the estimate, so that integers keep its fraction.
    scaled: u32,
}

impl Jitter {
    pub(super) fn new(clock_rate: u32) -> Self {
        Self { clock_rate, epoch: None, transit: 0, scaled: 0 }
    }

    pub(super) fn on_packet(&mut self, now: Now, timestamp: u32) {
        let Some(epoch) = self.epoch else {
            self.epoch = Some(now.at);
            self.transit = 0_u32.wrapping_sub(timestamp);
            return;
        };
        let arrival = rtp_ticks(now.at.saturating_duration_since(epoch), self.clock_rate);
        let transit = arrival.wrapping_sub(timestamp);
        let step = transit.wrapping_sub(self.transit).cast_signed().unsigned_abs();
        self.transit = transit;
        if step <= self.clock_rate.saturating_mul(STEP_MAX_SECONDS) {
            // J += (|D| - J) / 16, on sixteen times J and rounded as in A.8.
            self.scaled = self.scaled.saturating_add(step).saturating_sub((self.scaled + 8) >> 4);
        }
    }

    /// In ticks of the stream's clock.
    pub(super) fn value(&self) -> u32 {
        self.scaled >> 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::virtual_time::at_ms;

    #[test]
    fn even_arrival_has_none_even_over_the_wrap() {
        let mut jitter = Jitter::new(90_000);
        let start = u32::MAX - 90_000;
        for n in 0..100_u32 {
            jitter.on_packet(at_ms(u64::from(n) * 33), start.wrapping_add(n * 33 * 90));
        }
        assert_eq!(jitter.value(), 0);
    }

    #[test]
    fn alternating_delay_converges_to_its_size() {
        let mut jitter = Jitter::new(48_000);
        for n in 0..1000_u32 {
            jitter.on_packet(at_ms(u64::from(n) * 20 + u64::from(n % 2) * 5), n * 960);
        }
        // Each step is 5 ms = 240 ticks.
        assert!((225..=240).contains(&jitter.value()), "{}", jitter.value());
    }

    #[test]
    fn a_new_timeline_is_not_jitter() {
        let mut jitter = Jitter::new(90_000);
        jitter.on_packet(at_ms(0), 0);
        jitter.on_packet(at_ms(20), 1 << 31);
        jitter.on_packet(at_ms(40), (1 << 31) + 1800);
        assert_eq!(jitter.value(), 0);
    }
}
