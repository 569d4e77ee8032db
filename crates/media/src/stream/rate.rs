//! The rate of a stream over a sliding window.
//!
//! Time is cut into buckets of equal width that are used in turn; nothing has to be called when a stream is quiet, because buckets that
//! have left the window are skipped when the rate is read. Memory for them comes once, when the first bucket is over: many streams never
//! have a packet.

use std::time::Instant;

use crate::{Now, sys};

/// Buckets per window. More make the window slide more smoothly, fewer make it smaller; 25 of 100 ms are 200 bytes per stream.
const BUCKETS: usize = 25;
/// The width of a bucket, in milliseconds. All of them are [`RateWindow::WINDOW_MS`].
const BUCKET_MS: u64 = RateWindow::WINDOW_MS / BUCKETS as u64;

/// Bytes and packets over a sliding window.
///
/// Most records touch its beginning alone: they come in the same turn as the one before, or at least in the same bucket.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct RateWindow {
    /// The time of the last record.
    last: Option<Instant>,
    /// The newest bucket, to be put among the others when it is over.
    current: Bucket,
    /// Its number.
    newest: u64,
    /// When bucket number zero began: the first record.
    epoch: Option<Instant>,
    /// Those before it.
    past: Option<Box<[Bucket; BUCKETS]>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    bytes: u32,
    packets: u32,
}

impl RateWindow {
    /// The length of the window in milliseconds, mediasoup's: long enough to smooth key frames out, short enough to follow a layer
    /// that stops.
    pub const WINDOW_MS: u64 = 2500;

    /// How many of its first bytes most records need.
    pub(crate) const HOT_LEN: usize = std::mem::offset_of!(Self, past);

    /// A window in which nothing was recorded.
    #[must_use]
    pub fn new() -> Self {
        Self { last: None, current: Bucket::default(), newest: 0, epoch: None, past: None }
    }

    /// Brings near what most records need.
    pub(crate) fn warm(&self) {
        sys::prefetch_from(self, Self::HOT_LEN);
    }

    /// Counts one packet of `bytes` bytes.
    #[inline]
    pub fn record(&mut self, now: Now, bytes: usize) {
        if self.last != Some(now.at) {
            self.go_on(now);
        }
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.current.bytes = self.current.bytes.saturating_add(bytes);
        self.current.packets = self.current.packets.saturating_add(1);
    }

    /// Begins the bucket of `now`, if that is another one.
    fn go_on(&mut self, now: Now) {
        self.last = Some(now.at);
        self.epoch.get_or_insert(now.at);
        // A record older than the newest bucket (a clock read before) counts there: buckets are never written behind the front.
        let (number, _) = self.position(now);
        if number == self.newest {
            return;
        }
        let past = self.past.get_or_insert_default();
        past[slot(self.newest)] = std::mem::take(&mut self.current);
        let skipped = (number - self.newest - 1).min(BUCKETS as u64);
        for stale in number - skipped..number {
            past[slot(stale)] = Bucket::default();
        }
        self.newest = number;
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
        let past = self
            .past
            .as_ref()
            .map_or(0, |past| (oldest..self.newest).map(|n| value(&past[slot(n)])).sum::<u64>());
        let current = if oldest <= self.newest { value(&self.current) } else { 0 };
        // The newest bucket is only partly over: what is measured is the whole buckets before it and that part.
        let measured = BUCKET_MS * (BUCKETS as u64 - 1) + into_bucket;
        (past + current) * 1000 / measured
    }

    /// The bucket number of `now` and how much of that bucket is over, in milliseconds.
    fn position(&self, now: Now) -> (u64, u64) {
        let age = self.epoch.map_or(0, |epoch| now.at.saturating_duration_since(epoch).as_millis() as u64);
        ((age / BUCKET_MS).max(self.newest), age % BUCKET_MS)
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
