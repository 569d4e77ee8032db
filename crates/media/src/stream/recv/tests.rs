use super::*;
use crate::stream::virtual_time::at_ms;

const PARAMS: StreamParams = StreamParams { ssrc: 7, clock_rate: 90_000, nack: true };

fn packet(sequence: u16) -> ArrivedPacket {
    let timestamp = u32::from(sequence) * 3000;
    ArrivedPacket { sequence, timestamp, len: 1000, payload_len: 980, repaired: false, key_frame: false }
}

fn repair(sequence: u16) -> ArrivedPacket {
    ArrivedPacket { repaired: true, ..packet(sequence) }
}

fn stream() -> RecvStream {
    RecvStream::new(PARAMS, None)
}

#[test]
fn a_loss_is_asked_for_repaired_and_still_reported() {
    let mut stream = stream();
    stream.receive(at_ms(0), packet(65_535)).unwrap();
    let ahead = stream.receive(at_ms(0), packet(1)).unwrap();
    assert_eq!(ahead.index, 131_073);
    assert_eq!(stream.timeout(), Some(at_ms(10).at));
    let mut out = [0; 8];
    assert_eq!((stream.poll_nack(at_ms(10), &mut out), out[0]), (1, 0));
    let late = stream.receive(at_ms(60), repair(0)).unwrap();
    assert_eq!((late.index, late.newest), (131_072, false));
    assert_eq!(stream.receive(at_ms(60), repair(0)), Err(RecvDrop::Duplicate));
    assert_eq!(stream.timeout(), None);
    let report = stream.report(at_ms(100)).unwrap();
    assert_eq!((report.ssrc, report.fraction_lost, report.cumulative_lost), (7, 85, 1));
    assert_eq!(report.extended_highest, 65_537);
    let stats = stream.stats(at_ms(100));
    assert_eq!((stats.packets, stats.bytes, stats.retransmitted, stats.repaired), (3, 3000, 2, 1));
    assert_eq!((stats.duplicates, stats.discarded, stats.packets_lost), (1, 0, 1));
    assert_eq!((stats.feedback.nacks, stats.feedback.nacked_packets), (1, 1));
}

#[test]
fn repairs_under_the_own_ssrc_count_as_repairs() {
    let mut stream = stream();
    stream.receive(at_ms(0), packet(1)).unwrap();
    stream.receive(at_ms(0), packet(4)).unwrap();
    stream.receive(at_ms(5), packet(2)).unwrap();
    stream.poll_nack(at_ms(10), &mut [0; 8]);
    stream.receive(at_ms(60), packet(3)).unwrap();
    let stats = stream.stats(at_ms(100));
    assert_eq!((stats.retransmitted, stats.repaired, stats.packets_lost), (1, 1, 0));
}

#[test]
fn a_never_seen_repair_is_media() {
    let mut stream = stream();
    stream.receive(at_ms(0), packet(1)).unwrap();
    let accepted = stream.receive(at_ms(0), repair(2)).unwrap();
    assert!(accepted.newest);
    assert_eq!(stream.receive(at_ms(1), packet(2)), Err(RecvDrop::Duplicate));
    assert_eq!(stream.report(at_ms(2)).unwrap().cumulative_lost, 0, "the original came in the end");
}

#[test]
fn a_restart_starts_the_nack_list_anew() {
    let mut stream = stream();
    stream.receive(at_ms(0), packet(1)).unwrap();
    stream.receive(at_ms(0), packet(3)).unwrap();
    assert_eq!(stream.receive(at_ms(0), packet(30_000)), Err(RecvDrop::BadSequence));
    let restart = stream.receive(at_ms(0), packet(30_001)).unwrap();
    assert!(restart.restarted && !restart.key_frame_needed);
    assert_eq!(stream.timeout(), None);
    let stats = stream.stats(at_ms(0));
    assert_eq!((stats.discarded, stats.packets_lost), (1, 1));
}

#[test]
fn an_outage_asks_for_a_key_frame() {
    let mut stream = stream();
    stream.receive(at_ms(0), packet(0)).unwrap();
    assert!(stream.receive(at_ms(0), packet(1002)).unwrap().key_frame_needed);
    assert_eq!(stream.timeout(), None);
}

