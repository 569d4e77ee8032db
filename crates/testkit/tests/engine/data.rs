//! Messages between applications: who gets them, in which order, and what becomes of those that don't fit.

use mafalda_api::id::{DataConsumerId, DataProducerId, ObjectId, RouterId, TransportId};
use mafalda_api::types::data_structures::WebRtcMessage;
use mafalda_api::waist::{
    AddSubchannel, Audience, Close, CloseCause, ConsumeData, CreateDirectTransport, DataMessage, DumpRouter,
    ErrorCode, Event, GetBufferedAmount, GetDataConsumerStats, GetDataProducerStats, Ingress,
    PauseDataConsumer, PauseDataProducer, ProduceData, RemoveSubchannel, ResumeDataConsumer,
    ResumeDataProducer, SetSubchannels,
};
use mafalda_media::worker::{DropReason, Input};
use mafalda_testkit::World;

struct Scene {
    world: World,
    router: RouterId,
    transport: TransportId,
    producer: DataProducerId,
}

fn text(text: &str) -> DataMessage {
    WebRtcMessage::String(text.as_bytes().into()).into()
}

fn large(bytes: usize) -> DataMessage {
    WebRtcMessage::Binary(vec![1; bytes].into()).into()
}

impl Scene {
    fn new() -> Self {
        let mut world = World::new(1);
        let router = world.create_router();
        let transport = world.create_direct(router);
        let producer = DataProducerId::new();
        world.call(produce(producer, transport)).expect("a DataProducer");
        Self { world, router, transport, producer }
    }

    fn consume(&mut self, transport: TransportId, subchannels: &[u16]) -> DataConsumerId {
        let id = DataConsumerId::new();
        let (data_producer, subchannels) = (self.producer, subchannels.to_vec());
        let consume = ConsumeData { id, transport, data_producer, subchannels, paused: false };
        self.world.call(consume).expect("a DataConsumer");
        id
    }

    fn send_to(&mut self, message: DataMessage, audience: Audience) {
        let (transport, data_producer) = (self.transport, self.producer);
        self.world.send_direct(transport, [Ingress::Message { data_producer, message, audience }]);
    }

    fn send(&mut self, message: DataMessage) {
        self.send_to(message, Audience::default());
    }

    /// Who got something, in order.
    fn receivers(&mut self) -> Vec<DataConsumerId> {
        self.world.take_messages().into_iter().map(|(consumer, _)| consumer).collect()
    }
}

fn produce(id: DataProducerId, transport: TransportId) -> ProduceData {
    ProduceData { id, transport, label: "chat".into(), protocol: "lines".into(), paused: false }
}

#[test]
fn messages_reach_all_in_order_in_whichever_transport_they_are() {
    let mut scene = Scene::new();
    let other = scene.world.create_direct(scene.router);
    let consumers = [scene.consume(scene.transport, &[]), scene.consume(other, &[])];
    (0..50).for_each(|number: u32| scene.send(text(&number.to_string())));
    let messages = scene.world.take_messages();
    for consumer in consumers {
        let got = messages.iter().filter(|(of, _)| *of == consumer).map(|(_, message)| message.clone());
        assert!(got.eq((0..50).map(|number: u32| text(&number.to_string()))));
    }
    let stats = scene.world.call(GetDataProducerStats { id: scene.producer }).expect("statistics");
    assert_eq!((stats[0].messages_received, stats[0].bytes_received), (50, 10 + 80));
    assert_eq!((&*stats[0].label, &*stats[0].protocol), ("chat", "lines"));
    let stats = scene.world.call(GetDataConsumerStats { id: consumers[1] }).expect("statistics");
    assert_eq!((stats[0].messages_sent, stats[0].bytes_sent, stats[0].messages_lost), (50, 90, 0));
}

#[test]
fn all_who_get_a_message_share_its_bytes() {
    let mut scene = Scene::new();
    for _ in 0..3 {
        scene.consume(scene.transport, &[]);
    }
    scene.send(large(100_000));
    let messages = scene.world.take_messages();
    let [(_, first), (_, second), (_, third)] = &messages[..] else { panic!("three messages") };
    assert!(std::sync::Arc::ptr_eq(&first.payload, &second.payload));
    assert!(std::sync::Arc::ptr_eq(&first.payload, &third.payload));
}

