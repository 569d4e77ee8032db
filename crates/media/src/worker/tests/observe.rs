//! What packets tell of themselves: how loud they are, to RtpObservers, and how their picture lies.

use std::num::NonZeroU16;

use mafalda_api::id::{ObjectId, RtpObserverId};
use mafalda_api::producer::{ProducerVideoOrientation, Rotation};
use mafalda_api::waist::{
    AddObservedProducer, Close, CloseCause, CreateActiveSpeakerObserver, CreateAudioLevelObserver, ErrorCode,
    Event, PauseProducer, ResumeProducer, Volume,
};

use super::super::*;
use super::peer::{Packet, Peer};
use super::stage::{Stage, audio, video};
use crate::router::OBSERVERS_PER_PRODUCER_MAX;

/// Listens for who is loud, four times a second.
fn observer(stage: &mut Stage) -> RtpObserverId {
    let id = RtpObserverId::new();
    let (router, max_entries) = (stage.router, NonZeroU16::MAX);
    stage.call(CreateAudioLevelObserver { id, router, max_entries, threshold: -127, interval: 250 }).unwrap();
    id
}

fn observe(stage: &mut Stage, id: RtpObserverId, producer: ProducerId) {
    stage.call(AddObservedProducer { id, producer }).unwrap();
}

/// Half a second of packets, this loud.
fn talk(stage: &mut Stage, peer: &Peer, first: u64, attenuation_db: u8) {
    for index in first..first + 25 {
        let packet = Packet { audio_level: Some(attenuation_db), ..Packet::sound(1000, index) };
        stage.datagrams(peer.send(&[packet]));
        stage.ms(20);
    }
}

/// What was told by an RtpObserver since last time.
fn told(stage: &mut Stage, id: RtpObserverId) -> Vec<Event> {
    let events = std::mem::take(&mut stage.events).into_iter();
    events.filter(|event| event.subject() == id.into()).collect()
}

fn volumes(events: &[Event]) -> Vec<i8> {
    let of = |event: &Event| match event {
        Event::Volumes { volumes, .. } => volumes.iter().map(|it| it.volume).collect(),
        Event::Silence { .. } => vec![1],
        _ => Vec::new(),
    };
    events.iter().flat_map(of).collect()
}

#[test]
fn those_who_listen_hear_what_packets_say_and_others_do_not() {
    let mut stage = Stage::new();
    let (sender, other) = (stage.peer(), stage.peer());
    let producer = stage.produce(&sender, audio("0", Some(1000)));
    let unheard = stage.produce(&other, audio("0", Some(1000)));
    let ids = [observer(&mut stage), observer(&mut stage)];
    ids.iter().for_each(|id| observe(&mut stage, *id, producer));
    stage.events.clear();
    talk(&mut stage, &other, 1, 0);
    assert!(stage.events.iter().all(|event| event.subject() == unheard.into()), "{:?}", stage.events);
    talk(&mut stage, &sender, 1, 40);
    let events = stage.events.clone();
    for id in ids {
        stage.events.clone_from(&events);
        assert_eq!(volumes(&told(&mut stage, id)), [-40, -40]);
    }
    let loud = Volume { producer, volume: -40 };
    assert!(events.contains(&Event::Volumes { id: ids[0], volumes: vec![loud] }));
}

#[test]
fn a_packet_without_a_level_tells_nothing() {
    let mut stage = Stage::new();
    let sender = stage.peer();
    let producer = stage.produce(&sender, audio("0", Some(1000)));
    let id = observer(&mut stage);
    observe(&mut stage, id, producer);
    let packets: Vec<Packet> = (1..50).map(|index| Packet::sound(1000, index)).collect();
    told(&mut stage, id);
    stage.datagrams(sender.send(&packets));
    stage.ms(1000);
    assert!(told(&mut stage, id).is_empty());
}

#[test]
fn a_paused_producer_is_not_heard() {
    let mut stage = Stage::new();
    let sender = stage.peer();
    let producer = stage.produce(&sender, audio("0", Some(1000)));
    let id = observer(&mut stage);
    observe(&mut stage, id, producer);
    told(&mut stage, id);
    stage.call(PauseProducer { id: producer }).unwrap();
    talk(&mut stage, &sender, 1, 10);
    assert!(told(&mut stage, id).is_empty());
    stage.call(ResumeProducer { id: producer }).unwrap();
    talk(&mut stage, &sender, 26, 10);
    assert_eq!(volumes(&told(&mut stage, id)), [-10, -10]);
}

