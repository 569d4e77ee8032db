use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::stream::virtual_time::at_ms;

fn poll(nack: &mut NackGenerator, ms: u64) -> Vec<u16> {
    let mut out = [0; 2000];
    let count = nack.poll(at_ms(ms), None, &mut out);
    out[..count].to_vec()
}

fn with_gap(from: u64, to: u64) -> NackGenerator {
    let mut nack = NackGenerator::new();
    nack.on_packet(at_ms(0), from, false);
    nack.on_packet(at_ms(0), to, false);
    nack
}

#[test]
fn nothing_missing_is_nothing_to_do() {
    let mut nack = with_gap(10, 11);
    assert_eq!(nack.timeout(), None);
    assert_eq!(poll(&mut nack, 1000), [0; 0]);
}

#[test]
fn a_gap_is_asked_for_after_the_first_delay_and_across_the_wrap() {
    let mut nack = with_gap(65_533, 65_539);
    assert_eq!(nack.timeout(), Some(at_ms(10).at));
    assert_eq!(poll(&mut nack, 9), [0; 0]);
    assert_eq!(poll(&mut nack, 10), [65_534, 65_535, 0, 1, 2]);
}

#[test]
fn a_packet_that_was_only_reordered_is_not_asked_for() {
    let mut nack = with_gap(10, 12);
    assert_eq!(nack.on_packet(at_ms(5), 11, false), NackOutcome::Recovered { asked: false });
    assert_eq!(nack.timeout(), None);
    assert_eq!(poll(&mut nack, 10), [0; 0]);
    assert_eq!(nack.on_packet(at_ms(5), 9, false), NackOutcome::Noted);
}

#[test]
fn repeats_follow_the_round_trip_on_the_grid() {
    let mut nack = with_gap(10, 12);
    let mut asked = Vec::new();
    for ms in 0..400 {
        let mut out = [0; 8];
        if nack.poll(at_ms(ms), Some(Duration::from_millis(70)), &mut out) > 0 {
            asked.push(ms);
        }
    }
    assert_eq!(asked, [10, 90, 170, 250, 330]);
}

#[test]
fn without_a_measured_round_trip_a_repeat_waits_for_the_default() {
    let mut nack = with_gap(10, 12);
    assert_eq!(poll(&mut nack, 10), [11]);
    assert_eq!(poll(&mut nack, 50), [0; 0]);
    assert_eq!(poll(&mut nack, 109), [0; 0]);
    assert_eq!(poll(&mut nack, 149), [11]);
}

#[test]
fn ten_unanswered_asks_are_enough() {
    let mut nack = with_gap(10, 12);
    let asked: usize = (0..10_000).map(|ms| poll(&mut nack, ms).len()).sum();
    assert_eq!(asked, 10);
    assert_eq!((nack.missing(), nack.timeout()), (0, None));
}

#[test]
fn what_does_not_fit_is_given_by_the_next_poll() {
    let mut nack = with_gap(10, 16);
    let mut out = [0; 2];
    let mut asked = Vec::new();
    while let count @ 1.. = nack.poll(at_ms(10), None, &mut out) {
        asked.extend_from_slice(&out[..count]);
    }
    assert_eq!(asked, [11, 12, 13, 14, 15]);
    assert_eq!(nack.timeout(), Some(at_ms(50).at));
    assert_eq!(nack.poll(at_ms(50), None, &mut []), 0);
}

#[test]
fn a_full_list_gives_up_what_lies_before_a_key_frame() {
    let mut nack = with_gap(0, 601);
    nack.on_packet(at_ms(1), 602, true);
    assert_eq!(nack.on_packet(at_ms(2), 1103, false), NackOutcome::Noted);
    assert_eq!(nack.missing(), 500);
    assert_eq!(poll(&mut nack, 20).first(), Some(&603));
}

#[test]
fn a_full_list_without_a_key_frame_asks_for_one() {
    let mut nack = with_gap(0, 1001);
    assert_eq!(nack.missing(), 1000);
    assert_eq!(nack.on_packet(at_ms(1), 1003, false), NackOutcome::KeyFrameNeeded);
    assert_eq!((nack.missing(), nack.timeout()), (0, None));
    nack.on_packet(at_ms(2), 1005, false);
    assert_eq!(poll(&mut nack, 20), [1004], "the list goes on behind the outage");
}

#[test]
fn what_is_too_old_is_given_up() {
    let mut nack = with_gap(0, 2);
    nack.on_packet(at_ms(1), 10_001, false);
    assert_eq!(nack.missing(), 0, "the gap was larger than the list");
    let mut nack = with_gap(0, 2);
    (3..=10_001).for_each(|index| _ = nack.on_packet(at_ms(1), index, false));
    assert_eq!(nack.missing(), 1);
    nack.on_packet(at_ms(1), 10_002, false);
    assert_eq!((nack.missing(), nack.timeout()), (0, None));
}

#[test]
fn a_reset_list_starts_from_the_next_packet() {
    let mut nack = with_gap(10, 12);
    nack.reset();
    nack.on_packet(at_ms(5), 5000, false);
    assert_eq!((nack.missing(), nack.timeout()), (0, None));
}

proptest! {
    /// A lossy path with repairs that get lost too: every lost packet is asked for, none that came, each ten times at most, and in
    /// the end each one came or was asked for ten times.
    #[test]
    fn lost_packets_and_only_those_are_asked_for(
        first in 65_000_u64..70_000,
        fates in prop::collection::vec(0_u8..100, 50..600),
        loss in 0_u8..40,
        repair_loss in 0_u8..100,
        rtt in 1_u64..300,
        seed in any::<u64>(),
    ) {
        let mut random = seed | 1;
        let mut chance = move |percent: u8| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            (random >> 33) % 100 < u64::from(percent)
        };
        let mut nack = NackGenerator::new();
        let (mut received, mut lost) = (BTreeSet::new(), BTreeSet::new());
        let mut asked: BTreeMap<u64, u32> = BTreeMap::new();
        let mut repairs: Vec<(u64, u64)> = Vec::new();
        let count = fates.len() as u64;
        for ms in 0..count * 5 + 10_000 {
            let now = at_ms(ms);
            if ms.is_multiple_of(5) && ms / 5 < count {
                let (n, index) = (ms / 5, first + ms / 5);
                if n == 0 || n == count - 1 || fates[n as usize] >= loss {
                    nack.on_packet(now, index, false);
                    received.insert(index);
                } else {
                    lost.insert(index);
                }
            }
            for (_, index) in repairs.extract_if(.., |repair| repair.0 <= ms) {
                if received.insert(index) {
                    prop_assert_eq!(nack.on_packet(now, index, false), NackOutcome::Recovered { asked: true });
                }
            }
            let mut out = [0; 16];
            while let n @ 1.. = nack.poll(now, Some(Duration::from_millis(rtt)), &mut out) {
                for sequence in &out[..n] {
                    let index = super::super::extend(first + 300, *sequence).unwrap();
                    prop_assert!(!received.contains(&index), "{} was received", index);
                    *asked.entry(index).or_default() += 1;
                    if !chance(repair_loss) {
                        repairs.push((ms + rtt, index));
                    }
                }
            }
        }
        prop_assert_eq!(asked.keys().copied().collect::<BTreeSet<_>>(), lost.clone());
        for (index, times) in asked {
            prop_assert!(times <= 10);
            prop_assert!(received.contains(&index) || times == 10);
        }
        prop_assert_eq!(nack.timeout(), None);
    }
}
