//! The end of the backend is the end of everything.

use mafalda_api::prelude::*;
use mafalda_api::waist::ErrorCode;

use crate::rig::{Lines, Rig};

#[test]
fn it_closes_all_in_order_and_wakes_who_waits() {
    let mut rig = Rig::new();
    let transport = rig.transport();
    let producer = rig.producer_on(&transport);
    let router = transport.router().clone();
    let lines = Lines::default();
    let handlers = [
        router.worker().on_close(lines.adder("worker: close")),
        router.on_worker_close(lines.adder("router: worker close")),
        router.on_close(lines.adder("router: close")),
        transport.on_router_close(Box::new(lines.adder("transport: router close"))),
        producer.on_transport_close(lines.adder("producer: transport close")),
        producer.on_close(lines.adder("producer: close")),
    ];
    rig.fake.hold_answers(true);
    let unanswered = producer.pause();
    let mut unanswered = std::pin::pin!(unanswered);
    assert!(!rig.poll_once(unanswered.as_mut()));

    rig.fake.end();
    assert_eq!(rig.run(unanswered), Err(RequestError::ChannelClosed));
    rig.settle();
    assert_eq!(
        lines.take(),
        [
            "worker: close",
            "router: worker close",
            "router: close",
            "transport: router close",
            "producer: transport close",
            "producer: close",
        ]
    );
    assert!(producer.closed());
    assert_eq!(rig.running(), 0);

    let error = rig.run(producer.resume()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Disconnected);
    producer.on_close(lines.adder("late")).detach();
    assert_eq!(lines.take(), ["late"]);
    drop(handlers);
}

#[test]
fn it_fails_those_whose_answer_is_ahead_of_the_mirror() {
    let mut rig = Rig::new();
    let worker = rig.worker();
    rig.fake.hold_events(true);
    let create = worker.create_router(RouterOptions::default());
    let mut create = std::pin::pin!(create);
    assert!(!rig.poll_once(create.as_mut()));
    rig.fake.end();
    let error = rig.run(create).unwrap_err();
    assert_eq!(error, CreateRouterError::Request(RequestError::ChannelClosed));
}

#[test]
fn so_is_the_end_of_the_executor() {
    let mut rig = Rig::new();
    let worker = rig.worker();
    drop(rig);
    assert!(worker.closed());
}