#[test]
fn who_has_subscribed_gets_it() {
    let mut scene = Scene::new();
    let transport = scene.transport;
    let (none, one, both) =
        (scene.consume(transport, &[]), scene.consume(transport, &[1]), scene.consume(transport, &[2, 1, 2]));
    let mut reached = |subchannels: &[u16], required, ignored| {
        scene.send_to(text("x"), Audience { subchannels: subchannels.into(), required, ignored });
        scene.receivers()
    };
    assert_eq!(reached(&[], None, None), [none, one, both]);
    assert_eq!(reached(&[1], None, None), [one, both]);
    assert_eq!(reached(&[1, 7], Some(2), None), [both]);
    assert_eq!(reached(&[], None, Some(2)), [none, one]);
    assert!(reached(&[7], None, None).is_empty());

    let id = none;
    scene.world.call(AddSubchannel { id, subchannel: 9 }).expect("subscribed");
    scene.world.call(AddSubchannel { id, subchannel: 9 }).expect("twice is no error");
    scene.world.call(SetSubchannels { id: both, subchannels: vec![5, 9, 5] }).expect("subscribed");
    scene.world.call(RemoveSubchannel { id: both, subchannel: 9 }).expect("no longer");
    scene.world.call(RemoveSubchannel { id: both, subchannel: 77 }).expect("it had not: no error");
    scene.send_to(text("x"), Audience { subchannels: vec![9], ..Audience::default() });
    assert_eq!(scene.receivers(), [none]);
    scene.send_to(text("x"), Audience { required: Some(5), ..Audience::default() });
    assert_eq!(scene.receivers(), [both]);
}

#[test]
fn who_pauses_misses_what_is_sent_meanwhile() {
    let mut scene = Scene::new();
    let (paused, other) = (scene.consume(scene.transport, &[]), scene.consume(scene.transport, &[]));
    scene.world.call(PauseDataConsumer { id: paused }).expect("paused");
    scene.send(text("x"));
    assert_eq!(scene.receivers(), [other]);
    scene.world.call(ResumeDataConsumer { id: paused }).expect("resumed");
    scene.world.call(PauseDataProducer { id: scene.producer }).expect("paused");
    scene.send(text("x"));
    assert!(scene.receivers().is_empty());
    let stats = scene.world.call(GetDataProducerStats { id: scene.producer }).expect("statistics");
    assert_eq!(stats[0].messages_received, 2, "it came, and went nowhere");
    let late = scene.consume(scene.transport, &[]);
    let events: Vec<_> = scene.world.events_of(other).map(|(_, event)| event.clone()).collect();
    assert!(matches!(events.last(), Some(Event::DataConsumerDataProducerPaused { .. })), "{events:?}");
    scene.world.call(ResumeDataProducer { id: scene.producer }).expect("resumed");
    scene.send(text("x"));
    assert_eq!(scene.receivers(), [paused, other, late]);
}

#[test]
fn what_is_larger_than_a_transport_takes_or_sends_is_dropped_and_counted() {
    let mut scene = Scene::new();
    let narrow = TransportId::new();
    let create = CreateDirectTransport {
        id: narrow,
        router: scene.router,
        max_send_message_size: 10,
        max_receive_message_size: 20,
    };
    scene.world.call(create).expect("a DirectTransport");
    let (wide, few) = (scene.consume(scene.transport, &[]), scene.consume(narrow, &[]));
    let worker = scene.world.worker();
    scene.send(large(10));
    assert_eq!(scene.receivers(), [wide, few]);
    scene.send(large(11));
    assert_eq!(scene.receivers(), [wide]);
    let stats = scene.world.call(GetDataConsumerStats { id: few }).expect("statistics");
    assert_eq!((stats[0].messages_sent, stats[0].messages_lost), (1, 1));
    assert_eq!(scene.world.drops(worker).get(DropReason::MessageTooLarge), 1);

    scene.send(large(262_144));
    assert_eq!(scene.receivers(), [wide]);
    scene.send(large(262_145));
    assert!(scene.receivers().is_empty());
    let stats = scene.world.call(GetDataProducerStats { id: scene.producer }).expect("statistics");
    assert_eq!(stats[0].messages_received, 3);
    assert_eq!(scene.world.drops(worker).get(DropReason::MessageTooLarge), 3);
}

#[test]
fn what_the_application_did_not_take_is_not_counted_as_sent() {
    let mut scene = Scene::new();
    let consumer = scene.consume(scene.transport, &[]);
    scene.send(large(7));
    scene.send(large(5));
    scene.world.give(scene.transport, Input::MessageLost { data_consumer: consumer, bytes: 5 });
    let gone = DataConsumerId::new();
    scene.world.give(scene.transport, Input::MessageLost { data_consumer: gone, bytes: 5 });
    let stats = scene.world.call(GetDataConsumerStats { id: consumer }).expect("statistics");
    assert_eq!((stats[0].messages_sent, stats[0].bytes_sent, stats[0].messages_lost), (1, 7, 1));
}

#[test]
fn a_transport_sends_for_its_own_data_producers_alone() {
    let mut scene = Scene::new();
    scene.consume(scene.transport, &[]);
    let other = scene.world.create_direct(scene.router);
    let worker = scene.world.worker();
    for (data_producer, transport) in [(scene.producer, other), (DataProducerId::new(), scene.transport)] {
        let ingress = Ingress::Message { data_producer, message: text("x"), audience: Audience::default() };
        scene.world.send_direct(transport, [ingress]);
    }
    assert!(scene.receivers().is_empty());
    assert_eq!(scene.world.drops(worker).get(DropReason::UnknownSource), 2);
}

