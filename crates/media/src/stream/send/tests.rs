use super::*;
use crate::stream::virtual_time::at_ms;

const PARAMS: StreamParams = StreamParams { ssrc: 7, clock_rate: 90_000, nack: true };

fn started() -> SendStream {
    let mut stream = SendStream::new(PARAMS, 1000);
    stream.start_at(70_000);
    stream
}

fn send(stream: &mut SendStream, ms: u64, in_index: u64, timestamp: u32) -> Option<u64> {
    let out_index = stream.map(in_index)?;
    let (transport_cc, abs_send_time) = (in_index as u16, ms as u32);
    let packet = SentPacket {
        in_index,
        out_index,
        timestamp,
        len: 1000,
        payload_len: 980,
        transport_cc,
        abs_send_time,
    };
    stream.on_sent(at_ms(ms), packet);
    Some(out_index)
}

fn report(extended_highest: u32, cumulative_lost: i32) -> ReceivedReport {
    ReceivedReport { cumulative_lost, extended_highest, jitter: 5, last_sr: 0, delay_since_last_sr: 0 }
}

#[test]
fn nothing_was_sent_nothing_is_known() {
    let mut stream = started();
    assert_eq!(stream.sender_report(at_ms(0)), None);
    assert_eq!(stream.on_nack(at_ms(0), 1000), None);
    assert_eq!(stream.on_report(at_ms(0), report(1000, 3)), None);
    assert_eq!((stream.score(), stream.stats(at_ms(0)).packets_lost), (10, 0));
}

#[test]
fn a_nack_finds_what_was_sent_over_the_wrap() {
    let mut stream = started();
    for n in 0..66_000 {
        send(&mut stream, n, 70_000 + n, 0);
    }
    // 1000 + 64 536 = 65 536: the second cycle begins.
    let resend = stream.on_nack(at_ms(66_000), 0).unwrap();
    assert_eq!((resend.in_index, resend.out_index), (70_000 + 64_536, 65_536));
    assert_eq!((resend.transport_cc, resend.abs_send_time), ((70_000_u32 + 64_536) as u16, 64_536));
    let before = stream.on_nack(at_ms(66_000), 65_535).unwrap();
    assert_eq!((before.in_index, before.out_index), (70_000 + 64_535, 65_535));
    assert_eq!(stream.on_nack(at_ms(66_050), 0), None, "its repeat is on the way");
    assert!(!stream.on_nack(at_ms(66_100), 0).unwrap().first);
    assert_eq!(stream.on_nack(at_ms(66_100), 30_000), None);
    let stats = stream.stats(at_ms(66_000));
    assert_eq!((stats.retransmitted, stats.repaired), (3, 2));
}

#[test]
fn a_stream_without_nack_keeps_no_log() {
    let mut stream = SendStream::new(StreamParams { nack: false, ..PARAMS }, 1000);
    stream.start_at(1);
    send(&mut stream, 0, 1, 0);
    assert_eq!(stream.on_nack(at_ms(1), 1000), None);
}

#[test]
fn after_a_pause_the_numbers_go_on_and_old_ones_can_still_be_asked_for() {
    let mut stream = started();
    assert_eq!(send(&mut stream, 0, 70_000, 0), Some(1000));
    stream.start_at(80_000);
    assert_eq!(send(&mut stream, 10, 79_999, 0), None);
    assert_eq!(send(&mut stream, 10, 80_000, 0), Some(1001));
    assert_eq!(stream.on_nack(at_ms(20), 1000).map(|resend| resend.in_index), Some(70_000));
    stream.on_report(at_ms(20), report(1001, 0));
    assert_eq!(stream.stats(at_ms(20)).packets_lost, 0);
}

#[test]
fn sender_reports_extrapolate_the_newest_timestamp() {
    let mut stream = started();
    send(&mut stream, 0, 70_000, u32::MAX - 899);
    send(&mut stream, 20, 70_002, 900);
    send(&mut stream, 40, 70_001, 0);
    send(&mut stream, 45, 70_003, 900);
    let info = stream.sender_report(at_ms(120)).unwrap();
    assert_eq!((info.ssrc, info.ntp, info.rtp_timestamp), (7, at_ms(120).ntp(), 900 + 9000));
    assert_eq!((info.packets, info.octets), (4, 4 * 980));
    stream.on_resent(at_ms(130), 1000, 980);
    let info = stream.sender_report(at_ms(2130)).unwrap();
    assert_eq!((info.packets, info.octets), (5, 5 * 980));
    assert_eq!(stream.sender_report(at_ms(2131)), None);
}

#[test]
fn another_source_brings_another_timeline() {
    let mut stream = started();
    send(&mut stream, 0, 70_000, 3_000_000);
    stream.start_at(90_000);
    assert_eq!(stream.sender_report(at_ms(0)), None);
    send(&mut stream, 10, 90_000, 1_000_000);
    assert_eq!(stream.sender_report(at_ms(10)).unwrap().rtp_timestamp, 1_000_000);
}

#[test]
fn reports_give_loss_round_trip_and_score() {
    let mut stream = started();
    for n in (0..100).filter(|n| n % 4 != 3) {
        send(&mut stream, n, 70_000 + n, 0);
    }
    let last_sr = (at_ms(1000).ntp() >> 16) as u32;
    let report = ReceivedReport { last_sr, delay_since_last_sr: 65_536 / 2, ..report(1098, 24) };
    assert_eq!(stream.on_report(at_ms(1580), report), None, "all of the loss was on the way here");
    assert_eq!(stream.round_trip().map(|rtt| (rtt.as_millis() + 1) / 4), Some(20));
    for n in 100..200 {
        send(&mut stream, n, 70_000 + n, 0);
    }
    // 99 is a gap in what came; the report covers it now, and half of what was sent was lost.
    let changed = stream.on_report(at_ms(1600), self::report(1199, 24 + 1 + 50));
    assert_eq!((changed, stream.fraction_lost()), (Some(4), 128));
    let stats = stream.stats(at_ms(1600));
    assert_eq!((stats.packets_lost, stats.jitter, stats.score), (50, 5, 4));
    assert_eq!(stream.reset_score(), Some(10));
}
