//! Counts of durations in buckets that grow with the value, so that a few kilobytes answer for any percentile.

use std::time::Duration;

/// Buckets per doubling: a value is known to one part in 32.
const STEPS: u64 = 32;
const STEP_BITS: u32 = STEPS.trailing_zeros();

/// Doublings that are told apart, in microseconds: up to 2^37 µs, a day and a half.
const DOUBLINGS: usize = 32;

const BUCKETS: usize = STEPS as usize * (DOUBLINGS + 1);

/// Durations, counted to a precision of about 3 %.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    counts: Box<[u64]>,
    count: u64,
    max_us: u64,
}

impl Histogram {
    /// One that holds nothing.
    #[must_use]
    pub fn new() -> Self {
        Self { counts: vec![0; BUCKETS].into_boxed_slice(), count: 0, max_us: 0 }
    }

    /// Counts a duration.
    pub fn record(&mut self, duration: Duration) {
        let us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        if let Some(count) = self.counts.get_mut(bucket(us)) {
            *count += 1;
        }
        self.count += 1;
        self.max_us = self.max_us.max(us);
    }

    /// How many were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The longest of them; of a [difference](Histogram::since) the longest since the beginning, or less.
    #[must_use]
    pub fn max(&self) -> Duration {
        Duration::from_micros(self.max_us)
    }

    /// The duration that `share` (0 to 1) of all don't pass; zero when there are none.
    #[must_use]
    pub fn percentile(&self, share: f64) -> Duration {
        let wanted = ((self.count as f64 * share).ceil() as u64).clamp(1, self.count.max(1));
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return Duration::from_micros(upper(index).min(self.max_us));
            }
        }
        self.max()
    }

    /// Adds all that another one has counted.
    pub fn add(&mut self, other: &Self) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(own, other)| *own += other);
        self.count += other.count;
        self.max_us = self.max_us.max(other.max_us);
    }

    /// What was counted since `earlier`, which was a copy of this one then.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let counts: Box<[u64]> =
            self.counts.iter().zip(&earlier.counts).map(|(now, then)| now.saturating_sub(*then)).collect();
        let longest = counts.iter().rposition(|count| *count > 0).map_or(0, upper);
        Self { count: counts.iter().sum(), max_us: longest.min(self.max_us), counts }
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

/// Values below [`STEPS`] have a bucket each; above, each doubling has [`STEPS`] of them.
fn bucket(us: u64) -> usize {
    if us < STEPS {
        return us as usize;
    }
    let doubling = us.ilog2() - STEP_BITS;
    let index = (u64::from(doubling) + 1) * STEPS + (us >> doubling) - STEPS;
    (index as usize).min(BUCKETS - 1)
}

/// The largest value of a bucket.
fn upper(index: usize) -> u64 {
    let (doubling, step) = (index as u64 / STEPS, index as u64 % STEPS);
    match doubling.checked_sub(1) {
        None => step,
        Some(doubling) => ((STEPS + step + 1) << doubling) - 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_what_lies_up_to_its_upper_bound() {
        let mut previous = 0;
        for us in (0..100_000).chain((17..36).map(|power| (1 << power) + 12_345)) {
            let index = bucket(us);
            assert!(us <= upper(index) && (index == 0 || us > upper(index - 1)), "{us} in {index}");
            assert!(index >= previous);
            assert!(upper(index) - us <= us / 31, "{us} is known to 3 %");
            previous = index;
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn percentiles_are_those_of_the_sorted_values() {
        let mut histogram = Histogram::new();
        for ms in 1..=1000 {
            histogram.record(Duration::from_millis(ms));
        }
        for (share, ms) in [(0.0, 1), (0.5, 500), (0.99, 990), (0.999, 999), (1.0, 1000)] {
            let got = histogram.percentile(share).as_secs_f64() * 1000.0;
            assert!((got / f64::from(ms) - 1.0).abs() < 0.04, "{share}: {got}");
        }
        assert_eq!(histogram.max(), Duration::from_secs(1));
        assert_eq!(Histogram::new().percentile(0.5), Duration::ZERO);
    }

    #[test]
    fn a_difference_and_a_sum_are_of_the_counts() {
        let mut histogram = Histogram::new();
        histogram.record(Duration::from_secs(3));
        let before = histogram.clone();
        histogram.record(Duration::from_millis(5));
        let since = histogram.since(&before);
        assert_eq!(since.count(), 1);
        assert!(since.max() < Duration::from_millis(6));
        let mut sum = before;
        sum.add(&since);
        assert_eq!(sum.count(), 2);
        assert_eq!(sum.max(), Duration::from_secs(3));
    }

    #[test]
    fn what_is_longer_than_all_buckets_is_counted_all_the_same() {
        let mut histogram = Histogram::new();
        histogram.record(Duration::MAX);
        assert_eq!(histogram.count(), 1);
    }
}
