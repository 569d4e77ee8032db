use proptest::prelude::*;
use rtc_rtcp::transport_feedbacks::transport_layer_cc::TransportLayerCc;

use super::*;
use crate::rtcp::{COMPOUND_LEN_MAX, CompoundWriter, Full, RtcpPacket, packets};

const INFO: FeedbackInfo =
    FeedbackInfo { sender_ssrc: 1, media_ssrc: 2, base_sequence: 0, feedback_count: 9 };

fn write(info: &FeedbackInfo, arrivals: &[Arrival], room: usize) -> Result<(usize, Vec<u8>), Full> {
    let mut out = vec![0xee; room];
    let mut writer = CompoundWriter::new(&mut out);
    let taken = writer.transport_feedback(info, arrivals)?;
    let len = writer.len();
    out.truncate(len);
    Ok((taken, out))
}

fn read(bytes: &[u8]) -> TransportFeedback<'_> {
    match packets(bytes).next() {
        Some(Ok(RtcpPacket::TransportFeedback(feedback))) => feedback,
        other => panic!("{other:?}"),
    }
}

/// The chunks' 16-bit words of a packet.
fn chunks(bytes: &[u8]) -> Vec<u16> {
    read(bytes).chunks.as_chunks().0.iter().map(|chunk| u16::from_be_bytes(*chunk)).collect()
}

/// The body of a feedback of `count` packets, with chunks and deltas as given.
fn body(count: u16, rest: &[u8]) -> Vec<u8> {
    let mut body = vec![0, 0, 0, 1, 0, 0, 0, 2, 0xff, 0xff];
    body.extend(count.to_be_bytes());
    body.extend([0x12, 0x34, 0x56, 7]);
    body.extend(rest);
    body
}

fn statuses(count: u16, rest: &[u8]) -> Option<Vec<(u16, Option<i32>)>> {
    TransportFeedback::parse(&body(count, rest)).map(|feedback| feedback.statuses().collect())
}

#[test]
fn reads_the_examples_of_the_draft() {
    // §3.1.3: a run of 221 packets not received.
    let lost = statuses(221, &[0x00, 0xdd]).unwrap();
    assert_eq!(lost.len(), 221);
    assert!(lost.iter().all(|(_, delta)| delta.is_none()));
    assert_eq!((lost[0].0, lost[1].0), (0xffff, 0), "numbers wrap");
    // §3.1.4: one bit each: not received, five small, three not received, three small, two not received.
    let symbols = statuses(14, &[0x9f, 0x1c, 0, 1, 2, 3, 4, 5, 6, 7]).unwrap();
    let received: Vec<_> = symbols.iter().map(|(_, delta)| u8::from(delta.is_some())).collect();
    assert_eq!(received, [0, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0]);
    assert_eq!(symbols[11].1, Some(7 * 250));
}

#[test]
fn reads_two_bit_vectors_and_large_deltas() {
    // Small, large, lost, and four that are beyond the count, one of them reserved.
    let chunk = 0b11_01_10_00_11_01_01_01u16.to_be_bytes();
    let rest = [chunk[0], chunk[1], 255, 0x80, 0x00];
    let expected = [(0xffff, Some(63_750)), (0, Some(-8_192_000)), (1, None)];
    assert_eq!(statuses(3, &rest).unwrap(), expected);
    let feedback = body(3, &rest);
    let feedback = TransportFeedback::parse(&feedback).unwrap();
    assert_eq!(feedback.reference_time, 0x12_3456);
    assert_eq!(feedback.reference_time_us(), 0x12_3456 * 64_000);
    assert_eq!((feedback.base_sequence, feedback.status_count, feedback.feedback_count), (0xffff, 3, 7));
    assert_eq!(feedback.statuses().size_hint(), (3, Some(3)));
}

#[test]
fn refuses_what_is_broken() {
    let cases: [(u16, &[u8]); 7] = [
        (0, &[0x00, 0x01]),
        (1, &[]),
        (1, &[0x20]),
        (1, &[0x20, 0x01]),
        (2, &[0x20, 0x01, 5]),
        (1, &[0x40, 0x01, 5]),
        (1, &[0x60, 0x01, 5, 5, 5]),
    ];
    for (count, rest) in cases {
        assert_eq!(statuses(count, rest), None, "{count} {rest:x?}");
    }
    assert_eq!(statuses(1, &[0b1111_0000, 0, 1, 1, 1]), None, "the reserved symbol");
    assert_eq!(statuses(1, &[0x00, 0x00, 0x60, 0x00, 0x20, 0x01, 4]).unwrap(), [(0xffff, Some(1000))]);
}

