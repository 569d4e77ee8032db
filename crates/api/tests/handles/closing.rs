//! Ends: who is told, in what order, on what thread, and that it is once.

use std::sync::{Arc, Mutex};

use event_listener_primitives::HandlerId;
use mafalda_api::prelude::*;
use mafalda_api::waist::CloseCause;
use mafalda_api::worker::ExitError;

use crate::rig::{Lines, Rig};

/// A room whose every end writes a line.
struct Room {
    worker: Worker,
    router: Router,
    transport: WebRtcTransport,
    producer: Producer,
    consumer: Consumer,
    lines: Lines,
    _handlers: Vec<HandlerId>,
}

fn room(rig: &mut Rig) -> Room {
    let transport = rig.transport();
    let producer = rig.producer_on(&transport);
    let consumer = rig.consumer_of(&producer, &transport);
    let router = transport.router().clone();
    let worker = router.worker().clone();
    let lines = Lines::default();
    let dead = lines.clone();
    let handlers = vec![
        worker.on_dead(move |result| dead.add(format!("worker: {}", result.unwrap_err()))),
        worker.on_close(lines.adder("worker: close")),
        router.on_close(lines.adder("router: close")),
        router.on_worker_close(lines.adder("router: worker close")),
        transport.on_router_close(Box::new(lines.adder("transport: router close"))),
        transport.on_close(Box::new(lines.adder("transport: close"))),
        producer.on_transport_close(lines.adder("producer: transport close")),
        producer.on_close(lines.adder("producer: close")),
        consumer.on_close(lines.adder("consumer: close")),
        consumer.on_producer_close(lines.adder("consumer: producer close")),
        consumer.on_transport_close(lines.adder("consumer: transport close")),
    ];
    Room { worker, router, transport, producer, consumer, lines, _handlers: handlers }
}

#[test]
fn children_hear_of_their_parent_first_and_then_of_themselves() {
    let mut rig = Rig::new();
    let room = room(&mut rig);
    room.router.close();
    assert_eq!(room.lines.take(), ["router: close"], "at once");
    assert!(room.router.closed() && !room.transport.closed());
    rig.settle();
    assert_eq!(
        room.lines.take(),
        [
            "transport: router close",
            "transport: close",
            "producer: transport close",
            "producer: close",
            "consumer: producer close",
            "consumer: close",
        ]
    );
    assert!(room.consumer.closed() && !room.worker.closed());
    assert_eq!(rig.fake.count(), 1);
}

#[test]
fn consumers_hear_of_their_producer() {
    let mut rig = Rig::new();
    let room = room(&mut rig);
    let lines = room.lines.clone();
    rig.fake.close(room.producer.id(), CloseCause::Requested);
    rig.settle();
    assert_eq!(lines.take(), ["producer: close", "consumer: producer close", "consumer: close"]);
}

#[test]
fn a_worker_that_dies_says_why() {
    let mut rig = Rig::new();
    let room = room(&mut rig);
    rig.fake.close(room.worker.id(), CloseCause::Died("index out of range".to_owned()));
    rig.settle();
    let error = ExitError::Unexpected { reason: "index out of range".to_owned() };
    let lines = room.lines.take();
    assert_eq!(lines[..2], [format!("worker: {error}"), "worker: close".to_owned()]);
    assert_eq!(lines[2..4], ["router: worker close", "router: close"]);
}

#[test]
fn on_close_runs_where_the_last_clone_is_dropped() {
    let mut rig = Rig::new();
    let worker = rig.worker();
    let lines = Lines::default();
    worker.on_close(lines.adder("close")).detach();
    drop(worker);
    assert_eq!(lines.take(), ["close"]);
    rig.settle();
    assert!(lines.take().is_empty(), "and not again");
}

#[test]
fn on_close_of_a_closed_object_runs_at_once_and_once() {
    let mut rig = Rig::new();
    let worker = rig.worker();
    let lines = Lines::default();
    worker.close();
    worker.close();
    let id = worker.on_close(lines.adder("close"));
    assert_eq!(lines.take(), ["close"]);
    rig.settle();
    drop((id, worker));
    rig.settle();
    assert!(lines.take().is_empty());
    assert_eq!(rig.fake.take_calls().iter().filter(|call| *call == "Close").count(), 1);
}

#[test]
fn a_dropped_id_unregisters_and_a_detached_one_does_not() {
    let mut rig = Rig::new();
    let worker = rig.worker();
    let lines = Lines::default();
    drop(worker.on_close(lines.adder("dropped")));
    worker.on_close(lines.adder("detached")).detach();
    worker.close();
    assert_eq!(lines.take(), ["detached"]);
}

#[test]
fn a_callback_may_hold_the_last_handle_of_its_own_object() {
    let mut rig = Rig::new();
    let worker = rig.worker();
    let lines = Lines::default();
    worker.on_close(lines.adder("close")).detach();
    let own = worker.clone();
    let id = worker.on_close(move || drop(own));
    drop(worker);
    assert!(lines.take().is_empty());
    drop(id);
    assert_eq!(lines.take(), ["close"]);
}

#[test]
fn a_panic_in_a_callback_stays_in_it() {
    let mut rig = Rig::new();
    let room = room(&mut rig);
    let first: Arc<Mutex<Vec<HandlerId>>> = Arc::default();
    let ids = vec![
        room.producer.on_pause(|| panic!("on_pause of a test")),
        room.producer.on_pause(room.lines.adder("paused")),
        room.producer.on_close(|| panic!("on_close of a test")),
        room.producer.on_close(room.lines.adder("closed")),
    ];
    first.lock().unwrap().extend(ids);
    rig.run(room.producer.pause()).unwrap();
    rig.settle();
    assert_eq!(room.lines.take(), ["paused"]);
    room.producer.close();
    assert_eq!(room.lines.take(), ["producer: close", "closed"]);
    assert_eq!(rig.running(), 2);
}

#[test]
fn a_callback_may_make_calls_and_drop_handles() {
    let mut rig = Rig::new();
    let transport = rig.transport();
    let producer = rig.producer_on(&transport);
    let id = producer.id();
    let kept = Mutex::new(Some(producer.clone()));
    producer.on_pause(move || drop(kept.lock().unwrap().take())).detach();
    rig.run(producer.pause()).unwrap();
    drop(producer);
    rig.settle();
    assert!(!rig.fake.exists(id));
}
