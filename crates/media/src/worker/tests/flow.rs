//! From Producers to Consumers: everything that should goes out once and in order, however the turns are cut.

use mafalda_api::consumer::ConsumerRtpStreamStat;
use mafalda_api::id::ObjectId;
use mafalda_api::waist::{Close, Event, PauseConsumer, ResumeConsumer};

use super::super::*;
use super::peer::{Packet, Peer, Received};
use super::stage::{Stage, audio, video};

fn media(stage: &mut Stage, peer: &mut Peer) -> Vec<Received> {
    let sent = stage.take_sent(peer);
    peer.media(sent)
}

fn payloads(packets: &[Packet]) -> Vec<Vec<u8>> {
    packets.iter().map(|packet| packet.payload.clone()).collect()
}

fn received_payloads(received: &[Received]) -> Vec<Vec<u8>> {
    received.iter().map(|packet| packet.payload.clone()).collect()
}

#[test]
fn a_full_send_buffer_loses_and_doubles_nothing() {
    let mut stage = Stage::new().with_send_buffer(0);
    let sender = stage.peer();
    let mut receivers: Vec<Peer> = (0..5).map(|_| stage.peer()).collect();
    let producers =
        [stage.produce(&sender, audio("0", Some(1000))), stage.produce(&sender, audio("1", Some(2000)))];
    for receiver in &receivers {
        for producer in producers {
            stage.consume(receiver, producer, false);
        }
    }
    let packet = |ssrc, index| Packet { payload: vec![index as u8; 700], ..Packet::sound(ssrc, index) };
    let packets: Vec<Packet> = (1..60).flat_map(|index| [packet(1000, index), packet(2000, index)]).collect();
    stage.datagrams(sender.send(&packets));
    assert!(stage.flushes > 100, "{}", stage.flushes);
    for receiver in &mut receivers {
        let received = media(&mut stage, receiver);
        assert_eq!(received.len(), packets.len());
        for ssrc in [received[0].ssrc, received.last().unwrap().ssrc] {
            let own: Vec<&Received> = received.iter().filter(|packet| packet.ssrc == ssrc).collect();
            assert!(own.iter().map(|packet| packet.payload[0]).eq(1..60));
            assert!(own.windows(2).all(|pair| pair[0].index + 1 == pair[1].index));
        }
    }
}

#[test]
fn consumers_that_go_leave_the_others_theirs() {
    let mut stage = Stage::new();
    let sender = stage.peer();
    let producer = stage.produce(&sender, video("0", Some(1000)));
    let mut receivers: Vec<Peer> = (0..4).map(|_| stage.peer()).collect();
    let consumers: Vec<_> =
        receivers.iter().map(|receiver| stage.consume(receiver, producer, false)).collect();
    stage.datagrams(sender.send(&[Packet::key_frame(1000, 1)]));
    let ssrcs: Vec<u32> = receivers.iter_mut().map(|receiver| media(&mut stage, receiver)[0].ssrc).collect();
    for gone in [0, 2] {
        stage.call(Close { ids: vec![ObjectId::from(consumers[gone])] }).unwrap();
    }
    stage.datagrams(sender.send(&[Packet::frame(1000, 2)]));
    for (place, receiver) in receivers.iter_mut().enumerate() {
        let received = media(&mut stage, receiver);
        if place % 2 == 0 {
            assert!(received.is_empty());
            continue;
        }
        assert_eq!(received[0].ssrc, ssrcs[place]);
        stage.ms(50);
        let nack = receiver.nack(received[0].ssrc, &[received[0].index]);
        stage.datagrams([nack]);
        assert_eq!(stage.take_sent(receiver).len(), 1, "its row is found again");
    }
}

#[test]
fn what_a_consumer_has_no_use_for_leaves_no_gap() {
    let mut stage = Stage::new();
    let (sender, mut receiver) = (stage.peer(), stage.peer());
    let producer = stage.produce(&sender, audio("0", Some(1000)));
    stage.consume(&receiver, producer, false);
    let padding = Packet { payload: Vec::new(), ..Packet::sound(1000, 2) };
    stage.datagrams(sender.send(&[Packet::sound(1000, 1), padding, Packet::sound(1000, 3)]));
    let received = media(&mut stage, &mut receiver);
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].index + 1, received[1].index);
}

#[test]
fn what_came_before_a_late_key_frame_is_made_up_for() {
    let mut stage = Stage::new();
    let (sender, mut receiver) = (stage.peer(), stage.peer());
    let producer = stage.produce(&sender, video("0", Some(1000)));
    stage.consume(&receiver, producer, false);
    let packets: Vec<Packet> = std::iter::once(Packet::key_frame(1000, 10))
        .chain((11..17).map(|index| Packet::frame(1000, index)))
        .collect();
    // Two come a turn early, two in the turn but ahead, the key frame, and two behind it.
    stage.datagrams(sender.send(&packets[1..3]));
    let turn = [&packets[3..5], &packets[..1], &packets[5..]].concat();
    stage.datagrams(sender.send(&turn));
    let received = media(&mut stage, &mut receiver);
    assert_eq!(received_payloads(&received), payloads(&packets));
    assert!(received.windows(2).all(|pair| pair[0].index + 1 == pair[1].index));
}

