use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::stream::virtual_time::at_ms;

fn meta(timestamp: u32) -> StoredMeta<u8> {
    StoredMeta { timestamp, marker: timestamp % 2 == 1, extensions: 7 }
}

fn ring(limits: RingLimits) -> PayloadRing<u8> {
    PayloadRing::new(limits)
}

/// A payload that tells its index in every byte.
fn bytes_of(index: u64, len: usize) -> Vec<u8> {
    vec![(index % 251) as u8; len]
}

#[test]
fn what_was_stored_is_found_until_it_is_too_old() {
    let mut ring = ring(RingLimits::VIDEO);
    ring.store(at_ms(0), 65_536, meta(9), b"payload").unwrap();
    let stored = ring.get(at_ms(4000), 65_536).unwrap();
    assert_eq!((stored.meta, stored.payload), (meta(9), b"payload".as_slice()));
    assert_eq!(ring.get(at_ms(4001), 65_536), None);
    assert_eq!(ring.get(at_ms(0), 65_535), None);
    assert_eq!(&*ring.payload(65_536).unwrap(), b"payload");
    ring.trim(at_ms(4001));
    assert!(ring.payload(65_536).is_none());
}

#[test]
fn the_first_of_two_stays() {
    let mut ring = ring(RingLimits::AUDIO);
    ring.store(at_ms(0), 5, meta(1), b"first").unwrap();
    assert_eq!(ring.store(at_ms(0), 5, meta(1), b"other"), Err(NotStored::Duplicate));
    assert_eq!(ring.get(at_ms(0), 5).unwrap().payload, b"first");
}

#[test]
fn odd_packets_are_refused() {
    let mut ring = ring(RingLimits::VIDEO);
    assert!(ring.store(at_ms(0), 1_000_000, meta(1), &[0; 1536]).is_ok());
    assert_eq!(ring.store(at_ms(0), 1_000_001, meta(1), &[0; 1537]), Err(NotStored::TooLarge));
    assert_eq!(ring.store(at_ms(0), 1_000_000 - 4096, meta(1), b"old"), Err(NotStored::TooOld));
    assert!(ring.store(at_ms(0), 1_000_000 - 4095, meta(1), b"late").is_ok());
    assert!(ring.store(at_ms(0), 1_000_002, meta(1), b"").is_ok());
    assert_eq!(ring.stats().packets, 2, "the late one had to go for the span");
}

#[test]
fn a_jump_of_the_index_empties_the_ring() {
    let mut ring = ring(RingLimits::VIDEO);
    (0..100).for_each(|index| ring.store(at_ms(0), index, meta(0), b"x").unwrap());
    ring.store(at_ms(0), 1 << 40, meta(0), b"y").unwrap();
    assert_eq!(ring.stats().packets, 1);
}

#[test]
fn a_steady_stream_allocates_no_more_after_its_start() {
    let mut ring = ring(RingLimits::VIDEO);
    let (mut index, mut allocations) = (0, Vec::new());
    // A minute of video: each second a large frame, packets of mixed sizes between, memory trimmed every ten seconds.
    for n in 0..12_000_u64 {
        let now = at_ms(n * 5);
        let burst = if n % 200 == 0 { 40 } else { 1 };
        for _ in 0..burst {
            let len = if burst == 1 { 100 + n % 7 * 170 } else { 1200 };
            ring.store(now, index, meta(0), &bytes_of(n, len as usize)).unwrap();
            index += 1;
        }
        if n % 2000 == 1999 {
            ring.trim(now);
            allocations.push(ring.stats().allocations);
        }
    }
    let kept = ring.stats().packets as u64;
    assert!(kept > 900 && allocations[0] < kept + 100, "{kept} {allocations:?}");
    assert_eq!(allocations[1..], [allocations[1]; 5]);
}

#[test]
fn a_stream_that_became_quiet_gives_its_memory_back() {
    let mut ring = ring(RingLimits::VIDEO);
    (0..1000).for_each(|index| ring.store(at_ms(index), index, meta(0), &[0; 1000]).unwrap());
    assert_eq!(ring.stats().bytes, 1000 * 1024);
    (0..3).for_each(|n| ring.trim(at_ms(10_000 + n * 1000)));
    assert_eq!((ring.stats().packets, ring.stats().bytes), (0, 0));
}

