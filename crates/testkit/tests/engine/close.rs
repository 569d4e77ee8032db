//! Closing: who else goes, why, and in which order it is told.

use std::collections::HashMap;

use mafalda_api::id::ObjectId;
use mafalda_api::types::data_structures::DtlsState;
use mafalda_api::waist::{Close, CloseCause, ErrorCode, Event, GetProducerStats, ObjectState};
use mafalda_testkit::media::Codec;

use crate::scene::Scene;

/// What closing an object brings about, in order.
fn close(scene: &mut Scene, id: impl Into<ObjectId>) -> Vec<(ObjectId, CloseCause)> {
    let before = scene.world.events().len();
    scene.world.call(Close { ids: vec![id.into()] }).expect("closing never fails");
    let closed = scene.world.events()[before..].iter().filter_map(|(_, event)| match event {
        Event::Closed { id, cause } => Some((*id, cause.clone())),
        _ => None,
    });
    closed.collect()
}

#[test]
fn a_producer_takes_its_consumers_along() {
    let mut scene = Scene::new(1);
    let (sending, receiving) = scene.flow(Codec::Vp8);
    let (other, _) = scene.flow(Codec::Opus);
    scene.run(1);
    let closed = close(&mut scene, sending.producer);
    assert_eq!(
        closed,
        [
            (sending.producer.into(), CloseCause::Requested),
            (receiving.consumer.into(), CloseCause::ProducerClosed)
        ]
    );
    let failure = scene.world.call(GetProducerStats { id: sending.producer }).unwrap_err();
    assert_eq!(failure.code, ErrorCode::NotFound);
    assert!(scene.world.call(GetProducerStats { id: other.producer }).is_ok());
    scene.run(1);
}

#[test]
fn a_consumer_goes_alone_and_twice_is_no_error() {
    let mut scene = Scene::new(2);
    let (_, receiving) = scene.flow(Codec::Vp8);
    scene.run(1);
    assert_eq!(close(&mut scene, receiving.consumer), [(receiving.consumer.into(), CloseCause::Requested)]);
    assert_eq!(close(&mut scene, receiving.consumer), []);
    let count = scene.inbox(receiving).count();
    scene.run(1);
    assert!(scene.inbox(receiving).count() <= count + 4, "only what was under way still comes");
}

#[test]
fn a_transport_takes_along_what_is_in_it_and_what_hangs_on_that() {
    let mut scene = Scene::new(3);
    let (sending, receiving) = scene.flow(Codec::Vp8);
    scene.run(1);
    let transport = scene.world.transport(scene.alice);
    let closed: HashMap<_, _> = close(&mut scene, transport).into_iter().collect();
    assert_eq!(closed.len(), 3);
    assert_eq!(closed[&transport.into()], CloseCause::Requested);
    assert_eq!(closed[&sending.producer.into()], CloseCause::TransportClosed);
    assert_eq!(closed[&receiving.consumer.into()], CloseCause::ProducerClosed);
    scene.run(1);
    assert!(scene.world.peer(scene.alice).log().closed_at().is_some(), "the peer is told by DTLS");
}

#[test]
fn closing_a_router_tells_each_object_once_and_parents_before_children() {
    let mut scene = Scene::new(4);
    for codec in [Codec::Opus, Codec::Vp8, Codec::Av1] {
        scene.flow(codec);
    }
    scene.run(1);
    let parents: HashMap<ObjectId, Option<ObjectId>> = scene
        .world
        .events()
        .iter()
        .filter_map(|(_, event)| match event {
            Event::Appeared(state) => Some((state.id(), state.parent())),
            _ => None,
        })
        .collect();
    let router = scene.router;
    let closed = close(&mut scene, router);
    assert_eq!(closed.len(), 1 + 2 + 3 + 3);
    let order: HashMap<ObjectId, usize> = closed.iter().enumerate().map(|(at, (id, _))| (*id, at)).collect();
    assert_eq!(order.len(), closed.len(), "each once");
    for (id, cause) in &closed {
        if let Some(parent) = parents[id].and_then(|parent| order.get(&parent)) {
            assert!(*parent < order[id], "{id} before its parent");
        }
        match id {
            ObjectId::Router(_) => assert_eq!(*cause, CloseCause::Requested),
            ObjectId::Transport(_) => assert_eq!(*cause, CloseCause::RouterClosed),
            _ => assert_ne!(*cause, CloseCause::Requested),
        }
    }
    scene.run(2);
}

#[test]
fn a_peer_that_leaves_closes_dtls_and_nothing_else() {
    let mut scene = Scene::new(5);
    scene.flow(Codec::Opus);
    scene.run(1);
    scene.world.peer_mut(scene.alice).close();
    scene.run(2);
    let transport = scene.world.transport(scene.alice);
    let Some(ObjectState::WebRtcTransport(state)) = scene.world.object(transport) else {
        panic!("the Transport stays until somebody closes it")
    };
    assert_eq!(state.dtls_state, DtlsState::Closed);
}
