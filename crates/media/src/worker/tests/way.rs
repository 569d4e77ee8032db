//! Where the peer is: which datagrams are believed, and which move it.

use std::net::SocketAddr;

use mafalda_api::types::data_structures::{DtlsState, IceState, Protocol};
use mafalda_api::waist::{Event, RestartIce};

use super::super::*;
use super::peer::{Packet, Peer};
use super::stage::{Stage, audio};
use crate::stun;
use crate::transport::CONNECTIONS_MAX;

/// The same peer at another of its addresses, let in by a check.
fn elsewhere(stage: &mut Stage, peer: &mut Peer) -> Tuple {
    let home = peer.tuple;
    let away = Tuple { remote: SocketAddr::new(home.remote.ip(), home.remote.port() + 1000), ..home };
    peer.tuple = away;
    stage.check(peer);
    peer.tuple = home;
    stage.check(peer);
    assert_eq!(stage.webrtc(peer.id).ice.selected(), Some(home));
    away
}

fn ice_states(stage: &Stage) -> Vec<IceState> {
    let states = stage.events.iter().filter_map(|event| match event {
        Event::IceStateChanged { state, .. } => Some(*state),
        _ => None,
    });
    states.collect()
}

#[test]
fn authentic_media_moves_the_peer_and_nothing_else_does() {
    let mut stage = Stage::new();
    let mut peer = stage.peer();
    stage.produce(&peer, audio("0", Some(1000)));
    let (home, away) = (peer.tuple, elsewhere(&mut stage, &mut peer));
    let packet = peer.protect(&Packet::sound(1000, 1));
    let mut forged = packet.clone();
    *forged.last_mut().unwrap() ^= 1;
    let (_, feedback) = peer.feedback(|writer| writer.pli(1, 2));
    let hello = vec![22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0];
    stage.datagrams([(away, forged), (away, feedback), (away, hello)]);
    assert_eq!(stage.webrtc(peer.id).ice.selected(), Some(home));
    assert_eq!(stage.worker.drops().get(DropReason::Unauthentic), 1);
    assert_eq!(stage.worker.drops().get(DropReason::MalformedRtcp), 0, "RTCP is taken from any way");
    stage.events.clear();
    let datagram = |tuple, index| (tuple, peer.protect(&Packet::sound(1000, index)));
    stage.datagrams([(away, packet), datagram(home, 2), datagram(away, 3)]);
    assert_eq!(stage.webrtc(peer.id).ice.selected(), Some(away));
    let moves = stage.events.iter().filter(|event| matches!(event, Event::IceSelectedTupleChanged { .. }));
    assert_eq!(moves.count(), 1, "told once a turn");
}

#[test]
fn a_check_with_a_wrong_name_gets_its_answer_and_no_way_in() {
    let mut stage = Stage::new();
    let (mut peer, other) = (stage.peer(), stage.peer());
    let stranger = Tuple { remote: SocketAddr::from(([198, 51, 100, 1], 1)), ..peer.tuple };
    let check = peer.check(&stage.webrtc(other.id).ice);
    stage.sent.clear();
    stage.datagrams([(stranger, check), (stranger, peer.protect(&Packet::sound(1000, 1)))]);
    let [answer] = stage.sent.as_slice() else { panic!("{:?}", stage.sent) };
    assert_eq!(answer.tuple, stranger);
    let answer = stun::Message::parse(&answer.bytes).unwrap();
    assert_eq!(answer.error_code(), Some(401));
    assert_eq!(stage.worker.drops().get(DropReason::UnknownTuple), 1);
}

#[test]
fn without_checks_the_peer_is_gone_until_it_comes_back() {
    let mut stage = Stage::new();
    let mut peer = stage.peer();
    stage.ms(29_000);
    assert_eq!(ice_states(&stage), [IceState::Completed]);
    stage.ms(2000);
    assert_eq!(ice_states(&stage), [IceState::Completed, IceState::Disconnected]);
    assert!(matches!(stage.events.last(), Some(Event::IceSelectedTupleChanged { tuple: None, .. })));
    stage.datagrams(peer.send(&[Packet::sound(1000, 1)]));
    assert_eq!(stage.worker.drops().get(DropReason::UnknownTuple), 1);
    stage.check(&mut peer);
    assert_eq!(ice_states(&stage).last(), Some(&IceState::Completed));
}

#[test]
fn old_credentials_are_good_until_the_new_ones_are_used() {
    let mut stage = Stage::new();
    let mut peer = stage.peer();
    let old = peer.check(&stage.webrtc(peer.id).ice);
    stage.call(RestartIce { id: peer.id }).unwrap();
    let answer = |stage: &mut Stage, check: Vec<u8>| {
        stage.sent.clear();
        stage.datagrams([(peer.tuple, check)]);
        stun::Message::parse(&stage.sent[0].bytes).unwrap().error_code()
    };
    assert_eq!(answer(&mut stage, old.clone()), None);
    let new = Peer::new(peer.id, peer.tuple).check(&stage.webrtc(peer.id).ice);
    assert_eq!(answer(&mut stage, new), None);
    assert_eq!(answer(&mut stage, old), Some(401));
}

#[test]
fn a_dtls_server_waits_for_its_client_as_long_as_it_takes() {
    let mut stage = Stage::new();
    let mut peer = stage.reachable();
    for _ in 0..6 {
        stage.ms(10_000);
        stage.check(&mut peer);
    }
    assert_eq!(stage.webrtc(peer.id).handshake.state(), DtlsState::Connecting);
}

#[test]
fn strangers_connections_do_not_keep_the_peer_out() {
    let mut stage = Stage::new();
    let (id, listener) = stage.transport(Protocol::Tcp);
    let connect = |stage: &mut Stage, number: u32| {
        let remote = SocketAddr::from(([192, 0, 2, 9], number as u16));
        let connection = Tuple { socket: SocketId(1000 + number), remote };
        stage.input(Input::Accepted { listener, connection });
        connection
    };
    let mut peer = Peer::new(id, connect(&mut stage, 0));
    stage.check(&mut peer);
    for number in 1..=CONNECTIONS_MAX as u32 {
        connect(&mut stage, number);
    }
    assert_eq!(stage.closed, [SocketId(1001)], "the oldest that ICE doesn't use");
    stage.closed.clear();
    stage.ms(31_000);
    assert_eq!(stage.closed, [peer.tuple.socket], "without consent the peer's own goes too");
    assert!(stage.webrtc(id).endpoints.describe(peer.tuple).is_none());
}

#[test]
fn a_connection_of_a_listener_that_is_gone_is_closed() {
    let mut stage = Stage::new();
    let remote = SocketAddr::from(([192, 0, 2, 9], 1));
    let connection = Tuple { socket: SocketId(77), remote };
    stage.input(Input::Accepted { listener: SocketId(55), connection });
    assert_eq!(stage.closed, [SocketId(77)]);
}