#[test]
fn writes_these_bytes() {
    let arrivals = [(10, 64_000), (11, 64_250), (13, 128_250), (14, 128_000), (15, 128_500)]
        .map(|(sequence, at_us)| Arrival { sequence, at_us });
    let (taken, bytes) = write(&FeedbackInfo { base_sequence: 9, ..INFO }, &arrivals, 100).unwrap();
    assert_eq!(taken, 5);
    let expected = [
        &[0xaf, 205, 0, 7, 0, 0, 0, 1, 0, 0, 0, 2][..], // padded, transport feedback, SSRCs
        &[0, 9, 0, 7, 0, 0, 1, 9],                      // base, count, reference time, number
        &0b11_00_01_01_00_10_10_01u16.to_be_bytes(),    // lost, small, small, lost, large, large, small
        &[0, 1, 0x01, 0x00, 0xff, 0xff, 2],             // 0, 1, 256, -1, 2 ticks
        &[0, 0, 3],                                     // padding
    ]
    .concat();
    assert_eq!(bytes, expected);
}

#[test]
fn chunks_are_as_long_as_they_can_be() {
    let received = |sequences: &[u16]| -> Vec<u16> {
        let arrivals: Vec<_> = sequences
            .iter()
            .map(|&sequence| Arrival { sequence, at_us: u64::from(sequence) * 250 })
            .collect();
        chunks(&write(&INFO, &arrivals, COMPOUND_LEN_MAX).unwrap().1)
    };
    assert_eq!(received(&(0..100).collect::<Vec<_>>()), [0x2000 | 100]);
    assert_eq!(received(&[0x7000]), [0x1fff, 0x1fff, 0x1fff, 0x1003, 0x2001]);
    // Every other of 14, in one vector of one bit each.
    assert_eq!(received(&[0, 2, 4, 6, 8, 10, 12, 13]), [0b10_10101010101011]);
    // 20 received, a hole, one more.
    let mut sequences: Vec<u16> = (0..20).collect();
    sequences.push(21);
    assert_eq!(received(&sequences), [0x2000 | 20, 0b10_01000000000000]);
}

#[test]
fn a_packet_ends_where_a_delta_cant_say_the_distance() {
    let at = |sequence, at_us| Arrival { sequence, at_us };
    let farthest = 64_000 * 100 + 32_767 * 250;
    for (second, taken) in [(farthest, 2), (farthest + 250, 1), (0, 2)] {
        let arrivals = [at(0, 64_000 * 100), at(1, second)];
        assert_eq!(write(&INFO, &arrivals, 100).unwrap().0, taken, "{second}");
    }
    assert_eq!(write(&INFO, &[at(0, u64::MAX), at(1, 0)], 100).unwrap().0, 2, "a clock that wraps");
    assert_eq!(write(&INFO, &[at(0, 0), at(1, u64::MAX / 2)], 100).unwrap().0, 1);
}

#[test]
fn a_packet_ends_at_a_number_that_does_not_ascend() {
    let arrivals = [5, 6, 6, 7].map(|sequence| Arrival { sequence, at_us: 0 });
    let (taken, bytes) = write(&FeedbackInfo { base_sequence: 5, ..INFO }, &arrivals, 100).unwrap();
    assert_eq!((taken, read(&bytes).status_count), (2, 2));
    let (taken, bytes) = write(&FeedbackInfo { base_sequence: 5, ..INFO }, &arrivals[2..], 100).unwrap();
    assert_eq!((taken, read(&bytes).status_count), (2, 3));
    // A base behind the first arrival.
    let (taken, bytes) = write(&FeedbackInfo { base_sequence: 9, ..INFO }, &arrivals, 100).unwrap();
    assert_eq!((taken, read(&bytes).base_sequence), (2, 5));
}

#[test]
fn no_more_packets_than_the_count_can_say() {
    let arrivals = [0x7fff, 0xfffe, 0xffff].map(|sequence| Arrival { sequence, at_us: 0 });
    let (taken, bytes) = write(&INFO, &arrivals, 100).unwrap();
    assert_eq!((taken, read(&bytes).status_count), (2, 0xffff));
    assert_eq!(read(&bytes).statuses().last(), Some((0xfffe, Some(0))));
}

#[test]
fn room_decides_how_much_is_taken() {
    let arrivals: Vec<_> = (0..9).map(|sequence| Arrival { sequence, at_us: 0 }).collect();
    assert_eq!(write(&INFO, &[], 0), Ok((0, vec![])));
    for room in 0..24 {
        assert_eq!(write(&INFO, &arrivals, room), Err(Full), "{room}");
    }
    for (room, taken) in [(24, 2), (27, 2), (28, 6), (31, 6), (32, 9)] {
        assert_eq!(write(&INFO, &arrivals, room).unwrap().0, taken, "{room}");
    }
}

