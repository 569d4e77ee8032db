//! Snapshots: the difference comes out as events.

use std::sync::Arc;

use mafalda_api::id::ObjectId;
use mafalda_api::prelude::*;
use mafalda_api::types::data_structures::{DtlsState, IceState};
use mafalda_api::waist::{ObjectState, Origin, WorkerState};

use crate::fake::FIRST_EPOCH as SAME_EPOCH;
use crate::rig::{Lines, Rig};

#[test]
fn what_changed_in_between_is_told() {
    let mut rig = Rig::new();
    let transport = rig.transport();
    let producer = rig.producer_on(&transport);
    let consumer = rig.consumer_of(&producer, &transport);
    let lines = Lines::default();
    let add = |prefix: &'static str| {
        let lines = lines.clone();
        move |text: String| lines.add(format!("{prefix} {text}"))
    };
    let (ice, dtls) = (add("ice"), add("dtls"));
    let handlers = [
        transport.on_ice_state_change(move |state| ice(format!("{state:?}"))),
        transport.on_dtls_state_change(move |state| dtls(format!("{state:?}"))),
        producer.on_pause(lines.adder("producer paused")),
        consumer.on_producer_pause(lines.adder("consumer's producer paused")),
        consumer.on_pause(lines.adder("consumer paused")),
    ];
    let rtp_parameters = producer.rtp_parameters().clone();

    let (transport_id, producer_id, consumer_id) = (transport.id(), producer.id(), consumer.id());
    rig.fake.skip_to(SAME_EPOCH, |objects| {
        let Some(ObjectState::WebRtcTransport(state)) = objects.get_mut(&transport_id.into()) else {
            panic!()
        };
        let state = Arc::make_mut(state);
        state.ice_state = IceState::Completed;
        state.dtls_state = DtlsState::Connected;
        state.dtls_remote_cert = Some("cert".into());
        let Some(ObjectState::Producer(state)) = objects.get_mut(&producer_id.into()) else { panic!() };
        Arc::make_mut(state).paused = true;
        let Some(ObjectState::Consumer(state)) = objects.get_mut(&consumer_id.into()) else { panic!() };
        let state = Arc::make_mut(state);
        state.producer_paused = true;
        state.score.score = 3;
    });
    rig.settle();
    assert_eq!(
        lines.take(),
        ["ice Completed", "dtls Connected", "producer paused", "consumer's producer paused"]
    );
    assert_eq!(transport.dtls_remote_cert().as_deref(), Some("cert"));
    assert_eq!((producer.paused(), consumer.paused(), consumer.score().score), (true, false, 3));
    assert_eq!(*producer.rtp_parameters(), rtp_parameters);
    drop(handlers);
}

#[test]
fn what_is_missing_has_closed_for_a_likely_cause() {
    let mut rig = Rig::new();
    let transport = rig.transport();
    let producer = rig.producer_on(&transport);
    let consumer = rig.consumer_of(&producer, &transport);
    let lines = Lines::default();
    let handlers = [
        transport.on_router_close(Box::new(lines.adder("transport: router close"))),
        transport.on_close(Box::new(lines.adder("transport: close"))),
        producer.on_transport_close(lines.adder("producer: transport close")),
        consumer.on_producer_close(lines.adder("consumer: producer close")),
        consumer.on_close(lines.adder("consumer: close")),
    ];
    let producer_id = producer.id();
    rig.fake.skip_to(SAME_EPOCH, |objects| {
        objects.retain(|id, _| *id != producer_id.into() && !matches!(id, ObjectId::Consumer(_)));
    });
    rig.settle();
    assert_eq!(lines.take(), ["consumer: producer close", "consumer: close"]);
    assert!(producer.closed() && !transport.closed());

    rig.fake.skip_to(SAME_EPOCH, |objects| objects.retain(|id, _| matches!(id, ObjectId::Worker(_))));
    rig.settle();
    assert_eq!(lines.take(), ["transport: router close", "transport: close"]);
    drop(handlers);
}

#[test]
fn a_parent_out_of_sight_is_no_cause() {
    let mut rig = Rig::new();
    let router = rig.router();
    let lines = Lines::default();
    let handlers =
        [router.on_worker_close(lines.adder("worker close")), router.on_close(lines.adder("router: close"))];
    router.worker().detach();
    rig.settle();
    rig.fake.skip_to(SAME_EPOCH, |objects| objects.retain(|id, _| matches!(id, ObjectId::Worker(_))));
    rig.settle();
    assert_eq!(lines.take(), ["router: close"]);
    assert!(!router.worker().closed());
    drop(handlers);
}

#[test]
fn what_is_new_appears() {
    let mut rig = Rig::new();
    let lines = Lines::default();
    let handler = rig.manager.on_new_worker({
        let lines = lines.clone();
        move |_| lines.add("new")
    });
    let id = WorkerId::new();
    let origin = Origin { owner: Some(rig.fake.session()), ..Origin::default() };
    rig.fake.skip_to(SAME_EPOCH, |objects| {
        objects.insert(id.into(), ObjectState::Worker(Arc::new(WorkerState { id, origin })));
    });
    rig.settle();
    assert_eq!(lines.take(), ["new"]);
    assert!(rig.manager.find_worker(id).is_some());
    drop(handler);
}

#[test]
fn a_detached_object_is_out_of_sight_in_its_epoch_and_gone_in_the_next() {
    let mut rig = Rig::new();
    let (first, second) = (rig.worker(), rig.worker());
    first.detach();
    rig.settle();
    rig.fake.skip_to(SAME_EPOCH, |_| {});
    rig.settle();
    assert!(!first.closed() && !second.closed());
    assert!(rig.manager.find_worker(first.id()).is_none());

    second.detach();
    rig.settle();
    rig.fake.skip_to(SAME_EPOCH + 1, |_| {});
    rig.settle();
    assert!(second.closed());
}

#[test]
fn an_answer_of_a_past_epoch_keeps_nobody_waiting() {
    let mut rig = Rig::new();
    let transport = rig.transport();
    let producer = rig.producer_on(&transport);
    rig.fake.hold_answers(true);
    let pause = producer.pause();
    let mut pause = std::pin::pin!(pause);
    assert!(!rig.poll_once(pause.as_mut()));
    rig.settle();
    rig.fake.skip_to(3, |_| {});
    rig.settle();
    rig.fake.hold_answers(false);
    rig.run(pause).unwrap();
}
