use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::stream::virtual_time::at_ms;

fn sequences(batch: ArrivalBatch<'_>) -> Vec<u16> {
    batch.arrivals.iter().map(Arrival::sequence).collect()
}

#[test]
fn nothing_arrived_is_nothing_to_say() {
    let mut log = ArrivalLog::new();
    assert_eq!((log.timeout(), log.poll(at_ms(0))), (None, None));
    log.taken(at_ms(0), 5, 0);
    assert_eq!(log.timeout(), None);
}

#[test]
fn the_first_feedback_comes_after_a_tenth_of_a_second_and_over_the_wrap() {
    let mut log = ArrivalLog::new();
    for (ms, sequence) in [(0, 65_534), (1, 65_535), (7, 1), (7, 1), (9, 0)] {
        log.on_packet(at_ms(ms), sequence);
    }
    assert_eq!(log.timeout(), Some(at_ms(100).at));
    assert_eq!(log.poll(at_ms(99)), None);
    let batch = log.poll(at_ms(100)).unwrap();
    assert_eq!((batch.base, batch.feedback_count, sequences(batch)), (65_534, 0, vec![65_534, 65_535, 0, 1]));
    assert_eq!(batch.arrivals.iter().map(|a| a.at_us).collect::<Vec<_>>(), [0, 1000, 9000, 7000]);
    log.taken(at_ms(100), 4, 0);
    assert_eq!((log.timeout(), log.poll(at_ms(1000))), (None, None));
}

#[test]
fn a_message_begins_where_the_last_one_ended() {
    let mut log = ArrivalLog::new();
    log.on_packet(at_ms(0), 10);
    log.taken(at_ms(100), 1, 0);
    log.on_packet(at_ms(110), 13);
    assert_eq!(log.timeout(), Some(at_ms(350).at));
    let batch = log.poll(at_ms(350)).unwrap();
    assert_eq!(
        (batch.base, batch.feedback_count, sequences(batch)),
        (11, 1, vec![13]),
        "11 and 12 are lost so far"
    );
}

#[test]
fn what_did_not_fit_is_due_at_once() {
    let mut log = ArrivalLog::new();
    (0..10).for_each(|n| log.on_packet(at_ms(0), n));
    log.taken(at_ms(100), 4, 0);
    let batch = log.poll(at_ms(100)).unwrap();
    assert_eq!((batch.base, batch.feedback_count, batch.arrivals.len()), (4, 1, 6));
    log.taken(at_ms(100), 7, 0);
    assert_eq!(log.poll(at_ms(100)).unwrap().arrivals.len(), 6, "a count beyond the batch takes nothing");
    log.taken(at_ms(100), 6, 0);
    assert_eq!(log.poll(at_ms(100)), None);
}

#[test]
fn what_was_not_reported_is_not_forgotten() {
    let mut log = ArrivalLog::new();
    (0..3).for_each(|n| log.on_packet(at_ms(0), n));
    log.taken(at_ms(2000), 1, 0);
    assert_eq!(sequences(log.poll(at_ms(2000)).unwrap()), [1, 2]);
}

#[test]
fn a_late_packet_has_all_since_it_reported_anew() {
    let mut log = ArrivalLog::new();
    for sequence in [10, 12, 13] {
        log.on_packet(at_ms(0), sequence);
    }
    log.taken(at_ms(100), 3, 0);
    log.on_packet(at_ms(200), 11);
    let batch = log.poll(at_ms(400)).unwrap();
    assert_eq!((batch.base, sequences(batch)), (11, vec![11, 12, 13]));
    log.taken(at_ms(400), 3, 0);
    log.on_packet(at_ms(450), 12);
    assert_eq!(log.timeout(), None, "a duplicate");
    log.on_packet(at_ms(650), 14);
    log.taken(at_ms(650), 1, 0);
    log.on_packet(at_ms(651), 9);
    assert_eq!(log.timeout(), None, "its history is over");
}