/// What became of the packets of a Transport: each is lost or arrives some time after (or before) the one in front of it.
fn walk() -> impl Strategy<Value = Vec<Arrival>> {
    let gap = prop_oneof![20 => Just(1u16), 3 => 2u16..20, 1 => 20u16..9000];
    let step_us = prop_oneof![
        20 => 0i64..20_000,
        5 => -30_000i64..0,
        2 => -8_000_000i64..8_000_000,
        1 => 8_000_000i64..20_000_000,
    ];
    let steps = prop::collection::vec((gap, step_us), 1..400);
    (any::<u16>(), 0u64..1 << 41, steps).prop_map(|(first, start_us, steps)| {
        // Late enough that going back in time stays above zero.
        let start = Arrival { sequence: first, at_us: start_us + (1 << 33) };
        let walked = steps.iter().scan(start, |at, &(gap, step_us)| {
            at.sequence = at.sequence.wrapping_add(gap);
            at.at_us = at.at_us.wrapping_add_signed(step_us);
            Some(*at)
        });
        walked.collect()
    })
}

/// The arrivals that a feedback tells of, decoded in the plainest way: the sum of all deltas so far.
fn told(feedback: &TransportFeedback<'_>) -> Vec<(u16, i64)> {
    let mut time = i64::from(feedback.reference_time) * 64_000;
    let mut told = Vec::new();
    for (sequence, delta) in feedback.statuses() {
        if let Some(delta) = delta {
            time += i64::from(delta);
            told.push((sequence, time));
        }
    }
    told
}

proptest! {
    #[test]
    fn every_arrival_is_told_once_whatever_the_room(arrivals in walk(), ahead in 0u16..50, room in 32usize..400) {
        let mut info = FeedbackInfo { base_sequence: arrivals[0].sequence.wrapping_sub(ahead), ..INFO };
        let mut rest = &arrivals[..];
        while !rest.is_empty() {
            // A gap may need more chunks than there is room: then the caller may skip it.
            let Ok((taken, bytes)) = write(&info, rest, room) else {
                prop_assert_ne!(info.base_sequence, rest[0].sequence, "one arrival fits");
                info.base_sequence = rest[0].sequence;
                continue;
            };
            prop_assert!(taken > 0 && bytes.len() <= room && bytes.len().is_multiple_of(4));
            let feedback = read(&bytes);
            prop_assert_eq!(feedback.base_sequence, info.base_sequence);
            let told = told(&feedback);
            prop_assert_eq!(told.len(), taken);
            let wrap = 64_000i64 << 24;
            for ((sequence, time), arrival) in told.iter().zip(rest) {
                prop_assert_eq!(*sequence, arrival.sequence);
                // Rounded down to 250 µs, and no further off however many deltas were added up.
                let off = (arrival.at_us as i64 - time).rem_euclid(wrap);
                prop_assert!((0..250).contains(&off), "{} is off by {}", sequence, off);
            }
            let last = rest[taken - 1].sequence;
            prop_assert_eq!(feedback.status_count, last.wrapping_sub(info.base_sequence).wrapping_add(1));

            let oracle = rtc_rtcp::packet::unmarshal(&mut &bytes[..]).unwrap();
            let oracle = oracle[0].as_any().downcast_ref::<TransportLayerCc>().unwrap();
            let deltas: Vec<_> = feedback.statuses().filter_map(|(_, delta)| delta.map(i64::from)).collect();
            prop_assert_eq!(oracle.recv_deltas.iter().map(|it| it.delta).collect::<Vec<_>>(), deltas);
            prop_assert_eq!(oracle.packet_status_count, feedback.status_count);
            prop_assert_eq!(oracle.reference_time, feedback.reference_time);

            info.base_sequence = last.wrapping_add(1);
            rest = &rest[taken..];
        }
    }

    #[test]
    fn any_mix_of_symbols_is_read_back(runs in prop::collection::vec((0u16..3, prop_oneof![9 => 1u16..20, 1 => 20u16..9000]), 0..60)) {
        let mut chunker = chunk::Chunker::default();
        let mut words = Vec::new();
        for &(symbol, count) in &runs {
            chunker.push(symbol, count, |chunk| words.push(chunk));
        }
        words.extend(chunker.finish());
        let expected: Vec<_> = runs.iter().flat_map(|&(symbol, count)| (0..count).map(move |_| symbol)).collect();
        let mut symbols: Vec<_> =
            words.iter().flat_map(|chunk| (0..chunk.len()).map(|index| chunk.symbol(index))).collect();
        prop_assert!(symbols[expected.len()..].iter().all(|&symbol| symbol == chunk::LOST));
        symbols.truncate(expected.len());
        prop_assert_eq!(symbols, expected);
    }
}
