//! One index, one text: no SRTP index is used for two packets (RFC 3711 §9.1), and none is a surprise to the receiver. The stage
//! compares whatever leaves under one number.

use std::collections::HashSet;

use mafalda_api::id::ObjectId;
use mafalda_api::waist::{Close, ConsumerState, Event, ObjectState};

use super::super::*;
use super::peer::{Packet, Peer, Received, is_media};
use super::stage::{Stage, audio, video};

fn consumer_states(stage: &Stage) -> Vec<ConsumerState> {
    let appeared = stage.events.iter().filter_map(|event| match event {
        Event::Appeared(ObjectState::Consumer(state)) => Some((**state).clone()),
        _ => None,
    });
    appeared.collect()
}

fn media(stage: &mut Stage, peer: &mut Peer) -> Vec<Received> {
    let sent = stage.take_sent(peer);
    peer.media(sent)
}

fn indices(received: &[Received]) -> Vec<u64> {
    received.iter().map(|packet| packet.index).collect()
}

fn named(packet: Packet) -> Packet {
    Packet { mid: Some("0"), ..packet }
}

#[test]
fn a_stream_that_goes_on_under_another_ssrc_with_the_same_numbers_uses_new_ones_out() {
    let mut stage = Stage::new();
    let (sender, mut receiver) = (stage.peer(), stage.peer());
    let producer = stage.produce(&sender, video("0", None));
    stage.consume(&receiver, producer, false);
    let stream = |ssrc| -> Vec<Packet> {
        let frames = (101..105).map(|index| named(Packet::frame(ssrc, index)));
        std::iter::once(named(Packet::key_frame(ssrc, 100))).chain(frames).collect()
    };
    stage.datagrams(sender.send(&stream(1000)));
    let first = media(&mut stage, &mut receiver);
    assert_eq!(first.len(), 5);
    stage.datagrams(sender.send(&stream(2000)));
    let second = media(&mut stage, &mut receiver);
    assert_eq!(indices(&second), (first[4].index + 1..=first[4].index + 5).collect::<Vec<_>>());
    // The old packets are gone, and the new ones are not taken for them.
    stage.ms(100);
    let nack = receiver.nack(first[0].ssrc, &indices(&first));
    stage.datagrams([nack]);
    assert!(!stage.take_sent(&receiver).iter().any(|bytes| is_media(bytes)));
    let nack = receiver.nack(first[0].ssrc, &indices(&second));
    stage.datagrams([nack]);
    assert_eq!(stage.take_sent(&receiver).len(), 5);
}

#[test]
fn a_restart_within_a_turn_makes_no_jump() {
    let mut stage = Stage::new();
    let (sender, mut receiver) = (stage.peer(), stage.peer());
    let producer = stage.produce(&sender, audio("0", Some(1000)));
    stage.consume(&receiver, producer, false);
    let sound = |index| Packet::sound(1000, index);
    stage.datagrams(sender.send(&[sound(100), sound(101)]));
    stage.datagrams(sender.send(&[sound(102), sound(20_000), sound(20_001), sound(20_002)]));
    let received = media(&mut stage, &mut receiver);
    let first = received[0].index;
    assert_eq!(indices(&received), (first..first + 4).collect::<Vec<_>>());
}

#[test]
fn an_ssrc_never_comes_back() {
    let mut stage = Stage::new();
    let (sender, receiver) = (stage.peer(), stage.peer());
    let producer = stage.produce(&sender, video("0", Some(1000)));
    for _ in 0..50 {
        let consumer = stage.consume(&receiver, producer, true);
        stage.call(Close { ids: vec![ObjectId::from(consumer)] }).unwrap();
    }
    let states = consumer_states(&stage);
    let encodings = states.iter().flat_map(|state| &state.rtp_parameters.encodings);
    let ssrcs: Vec<u32> =
        encodings.flat_map(|it| [it.ssrc.unwrap(), it.rtx.map(|rtx| rtx.ssrc).unwrap()]).collect();
    assert_eq!(ssrcs.len(), 100);
    assert_eq!(ssrcs.iter().collect::<HashSet<_>>().len(), 100);
    assert!(stage.machine(receiver.id).targets.is_empty());
}

#[test]
fn no_number_is_used_up_before_there_are_keys() {
    let first_index = |early: u64| {
        let mut stage = Stage::new();
        let (sender, mut receiver) = (stage.peer(), stage.reachable());
        let producer = stage.produce(&sender, audio("0", Some(1000)));
        stage.consume(&receiver, producer, false);
        for index in 0..early {
            stage.datagrams(sender.send(&[Packet::sound(1000, 100 + index)]));
        }
        stage.key(&receiver);
        stage.datagrams(sender.send(&[Packet::sound(1000, 100 + early)]));
        media(&mut stage, &mut receiver)[0].index
    };
    assert_eq!(first_index(0), first_index(7));
}

#[test]
fn what_could_not_be_sent_is_sent_again_as_it_was() {
    let mut stage = Stage::new();
    let (sender, mut receiver) = (stage.peer(), stage.peer());
    let producer = stage.produce(&sender, video("0", Some(1000)));
    stage.consume(&receiver, producer, false);
    stage.datagrams(sender.send(&[Packet::key_frame(1000, 1), Packet::frame(1000, 2)]));
    let sent = stage.sent.last().cloned().unwrap();
    let (tuple, of) = (sent.tuple, sent.sender);
    stage.input(Input::Unsent { tuple, sender: of, packets: 1 });
    let received = media(&mut stage, &mut receiver);
    stage.ms(100);
    let nack = receiver.nack(received[1].ssrc, &[received[1].index]);
    stage.datagrams([nack]);
    let again = stage.take_sent(&receiver);
    assert_eq!(again, [sent.bytes], "the same bytes, extensions too");
}

