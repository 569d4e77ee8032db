//! More is asked for than can be done: each turn does its share, and what is not done is counted.

use super::super::*;
use super::peer::{Packet, Peer, Received, is_media};
use super::stage::{Stage, audio, video};
use mafalda_api::waist::DumpWorker;

/// What a turn may send again, and what a receiver may have again beside one for one.
const SENDS_PER_TURN: usize = 128;
const BURST: usize = 1000;

fn media(stage: &mut Stage, peer: &mut Peer) -> Vec<Received> {
    let sent = stage.take_sent(peer);
    peer.media(sent)
}

/// Frames of a stream from there on, in turns of ten packets.
fn send_video(stage: &mut Stage, sender: &Peer, indices: std::ops::Range<u64>) {
    let packets: Vec<Packet> = indices
        .map(|index| if index == 1 { Packet::key_frame(1000, 1) } else { Packet::frame(1000, index) })
        .collect();
    for packets in packets.chunks(10) {
        stage.ms(10);
        stage.datagrams(sender.send(packets));
    }
}

/// A stage with one stream of video of so many packets, and what each of the receivers got.
fn watched(receivers: usize, packets: u64) -> (Stage, Peer, Vec<(Peer, Vec<Received>)>) {
    let mut stage = Stage::new();
    let sender = stage.peer();
    let producer = stage.produce(&sender, video("0", Some(1000)));
    let mut peers: Vec<Peer> = (0..receivers).map(|_| stage.peer()).collect();
    for peer in &peers {
        stage.consume(peer, producer, true);
    }
    send_video(&mut stage, &sender, 1..packets + 1);
    let receivers = peers.drain(..).map(|mut peer| {
        let received = media(&mut stage, &mut peer);
        assert_eq!(received.len() as u64, packets);
        (peer, received)
    });
    let receivers = receivers.collect();
    (stage, sender, receivers)
}

fn repairs_to(stage: &mut Stage, peer: &Peer) -> usize {
    stage.take_sent(peer).iter().filter(|bytes| is_media(bytes)).count()
}

fn everything(received: &[Received]) -> Vec<u64> {
    received.iter().map(|packet| packet.index).collect()
}

#[test]
fn who_asks_for_everything_over_and_over_holds_nobody_up() {
    let (mut stage, sender, mut receivers) = watched(2, 1500);
    let honest = receivers.pop().unwrap();
    let (mut hostile, received) = receivers.pop().unwrap();
    let sound = stage.produce(&sender, audio("1", Some(2000)));
    let mut listener = stage.peer();
    stage.consume(&listener, sound, false);
    let (mut repairs, mut heard) = (0, 0);
    for turn in 1..200 {
        stage.ms(2);
        // A batch full of requests for each packet there is, and one packet of somebody's voice at its end.
        let mut datagrams: Vec<_> =
            (0..200).map(|_| hostile.nack(received[0].ssrc, &everything(&received))).collect();
        datagrams.extend(sender.send(&[Packet::sound(2000, turn)]));
        // What was left of the turn before has gone by now.
        repairs += repairs_to(&mut stage, &hostile);
        stage.datagrams(datagrams);
        let sent = repairs_to(&mut stage, &hostile);
        assert!(sent <= SENDS_PER_TURN, "{sent} in turn {turn}");
        repairs += sent;
        heard += media(&mut stage, &mut listener).len();
        // A call gets its answer, and makes no room for more.
        stage.call(DumpWorker { id: stage.worker.id }).unwrap();
        assert_eq!(repairs_to(&mut stage, &hostile), 0, "in turn {turn}");
    }
    assert_eq!((repairs, heard), (BURST, 199));
    assert!(stage.worker.drops().get(DropReason::TooManyResends) > 1_000_000);
    // Who has lost a little is served all the same.
    let (mut honest, received) = honest;
    let nack = honest.nack(received[0].ssrc, &everything(&received[1450..1480]));
    stage.datagrams([nack]);
    assert_eq!(media(&mut stage, &mut honest).len(), 30);
}

