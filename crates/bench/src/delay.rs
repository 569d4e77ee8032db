//! Delays, counted by size: percentiles without keeping each one.

/// Buckets per doubling. More makes percentiles finer (1 in 16 is some 4 % off) and the table longer.
const STEPS: u32 = 16;

/// Buckets: enough for every u64.
const BUCKETS: usize = (64 * STEPS) as usize;

/// How often each delay was seen, in nanoseconds, with buckets that are a sixteenth of a doubling wide.
#[derive(Clone, Debug)]
pub(crate) struct Delays {
    buckets: Vec<u64>,
    count: u64,
    max: u64,
}

impl Delays {
    pub(crate) fn new() -> Self {
        Self { buckets: vec![0; BUCKETS], count: 0, max: 0 }
    }

    pub(crate) fn add(&mut self, nanos: u64) {
        self.buckets[bucket(nanos)] += 1;
        self.count += 1;
        self.max = self.max.max(nanos);
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn max(&self) -> u64 {
        self.max
    }

    pub(crate) fn clear(&mut self) {
        self.buckets.fill(0);
        (self.count, self.max) = (0, 0);
    }

    /// The delay that this part of them doesn't exceed, to the width of a bucket; `None` when there are none.
    pub(crate) fn percentile(&self, part: f64) -> Option<u64> {
        if self.count == 0 {
            return None;
        }
        let wanted = ((self.count as f64 * part).ceil() as u64).clamp(1, self.count);
        let mut seen = 0;
        let index = self.buckets.iter().position(|count| {
            seen += count;
            seen >= wanted
        })?;
        Some(upper(index).min(self.max))
    }
}

/// Below [`STEPS`] each number has a bucket of its own; from there on the highest bit says the doubling, the next four the step.
fn bucket(nanos: u64) -> usize {
    let bits = 63_u32.saturating_sub(nanos.leading_zeros());
    let shift = bits.saturating_sub(STEPS.ilog2());
    (shift * STEPS) as usize + (nanos >> shift) as usize
}

/// The largest number that falls into a bucket.
fn upper(index: usize) -> u64 {
    let index = index as u64;
    let steps = u64::from(STEPS);
    if index < 2 * steps {
        return index;
    }
    let shift = index / steps - 1;
    ((index % steps + steps + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_hold_their_bounds_and_no_more() {
        for nanos in (0..2000).chain([1 << 20, (1 << 20) + 12_345, 1 << 40, (1 << 59) - 1]) {
            let index = bucket(nanos);
            assert!(upper(index) >= nanos, "{nanos}");
            assert!(index == 0 || upper(index - 1) < nanos, "{nanos}");
        }
        assert!(bucket(u64::MAX) < BUCKETS);
    }

    #[test]
    fn percentiles_are_right_to_the_width_of_a_bucket() {
        let mut delays = Delays::new();
        assert_eq!(delays.percentile(0.5), None);
        (1..=1000).for_each(|micros| delays.add(micros * 1000));
        for (part, exact) in [(0.5, 500_000.0), (0.99, 990_000.0), (1.0, 1_000_000.0)] {
            let found = delays.percentile(part).unwrap() as f64;
            assert!((found / exact - 1.0).abs() < 0.07, "{part}: {found}");
        }
        assert_eq!((delays.count(), delays.max()), (1000, 1_000_000));
        delays.clear();
        assert_eq!(delays.percentile(0.5), None);
    }
}
