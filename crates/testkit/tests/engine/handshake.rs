//! A peer on another stack connects to a Worker: ICE, and DTLS in both roles, over good and bad networks.

use std::time::Duration;

use mafalda_api::types::data_structures::{DtlsFingerprint, DtlsRole, DtlsState, IceState};
use mafalda_api::waist::{ConnectWebRtcTransport, Event};
use mafalda_testkit::{Conditions, JoinSettings, PeerId, World, each_seed};

fn is_connected(world: &World, peer: PeerId) -> bool {
    let state = world.transport_state(world.transport(peer));
    world.peer(peer).is_connected() && state.dtls_state == DtlsState::Connected
}

#[test]
fn a_peer_connects_in_either_role() {
    for dtls_role in [DtlsRole::Client, DtlsRole::Server, DtlsRole::Auto] {
        let mut world = World::new(1);
        let router = world.create_router();
        let conditions = Conditions::delayed(Duration::from_millis(25));
        let peer = world.join(router, &JoinSettings { dtls_role, conditions, ..JoinSettings::default() });
        assert!(world.run_until(Duration::from_secs(2), |world| is_connected(world, peer)), "{dtls_role:?}");

        let state = world.transport_state(world.transport(peer));
        assert_eq!(state.ice_state, IceState::Completed);
        let expected = if dtls_role == DtlsRole::Client { DtlsRole::Server } else { DtlsRole::Client };
        assert_eq!(state.dtls_parameters.role, expected);
        assert!(state.dtls_remote_cert.as_deref().is_some_and(|pem| pem.starts_with("-----BEGIN CERT")));
        let tuple = state.ice_selected_tuple.clone().unwrap();
        assert_eq!(tuple.local_port(), world.listener(peer).port());

        let states = world.events_of(world.transport(peer)).filter_map(|(_, event)| match event {
            Event::DtlsStateChanged { state, .. } => Some(*state),
            _ => None,
        });
        assert_eq!(states.collect::<Vec<_>>(), [DtlsState::Connecting, DtlsState::Connected]);
    }
}

#[test]
fn the_handshake_survives_a_bad_network_in_either_role() {
    each_seed(|seed| {
        for dtls_role in [DtlsRole::Client, DtlsRole::Server] {
            let mut world = World::new(seed);
            let router = world.create_router();
            let conditions = Conditions {
                // The peer gives up after a few repetitions: at 10 % one seed in a thousand ends so, whatever we do.
                loss: 0.05,
                duplication: 0.1,
                reordering: 0.2,
                hold: Duration::from_millis(60),
                jitter: Duration::from_millis(20),
                ..Conditions::delayed(Duration::from_millis(50))
            };
            let peer = world.join(router, &JoinSettings { dtls_role, conditions, ..JoinSettings::default() });
            let connected = world.run_until(Duration::from_secs(25), |world| is_connected(world, peer));
            assert!(connected, "{dtls_role:?}: {:?}", world.events());
        }
    });
}

#[test]
fn a_wrong_fingerprint_fails_the_transport() {
    let mut world = World::new(1);
    let router = world.create_router();
    let peer = world.meet(World::transport_options(router), &JoinSettings::default());
    let transport = world.transport(peer);
    let mut dtls_parameters = world.peer_mut(peer).dtls_parameters();
    let DtlsFingerprint::Sha256 { value } = &mut dtls_parameters.fingerprints[0] else {
        panic!("a peer's fingerprint is SHA-256")
    };
    value[7] ^= 1;
    world.call(ConnectWebRtcTransport { id: transport, dtls_parameters }).unwrap();
    world.approach(peer, transport);
    let failed = world.run_until(Duration::from_secs(5), |world| {
        world.transport_state(transport).dtls_state == DtlsState::Failed
    });
    assert!(failed, "{:?}", world.events_of(transport).collect::<Vec<_>>());
    assert!(world.transport_state(transport).dtls_remote_cert.is_none());
}