#[test]
fn a_shared_payload_outlives_its_eviction_unchanged() {
    let mut ring = ring(RingLimits { packets: 4, ..RingLimits::VIDEO });
    let mut held = Vec::new();
    for index in 0..100 {
        ring.store(at_ms(0), index, meta(0), &bytes_of(index, 200)).unwrap();
        held.push((index, ring.payload(index).unwrap()));
    }
    for (index, payload) in &held {
        assert_eq!(payload.bytes(), bytes_of(*index, 200));
    }
    assert_eq!(ring.stats().allocations, 100);
    held.clear();
    for index in 100..196 {
        ring.store(at_ms(0), index, meta(0), &bytes_of(index, 200)).unwrap();
        held.push((index, ring.payload(index).unwrap()));
    }
    assert_eq!(ring.stats().allocations, 100, "blocks that were lent come back");
}

#[test]
fn blocks_lent_for_long_are_given_up() {
    let mut ring = ring(RingLimits { packets: 1, ..RingLimits::VIDEO });
    let mut held = Vec::new();
    for index in 0..3000 {
        ring.store(at_ms(0), index, meta(0), b"held").unwrap();
        held.push(ring.payload(index).unwrap());
    }
    assert_eq!(ring.stats().bytes, (1 + pool::LENT_MAX) * 128);
}

#[test]
fn another_ring_keeps_the_same_block() {
    let (mut origin, mut copy) = (ring(RingLimits::VIDEO), ring(RingLimits::VIDEO));
    origin.store(at_ms(0), 1, meta(0), b"shared").unwrap();
    let payload = origin.payload(1).unwrap();
    let address = payload.bytes().as_ptr();
    copy.store_shared(at_ms(0), 77, meta(0), payload).unwrap();
    origin.clear();
    let stored = copy.get(at_ms(0), 77).unwrap();
    assert_eq!((stored.payload, stored.payload.as_ptr()), (b"shared".as_slice(), address));
    assert_eq!(copy.stats().allocations, 0);
}

proptest! {
    /// Against a map: contents are exact, the limits hold after each step, and nothing is evicted but from the old end.
    #[test]
    fn bounds_and_contents(
        packets in prop::sample::select(vec![5_usize, 40, 3000]),
        kib in prop::sample::select(vec![2_usize, 20, 4096]),
        steps in prop::collection::vec((0_u64..30, -6_i64..8, 0_usize..1537, 0_u8..8), 1..400),
    ) {
        let limits = RingLimits { age: Duration::from_millis(300), bytes: kib * 1024, packets };
        let mut ring = ring(limits);
        let mut oracle: BTreeMap<u64, (u64, Vec<u8>)> = BTreeMap::new();
        let mut lent = Vec::new();
        let (mut ms, mut newest) = (0, 70_000_u64);
        for (step, advance, len, lend) in steps {
            ms += step;
            let index = newest.checked_add_signed(advance).unwrap();
            newest = newest.max(index);
            let bytes = bytes_of(index.wrapping_mul(ms), len);
            let stored = ring.store(at_ms(ms), index, meta(len as u32), &bytes);
            // What is gone is expired or older than all that is left.
            let gone = |&index: &u64| ring.get(at_ms(ms), index).is_none();
            let oldest_left = oracle.keys().copied().find(|index| !gone(index));
            for (index, (at, _)) in oracle.extract_if(.., |index, _| gone(index)) {
                prop_assert!(ms - at > 300 || oldest_left.is_none_or(|left| index < left), "{} went early", index);
            }
            if stored.is_ok() {
                prop_assert!(oracle.insert(index, (ms, bytes)).is_none());
            } else if stored == Err(NotStored::Duplicate) {
                prop_assert!(ring.payload(index).is_some());
            }
            if lend == 0 {
                lent.extend(ring.payload(index).map(|payload| (payload.to_vec(), payload)));
            } else if lend == 1 {
                lent.clear();
            }
            prop_assert!(ring.stats().packets <= packets);
            prop_assert!(ring.stats().bytes <= limits.bytes);
            for (&index, (at, bytes)) in &oracle {
                let stored = ring.get(at_ms(ms), index).unwrap();
                prop_assert_eq!((stored.meta, stored.payload), (meta(bytes.len() as u32), &bytes[..]));
                prop_assert!(ms - at <= 300);
            }
            for (bytes, payload) in &lent {
                prop_assert_eq!(payload.bytes(), &bytes[..]);
            }
        }
    }
}