#[test]
fn a_stream_without_nack_or_paused_asks_for_nothing() {
    let mut stream = RecvStream::new(StreamParams { nack: false, ..PARAMS }, None);
    stream.receive(at_ms(0), packet(0)).unwrap();
    stream.receive(at_ms(0), packet(2)).unwrap();
    assert_eq!(stream.timeout(), None);
    let mut stream = self::stream();
    stream.receive(at_ms(0), packet(0)).unwrap();
    stream.receive(at_ms(0), packet(2)).unwrap();
    stream.pause();
    assert_eq!(stream.timeout(), None);
    stream.receive(at_ms(0), packet(4)).unwrap();
    stream.resume(at_ms(0));
    stream.receive(at_ms(0), packet(6)).unwrap();
    assert_eq!(stream.timeout(), None, "what was lost in the pause is not wanted");
    stream.receive(at_ms(0), packet(8)).unwrap();
    let mut out = [0; 4];
    assert_eq!((stream.poll_nack(at_ms(10), &mut out), out[0]), (1, 7));
}

#[test]
fn silence_takes_the_score_and_payload_brings_it_back() {
    let mut stream = RecvStream::new(PARAMS, Some(Duration::from_millis(1500)));
    assert_eq!((stream.timeout(), stream.score()), (None, 10));
    assert!(!stream.receive(at_ms(0), packet(0)).unwrap().revived);
    assert_eq!(stream.timeout(), Some(at_ms(1500).at));
    let padding = ArrivedPacket { payload_len: 0, ..packet(1) };
    stream.receive(at_ms(1000), padding).unwrap();
    assert_eq!(stream.handle_timeout(at_ms(1499)), None);
    assert_eq!(stream.handle_timeout(at_ms(1500)), Some(0));
    assert_eq!(stream.timeout(), None);
    assert_eq!(stream.on_sender_report(at_ms(1600), 0, 0), None);
    assert!(!stream.receive(at_ms(2000), ArrivedPacket { payload_len: 0, ..packet(2) }).unwrap().revived);
    assert!(stream.receive(at_ms(2000), packet(3)).unwrap().revived);
    assert_eq!((stream.score(), stream.timeout()), (10, Some(at_ms(3500).at)));
    stream.pause();
    assert_eq!(stream.timeout(), None);
    stream.resume(at_ms(9000));
    assert_eq!(stream.timeout(), Some(at_ms(10_500).at));
}

#[test]
fn sender_reports_give_samples_for_the_score_and_echo_times() {
    let mut stream = stream();
    (0..100).filter(|n| n % 2 == 0).for_each(|n| _ = stream.receive(at_ms(0), packet(n)));
    assert_eq!(stream.report(at_ms(0)).unwrap().last_sr, 0);
    // As many lost as came, but one.
    assert_eq!(stream.on_sender_report(at_ms(1000), 0x0001_0002_0003_0004, 55), Some(0));
    assert_eq!(stream.sender_report(), Some((0x0001_0002_0003_0004, 55, at_ms(1000))));
    (100..200).for_each(|n| _ = stream.receive(at_ms(1000), packet(n)));
    // (1*0 + 2*10) / 3
    assert_eq!(stream.on_sender_report(at_ms(2000), 1 << 32, 66), Some(7));
    let report = stream.report(at_ms(2500)).unwrap();
    assert_eq!((report.last_sr, report.delay_since_last_sr), (1 << 16, 32_768));
}

#[test]
fn the_round_trip_comes_from_echoes_and_paces_the_repeats() {
    let mut stream = stream();
    stream.on_reference_echo(at_ms(300), (at_ms(0).ntp() >> 16) as u32, 6554);
    assert_eq!(stream.round_trip().map(|rtt| rtt.as_millis().div_ceil(10)), Some(20));
    stream.on_reference_echo(at_ms(300), 0, 0);
    assert!(stream.round_trip().is_some());
    stream.receive(at_ms(0), packet(0)).unwrap();
    stream.receive(at_ms(0), packet(2)).unwrap();
    let asked: usize = (0..200).map(|ms| stream.poll_nack(at_ms(ms), &mut [0; 4])).sum();
    assert_eq!(asked, 1);
}

#[test]
fn bitrate_and_jitter_are_measured() {
    let mut stream = stream();
    for n in 0..1000_u16 {
        let delay = u64::from(n % 2) * 8;
        let timestamp = (u32::MAX - 900_000).wrapping_add(u32::from(n) * 1800);
        stream.receive(at_ms(u64::from(n) * 20 + delay), ArrivedPacket { timestamp, ..packet(n) }).unwrap();
    }
    let stats = stream.stats(at_ms(20_000));
    assert!((395_000..405_000).contains(&stats.bitrate), "{}", stats.bitrate);
    assert!((680..=720).contains(&stats.jitter), "{}", stats.jitter);
}