#[test]
fn a_producer_that_moves_is_heard_again_when_it_is_back() {
    let mut stage = Stage::new();
    let sender = stage.peer();
    let producer = stage.produce(&sender, audio("0", Some(1000)));
    let id = observer(&mut stage);
    observe(&mut stage, id, producer);
    talk(&mut stage, &sender, 1, 10);
    assert!(volumes(&told(&mut stage, id)).contains(&-10));
    let (now, router) = (stage.now, stage.router);
    let elsewhere = stage.create_router();
    let state = stage.worker.take_transport(now, sender.id).unwrap();
    assert!(stage.worker.put_transport(now, elsewhere, state).is_ok());
    stage.drain();
    talk(&mut stage, &sender, 26, 10);
    assert_eq!(volumes(&told(&mut stage, id)), [1], "it is elsewhere");
    let state = stage.worker.take_transport(stage.now, sender.id).unwrap();
    assert!(stage.worker.put_transport(stage.now, router, state).is_ok());
    stage.drain();
    talk(&mut stage, &sender, 51, 20);
    assert_eq!(volumes(&told(&mut stage, id)), [-20, -20]);
}

#[test]
fn what_closes_leaves_nothing_behind() {
    let mut stage = Stage::new();
    let sender = stage.peer();
    let producer = stage.produce(&sender, audio("0", Some(1000)));
    let ids = [observer(&mut stage), observer(&mut stage)];
    ids.iter().for_each(|id| observe(&mut stage, *id, producer));
    stage.call(Close { ids: vec![ids[0].into()] }).unwrap();
    stage.events.clear();
    talk(&mut stage, &sender, 1, 10);
    assert!(stage.events.iter().all(|event| event.subject() != ids[0].into()));
    // A Producer that closes is no longer listened to, and silence is told, and then nobody is woken any more.
    stage.call(Close { ids: vec![producer.into()] }).unwrap();
    let removed = Event::RtpObserverProducerRemoved { id: ids[1], producer };
    assert!(stage.events.contains(&removed));
    told(&mut stage, ids[1]);
    stage.ms(1000);
    assert_eq!(told(&mut stage, ids[1]), [Event::Silence { id: ids[1] }]);
    // A Router takes them along.
    let router = ObjectId::from(stage.router);
    stage.call(Close { ids: vec![router] }).unwrap();
    assert_eq!(
        told(&mut stage, ids[1]),
        [Event::Closed { id: ids[1].into(), cause: CloseCause::RouterClosed }]
    );
    assert!(stage.worker.observers.is_empty());
    stage.ms(5000);
}

#[test]
fn so_many_may_listen_to_one() {
    let mut stage = Stage::new();
    let sender = stage.peer();
    let producer = stage.produce(&sender, audio("0", Some(1000)));
    for _ in 0..OBSERVERS_PER_PRODUCER_MAX {
        let id = observer(&mut stage);
        observe(&mut stage, id, producer);
    }
    let id = observer(&mut stage);
    let refusal = stage.call(AddObservedProducer { id, producer }).unwrap_err();
    assert_eq!((refusal.code, refusal.subject), (ErrorCode::Overloaded, Some(producer.into())));
    let router = stage.router;
    let again = stage.call(CreateActiveSpeakerObserver { id, router, interval: 300 }).unwrap_err();
    assert_eq!(again.code, ErrorCode::AlreadyExists, "ids are unique among all kinds");
}

#[test]
fn who_speaks_is_told_and_who_follows_when_it_closes() {
    let mut stage = Stage::new();
    let peers = [stage.peer(), stage.peer()];
    let producers = peers.each_ref().map(|peer| stage.produce(peer, audio("0", Some(1000))));
    let (id, router) = (RtpObserverId::new(), stage.router);
    stage.call(CreateActiveSpeakerObserver { id, router, interval: 300 }).unwrap();
    producers.iter().for_each(|producer| observe(&mut stage, id, *producer));
    let dominant = |stage: &mut Stage| -> Vec<ProducerId> {
        let of = |event: Event| match event {
            Event::DominantSpeaker { producer, .. } => Some(producer),
            _ => None,
        };
        told(stage, id).into_iter().filter_map(of).collect()
    };
    stage.ms(300);
    let first = dominant(&mut stage);
    let (speaks, listens) = if first == [producers[0]] { (1, 0) } else { (0, 1) };
    talk(&mut stage, &peers[speaks], 1, 110);
    talk(&mut stage, &peers[speaks], 26, 20);
    talk(&mut stage, &peers[speaks], 51, 20);
    assert_eq!(dominant(&mut stage), [producers[speaks]]);
    stage.call(Close { ids: vec![producers[speaks].into()] }).unwrap();
    assert_eq!(dominant(&mut stage), [producers[listens]], "at once");
}

