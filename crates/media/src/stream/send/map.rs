//! From the numbers of a Producer stream to those of a Consumer stream.
//!
//! What is dropped on purpose leaves no gap, since the receiver would ask for it; what was lost on the way here leaves one, since it
//! may still come. A number once given stays: late packets are judged by what was known when their neighbors went out.

use std::{collections::VecDeque, ops::RangeInclusive};

/// Skipped packets remembered for mapping late ones, in 4 KiB at most and none for streams that skip nothing. When every second packet
/// is skipped, one may come 1024 packets late; one from before what is remembered is dropped.
const SKIPPED_MAX: usize = 512;

/// The mapping of one Consumer stream.
#[derive(Clone, Debug)]
pub struct SequenceMap {
    /// The out index behind the highest given.
    next_out: u64,
    /// The first in index that is mapped; `None` before the first start.
    start: Option<u64>,
    /// The in index behind the highest seen.
    front: u64,
    /// Out minus in at `start`, modulo 2^64.
    offset: u64,
    /// In order, all within `start..front`.
    skipped: VecDeque<u64>,
}

impl SequenceMap {
    /// From where to draw a first sequence number, mediasoup's range: SRTP receivers guess the rollover counter of a new stream, and
    /// guess wrong when its first packets are lost or reordered around a wrap (RFC 3711 §3.3.1).
    pub const FIRST: RangeInclusive<u16> = 1000..=32_767;

    /// A map that begins at `first_sequence`, which should be random in [`SequenceMap::FIRST`], and maps nothing yet.
    #[must_use]
    pub fn new(first_sequence: u16) -> Self {
        Self { next_out: first_sequence.into(), start: None, front: 0, offset: 0, skipped: VecDeque::new() }
    }

    /// Maps `in_index` to the next number, and what follows behind it; what lies before isn't mapped any more.
    pub fn start_at(&mut self, in_index: u64) {
        self.start = Some(in_index);
        self.front = in_index;
        self.offset = self.next_out.wrapping_sub(in_index);
        self.skipped.clear();
    }

    /// The out index of `in_index`; `None` if it lies before the start or was skipped.
    pub fn map(&mut self, in_index: u64) -> Option<u64> {
        if in_index < self.start? {
            return None;
        }
        let skipped = if in_index >= self.front {
            self.front = in_index + 1;
            self.skipped.len()
        } else {
            // The place where it would stand is the number of skipped ones before it.
            self.skipped.binary_search(&in_index).err()?
        };
        let out_index = in_index.wrapping_add(self.offset).wrapping_sub(skipped as u64);
        self.next_out = self.next_out.max(out_index + 1);
        Some(out_index)
    }

    /// Leaves `in_index` out. A packet that comes late was counted when those behind it were mapped, and stays a gap.
    pub fn skip(&mut self, in_index: u64) {
        if self.start.is_none() || in_index < self.front {
            return;
        }
        self.front = in_index + 1;
        self.skipped.push_back(in_index);
        if self.skipped.len() > SKIPPED_MAX
            && let Some(oldest) = self.skipped.pop_front()
        {
            self.offset = self.offset.wrapping_sub(1);
            self.start = Some(oldest + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_is_mapped_before_the_start() {
        let mut map = SequenceMap::new(1000);
        map.skip(5);
        assert_eq!(map.map(5), None);
        map.start_at(70_000);
        assert_eq!(map.map(69_999), None);
        assert_eq!(map.map(70_000), Some(1000));
        assert_eq!(map.map(70_003), Some(1003));
        assert_eq!(map.map(70_001), Some(1001));
    }

    #[test]
    fn numbers_go_on_over_the_wrap_into_the_next_cycle() {
        let mut map = SequenceMap::new(32_767);
        map.start_at(100_000);
        assert_eq!(map.map(100_000 + 32_768), Some(65_535));
        assert_eq!(map.map(100_000 + 32_769), Some(65_536));
    }

    #[test]
    fn a_new_start_goes_on_behind_what_was_given() {
        let mut map = SequenceMap::new(1000);
        map.start_at(10);
        assert_eq!(map.map(12), Some(1002));
        map.start_at(500);
        map.start_at(400);
        assert_eq!(map.map(399), None);
        assert_eq!(map.map(401), Some(1004));
        assert_eq!(map.map(400), Some(1003));
        map.start_at(3);
        assert_eq!(map.map(3), Some(1005), "an input that starts over");
    }

    #[test]
    fn skipped_ones_leave_no_gap_lost_ones_do() {
        let mut map = SequenceMap::new(1000);
        map.start_at(10);
        assert_eq!(map.map(10), Some(1000));
        map.skip(11);
        assert_eq!(map.map(13), Some(1002));
        assert_eq!(map.map(11), None);
        map.skip(12);
        assert_eq!(map.map(14), Some(1003), "the gap at 1001 stays");
    }

    #[test]
    fn the_memory_of_skipped_ones_is_bounded() {
        let mut map = SequenceMap::new(1000);
        map.start_at(0);
        (0..10_000).filter(|n| n % 2 == 1).for_each(|n| map.skip(n));
        assert_eq!(map.skipped.len(), SKIPPED_MAX);
        assert_eq!(map.map(10_000), Some(6000));
        assert_eq!(map.map(100), None);
        assert_eq!(map.map(9998), Some(5999));
    }

    proptest! {
        /// The oracle counts one by one what lies between the start and a packet and was not skipped in time.
        #[test]
        fn the_numbering_is_that_of_a_list(
            first in SequenceMap::FIRST,
            start in 1_u64..200_000,
            steps in prop::collection::vec((-20_i64..20, 0_u8..20), 1..300),
        ) {
            let mut map = SequenceMap::new(first);
            map.start_at(start);
            let (mut start, mut base, mut next_out) = (start, u64::from(first), u64::from(first));
            let (mut newest, mut skipped) = (start, BTreeSet::new());
            let mut seen = None;
            for (step, action) in steps {
                let index = newest.checked_add_signed(step).unwrap_or(0);
                match action {
                    0 => {
                        map.start_at(index);
                        (start, base) = (index, next_out);
                        (newest, seen) = (index, None);
                        skipped.clear();
                    }
                    1..6 => {
                        map.skip(index);
                        if index >= start && seen.is_none_or(|seen| index > seen) {
                            skipped.insert(index);
                        }
                        seen = seen.max((index >= start).then_some(index));
                        newest = newest.max(index);
                    }
                    _ => {
                        let passed = (start..index).filter(|passed| !skipped.contains(passed)).count() as u64;
                        let expected = (index >= start && !skipped.contains(&index)).then_some(base + passed);
                        prop_assert_eq!(map.map(index), expected);
                        seen = seen.max(expected.map(|_| index));
                        next_out = next_out.max(expected.map_or(0, |out| out + 1));
                        newest = newest.max(index);
                    }
                }
            }
        }
    }
}