#[test]
fn wrong_calls_fail_and_leave_nothing_behind() {
    let mut scene = Scene::new();
    let consumer = scene.consume(scene.transport, &[]);
    let plain = World::transport_options(scene.router);
    let webrtc = plain.id;
    scene.world.call(plain).expect("a Transport");
    let new = DataProducerId::new;
    let missing = ConsumeData {
        id: DataConsumerId::new(),
        transport: scene.transport,
        data_producer: new(),
        subchannels: Vec::new(),
        paused: false,
    };
    let on_webrtc = ConsumeData {
        id: DataConsumerId::new(),
        transport: webrtc,
        data_producer: scene.producer,
        ..missing.clone()
    };
    let twice = ConsumeData { id: consumer, data_producer: scene.producer, ..missing.clone() };
    let long = ProduceData { label: "x".repeat(65_536), ..produce(new(), scene.transport) };
    let nowhere = produce(new(), TransportId::new());
    let code = |result: Result<_, mafalda_api::waist::Failure>| result.expect_err("it is wrong").code;
    let world = &mut scene.world;
    assert_eq!(code(world.call(produce(scene.producer, scene.transport))), ErrorCode::AlreadyExists);
    assert_eq!(code(world.call(produce(new(), webrtc))), ErrorCode::Unsupported);
    assert_eq!(code(world.call(long)), ErrorCode::InvalidArgument);
    assert_eq!(code(world.call(nowhere)), ErrorCode::NotFound);
    assert_eq!(code(world.call(missing)), ErrorCode::NotFound);
    assert_eq!(code(world.call(on_webrtc)), ErrorCode::Unsupported);
    assert_eq!(code(world.call(twice)), ErrorCode::AlreadyExists);
    let gone = DataConsumerId::new();
    assert_eq!(code(world.call(PauseDataConsumer { id: gone })), ErrorCode::NotFound);
    assert_eq!(code(world.call(PauseDataProducer { id: new() })), ErrorCode::NotFound);
    assert_eq!(code(world.call(AddSubchannel { id: gone, subchannel: 1 })), ErrorCode::NotFound);
    let failure = world.call(GetBufferedAmount { id: gone }).expect_err("it is not there");
    assert_eq!(failure.code, ErrorCode::NotFound);
    let dump = world.call(DumpRouter { id: scene.router }).expect("a dump");
    assert_eq!(dump.map_data_consumer_id_data_producer_id.len(), 1);
    assert_eq!(dump.map_data_producer_id_data_consumer_ids.len(), 1);
}

#[test]
fn a_transport_has_room_for_so_many() {
    let mut scene = Scene::new();
    let made =
        (0..5000).filter(|_| scene.world.call(produce(DataProducerId::new(), scene.transport)).is_ok());
    assert_eq!(made.count(), 4095, "the one that was there counts");
    let consume = ConsumeData {
        id: DataConsumerId::new(),
        transport: scene.transport,
        data_producer: scene.producer,
        subchannels: Vec::new(),
        paused: false,
    };
    assert_eq!(scene.world.call(consume).expect_err("it is full").code, ErrorCode::Overloaded);
}

#[test]
fn what_closes_takes_along_what_hangs_on_it() {
    let mut scene = Scene::new();
    let other = scene.world.create_direct(scene.router);
    let (here, there) = (scene.consume(scene.transport, &[]), scene.consume(other, &[]));
    let single = scene.consume(other, &[]);
    scene.world.call(Close { ids: vec![single.into()] }).expect("closed");
    scene.send(text("x"));
    assert_eq!(scene.receivers(), [here, there]);
    scene.world.call(Close { ids: vec![scene.transport.into()] }).expect("closed");
    let cause_of = |world: &World, id: ObjectId| {
        let Some((_, Event::Closed { cause, .. })) = world.events_of(id).last() else {
            panic!("{id} is open")
        };
        cause.clone()
    };
    assert_eq!(cause_of(&scene.world, scene.producer.into()), CloseCause::TransportClosed);
    assert_eq!(cause_of(&scene.world, here.into()), CloseCause::DataProducerClosed);
    assert_eq!(cause_of(&scene.world, there.into()), CloseCause::DataProducerClosed);
    assert_eq!(cause_of(&scene.world, single.into()), CloseCause::Requested);
    let dump = scene.world.call(DumpRouter { id: scene.router }).expect("a dump");
    assert!(dump.map_data_consumer_id_data_producer_id.is_empty());

    // Ids are free again, and a Router takes all along.
    scene.world.call(produce(scene.producer, other)).expect("a DataProducer");
    scene.transport = other;
    let last = scene.consume(other, &[]);
    scene.world.call(Close { ids: vec![scene.router.into()] }).expect("closed");
    assert_eq!(cause_of(&scene.world, last.into()), CloseCause::TransportClosed);
    let failure = scene.world.call(PauseDataConsumer { id: last }).expect_err("it is gone");
    assert_eq!(failure.code, ErrorCode::NotFound);
}
