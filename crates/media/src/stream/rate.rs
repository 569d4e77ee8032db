//! The rate of a stream over a sliding window.
//!
//! Time is cut into buckets of equal width that are used in turn; nothing is allocated and nothing has to be called when a stream
//! is quiet, because buckets that have left the window are skipped when the rate is read.

use std::time::{Duration, Instant};

use crate::Now;

/// Buckets per window. More make the window slide more smoothly, fewer make it smaller; 25 of 100 ms are 200 bytes per stream.
const BUCKETS: usize = 25;

/// Bytes and packets over a sliding window.
#[derive(Clone, Debug)]
pub struct RateWindow {
    width: Duration,
    /// When bucket number zero began: the first record.
    epoch: Option<Instant>,
    /// The number of the newest bucket written.
    newest: u64,
    buckets: [Bucket; BUCKETS],
}

#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    bytes: u32,
    packets: u32,
}

impl RateWindow {
    /// The usual window, mediasoup's: long enough to smooth key frames out, short enough to follow a layer that stops.
    pub const WINDOW: Duration = Duration::from_millis(2500);

    /// A window of length [`RateWindow::WINDOW`].
    #[must_use]
    pub fn new() -> Self {
        Self::with_window(Self::WINDOW)
    }

    /// A window of the given length, for streams with long pauses such as screens or DTX; at least 25 ms.
    #[must_use]
    pub fn with_window(window: Duration) -> Self {
        let width = (window / BUCKETS as u32).max(Duration::from_millis(1));
        Self { width, epoch: None, newest: 0, buckets: [Bucket::default(); BUCKETS] }
    }

    /// Counts one packet of `bytes` bytes.
    pub fn record(&mut self, now: Now, bytes: usize) {
        self.epoch.get_or_insert(now.at);
        let (number, _) = self.position(now);
        // A record older than the newest bucket (a clock read before) counts there: buckets are never written behind the front.
        if number > self.newest {
            let skipped = (number - self.newest).min(BUCKETS as u64);
            for stale in number - skipped + 1..=number {
                self.buckets[slot(stale)] = Bucket::default();
            }
            self.newest = number;
        }
        let bucket = &mut self.buckets[slot(self.newest)];
        bucket.bytes = bucket.bytes.saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
        bucket.packets = bucket.packets.saturating_add(1);
    }

    /// Bits per second over the window. A stream younger than the window counts as silent before its start.
    #[must_use]
    pub fn bitrate(&self, now: Now) -> u64 {
        self.per_second(now, |bucket| u64::from(bucket.bytes) * 8)
    }

    /// Packets per second over the window.
    #[must_use]
    pub fn packet_rate(&self, now: Now) -> u64 {
        self.per_second(now, |bucket| bucket.packets.into())
    }

    fn per_second(&self, now: Now, value: impl Fn(&Bucket) -> u64) -> u64 {
        let (number, into_bucket) = self.position(now);
        let oldest = (number + 1).saturating_sub(BUCKETS as u64);
        let sum: u64 = (oldest..=number.min(self.newest)).map(|n| value(&self.buckets[slot(n)])).sum();
        // The newest bucket is only partly over: what is measured is the whole buckets before it and that part.
        let measured = self.width * (BUCKETS as u32 - 1) + into_bucket;
        sum * 1_000_000 / (measured.as_micros() as u64).max(1)
    }

    /// The bucket number of `now` and how much of that bucket is over.
    fn position(&self, now: Now) -> (u64, Duration) {
        let age = self.epoch.map_or(Duration::ZERO, |epoch| now.at.saturating_duration_since(epoch));
        let width = self.width.as_nanos();
        let number = (age.as_nanos() / width) as u64;
        let into_bucket = Duration::from_nanos((age.as_nanos() % width) as u64);
        (number.max(self.newest), into_bucket)
    }
}

impl Default for RateWindow {
    fn default() -> Self {
        Self::new()
    }
}

fn slot(number: u64) -> usize {
    (number % BUCKETS as u64) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stream::virtual_time::at_ms;

    #[test]
    fn nothing_recorded_is_no_rate() {
        assert_eq!(RateWindow::new().bitrate(at_ms(5000)), 0);
    }

    #[test]
    fn a_constant_stream_has_its_rate() {
        let mut rate = RateWindow::new();
        for ms in (0..10_000).step_by(10) {
            rate.record(at_ms(ms), 125);
        }
        let bitrate = rate.bitrate(at_ms(10_000));
        assert!((99_000..=101_000).contains(&bitrate), "{bitrate}");
        assert!((99..=101).contains(&rate.packet_rate(at_ms(10_000))));
    }

    #[test]
    fn a_stream_that_stops_decays_to_zero_within_the_window() {
        let mut rate = RateWindow::new();
        rate.record(at_ms(0), 1000);
        assert!(rate.bitrate(at_ms(2400)) > 0);
        assert_eq!(rate.bitrate(at_ms(2500)), 0);
        rate.record(at_ms(100_000), 1000);
        assert_eq!(rate.bitrate(at_ms(100_000)), 8000 * 10 / 24);
    }

    #[test]
    fn a_longer_window_remembers_longer() {
        let mut rate = RateWindow::with_window(Duration::from_secs(6));
        rate.record(at_ms(0), 1000);
        assert!(rate.bitrate(at_ms(5900)) > 0);
        assert_eq!(rate.bitrate(at_ms(6000)), 0);
    }

    proptest! {
        #[test]
        fn the_sum_is_that_of_a_naive_window(steps in prop::collection::vec((0_u64..700, 0_usize..1500), 1..200)) {
            let mut rate = RateWindow::new();
            let mut log = Vec::new();
            let mut ms = 0;
            for (index, (step, bytes)) in steps.into_iter().enumerate() {
                ms += if index == 0 { 0 } else { step };
                rate.record(at_ms(ms), bytes);
                log.push((ms, bytes));
                let oldest = (ms / 100 + 1).saturating_sub(25) * 100;
                let bytes: usize = log.iter().filter(|entry| entry.0 >= oldest).map(|entry| entry.1).sum();
                prop_assert_eq!(rate.bitrate(at_ms(ms)), bytes as u64 * 8000 / (2400 + ms % 100));
            }
        }
    }
}
