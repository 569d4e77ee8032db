use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

fn original(tracker: &mut SequenceTracker, sequence: u16) -> Result<Tracked, RecvDrop> {
    tracker.track(sequence, false)
}

#[test]
fn the_first_packet_sets_the_numbering() {
    let mut tracker = SequenceTracker::new();
    let first = original(&mut tracker, 65_535).unwrap();
    assert_eq!(first, Tracked { index: 131_071, newest: true, restarted: false });
    assert_eq!(original(&mut tracker, 0).unwrap().index, 131_072);
    assert_eq!(
        original(&mut tracker, 65_534).unwrap(),
        Tracked { index: 131_070, newest: false, restarted: false }
    );
}

#[test]
fn a_predecessor_of_a_first_packet_numbered_zero_has_an_index() {
    let mut tracker = SequenceTracker::new();
    original(&mut tracker, 0).unwrap();
    assert_eq!(original(&mut tracker, 65_535).unwrap().index, 65_535);
}

#[test]
fn duplicates_are_dropped_whichever_way_they_came() {
    let mut tracker = SequenceTracker::new();
    original(&mut tracker, 10).unwrap();
    original(&mut tracker, 12).unwrap();
    assert!(tracker.track(11, true).is_ok());
    assert_eq!(original(&mut tracker, 11), Err(RecvDrop::Duplicate));
    assert_eq!(tracker.track(11, true), Err(RecvDrop::Duplicate));
    assert_eq!(original(&mut tracker, 12), Err(RecvDrop::Duplicate));
}

#[test]
fn the_limits_of_dropout_and_misorder_are_exact() {
    let mut tracker = SequenceTracker::new();
    original(&mut tracker, 5000).unwrap();
    assert_eq!(original(&mut tracker, 8000), Err(RecvDrop::BadSequence));
    assert!(original(&mut tracker, 7999).unwrap().newest);
    assert_eq!(original(&mut tracker, 6499), Err(RecvDrop::BadSequence));
    assert!(!original(&mut tracker, 6500).unwrap().newest);
}

#[test]
fn two_bad_packets_in_a_row_restart_with_growing_indices() {
    for jump in [3000_u16, 20_000, 40_000, 64_000] {
        let mut tracker = SequenceTracker::new();
        let before = original(&mut tracker, 100).unwrap().index;
        let there = 100_u16.wrapping_add(jump);
        assert_eq!(original(&mut tracker, there), Err(RecvDrop::BadSequence));
        let restart = original(&mut tracker, there + 1).unwrap();
        assert!(restart.restarted && restart.newest && restart.index > before);
        assert_eq!(restart.index as u16, there + 1);
        assert!(
            !original(&mut tracker, there).unwrap().newest,
            "the packet that was doubted is only late now"
        );
    }
}

#[test]
fn bad_packets_with_a_good_one_between_do_not_restart() {
    let mut tracker = SequenceTracker::new();
    original(&mut tracker, 100).unwrap();
    assert_eq!(original(&mut tracker, 30_000), Err(RecvDrop::BadSequence));
    original(&mut tracker, 101).unwrap();
    assert_eq!(original(&mut tracker, 30_001), Err(RecvDrop::BadSequence));
}

#[test]
fn a_retransmission_may_be_older_than_an_original_but_never_restarts() {
    let mut tracker = SequenceTracker::new();
    original(&mut tracker, 20_000).unwrap();
    assert!(tracker.track(20_000 - 16_383, true).is_ok());
    assert_eq!(tracker.track(20_000 - 16_384, true), Err(RecvDrop::TooOld));
    assert_eq!(tracker.track(30_000, true), Err(RecvDrop::BadSequence));
    assert_eq!(tracker.track(30_001, true), Err(RecvDrop::BadSequence));
    assert!(tracker.track(20_001, true).unwrap().newest);
}

#[test]
fn the_far_end_of_the_window_is_exact_whatever_the_steps() {
    let mut tracker = SequenceTracker::new();
    let mut accepted = Vec::new();
    for step in (0..2000_u64).map(|n| 1 + n * n % 150) {
        let index = accepted.last().map_or(65_536, |last| last + step);
        assert_eq!(original(&mut tracker, index as u16).unwrap().index, index);
        accepted.push(index);
        let oldest = accepted.iter().find(|old| index - **old < u64::from(SEEN_WINDOW)).copied().unwrap();
        assert_eq!(tracker.track(oldest as u16, true), Err(RecvDrop::Duplicate));
    }
}

proptest! {
    /// The oracle remembers every index for ever and walks the numbering one packet at a time.
    #[test]
    fn the_window_agrees_with_a_set_of_all_indices(
        first in any::<u16>(),
        steps in prop::collection::vec((-2000_i64..3500, any::<bool>()), 1..400),
    ) {
        let mut tracker = SequenceTracker::new();
        let mut highest = tracker.track(first, false).unwrap().index;
        let mut seen = HashSet::from([highest]);
        for (step, repaired) in steps {
            let index = highest.checked_add_signed(step).unwrap_or(0);
            let verdict = tracker.track(index as u16, repaired);
            let behind = highest as i64 - index as i64;
            let plausible = behind > -3000 && behind < if repaired { 16_384 } else { 1500 };
            match verdict {
                Ok(tracked) if tracked.restarted => prop_assert!(!plausible && !repaired),
                Ok(tracked) => {
                    prop_assert!(plausible);
                    prop_assert_eq!(tracked.index, index);
                    prop_assert_eq!(tracked.newest, index > highest);
                    prop_assert!(seen.insert(index));
                }
                Err(RecvDrop::Duplicate) => prop_assert!(plausible && seen.contains(&index)),
                Err(_) => prop_assert!(!plausible),
            }
            if let Ok(tracked) = verdict {
                seen.insert(tracked.index);
                highest = highest.max(tracked.index);
            }
        }
    }
}