#[test]
fn what_packets_say_goes_on_to_who_receives_them() {
    let mut stage = Stage::new();
    let (sender, mut receiver) = (stage.peer(), stage.peer());
    for parameters in [audio("0", Some(1000)), video("1", Some(2000))] {
        let producer = stage.produce(&sender, parameters);
        stage.consume(&receiver, producer, false);
    }
    let sound = Packet { audio_level: Some(37), ..Packet::sound(1000, 1) };
    let picture = Packet { orientation: Some(0x0e), ..Packet::key_frame(2000, 1) };
    stage.datagrams(sender.send(&[sound, picture]));
    let sent = stage.take_sent(&receiver);
    let mut said: Vec<_> = receiver.media(sent).iter().map(|it| (it.audio_level, it.orientation)).collect();
    said.sort_unstable();
    assert_eq!(said, [(None, Some(0x0e)), (Some(37), None)]);
}

#[test]
fn how_a_picture_lies_is_told_when_it_changes() {
    let mut stage = Stage::new();
    let (sender, talker) = (stage.peer(), stage.peer());
    let producer = stage.produce(&sender, video("0", Some(1000)));
    stage.produce(&talker, audio("0", Some(1000)));
    let send = |stage: &mut Stage, index, orientation| {
        let packet = Packet { orientation, ..Packet::frame(1000, index) };
        stage.datagrams(sender.send(&[packet]));
        let of = |event: Event| match event {
            Event::ProducerVideoOrientationChanged { id, orientation } if id == producer => Some(orientation),
            _ => None,
        };
        std::mem::take(&mut stage.events).into_iter().filter_map(of).collect::<Vec<_>>()
    };
    let turned = |camera, flip, rotation| ProducerVideoOrientation { camera, flip, rotation };
    assert!(send(&mut stage, 1, None).is_empty());
    assert_eq!(send(&mut stage, 2, Some(0)), [turned(false, false, Rotation::None)], "the first time");
    assert!(send(&mut stage, 3, Some(0)).is_empty() && send(&mut stage, 4, None).is_empty());
    assert_eq!(send(&mut stage, 6, Some(0x0d)), [turned(true, true, Rotation::Clockwise)]);
    assert!(send(&mut stage, 5, Some(0)).is_empty(), "it came late: it lies otherwise by now");
    assert!(send(&mut stage, 7, Some(0xfd)).is_empty(), "reserved bits say nothing");
    assert_eq!(send(&mut stage, 8, Some(2)), [turned(false, false, Rotation::Rotate180)]);
    stage.call(PauseProducer { id: producer }).unwrap();
    assert!(send(&mut stage, 9, Some(3)).is_empty());
    stage.call(ResumeProducer { id: producer }).unwrap();
    assert_eq!(send(&mut stage, 10, Some(3)), [turned(false, false, Rotation::CounterClockwise)]);
    // Sound lies nowhere.
    let packet = Packet { orientation: Some(1), ..Packet::sound(1000, 1) };
    stage.datagrams(talker.send(&[packet]));
    let is_turn = |event: &Event| matches!(event, Event::ProducerVideoOrientationChanged { .. });
    assert!(!stage.events.iter().any(is_turn));
}

#[test]
fn a_picture_that_turns_to_and_fro_is_told_once_in_a_turn() {
    let mut stage = Stage::new();
    let sender = stage.peer();
    let producer = stage.produce(&sender, video("0", Some(1000)));
    let turning = |from: u64, orientations: [u8; 2]| {
        let orientation = move |index: u64| Some(orientations[(index % 2) as usize]);
        let packets: Vec<_> = (from..from + 100)
            .map(|index| Packet { orientation: orientation(index), ..Packet::frame(1000, index) })
            .collect();
        sender.send(&packets)
    };
    let told = |stage: &mut Stage| {
        let events = std::mem::take(&mut stage.events).into_iter();
        let is_turn = |event: &Event| matches!(event, Event::ProducerVideoOrientationChanged { id, .. } if *id == producer);
        events.filter(is_turn).count()
    };
    stage.datagrams(turning(1, [0, 1]));
    assert_eq!(told(&mut stage), 1);
    // It ends as it was told to lie.
    stage.datagrams(turning(101, [0, 1]));
    assert_eq!(told(&mut stage), 0);
}
