//! ICE while media flows: restarts, moves to another address, losses of consent.

use std::net::SocketAddr;
use std::time::Duration;

use mafalda_api::types::data_structures::{DtlsState, IceState, TransportTuple};
use mafalda_api::waist::{CreateWebRtcTransport, Event};
use mafalda_testkit::World;
use mafalda_testkit::media::Codec;

use crate::scene::{Scene, far};

fn tuple(scene: &Scene, peer: mafalda_testkit::PeerId) -> TransportTuple {
    let state = scene.world.transport_state(scene.world.transport(peer));
    state.ice_selected_tuple.clone().expect("a tuple is selected")
}

fn ice_states(world: &World, peer: mafalda_testkit::PeerId) -> Vec<IceState> {
    let events = world.events_of(world.transport(peer)).filter_map(|(_, event)| match event {
        Event::IceStateChanged { state, .. } => Some(*state),
        _ => None,
    });
    events.collect()
}

#[test]
fn a_restart_does_not_disturb_media() {
    for seed in 0..2 {
        let mut scene = Scene::new(seed);
        let (_, receiving) = scene.flow(Codec::Vp8);
        scene.run(2);
        for peer in [scene.alice, scene.bob] {
            let before = scene.world.transport_state(scene.world.transport(peer)).ice_parameters.clone();
            scene.world.restart_ice(peer);
            let after = &scene.world.transport_state(scene.world.transport(peer)).ice_parameters;
            assert!(before.username_fragment != after.username_fragment && before.password != after.password);
        }
        // Longer than consent lasts: the new credentials must be in use by then.
        scene.run(40);
        scene.inbox(receiving).check_whole();
        assert!(scene.inbox(receiving).count() > 2400, "{}", scene.inbox(receiving).count());
        for peer in [scene.alice, scene.bob] {
            let state = scene.world.transport_state(scene.world.transport(peer));
            assert_eq!((state.ice_state, state.dtls_state), (IceState::Completed, DtlsState::Connected));
        }
    }
}

#[test]
fn media_follows_a_client_to_another_address() {
    let mut scene = Scene::new(1);
    let (_, receiving) = scene.flow(Codec::Opus);
    scene.run(2);
    for (peer, last) in [(scene.alice, 7_u8), (scene.bob, 8)] {
        let moved = SocketAddr::from(([10, 2, 0, last], 6000));
        scene.world.peer_mut(peer).rebind(moved);
        scene.run(10);
        assert_eq!(
            (tuple(&scene, peer).remote_ip(), tuple(&scene, peer).remote_port()),
            (Some(moved.ip()), Some(6000))
        );
    }
    let late = scene.world.elapsed() - Duration::from_secs(2);
    assert!(scene.inbox(receiving).since(late).count() > 90);
    let changes = scene
        .world
        .events_of(scene.world.transport(scene.bob))
        .filter(|(_, event)| matches!(event, Event::IceSelectedTupleChanged { .. }));
    assert_eq!(changes.count(), 2);
}

#[test]
fn without_consent_a_transport_is_disconnected_and_comes_back() {
    let mut scene = Scene::new(2);
    let (_, receiving) = scene.flow(Codec::Vp8);
    scene.run(2);
    let host = scene.world.peer(scene.bob).address().ip();
    let cut = scene.world.elapsed();
    scene.world.network().plug(host, false);
    scene.run(28);
    assert_eq!(ice_states(&scene.world, scene.bob).last(), Some(&IceState::Completed));
    scene.run(7);
    assert_eq!(ice_states(&scene.world, scene.bob).last(), Some(&IceState::Disconnected));
    let state = scene.world.transport_state(scene.world.transport(scene.bob));
    assert_eq!((state.ice_selected_tuple.as_ref(), state.dtls_state), (None, DtlsState::Connected));
    assert_eq!(scene.inbox(receiving).since(cut + Duration::from_secs(1)).count(), 0);

    scene.world.network().plug(host, true);
    scene.world.restart_ice(scene.bob);
    scene.run(5);
    assert_eq!(scene.world.transport_state(scene.world.transport(scene.bob)).ice_state, IceState::Completed);
    let late = scene.world.elapsed() - Duration::from_secs(2);
    assert!(scene.inbox(receiving).since(late).count() > 100, "media has come back");
}

#[test]
fn a_consent_timeout_of_none_never_disconnects() {
    let mut scene = Scene::new(3);
    let create = CreateWebRtcTransport { ice_consent_timeout: 0, ..World::transport_options(scene.router) };
    let carol = scene.world.join_by(create, &far());
    scene.run(1);
    let host = scene.world.peer(carol).address().ip();
    scene.world.network().plug(host, false);
    scene.run(120);
    assert!(!ice_states(&scene.world, carol).contains(&IceState::Disconnected));
}

#[test]
fn a_consent_timeout_is_ten_seconds_at_least_and_sixty_at_most() {
    for (asked, kept) in [(1, 10), (255, 60)] {
        let mut scene = Scene::new(4);
        let create =
            CreateWebRtcTransport { ice_consent_timeout: asked, ..World::transport_options(scene.router) };
        let carol = scene.world.join_by(create, &far());
        scene.run(2);
        let host = scene.world.peer(carol).address().ip();
        scene.world.network().plug(host, false);
        // Some seconds may have passed since the last check.
        scene.run(kept - 4);
        assert!(!ice_states(&scene.world, carol).contains(&IceState::Disconnected), "{asked}");
        scene.run(5);
        assert!(ice_states(&scene.world, carol).contains(&IceState::Disconnected), "{asked}");
    }
}
