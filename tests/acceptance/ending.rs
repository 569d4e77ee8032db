//! Ends of objects that have others in them: who hears what, in which order, and what can still be asked of what is closed.

use std::sync::mpsc::SyncSender;

use mafalda_api::plain_transport::PlainTransport;
use mafalda_api::prelude::*;
use mafalda_api::waist::ErrorCode;
use mafalda_api::webrtc_server::WebRtcServer;
use mafalda_api::worker_manager::WorkerManager;

use crate::fixture::{Calls, calls, closed, on_each_backend};
use crate::parameters;
use crate::scene::{self, Scene, listen_info};

on_each_backend! {
    a_workers_end_is_told_from_the_top_down,
    a_routers_end_is_told_from_the_top_down,
    a_transports_end_is_told_to_what_lives_in_it_and_hangs_on_that,
    a_server_takes_its_transport_along_whatever_is_in_it,
    the_end_of_what_has_ended_is_told_at_once,
    nothing_can_be_asked_of_what_is_closed,
    nothing_can_be_made_in_what_is_closed,
    closing_twice_is_closing_once,
}

/// One object of each kind, each end of which is told.
struct House {
    scene: Scene,
    server: WebRtcServer,
    served: WebRtcTransport,
    plain: PlainTransport,
    producer: Producer,
    consumer: Consumer,
    told: Calls<&'static str>,
}

impl House {
    async fn new(manager: &WorkerManager) -> Self {
        let scene = Scene::new(manager).await;
        let infos = WebRtcServerListenInfos::new(listen_info(Protocol::Udp));
        let server = scene.worker.create_webrtc_server(WebRtcServerOptions::new(infos)).await;
        let server = server.expect("a WebRtcServer");
        let options = WebRtcTransportOptions::new_with_server(server.clone());
        let served = scene.router.create_webrtc_transport(options).await.expect("a WebRtcTransport");
        let options = PlainTransportOptions::new(listen_info(Protocol::Udp));
        let plain = scene.router.create_plain_transport(options).await.expect("a PlainTransport");
        let producer = scene::produce(&served, MediaKind::Audio, parameters::audio()).await;
        let consumer = ConsumerOptions::new(producer.id(), parameters::client_capabilities());
        let consumer = plain.consume(consumer).await.expect("a Consumer");
        let (send, told) = calls();
        let house = Self { scene, server, served, plain, producer, consumer, told };
        house.listen(&send);
        house
    }

    fn listen(&self, send: &SyncSender<&'static str>) {
        let tell = |what: &'static str| {
            let send = send.clone();
            move || send.send(what).expect("the body waits")
        };
        self.scene.worker.on_close(tell("worker")).detach();
        self.server.on_worker_close(tell("server, by its worker")).detach();
        self.server.on_close(tell("server")).detach();
        self.scene.router.on_worker_close(tell("router, by its worker")).detach();
        self.scene.router.on_close(tell("router")).detach();
        self.served.on_router_close(Box::new(tell("served, by its router"))).detach();
        self.served.on_webrtc_server_close(Box::new(tell("served, by its server"))).detach();
        self.served.on_close(Box::new(tell("served"))).detach();
        self.plain.on_router_close(Box::new(tell("plain, by its router"))).detach();
        self.plain.on_close(Box::new(tell("plain"))).detach();
        self.producer.on_transport_close(tell("producer, by its transport")).detach();
        self.producer.on_close(tell("producer")).detach();
        self.consumer.on_producer_close(tell("consumer, by its producer")).detach();
        self.consumer.on_transport_close(tell("consumer, by its transport")).detach();
        self.consumer.on_close(tell("consumer")).detach();
    }

    /// So much that is told, and no more.
    fn story(&self, count: usize) -> Vec<&'static str> {
        let story = (0..count).map(|_| self.told.next()).collect();
        assert!(self.told.is_empty(), "{story:?}");
        story
    }
}

