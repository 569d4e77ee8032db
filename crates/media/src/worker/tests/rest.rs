//! What happens while the driver rests in the middle of a drain: it goes first, and media go on where they were.

use mafalda_api::id::{ConsumerId, ObjectId};
use mafalda_api::waist::{Close, CloseCause, Event};

use super::peer::{Packet, Peer, Received};
use super::stage::{Stage, audio};
use crate::Tuple;

const RECEIVERS: usize = 5;
const PACKETS: u64 = 3;

/// One who publishes two streams, and five who get both.
struct Scene {
    stage: Stage,
    sender: Peer,
    receivers: Vec<Peer>,
    /// Of the first stream and of the second, by receiver.
    consumers: [Vec<ConsumerId>; 2],
    producers: [ObjectId; 2],
}

impl Scene {
    fn new() -> Self {
        let mut stage = Stage::new().with_send_buffer(0);
        let sender = stage.peer();
        let receivers: Vec<Peer> = (0..RECEIVERS).map(|_| stage.peer()).collect();
        let producers =
            [stage.produce(&sender, audio("0", Some(1000))), stage.produce(&sender, audio("1", Some(2000)))];
        let mut consume =
            |producer| receivers.iter().map(|receiver| stage.consume(receiver, producer, false)).collect();
        let consumers = producers.map(&mut consume);
        Self { stage, sender, receivers, consumers, producers: producers.map(ObjectId::from) }
    }

    fn packets(&self, first: u64) -> Vec<(Tuple, Vec<u8>)> {
        let packet = |ssrc: u32, index: u64| Packet {
            payload: vec![index as u8 | if ssrc == 2000 { 0x80 } else { 0 }; 700],
            ..Packet::sound(ssrc, index)
        };
        let packets: Vec<Packet> =
            (first..first + PACKETS).flat_map(|index| [packet(1000, index), packet(2000, index)]).collect();
        self.sender.send(&packets)
    }

    /// Hands packets in, and rests at that flush; `false` when there are fewer.
    fn rest_at(&mut self, flush: usize) -> bool {
        let packets = self.packets(1);
        self.stage.hand_in(packets);
        (0..flush).all(|_| !self.stage.drain_to_flush())
    }

    fn received(&mut self, receiver: usize) -> [Vec<Received>; 2] {
        let receiver = &mut self.receivers[receiver];
        let received = receiver.media(self.stage.take_sent(receiver));
        let (first, second) = received.into_iter().partition(|packet| packet.payload[0] < 0x80);
        [first, second]
    }
}

fn numbers(received: &[Received]) -> Vec<u64> {
    received.iter().map(|packet| u64::from(packet.payload[0] & 0x7f)).collect()
}

fn close(id: impl Into<ObjectId>) -> Close {
    Close { ids: vec![id.into()] }
}

