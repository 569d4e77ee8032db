//! Who keeps what, and what the end of the last handle does.

use std::sync::{Arc, Mutex};

use mafalda_api::prelude::*;
use mafalda_api::waist::{Event, ObjectState, Origin, WorkerState};

use crate::rig::{Lines, Rig, opus};

#[test]
fn the_last_clone_closes_and_the_id_goes_out_without_a_next_call() {
    let mut rig = Rig::new();
    let worker = rig.worker();
    let (id, clone) = (worker.id(), worker.clone());
    drop(worker);
    rig.settle();
    assert!(rig.fake.exists(id));
    drop(clone);
    rig.settle();
    assert!(!rig.fake.exists(id));
    assert!(rig.manager.find_worker(id).is_none());
}

#[test]
fn a_child_keeps_its_parents() {
    let mut rig = Rig::new();
    let router = rig.router();
    let (worker_id, router_id) = (router.worker().id(), router.id());
    let transport = rig.transport_on(&router);
    let producer = rig.producer_on(&transport);
    drop((router, transport));
    rig.settle();
    assert!(rig.fake.exists(worker_id) && rig.fake.exists(router_id));
    assert!(!producer.transport().router().worker().closed());

    drop(producer);
    rig.settle();
    assert_eq!(rig.fake.count(), 0);
}

#[test]
fn a_create_that_is_given_up_leaves_nothing() {
    let mut rig = Rig::new();
    let worker = rig.worker();
    let lines = Lines::default();
    worker
        .on_new_router({
            let lines = lines.clone();
            move |_| lines.add("new")
        })
        .detach();
    for hold_events in [false, true] {
        rig.fake.hold_answers(true);
        rig.fake.hold_events(hold_events);
        {
            let create = worker.create_router(RouterOptions::new(vec![opus()]));
            let mut create = std::pin::pin!(create);
            assert!(!rig.poll_once(create.as_mut()));
            rig.settle();
            assert_eq!(rig.fake.count(), 2);
        }
        rig.fake.hold_answers(false);
        rig.fake.hold_events(false);
        rig.settle();
        assert_eq!(rig.fake.count(), 1, "the router is closed again");
    }
    assert!(lines.take().is_empty(), "nobody hears of it");
}

#[test]
fn a_future_that_is_never_polled_does_nothing() {
    let mut rig = Rig::new();
    let worker = rig.worker();
    rig.fake.take_calls();
    drop(worker.create_router(RouterOptions::new(vec![opus()])));
    rig.settle();
    assert!(rig.fake.take_calls().is_empty());
}

#[test]
fn handles_from_callbacks_and_from_create_share_one_hold() {
    let mut rig = Rig::new();
    let worker = rig.worker();
    let kept: Arc<Mutex<Option<Router>>> = Arc::default();
    let handler = worker.on_new_router({
        let kept = Arc::clone(&kept);
        move |router| *kept.lock().unwrap() = Some(router.clone())
    });
    let router = rig.run(worker.create_router(RouterOptions::new(vec![opus()]))).unwrap();
    let from_callback = kept.lock().unwrap().take().expect("called before create returned");
    assert!(from_callback.is_owner());

    let id = router.id();
    drop(router);
    rig.settle();
    assert!(rig.fake.exists(id), "the callback's handle keeps it");
    drop(from_callback);
    rig.settle();
    assert!(!rig.fake.exists(id));
    drop(handler);
}

#[test]
fn a_found_handle_shares_the_hold_too() {
    let mut rig = Rig::new();
    let worker = rig.worker();
    let found = rig.manager.find_worker(worker.id()).unwrap();
    drop(worker);
    rig.settle();
    assert!(found.is_owner() && rig.fake.exists(found.id()));
}

#[test]
fn detached_objects_stay() {
    let mut rig = Rig::new();
    let worker = rig.worker();
    let id = worker.id();
    worker.detach();
    assert!(!worker.is_owner());
    drop(worker);
    rig.settle();
    assert!(rig.fake.exists(id));
    assert_eq!(rig.fake.owner(id), None);
    let found = rig.manager.find_worker(id).unwrap();
    assert!(!found.claim(), "it is nobody's now");
}

#[test]
fn an_object_detached_from_elsewhere_is_held_no_more() {
    let mut rig = Rig::new();
    let worker = rig.worker();
    rig.fake.happen(Event::Detached { id: worker.id().into() });
    rig.settle();
    assert!(!worker.is_owner());
}

#[test]
fn an_object_of_the_session_made_elsewhere_is_observed_until_it_is_claimed() {
    let mut rig = Rig::new();
    let lines = Lines::default();
    let handler = rig.manager.on_new_worker({
        let lines = lines.clone();
        move |worker| lines.add(format!("owner: {}", worker.is_owner()))
    });
    let id = WorkerId::new();
    let origin = Origin { owner: Some(rig.fake.session()), ..Origin::default() };
    rig.fake.happen(Event::Appeared(ObjectState::Worker(Arc::new(WorkerState { id, origin }))));
    rig.settle();
    assert_eq!(lines.take(), ["owner: false"]);

    drop(rig.manager.find_worker(id).unwrap());
    rig.settle();
    assert!(rig.fake.exists(id));

    let worker = rig.manager.find_worker(id).unwrap();
    let other = rig.manager.find_worker(id).unwrap();
    assert!(worker.claim() && other.is_owner());
    drop((worker, other));
    rig.settle();
    assert!(!rig.fake.exists(id));
    drop(handler);
}

#[test]
fn weak_handles_keep_nothing_and_find_what_others_keep() {
    let mut rig = Rig::new();
    let transport = rig.transport();
    let producer = rig.producer_on(&transport);
    let weak = producer.downgrade();
    let again = weak.upgrade().unwrap();
    assert_eq!(again.transport().id(), transport.id());
    let clone = rig.manager.find_producer(producer.id()).unwrap();
    drop((producer, again));
    assert!(weak.upgrade().is_some(), "a handle from elsewhere is as good");
    drop(clone);
    assert!(weak.upgrade().is_none());
    let (weak_transport, weak_router) = (transport.downgrade(), transport.router().downgrade());
    drop(transport);
    assert!(weak_transport.upgrade().is_none() && weak_router.upgrade().is_none());
}

#[test]
fn a_refused_close_is_sent_again() {
    let mut rig = Rig::new();
    let (first, second) = (rig.worker(), rig.worker());
    let id = first.id();
    rig.fake.refuse_closes(true);
    drop(first);
    rig.settle();
    assert!(rig.fake.exists(id));
    rig.fake.refuse_closes(false);
    drop(second);
    rig.settle();
    assert_eq!(rig.fake.count(), 0);
}

#[test]
fn without_any_handle_the_session_ends() {
    let mut rig = Rig::new();
    let transport = rig.transport();
    rig.settle();
    let (mut pool, fake, running) = rig.without_manager();
    pool.run_until_stalled();
    assert_eq!((running.get(), fake.count()), (2, 3), "the transport keeps it");
    drop(transport);
    pool.run_until_stalled();
    assert_eq!((running.get(), fake.count()), (0, 0));
    assert!(fake.is_left());
}