#[test]
fn a_sender_that_starts_over_is_followed() {
    let mut log = ArrivalLog::new();
    log.on_packet(at_ms(0), 20_000);
    log.on_packet(at_ms(10), 5);
    log.on_packet(at_ms(10), 6);
    let batch = log.poll(at_ms(100)).unwrap();
    assert_eq!((batch.base, sequences(batch)), (5, vec![5, 6]));
}

#[test]
fn predecessors_of_the_first_packet_are_taken() {
    let mut log = ArrivalLog::new();
    log.on_packet(at_ms(0), 0);
    log.on_packet(at_ms(1), 65_535);
    assert_eq!(log.poll(at_ms(100)).unwrap().base, 65_535);
}

#[test]
fn the_log_is_bounded() {
    let mut log = ArrivalLog::new();
    for n in 0..100_000_u32 {
        log.on_packet(at_ms(0), n as u16);
        assert!(log.arrivals.len() <= ARRIVALS_MAX);
    }
    let batch = log.poll(at_ms(100)).unwrap();
    assert_eq!(batch.arrivals.last().map(Arrival::sequence), Some(99_999_u32 as u16));
    assert_eq!(batch.base, batch.arrivals[0].sequence());
}

#[test]
fn a_batch_spans_no_more_than_a_message_can() {
    let mut log = ArrivalLog::new();
    for n in 0..6_u32 {
        log.on_packet(at_ms(0), (n * 30_000) as u16);
    }
    let mut messages = Vec::new();
    while let Some(batch) = log.poll(at_ms(100)) {
        let count = batch.arrivals.len();
        messages.push(count);
        log.taken(at_ms(100), count, 0);
    }
    assert_eq!(messages, [3, 2, 1]);
}

#[test]
fn feedback_takes_a_twentieth_of_what_comes_in() {
    assert_eq!(interval(0), INTERVAL_MAX);
    assert_eq!(interval(10_000), INTERVAL_MAX);
    // 544 bits of 108 800 * 5 % = 5440 bit/s
    assert_eq!(interval(108_800), Duration::from_millis(100));
    assert_eq!(interval(1_000_000), INTERVAL_MIN);
    assert_eq!(interval(u64::MAX), INTERVAL_MIN);
}

proptest! {
    /// The sender's view after all messages: each packet that arrived in time was reported with its time, no other was.
    #[test]
    fn the_sender_learns_what_arrived(
        first in any::<u16>(),
        packets in prop::collection::vec((0_u64..20, 0_u64..60, 0_u8..10), 1..300),
        room in 1_usize..50,
    ) {
        let mut log = ArrivalLog::new();
        let mut network: Vec<(u64, u16)> = Vec::new();
        let mut sent_at = 100;
        for (n, (gap, delay, fate)) in packets.iter().enumerate() {
            sent_at += gap;
            if *fate > 0 || n == 0 {
                network.push((sent_at + if n == 0 { 0 } else { *delay }, first.wrapping_add(n as u16)));
            }
            if *fate == 9 {
                network.push((sent_at + 70, first.wrapping_add(n as u16)));
            }
        }
        network.sort_by_key(|arrival| arrival.0);
        let start = network[0].0;
        let mut arrived: BTreeMap<u16, u64> = BTreeMap::new();
        let mut reported: BTreeMap<u16, u64> = BTreeMap::new();
        let mut messages = 0_u8;
        for ms in 0..sent_at + 1000 {
            for (_, sequence) in network.extract_if(.., |arrival| arrival.0 == ms) {
                log.on_packet(at_ms(ms), sequence);
                arrived.entry(sequence).or_insert((ms - start) * 1000);
            }
            while let Some(batch) = log.poll(at_ms(ms)) {
                prop_assert_eq!(batch.feedback_count, messages);
                let count = batch.arrivals.len().min(room);
                for arrival in &batch.arrivals[..count] {
                    prop_assert!(arrival.sequence().wrapping_sub(batch.base) < 1000);
                    let before = reported.insert(arrival.sequence(), arrival.at_us);
                    prop_assert!(before.is_none_or(|before| before == arrival.at_us));
                }
                messages = messages.wrapping_add(1);
                log.taken(at_ms(ms), count, 500_000);
            }
        }
        prop_assert_eq!(reported, arrived);
    }
}
