//! A Router's codecs are changed without waiting for the backend.

use std::sync::Arc;

use mafalda_api::ortc::RtpCapabilitiesError;
use mafalda_api::prelude::*;
use mafalda_api::router::UpdateMediaCodecsError;
use mafalda_api::subscription::{Observed, Subscription};
use mafalda_api::waist::{Event, ObjectState};

use crate::fake::FIRST_EPOCH;
use crate::rig::{Rig, opus, pcma, transport_options};

fn codecs(router: &Router) -> Vec<&'static str> {
    router.rtp_capabilities().codecs.iter().map(|codec| codec.mime_type().as_str()).collect()
}

fn next(rig: &mut Rig, events: &mut Subscription) -> Event {
    match rig.run(events.next()) {
        Some(Observed::Event(event)) => event,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_handle_shows_them_at_once_and_later_calls_come_behind() {
    let mut rig = Rig::new();
    let mut router = rig.router();
    let mut events = router.events();
    rig.fake.take_calls();
    rig.fake.hold_events(true);
    let transport = router.create_webrtc_transport(transport_options());
    drop(transport);
    router.update_media_codecs(vec![opus(), pcma()]).unwrap();
    assert_eq!(codecs(&router), ["audio/opus", "audio/PCMA"]);
    assert_eq!(codecs(&rig.manager.find_router(router.id()).unwrap()), codecs(&router));
    router.update_media_codecs(vec![pcma()]).unwrap();
    let transport = router.create_webrtc_transport(transport_options());
    let mut transport = std::pin::pin!(transport);
    assert!(!rig.poll_once(transport.as_mut()));
    assert_eq!(rig.fake.take_calls(), ["UpdateMediaCodecs", "UpdateMediaCodecs", "CreateWebRtcTransport"]);

    rig.fake.hold_events(false);
    rig.run(transport).unwrap();
    for expected in [2, 1] {
        let Event::RtpCapabilitiesChanged { rtp_capabilities, .. } = next(&mut rig, &mut events) else {
            panic!("of these only");
        };
        assert_eq!(rtp_capabilities.codecs.len(), expected);
        assert_eq!(codecs(&router), ["audio/PCMA"], "an older answer doesn't show any more");
    }
}

#[test]
fn codecs_that_make_no_capabilities_are_refused_without_a_call() {
    let mut rig = Rig::new();
    let mut router = rig.router();
    rig.fake.take_calls();
    let mut wrong = pcma();
    wrong.parameters_mut().insert("apt", "x");
    let error = router.update_media_codecs(vec![wrong]).unwrap_err();
    let cause = RtpCapabilitiesError::InvalidAptParameter("x".into());
    assert_eq!(error, UpdateMediaCodecsError::FailedRtpCapabilitiesGeneration(cause));
    assert_eq!(error.to_string(), "RTP capabilities generation error: Invalid codec apt parameter x");
    rig.settle();
    assert!(rig.fake.take_calls().is_empty());
    assert_eq!(codecs(&router), ["audio/opus"]);
}

#[test]
fn a_refusal_puts_them_back_and_is_told() {
    let mut rig = Rig::new();
    let mut router = rig.router();
    let mut events = router.events();
    rig.fake.refuse_codecs();
    router.update_media_codecs(vec![pcma()]).unwrap();
    assert_eq!(codecs(&router), ["audio/PCMA"]);
    rig.settle();
    assert_eq!(codecs(&router), ["audio/opus"]);
    let Event::MediaCodecsRefused { id, error } = next(&mut rig, &mut events) else {
        panic!("nothing else happened")
    };
    assert_eq!(id, router.id());
    let cause = RtpCapabilitiesError::CannotAllocate;
    assert_eq!(*error, UpdateMediaCodecsError::FailedRtpCapabilitiesGeneration(cause));
}

#[test]
fn a_snapshot_from_before_does_not_show_while_the_call_is_on_its_way() {
    let mut rig = Rig::new();
    let mut router = rig.router();
    let before = Arc::new(router.rtp_capabilities());
    rig.fake.hold_answers(true);
    router.update_media_codecs(vec![pcma()]).unwrap();
    rig.settle();
    let id = router.id();
    rig.fake.skip_to(FIRST_EPOCH, |objects| {
        let Some(ObjectState::Router(state)) = objects.get_mut(&id.into()) else { panic!("it is there") };
        Arc::make_mut(state).rtp_capabilities = before;
    });
    rig.settle();
    assert_eq!(codecs(&router), ["audio/PCMA"]);
    rig.fake.hold_answers(false);
    rig.settle();
    assert_eq!(codecs(&router), ["audio/opus"], "what the backend says last holds");
}