#[test]
fn a_receiver_has_no_more_again_than_it_was_sent_but_for_a_burst() {
    let (mut stage, sender, mut receivers) = watched(1, 1500);
    let (mut hostile, mut received) = receivers.pop().unwrap();
    let mut repairs = 0;
    for turn in 0..50 {
        // Long enough for each repeat to be due again.
        send_video(&mut stage, &sender, 1501 + 100 * turn..1601 + 100 * turn);
        let news = media(&mut stage, &mut hostile);
        received
            .extend(news.into_iter().filter(|packet| packet.ssrc == received[0].ssrc).collect::<Vec<_>>());
        let wanted = everything(&received[received.len() - 1000..]);
        let nack = hostile.nack(received[0].ssrc, &wanted);
        stage.datagrams([nack]);
        stage.ms(10);
        repairs += media(&mut stage, &mut hostile).len();
    }
    assert!((BURST + 4800..=BURST + 5000).contains(&repairs), "{repairs}");
}

#[test]
fn what_is_left_of_a_turn_goes_in_the_next_and_in_order() {
    let (mut stage, _, mut receivers) = watched(1, 600);
    let (mut receiver, received) = receivers.pop().unwrap();
    let nack = receiver.nack(received[0].ssrc, &everything(&received));
    stage.datagrams([nack]);
    let (mut repaired, mut turns) = (media(&mut stage, &mut receiver), 1);
    assert_eq!(repaired.len(), SENDS_PER_TURN);
    while let Some(at) = stage.worker.timeout().filter(|at| *at < stage.now.at + Duration::from_micros(1)) {
        stage.pass(at.saturating_duration_since(stage.now.at));
        repaired.extend(media(&mut stage, &mut receiver));
        turns += 1;
    }
    assert_eq!(turns, 600_usize.div_ceil(SENDS_PER_TURN));
    let original = |packet: &Received| (packet.payload[0], packet.payload[1]);
    let wanted =
        received.iter().map(|packet| (packet.index as u16).to_be_bytes()).map(|[high, low]| (high, low));
    assert!(repaired.iter().map(original).eq(wanted), "RFC 4588 §4: the original number comes first");
}

#[test]
fn what_waits_is_not_taken_for_what_another_source_sends_under_the_same_number() {
    let mut stage = Stage::new();
    let (sender, mut receiver) = (stage.peer(), stage.peer());
    let producer = stage.produce(&sender, video("0", None));
    stage.consume(&receiver, producer, false);
    let stream = |ssrc| -> Vec<Packet> {
        let packets = (0..200).map(|index| {
            if index == 0 { Packet::key_frame(ssrc, 1) } else { Packet::frame(ssrc, 1 + index) }
        });
        packets.map(|packet| Packet { mid: Some("0"), ..packet }).collect()
    };
    stage.datagrams(sender.send(&stream(1000)));
    let received = media(&mut stage, &mut receiver);
    stage.ms(200);
    let nack = receiver.nack(received[0].ssrc, &everything(&received));
    stage.datagrams([nack]);
    assert_eq!(stage.take_sent(&receiver).len(), SENDS_PER_TURN, "the others wait");
    stage.datagrams(sender.send(&stream(3000)));
    let received = media(&mut stage, &mut receiver);
    assert_eq!(
        received.len(),
        200,
        "new ones only; the stage sees to it that no number is used for two packets"
    );
}

#[test]
fn repairs_of_equal_size_leave_together() {
    let (mut stage, _, mut receivers) = watched(1, 40);
    let (mut receiver, received) = receivers.pop().unwrap();
    let nack = receiver.nack(received[0].ssrc, &everything(&received[1..40]));
    let before = stage.runs;
    stage.datagrams([nack]);
    assert_eq!((media(&mut stage, &mut receiver).len(), stage.runs - before), (39, 1));
}