#[test]
fn each_retransmission_has_a_number_of_its_own() {
    let mut stage = Stage::new();
    let (sender, mut receiver) = (stage.peer(), stage.peer());
    let producer = stage.produce(&sender, video("0", Some(1000)));
    stage.consume(&receiver, producer, true);
    stage.datagrams(sender.send(&[Packet::key_frame(1000, 1)]));
    let original = media(&mut stage, &mut receiver).remove(0);
    let mut again = Vec::new();
    for _ in 0..3 {
        stage.ms(200);
        let nack = receiver.nack(original.ssrc, &[original.index]);
        stage.datagrams([nack]);
        again.extend(media(&mut stage, &mut receiver));
    }
    let first = again[0].index;
    assert_eq!(indices(&again), [first, first + 1, first + 2]);
    for packet in &again {
        assert_eq!(packet.ssrc, original.ssrc + 1);
        assert_ne!(packet.payload_type, original.payload_type);
        assert_eq!(packet.payload[..2], (original.index as u16).to_be_bytes());
        assert_eq!(packet.payload[2..], original.payload);
    }
}

#[test]
fn numbers_go_on_where_a_transport_goes() {
    let mut stage = Stage::new();
    let (sender, mut receiver) = (stage.peer(), stage.peer());
    let producer = stage.produce(&sender, video("0", Some(1000)));
    stage.consume(&receiver, producer, false);
    stage.datagrams(sender.send(&[Packet::key_frame(1000, 1), Packet::frame(1000, 2)]));
    let before = media(&mut stage, &mut receiver);
    let other = stage.create_router();
    for peer in [&receiver, &sender] {
        let state = stage.worker.take_transport(stage.now, peer.id).unwrap();
        stage.worker.put_transport(stage.now, other, state).unwrap();
        stage.drain();
    }
    stage.take_sent(&sender);
    stage.datagrams(sender.send(&[Packet::frame(1000, 3), Packet::frame(1000, 4)]));
    let after = media(&mut stage, &mut receiver);
    assert_eq!(indices(&after), [before[1].index + 1, before[1].index + 2], "no key frame was waited for");
    assert_eq!(stage.take_sent(&sender).len(), 0, "nor asked for");
    stage.ms(50);
    let nack = receiver.nack(before[0].ssrc, &[before[0].index, after[1].index]);
    stage.datagrams([nack]);
    assert_eq!(stage.take_sent(&receiver).len(), 2, "the ring and the log have come along");
}

#[test]
fn a_consumer_that_was_left_behind_for_long_begins_anew() {
    let mut stage = Stage::new();
    let (sender, mut receiver) = (stage.peer(), stage.peer());
    let producer = stage.produce(&sender, audio("0", Some(1000)));
    stage.consume(&receiver, producer, false);
    stage.datagrams(sender.send(&[Packet::sound(1000, 1)]));
    let before = media(&mut stage, &mut receiver);
    let (home, other) = (stage.router, stage.create_router());
    let state = stage.worker.take_transport(stage.now, sender.id).unwrap();
    stage.worker.put_transport(stage.now, other, state).unwrap();
    for index in (2..40_002).step_by(2000) {
        stage.datagrams(sender.send(&[Packet::sound(1000, index)]));
    }
    let state = stage.worker.take_transport(stage.now, sender.id).unwrap();
    stage.worker.put_transport(stage.now, home, state).unwrap();
    stage.datagrams(sender.send(&[Packet::sound(1000, 40_002)]));
    assert_eq!(indices(&media(&mut stage, &mut receiver)), [before[0].index + 1]);
}

#[test]
fn a_worker_refuses_a_transport_that_it_has_something_of() {
    let mut stage = Stage::new();
    let (sender, receiver) = (stage.peer(), stage.peer());
    let producer = stage.produce(&sender, audio("0", Some(1000)));
    let consumer = stage.consume(&receiver, producer, false);
    let state = stage.worker.take_transport(stage.now, receiver.id).unwrap();
    let at = stage.worker.transports[&sender.id];
    stage.worker.consumers.insert(consumer, at);
    let (failure, state) = stage.worker.put_transport(stage.now, stage.router, state).unwrap_err();
    assert_eq!(failure.subject, Some(consumer.into()));
    stage.worker.consumers.remove(&consumer);
    stage.worker.put_transport(stage.now, stage.router, *state).unwrap();
}

#[test]
fn packets_that_nobody_polled_are_lost_and_not_mistaken() {
    let mut stage = Stage::new();
    let (sender, mut receiver) = (stage.peer(), stage.peer());
    let producer = stage.produce(&sender, audio("0", Some(1000)));
    stage.consume(&receiver, producer, false);
    let mut batch = Batch::default();
    for (tuple, datagram) in sender.send(&[Packet::sound(1000, 1), Packet::sound(1000, 2)]) {
        batch.push(tuple, &datagram);
    }
    stage.worker.handle(stage.now, Input::Datagrams(batch));
    let packet = Packet::sound(1000, 3);
    stage.datagrams(sender.send(std::slice::from_ref(&packet)));
    let received = media(&mut stage, &mut receiver);
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].payload, packet.payload);
}
