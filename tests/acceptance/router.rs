//! Routers: capabilities, what may be consumed, end.

use std::num::NonZeroU32;

use mafalda_api::ortc::RtpCapabilitiesError;
use mafalda_api::prelude::*;
use mafalda_api::router::UpdateMediaCodecsError;
use mafalda_api::subscription::Observed;
use mafalda_api::waist::Event;
use mafalda_api::worker_manager::WorkerManager;
use serde_json::json;

use crate::fixture::{calls, closed, on_each_backend};
use crate::parameters;
use crate::scene::{self, Scene};

on_each_backend! {
    a_created_router_has_its_codecs,
    unknown_codecs_are_refused,
    its_codecs_can_be_changed,
    wrong_codecs_change_nothing,
    it_says_who_can_consume,
    closing_closes_its_transports,
    dropping_the_last_handle_closes,
    weak_handles_and_ids_find_it,
}

async fn a_created_router_has_its_codecs(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let (send, created) = calls();
    let _handler = worker.on_new_router(move |router| send.send(router.id()).expect("the body waits"));
    let mut options = RouterOptions::new(parameters::media_codecs());
    options.labels.insert("room", "7");
    let router = worker.create_router(options).await.expect("a Router");
    assert_eq!(created.next(), router.id());
    assert_eq!(router.worker().id(), worker.id());
    assert_eq!(router.labels().get("room"), Some("7"));

    let told = router.rtp_capabilities();
    let codecs: Vec<_> =
        told.codecs.iter().map(|it| (it.mime_type().as_str(), it.preferred_payload_type())).collect();
    let expected = [
        ("audio/opus", 100),
        ("video/VP8", 101),
        ("video/rtx", 102),
        ("video/H264", 103),
        ("video/rtx", 104),
    ];
    assert_eq!(codecs, expected);
    assert!(!told.header_extensions.is_empty());

    let dump = router.dump().await.expect("a dump");
    assert_eq!(dump.id, router.id());
    assert!(dump.transport_ids.is_empty() && dump.map_producer_id_consumer_ids.is_empty());
    assert!(dump.map_consumer_id_producer_id.is_empty());
}

async fn unknown_codecs_are_refused(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let unknown = RtpCodecCapability::Video {
        mime_type: MimeTypeVideo::Unsupported,
        preferred_payload_type: None,
        clock_rate: NonZeroU32::new(90_000).expect("not zero"),
        parameters: RtpCodecParametersParameters::default(),
        rtcp_feedback: Vec::new(),
    };
    let error = worker.create_router(RouterOptions::new(vec![unknown])).await.expect_err("it is unknown");
    assert!(matches!(error, CreateRouterError::FailedRtpCapabilitiesGeneration(_)), "{error:?}");
    assert!(worker.dump().await.expect("a dump").router_ids.is_empty());
}

async fn its_codecs_can_be_changed(manager: &WorkerManager) {
    let mut scene = Scene::new(manager).await;
    let video = scene.video().await;
    let before = scene.router.rtp_capabilities();
    let mut events = scene.router.events();
    let codecs = parameters::parse(json!([
        { "kind": "audio", "mimeType": "audio/PCMU", "clockRate": 8000 },
        { "kind": "audio", "mimeType": "audio/opus", "clockRate": 48000, "channels": 2, "preferredPayloadType": 111 },
    ]));
    scene.router.update_media_codecs(codecs).expect("they are right");
    let told = scene.router.rtp_capabilities();
    let codecs: Vec<_> =
        told.codecs.iter().map(|it| (it.mime_type().as_str(), it.preferred_payload_type())).collect();
    assert_eq!(codecs, [("audio/PCMU", 0), ("audio/opus", 111)]);
    assert_eq!(told.header_extensions, before.header_extensions);

    // Without waiting for anything: calls that come later find the new codecs.
    let audio = scene.audio().await;
    assert_eq!(audio.consumable_rtp_parameters().codecs[0].payload_type(), 111);
    let refusal = scene.second.produce(ProducerOptions::new(MediaKind::Video, parameters::video())).await;
    assert!(matches!(refusal, Err(ProduceError::FailedRtpParametersMapping(_))), "{refusal:?}");

    // What was there before stays as it was.
    assert!(scene.router.can_consume(&video.id(), &parameters::client_capabilities()));
    let consumer = scene.consume(&video).await;
    assert_eq!(consumer.rtp_parameters().codecs[0].payload_type(), 101);

    let Some(Observed::Event(Event::RtpCapabilitiesChanged { id, rtp_capabilities })) = events.next().await
    else {
        panic!("nothing else happens to the Router");
    };
    assert_eq!((id, &*rtp_capabilities), (scene.router.id(), &told));
    let found = manager.find_router(scene.router.id()).expect("it is there");
    assert_eq!(found.rtp_capabilities(), told);
}