#[test]
fn whoever_goes_meanwhile_takes_nothing_from_the_others() {
    let all: Vec<u64> = (1..=PACKETS).collect();
    let next: Vec<u64> = (PACKETS + 1..=2 * PACKETS).collect();
    for flush in 1.. {
        for gone in 0..2 * RECEIVERS {
            let mut scene = Scene::new();
            if !scene.rest_at(flush) {
                assert!(flush > 5, "no rest to speak of");
                return;
            }
            let (stream, gone) = (gone % 2, gone / 2);
            let closed = scene.consumers[stream][gone];
            scene.stage.call(close(closed)).unwrap();
            let received: Vec<_> = (0..RECEIVERS).map(|receiver| scene.received(receiver)).collect();
            // Rows are found where they are now: each gets the next packets too.
            let packets = scene.packets(PACKETS + 1);
            scene.stage.datagrams(packets);
            for (receiver, before) in received.iter().enumerate() {
                let after = scene.received(receiver);
                for of in 0..2 {
                    let what =
                        format!("rest {flush}, {gone} of stream {stream} is gone: {receiver} of stream {of}");
                    if (of, receiver) == (stream, gone) {
                        assert!(all.starts_with(&numbers(&before[of])), "{what}");
                        assert!(after[of].is_empty(), "{what}");
                    } else {
                        assert_eq!(numbers(&before[of]), all, "{what}");
                        assert_eq!(numbers(&after[of]), next, "{what}");
                        assert_eq!(before[of].last().unwrap().index + 1, after[of][0].index, "{what}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_stream_that_ends_meanwhile_leaves_the_other_whole() {
    for flush in 1..5 {
        for stream in 0..2 {
            let mut scene = Scene::new();
            assert!(scene.rest_at(flush));
            scene.stage.call(close(scene.producers[stream])).unwrap();
            for receiver in 0..RECEIVERS {
                let received = scene.received(receiver);
                let what = format!("rest {flush}, stream {stream} is gone: {receiver}");
                assert_eq!(numbers(&received[1 - stream]), [1, 2, 3], "{what}");
                assert!([1, 2, 3].starts_with(&numbers(&received[stream])), "{what}");
            }
        }
    }
}

#[test]
fn who_moves_meanwhile_leaves_what_had_come_behind() {
    let mut scene = Scene::new();
    assert!(scene.rest_at(3));
    let state = scene.stage.worker.take_transport(scene.stage.now, scene.sender.id).unwrap();
    let router = scene.stage.router;
    scene.stage.worker.put_transport(scene.stage.now, router, state).unwrap();
    scene.stage.drain();
    for receiver in 0..RECEIVERS {
        let received = scene.received(receiver);
        assert!(received.iter().all(|received| [1, 2, 3].starts_with(&numbers(received))));
    }
    let packets = scene.packets(PACKETS + 1);
    scene.stage.datagrams(packets);
    for receiver in 0..RECEIVERS {
        assert_eq!(scene.received(receiver).map(|received| numbers(&received)), [[4, 5, 6]; 2]);
    }
}

#[test]
fn who_moves_to_and_fro_meanwhile_gets_nothing_twice() {
    for flush in 1..6 {
        for moved in 0..RECEIVERS {
            let mut scene = Scene::new();
            assert!(scene.rest_at(flush));
            let (worker, now, router) = (&mut scene.stage.worker, scene.stage.now, scene.stage.router);
            let state = worker.take_transport(now, scene.receivers[moved].id).unwrap();
            worker.put_transport(now, router, state).unwrap();
            scene.stage.drain();
            for receiver in 0..RECEIVERS {
                for received in scene.received(receiver).map(|received| numbers(&received)) {
                    let what = format!("rest {flush}, {moved} moved: {receiver} got {received:?}");
                    assert!(
                        received == [1, 2, 3] || receiver == moved && received.is_sorted_by(|a, b| a < b),
                        "{what}"
                    );
                }
            }
            let packets = scene.packets(PACKETS + 1);
            scene.stage.datagrams(packets);
            for receiver in 0..RECEIVERS {
                assert_eq!(scene.received(receiver).map(|received| numbers(&received)), [[4, 5, 6]; 2]);
            }
        }
    }
}

#[test]
fn calls_are_answered_before_media_go_on() {
    let mut scene = Scene::new();
    assert!(scene.rest_at(1));
    let before = scene.stage.sent.len();
    scene.stage.events.clear();
    let closed = scene.consumers[0][0];
    scene.stage.hand_in_call(close(closed), Vec::new());
    assert!(scene.stage.worker.reclaim().is_none(), "the batch is still needed");
    assert!(!scene.stage.drain_to_flush());
    scene.stage.reply().expect("a reply before the next flush").unwrap();
    let event = Event::Closed { id: closed.into(), cause: CloseCause::Requested };
    assert_eq!(scene.stage.events, [event]);
    scene.stage.drain();
    assert!(scene.stage.sent.len() > before);
    assert!(scene.stage.worker.reclaim().is_some());
}

#[test]
fn one_who_comes_meanwhile_disturbs_nobody() {
    let mut scene = Scene::new();
    assert!(scene.rest_at(2));
    let mut late = scene.stage.peer();
    let ObjectId::Producer(producer) = scene.producers[1] else { panic!("a Producer's id") };
    scene.stage.consume(&late, producer, false);
    scene.stage.drain();
    for receiver in 0..RECEIVERS {
        assert_eq!(scene.received(receiver).map(|received| numbers(&received)), [[1, 2, 3]; 2]);
    }
    let received = late.media(scene.stage.take_sent(&late));
    let numbers = numbers(&received);
    assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{numbers:?}");
}