#[test]
fn a_paused_consumer_gets_nothing_not_even_again() {
    let mut stage = Stage::new();
    let (sender, mut receiver) = (stage.peer(), stage.peer());
    let producer = stage.produce(&sender, video("0", Some(1000)));
    let consumer = stage.consume(&receiver, producer, false);
    stage.datagrams(sender.send(&[Packet::key_frame(1000, 1)]));
    let first = media(&mut stage, &mut receiver).remove(0);
    stage.call(PauseConsumer { id: consumer }).unwrap();
    stage.ms(50);
    let nack = receiver.nack(first.ssrc, &[first.index]);
    stage.datagrams([nack]);
    stage.datagrams(sender.send(&[Packet::frame(1000, 2)]));
    assert!(media(&mut stage, &mut receiver).is_empty());
    stage.call(ResumeConsumer { id: consumer }).unwrap();
    stage.datagrams(sender.send(&[Packet::frame(1000, 3), Packet::key_frame(1000, 4)]));
    let received = media(&mut stage, &mut receiver);
    assert_eq!(received.len(), 1, "from the key frame on");
    assert_eq!(received[0].index, first.index + 1, "and without a gap");
}

#[test]
fn the_rest_of_a_frame_that_found_no_room_is_left_out() {
    let mut stage = Stage::new();
    let (sender, mut receiver) = (stage.peer(), stage.peer());
    let producer = stage.produce(&sender, video("0", Some(1000)));
    let consumer = stage.consume(&receiver, producer, false);
    let of_frame = |index, timestamp| Packet { timestamp, ..Packet::frame(1000, index) };
    let first = Packet { timestamp: 9000, ..Packet::key_frame(1000, 1) };
    stage.datagrams(sender.send(&[first]));
    let sent = stage.sent.last().cloned().unwrap();
    assert_eq!(sent.tuple, receiver.tuple);
    stage.input(Input::Unsent { tuple: sent.tuple, sender: sent.sender, packets: 1 });
    media(&mut stage, &mut receiver);
    stage.datagrams(sender.send(&[of_frame(2, 9000), of_frame(3, 9000), of_frame(4, 12_000)]));
    assert_eq!(media(&mut stage, &mut receiver).len(), 1);
    let at = stage.worker.consumers[&consumer];
    let stats = stage.worker.routers[at.router].consumer_stats(stage.now, at.transport, consumer).unwrap();
    let ConsumerRtpStreamStat::Outbound(own) = &stats[0] else { panic!("{stats:?}") };
    assert_eq!(own.packets_discarded, 3);
}

#[test]
fn scores_are_told_once_a_turn() {
    let mut stage = Stage::new();
    let (mut sender, receiver) = (stage.peer(), stage.peer());
    let producer = stage.produce(&sender, audio("0", Some(1000)));
    stage.consume(&receiver, producer, false);
    stage.datagrams(sender.send(&[Packet::sound(1000, 1)]));
    stage.events.clear();
    let mut datagrams = Vec::new();
    for round in 1..40 {
        datagrams.extend(sender.send(&[Packet::sound(1000, 1 + round * 20)]));
        let info = crate::rtcp::SenderInfo {
            ssrc: 1000,
            ntp: round,
            rtp_timestamp: 0,
            packet_count: 0,
            octet_count: 0,
        };
        datagrams.push(sender.feedback(|writer| writer.sender_report(&info, &[]).map(drop)));
    }
    stage.datagrams(datagrams);
    let scores = stage.events.iter().filter(|event| matches!(event, Event::ProducerScoreChanged { .. }));
    assert_eq!(scores.count(), 1);
    let scores = stage.events.iter().filter(|event| matches!(event, Event::ConsumerScoreChanged { .. }));
    assert_eq!(scores.count(), 1);
}

#[test]
fn an_ssrc_that_was_negotiated_is_not_replaced_by_another_under_its_mid() {
    let mut stage = Stage::new();
    let (sender, mut receiver) = (stage.peer(), stage.peer());
    let producer = stage.produce(&sender, audio("0", Some(1000)));
    stage.consume(&receiver, producer, false);
    let stranger = Packet { mid: Some("0"), ..Packet::sound(3000, 1) };
    stage.datagrams(sender.send(&[Packet::sound(1000, 1), stranger, Packet::sound(1000, 2)]));
    assert_eq!(media(&mut stage, &mut receiver).len(), 2);
    assert_eq!(stage.worker.drops().get(DropReason::UnknownSource), 1);
}