async fn wrong_codecs_change_nothing(manager: &WorkerManager) {
    let mut scene = Scene::new(manager).await;
    let before = scene.router.rtp_capabilities();
    let vp8 =
        json!({ "kind": "video", "mimeType": "video/VP8", "clockRate": 90000, "preferredPayloadType": 96 });
    for (codecs, cause) in [
        (
            json!([{ "kind": "video", "mimeType": "video/theora", "clockRate": 90000 }]),
            RtpCapabilitiesError::UnsupportedCodec { mime_type: MimeType::Video(MimeTypeVideo::Unsupported) },
        ),
        (json!([vp8, vp8]), RtpCapabilitiesError::DuplicatedPreferredPayloadType(96)),
    ] {
        let error = scene.router.update_media_codecs(parameters::parse(codecs)).expect_err("they are wrong");
        assert_eq!(error, UpdateMediaCodecsError::FailedRtpCapabilitiesGeneration(cause));
    }
    assert_eq!(scene.router.rtp_capabilities(), before);
    scene.video().await;
}

async fn it_says_who_can_consume(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let (audio, video) = (scene.audio().await, scene.video().await);
    let capabilities = parameters::client_capabilities();
    for producer in [&audio, &video] {
        assert!(scene.router.can_consume(&producer.id(), &capabilities));
        assert!(!scene.router.can_consume(&producer.id(), &parameters::other_capabilities()));
    }
    assert!(!scene.router.can_consume(&ProducerId::new(), &capabilities));
    let id = audio.id();
    drop(audio);
    scene.router.dump().await.expect("a dump");
    assert!(!scene.router.can_consume(&id, &capabilities), "it is gone");
}

async fn closing_closes_its_transports(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let (send, closed) = calls();
    let tell = |what: &'static str| {
        let send = send.clone();
        move || send.send(what).expect("the body waits")
    };
    scene.router.on_close(tell("router")).detach();
    scene.first.on_router_close(Box::new(tell("transport, by its router"))).detach();
    scene.first.on_close(Box::new(tell("transport"))).detach();
    scene.router.close();
    assert_eq!(closed.next(), "router");
    assert_eq!(closed.next(), "transport, by its router");
    assert_eq!(closed.next(), "transport");
    closed!(scene.second);
    assert!(!scene.worker.closed());
    assert!(scene.worker.dump().await.expect("a dump").router_ids.is_empty());
}

async fn dropping_the_last_handle_closes(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let router = scene::router(&worker).await;
    let (send, closed) = calls();
    router.on_close(move || send.send(()).expect("the body waits")).detach();
    drop(router);
    closed.next();
    assert!(worker.dump().await.expect("a dump").router_ids.is_empty());
}

async fn weak_handles_and_ids_find_it(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let router = scene::router(&worker).await;
    let weak = router.downgrade();
    assert_eq!(weak.upgrade().map(|router| router.id()), Some(router.id()));
    assert!(manager.find_router(router.id()).is_some_and(|found| found.is_owner()));
    assert!(manager.find_router(RouterId::new()).is_none());
    let id = router.id();
    drop(router);
    assert!(weak.upgrade().is_none());
    assert!(worker.dump().await.expect("a dump").router_ids.is_empty());
    assert!(manager.find_router(id).is_none());
}
