//! What is sent goes to the port of the Transport, what comes out of it to the callbacks.

use std::sync::Arc;

use mafalda_api::consumer::Consumer;
use mafalda_api::prelude::*;
use mafalda_api::producer::Producer;
use mafalda_api::waist::{Egress, Ingress, Packets};

use crate::fake::FakePort;
use crate::rig::{Lines, Rig, capabilities, producer_options};

const RTP: [u8; 13] = [0x80, 100, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 42];
const RTCP: [u8; 8] = [0x80, 201, 0, 1, 0, 0, 0, 9];

struct Scene {
    rig: Rig,
    transport: DirectTransport,
    port: Arc<FakePort>,
}

impl Scene {
    fn new() -> Self {
        let mut rig = Rig::new();
        let router = rig.router();
        let transport = rig.run(router.create_direct_transport(DirectTransportOptions::default())).unwrap();
        let port = rig.fake.port(transport.id());
        Self { rig, transport, port }
    }

    fn produce(&mut self) -> Producer {
        self.rig.run(self.transport.produce(producer_options())).unwrap()
    }

    fn consume(&mut self, producer: &Producer) -> Consumer {
        self.rig.run(self.transport.consume(ConsumerOptions::new(producer.id(), capabilities()))).unwrap()
    }
}

fn packets(bytes: &[u8], size: usize) -> Packets {
    Packets::new(bytes.to_vec(), size)
}

fn direct(producer: &Producer) -> &DirectProducer {
    let Producer::Direct(producer) = producer else { panic!("a Producer of a DirectTransport is direct") };
    producer
}

#[test]
fn a_producer_of_a_direct_transport_is_direct_wherever_it_comes_from() {
    let mut scene = Scene::new();
    let producer = scene.produce();
    direct(&producer);
    direct(&scene.rig.manager.find_producer(producer.id()).unwrap());
    direct(&producer.downgrade().upgrade().unwrap());
    let found = scene.rig.manager.find_direct_transport(scene.transport.id()).unwrap();
    assert_eq!(found.id(), scene.transport.downgrade().upgrade().unwrap().id());
    let regular = scene.rig.transport();
    assert!(scene.rig.manager.find_direct_transport(regular.id()).is_none());
    assert!(matches!(scene.rig.producer_on(&regular), Producer::Regular(_)));
}

#[test]
fn what_is_sent_reaches_the_port() {
    let mut scene = Scene::new();
    let producer = scene.produce();
    direct(&producer).send(RTP.to_vec()).unwrap();
    scene.transport.send_rtcp(RTCP.to_vec()).unwrap();
    assert_eq!(scene.port.take_sent(), [Ingress::Rtp(RTP.to_vec()), Ingress::Rtcp(RTCP.to_vec())]);
}

#[test]
fn what_can_not_be_sent_is_an_error() {
    let mut scene = Scene::new();
    let producer = scene.produce();
    let direct = direct(&producer);
    assert!(matches!(direct.send(RTCP.to_vec()), Err(NotificationError::Malformed(_))));
    assert!(matches!(scene.transport.send_rtcp(RTP.to_vec()), Err(NotificationError::Malformed(_))));
    assert!(matches!(
        direct.send(vec![0x80; 3000]),
        Err(NotificationError::TooLarge { len: 3000, max: 2048 })
    ));
    assert!(scene.port.take_sent().is_empty());

    (0..2).for_each(|_| direct.send(RTP.to_vec()).unwrap());
    assert_eq!(direct.send(RTP.to_vec()), Err(NotificationError::QueueFull));
    scene.port.end();
    assert_eq!(scene.transport.send_rtcp(RTCP.to_vec()), Err(NotificationError::ChannelClosed));
}

#[test]
fn a_closed_producer_sends_nothing() {
    let mut scene = Scene::new();
    let producer = scene.produce();
    producer.close();
    assert_eq!(direct(&producer).send(RTP.to_vec()), Err(NotificationError::ChannelClosed));
    scene.transport.send_rtcp(RTCP.to_vec()).unwrap();
    scene.transport.close();
    assert_eq!(scene.transport.send_rtcp(RTCP.to_vec()), Err(NotificationError::ChannelClosed));
}

#[test]
fn what_comes_out_reaches_the_callbacks_of_whose_it_is() {
    let mut scene = Scene::new();
    let producer = scene.produce();
    let (one, other) = (scene.consume(&producer), scene.consume(&producer));
    let lines = Lines::default();
    let line = |name: &str| {
        let (lines, name) = (lines.clone(), name.to_owned());
        move |packet: &[u8]| lines.add(format!("{name} {packet:?}"))
    };
    let _handlers =
        [one.on_rtp(line("one")), other.on_rtp(line("other")), scene.transport.on_rtcp(line("rtcp"))];
    let rtp = |consumer: &Consumer, packets| Egress::Rtp { consumer: consumer.id(), packets };
    scene.port.put(rtp(&one, packets(&[1, 2, 3], 2)));
    scene.rig.settle();
    assert_eq!(lines.take(), ["one [1, 2]", "one [3]"]);
    scene.port.put(Egress::Rtcp(packets(&RTCP, 8)));
    scene.port.put(rtp(&other, packets(&[4], 1)));
    scene.rig.settle();
    assert_eq!(lines.take(), [format!("rtcp {RTCP:?}"), "other [4]".into()]);
    one.close();
    scene.port.put(rtp(&one, packets(&[5], 1)));
    scene.rig.settle();
    assert!(lines.take().is_empty(), "a closed Consumer hears nothing");
}

#[test]
fn a_flood_lets_events_through() {
    let mut scene = Scene::new();
    let producer = scene.produce();
    let consumer = scene.consume(&producer);
    let lines = Lines::default();
    let packet = lines.adder("packet");
    let _handlers = [consumer.on_rtp(move |_| packet()), producer.on_pause(lines.adder("paused"))];
    for _ in 0..1000 {
        scene.port.put(Egress::Rtp { consumer: consumer.id(), packets: packets(&[1], 1) });
    }
    scene.rig.fake.happen(mafalda_api::waist::Event::ProducerPaused { id: producer.id() });
    scene.rig.settle();
    let lines = lines.take();
    assert_eq!(lines.len(), 1001);
    assert!(lines.iter().position(|line| line == "paused").unwrap() < 200);
}

#[test]
fn a_new_transport_is_told_as_what_it_is() {
    let mut rig = Rig::new();
    let router = rig.router();
    let lines = Lines::default();
    let told = lines.clone();
    let _handler = router.on_new_transport(move |transport| match transport {
        NewTransport::Direct(direct) => told.add(format!("direct, {}", direct.id() == transport.id())),
        other => told.add(format!("{other:?}")),
    });
    let _transport = rig.run(router.create_direct_transport(DirectTransportOptions::default())).unwrap();
    assert_eq!(lines.take(), ["direct, true"]);
}