/// Where in a story something is told.
fn place(story: &[&str], what: &str) -> usize {
    let mut places = story.iter().enumerate().filter(|(_, told)| **told == what).map(|(at, _)| at);
    let place = places.next().unwrap_or_else(|| panic!("{what} is not told: {story:?}"));
    assert_eq!(places.next(), None, "{what} is told twice: {story:?}");
    place
}

/// That these are told in this order, whatever is told between them.
fn in_order(story: &[&str], order: &[&str]) {
    let places: Vec<_> = order.iter().map(|what| place(story, what)).collect();
    assert!(places.is_sorted(), "{story:?} is not in the order {order:?}");
}

async fn a_workers_end_is_told_from_the_top_down(manager: &WorkerManager) {
    let house = House::new(manager).await;
    house.scene.worker.close();
    let story = house.story(13);
    in_order(&story, &["worker", "server, by its worker", "server"]);
    in_order(&story, &["worker", "router, by its worker", "router"]);
    in_order(
        &story,
        &["router", "served, by its router", "served", "producer, by its transport", "producer"],
    );
    in_order(&story, &["router", "plain, by its router", "plain"]);
    // It hangs on two that end: the first one that it hears of is its cause.
    let by_producer = story.contains(&"consumer, by its producer");
    let cause = if by_producer { "consumer, by its producer" } else { "consumer, by its transport" };
    let parent = if by_producer { "producer" } else { "plain" };
    in_order(&story, &[parent, cause, "consumer"]);
}

async fn a_routers_end_is_told_from_the_top_down(manager: &WorkerManager) {
    let house = House::new(manager).await;
    house.scene.router.close();
    let story = house.story(9);
    in_order(
        &story,
        &["router", "served, by its router", "served", "producer, by its transport", "producer"],
    );
    in_order(&story, &["router", "plain, by its router", "plain", "consumer"]);
    assert!(!house.scene.worker.closed() && !house.server.closed());
}

async fn a_transports_end_is_told_to_what_lives_in_it_and_hangs_on_that(manager: &WorkerManager) {
    let house = House::new(manager).await;
    house.served.close();
    assert_eq!(
        house.story(5),
        ["served", "producer, by its transport", "producer", "consumer, by its producer", "consumer"]
    );
    assert!(!house.plain.closed(), "the Consumer's Transport stays");
    // The other way round: a Consumer hears of its own Transport.
    let house = House::new(manager).await;
    house.plain.close();
    assert_eq!(house.story(3), ["plain", "consumer, by its transport", "consumer"]);
    assert!(!house.producer.closed());
}

async fn a_server_takes_its_transport_along_whatever_is_in_it(manager: &WorkerManager) {
    let house = House::new(manager).await;
    house.server.close();
    assert_eq!(
        house.story(7),
        [
            "server",
            "served, by its server",
            "served",
            "producer, by its transport",
            "producer",
            "consumer, by its producer",
            "consumer"
        ]
    );
    assert!(!house.scene.router.closed() && !house.plain.closed());
}

async fn the_end_of_what_has_ended_is_told_at_once(manager: &WorkerManager) {
    let house = House::new(manager).await;
    house.scene.worker.close();
    house.story(13);
    // One object after the other: each call back comes on this thread, before `on_close` returns.
    let (send, told) = calls();
    let tell = || {
        let send = send.clone();
        move || send.send(std::thread::current().id()).expect("the body waits")
    };
    let handlers = [
        house.scene.worker.on_close(tell()),
        house.server.on_close(tell()),
        house.scene.router.on_close(tell()),
        house.served.on_close(Box::new(tell())),
        house.plain.on_close(Box::new(tell())),
        house.producer.on_close(tell()),
        house.consumer.on_close(tell()),
    ];
    for _ in handlers {
        assert_eq!(told.next(), std::thread::current().id());
    }
    assert!(told.is_empty());
}

