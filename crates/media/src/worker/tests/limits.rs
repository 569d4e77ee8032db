//! Limits and beginnings of streams: how long a packet may be, under which number a stream begins, and that nothing waits.

use mafalda_api::waist::SetMaxIncomingBitrate;

use super::super::*;
use super::peer::Packet;
use super::stage::{Stage, audio, video};

#[test]
fn media_that_is_too_long_is_dropped_and_counted() {
    let mut stage = Stage::new();
    let mut peer = stage.peer();
    stage.produce(&peer, audio("0", Some(1000)));
    let tuple = peer.tuple;
    let (_, report) = peer.feedback(|writer| writer.pli(1, 2));
    for (mut datagram, len, expected) in [
        (peer.protect(&Packet::sound(1000, 1)), 2049, 1),
        (report, 2049, 2),
        // As long as may be: it is looked into, and found spoiled.
        (peer.protect(&Packet::sound(1000, 2)), 2048, 2),
    ] {
        datagram.resize(len, 0);
        stage.datagrams([(tuple, datagram)]);
        assert_eq!(stage.worker.drops().get(DropReason::TooLarge), expected, "{len} bytes");
    }
    assert_eq!(stage.worker.drops().get(DropReason::Unauthentic), 1);
}

#[test]
fn a_stream_begins_at_a_random_number_of_the_lower_half() {
    let mut stage = Stage::new();
    let sender = stage.peer();
    let producer = stage.produce(&sender, audio("0", Some(1000)));
    let mut receiver = stage.peer();
    for _ in 0..32 {
        stage.consume(&receiver, producer, false);
    }
    stage.datagrams(sender.send(&[Packet::sound(1000, 1)]));
    let sent = stage.take_sent(&receiver);
    let mut first: Vec<u64> = receiver.media(sent).iter().map(|packet| packet.index).collect();
    // Below 1000 a packet that comes early might be taken for one from before the beginning, and above the half for one of
    // the rollover before (RFC 3711 §3.3.1).
    assert!(first.iter().all(|index| (1000..=32_767).contains(index)), "{first:?}");
    first.sort_unstable();
    first.dedup();
    assert!(first.len() > 24, "{first:?}");
}

#[test]
fn a_burst_leaves_in_the_turn_in_which_it_came() {
    let mut stage = Stage::new();
    let sender = stage.peer();
    let producer = stage.produce(&sender, video("0", Some(1000)));
    let mut receiver = stage.peer();
    stage.consume(&receiver, producer, false);
    let burst: Vec<Packet> = std::iter::once(Packet::key_frame(1000, 1))
        .chain((2..=200).map(|it| Packet::frame(1000, it)))
        .collect();
    stage.datagrams(sender.send(&burst));
    let sent = stage.take_sent(&receiver);
    assert_eq!(receiver.media(sent).len(), burst.len(), "no time has passed");
}

#[test]
fn feedback_without_a_report_is_taken() {
    // RFC 5506 §3.4.2 has receivers of reduced-size RTCP take what comes alone.
    let mut stage = Stage::new();
    let sender = stage.peer();
    let producer = stage.produce(&sender, video("0", Some(1000)));
    let mut receiver = stage.peer();
    stage.consume(&receiver, producer, false);
    stage.datagrams(sender.send(&[Packet::key_frame(1000, 1)]));
    let sent = stage.take_sent(&receiver);
    let ssrc = receiver.media(sent)[0].ssrc;
    let mut sender = sender;
    stage.ms(2000);
    stage.take_sent(&sender);
    let alone = receiver.feedback(|writer| writer.pli(1, ssrc));
    stage.datagrams([alone]);
    let sent = stage.take_sent(&sender);
    let reports = sender.reports(sent);
    assert!(reports.iter().any(|report| report.starts_with("Pli")), "{reports:?}");
}

#[test]
fn a_limit_is_told_again_and_again_and_its_end_four_times() {
    let mut stage = Stage::new();
    let mut peer = stage.peer();
    stage.produce(&peer, video("0", Some(1000)));
    stage.datagrams(peer.send(&[Packet::key_frame(1000, 1)]));
    let id = peer.id;
    let mut told = |stage: &mut Stage, seconds: u64| {
        stage.ms(1000 * seconds);
        let sent = stage.take_sent(&peer);
        peer.reports(sent).iter().filter(|report| report.starts_with("Remb")).count()
    };
    assert_eq!(told(&mut stage, 5), 0, "there is no limit");
    stage.call(SetMaxIncomingBitrate { id, bitrate: 300_000 }).unwrap();
    let count = told(&mut stage, 15);
    assert!((9..=11).contains(&count), "each 1.5 s: {count}");
    stage.call(SetMaxIncomingBitrate { id, bitrate: 0 }).unwrap();
    assert_eq!(told(&mut stage, 20), 4);
}
