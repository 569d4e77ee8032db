//! Calls: what they leave in the mirror, what order they go out in, how they fail.

use std::io;

use mafalda_api::labels::{LABELS_BYTES_MAX, Labels};
use mafalda_api::prelude::*;
use mafalda_api::waist::ErrorCode;
use mafalda_api::worker::CreateWorkerError;

use crate::rig::{Rig, capabilities, opus, producer_options, transport_options};

#[test]
fn what_a_create_made_is_in_the_mirror_when_it_returns() {
    let mut rig = Rig::new();
    let transport = rig.transport();
    let producer = rig.producer_on(&transport);
    let consumer = rig.consumer_of(&producer, &transport);

    let router = transport.router();
    assert_eq!(router.rtp_capabilities().codecs.len(), 1);
    assert!(router.can_consume(&producer.id(), &capabilities()));
    assert!(!router.can_consume(&producer.id(), &RtpCapabilities::default()));
    assert!(!router.can_consume(&ProducerId::new(), &capabilities()));
    assert_eq!(consumer.producer_id(), producer.id());
    assert_eq!(producer.rtp_parameters().mid.as_deref(), Some("0"));
    assert_eq!(producer.consumable_rtp_parameters(), producer.rtp_parameters());
    assert_eq!(consumer.rtp_parameters(), producer.rtp_parameters());
    assert_eq!(consumer.transport().id(), transport.id());
    assert_eq!(rig.manager.find_consumer(consumer.id()).unwrap().id(), consumer.id());
    assert_eq!(rig.manager.workers().len(), 1);
}

#[test]
fn a_producer_of_another_router_can_not_be_consumed() {
    let mut rig = Rig::new();
    let transport = rig.transport();
    let producer = rig.producer_on(&transport);
    let other = rig.router();
    assert!(!other.can_consume(&producer.id(), &capabilities()));
}

#[test]
fn a_call_returns_when_the_mirror_shows_its_outcome_and_not_before() {
    let mut rig = Rig::new();
    let transport = rig.transport();
    let producer = rig.producer_on(&transport);
    rig.fake.hold_events(true);

    let pause = producer.pause();
    let mut pause = std::pin::pin!(pause);
    assert!(!rig.poll_once(pause.as_mut()));
    rig.settle();
    assert!(!rig.poll_once(pause.as_mut()) && !producer.paused());

    rig.fake.hold_events(false);
    rig.run(pause).unwrap();
    assert!(producer.paused());
}

#[test]
fn restart_ice_gives_what_the_getter_then_says() {
    let mut rig = Rig::new();
    let transport = rig.transport();
    let before = transport.ice_parameters();
    let parameters = rig.run(transport.restart_ice()).unwrap();
    assert_ne!(parameters, before);
    assert_eq!(transport.ice_parameters(), parameters);
}

#[test]
fn app_data_and_labels_stay_with_the_object() {
    let mut rig = Rig::new();
    let mut settings = WorkerSettings::default();
    settings.app_data = AppData::new(5_u8);
    settings.labels = Labels::from_iter([("room", "blue")]);
    let manager = rig.manager.clone();
    let worker = rig.run(manager.create_worker(settings)).unwrap();
    let found = rig.manager.find_worker(worker.id()).unwrap();
    assert_eq!(found.app_data().downcast_ref::<u8>(), Some(&5));
    assert_eq!(found.labels().get("room"), Some("blue"));
}

#[test]
fn too_many_labels_are_refused_without_a_call() {
    let mut rig = Rig::new();
    let worker = rig.worker();
    rig.fake.take_calls();
    let mut options = RouterOptions::new(vec![opus()]);
    options.labels.insert("k", "v".repeat(LABELS_BYTES_MAX));
    let error = rig.run(worker.create_router(options)).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
    assert!(rig.fake.take_calls().is_empty());

    let mut settings = WorkerSettings::default();
    let (first, last) = (2, 1);
    settings.rtc_port_range = first..=last;
    let manager = rig.manager.clone();
    let error = rig.run(manager.create_worker(settings)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    let source = error.get_ref().unwrap().downcast_ref::<CreateWorkerError>().unwrap();
    assert_eq!(source.code(), ErrorCode::InvalidArgument);
}

#[test]
fn a_failed_create_closes_nothing_and_says_why() {
    let mut rig = Rig::new();
    let transport = rig.transport();
    let producer = rig.producer_on(&transport);
    let gone = producer.id();
    drop(producer);
    rig.settle();
    rig.fake.take_calls();
    let error = rig.run(transport.consume(ConsumerOptions::new(gone, capabilities()))).unwrap_err();
    assert_eq!(error, ConsumeError::ProducerNotFound(gone));
    rig.settle();
    assert_eq!(rig.fake.take_calls(), ["Consume"]);

    let worker = transport.router().worker().clone();
    let video = RtpCodecCapability::Audio {
        mime_type: MimeTypeAudio::Silk,
        preferred_payload_type: Some(100),
        clock_rate: 7.try_into().unwrap(),
        channels: 1.try_into().unwrap(),
        parameters: RtpCodecParametersParameters::default(),
        rtcp_feedback: Vec::new(),
    };
    let error = rig.run(worker.create_router(RouterOptions::new(vec![video]))).unwrap_err();
    assert!(matches!(error, CreateRouterError::FailedRtpCapabilitiesGeneration(_)));
}

#[test]
fn a_call_goes_out_behind_what_was_dropped_before_it() {
    let mut rig = Rig::new();
    let router = rig.router();
    let transport = rig.transport_on(&router);
    rig.fake.take_calls();
    drop(transport);
    let _transport = rig.run(router.create_webrtc_transport(transport_options())).unwrap();
    assert_eq!(rig.fake.take_calls(), ["Close", "CreateWebRtcTransport"]);
}

#[test]
fn a_transport_works_behind_its_trait() {
    let mut rig = Rig::new();
    let transport: std::sync::Arc<dyn Transport> = std::sync::Arc::new(rig.transport());
    let producer = rig.run(transport.produce(producer_options())).unwrap();
    assert_eq!(producer.transport().id(), transport.id());
}