async fn nothing_can_be_asked_of_what_is_closed(manager: &WorkerManager) {
    let House { scene, server, served, plain, producer, consumer, .. } = House::new(manager).await;
    let here = parameters::dtls_parameters("client");
    scene.worker.close();
    closed!(consumer);
    let refusals = [
        scene.worker.dump().await.err(),
        server.dump().await.err(),
        scene.router.dump().await.err(),
        served.dump().await.err(),
        served.get_stats().await.err(),
        served.connect(WebRtcTransportRemoteParameters { dtls_parameters: here }).await.err(),
        served.restart_ice().await.err(),
        served.set_max_incoming_bitrate(1).await.err(),
        plain.dump().await.err(),
        plain.get_stats().await.err(),
        plain.connect(PlainTransportRemoteParameters::default()).await.err(),
        plain.set_max_incoming_bitrate(1).await.err(),
        producer.dump().await.err(),
        producer.get_stats().await.err(),
        producer.pause().await.err(),
        producer.resume().await.err(),
        consumer.dump().await.err(),
        consumer.get_stats().await.err(),
        consumer.pause().await.err(),
        consumer.resume().await.err(),
        consumer.request_key_frame().await.err(),
    ];
    for (at, refusal) in refusals.iter().enumerate() {
        assert_eq!(refusal.as_ref().map(RequestError::code), Some(ErrorCode::NotFound), "the call {at}");
    }
    // What was known of it still is.
    assert_eq!(producer.rtp_parameters().mid.as_deref(), Some("AUDIO"));
    assert_eq!((consumer.producer_id(), consumer.kind()), (producer.id(), MediaKind::Audio));
    assert!(!served.ice_candidates().is_empty());
}

async fn nothing_can_be_made_in_what_is_closed(manager: &WorkerManager) {
    let House { scene, server, served, plain, producer, consumer, .. } = House::new(manager).await;
    let router = scene::router(&scene.worker).await;
    let stays = scene::transport(&router).await;
    scene.router.close();
    closed!(consumer);
    let infos = WebRtcTransportListenInfos::new(listen_info(Protocol::Udp));
    let error = scene.router.create_webrtc_transport(WebRtcTransportOptions::new(infos)).await;
    assert_eq!(error.expect_err("it is closed").code(), ErrorCode::NotFound);
    let options = PlainTransportOptions::new(listen_info(Protocol::Udp));
    let error = scene.router.create_plain_transport(options).await.expect_err("it is closed");
    assert_eq!(error.code(), ErrorCode::NotFound);
    for transport in [&served as &dyn Transport, &plain] {
        let options = ProducerOptions::new(MediaKind::Audio, parameters::audio());
        let error = transport.produce(options).await.expect_err("it is closed");
        assert!(matches!(error, ProduceError::Request(RequestError::NotFound { .. })), "{error:?}");
        let options = ConsumerOptions::new(producer.id(), parameters::client_capabilities());
        let error = transport.consume(options).await.expect_err("it is closed");
        assert_eq!(error.code(), ErrorCode::NotFound, "{error:?}");
    }
    // A Producer that is closed can't be consumed where all else is there.
    let options = ConsumerOptions::new(producer.id(), parameters::client_capabilities());
    let error = stays.consume(options).await.expect_err("its Producer is closed");
    assert_eq!(error, ConsumeError::ProducerNotFound(producer.id()));
    assert!(!scene.router.can_consume(&producer.id(), &parameters::client_capabilities()));
    server.close();
    let error = router.create_webrtc_transport(WebRtcTransportOptions::new_with_server(server)).await;
    assert_eq!(error.expect_err("its server is closed").code(), ErrorCode::NotFound);
    scene.worker.close();
    let error = scene.worker.create_router(RouterOptions::default()).await.expect_err("it is closed");
    assert!(matches!(error, CreateRouterError::Request(RequestError::NotFound { .. })), "{error:?}");
}

async fn closing_twice_is_closing_once(manager: &WorkerManager) {
    let house = House::new(manager).await;
    house.producer.close();
    house.producer.close();
    assert_eq!(house.story(3), ["producer", "consumer, by its producer", "consumer"]);
    // It is closed already, as everybody in this process knows by now.
    house.consumer.close();
    house.scene.router.dump().await.expect("its siblings go on");
    assert!(house.told.is_empty());
}
