//! Many who join at once: their handshakes take turns.

use super::super::handshakes::STEPS_PER_INPUT;
use super::super::*;
use super::peer::Peer;
use super::stage::Stage;
use crate::dtls::{Dtls, DtlsOutput, Role};

/// The first datagram of a client.
fn hello(stage: &Stage, certificate: &Certificate, peer: &Peer) -> (Tuple, Vec<u8>) {
    let mut datagram = [0; 1500];
    match Dtls::new(certificate, Role::Client, stage.now).poll(&mut datagram) {
        Some(DtlsOutput::Packet(len)) => (peer.tuple, datagram[..len].to_vec()),
        other => panic!("a client begins with a packet: {other:?}"),
    }
}

/// A turn has one input of datagrams and one timeout, but as many calls as come.
#[test]
fn calls_do_not_add_steps_of_handshakes_to_a_turn() {
    let mut stage = Stage::new();
    let certificate = Certificate::generate().unwrap();
    let crowd: Vec<Peer> = (0..2 * STEPS_PER_INPUT + 1).map(|_| stage.reachable()).collect();
    let hellos: Vec<_> = crowd.iter().map(|peer| hello(&stage, &certificate, peer)).collect();
    stage.sent.clear();
    stage.datagrams(hellos);
    for _ in 0..64 {
        stage.create_router();
    }
    assert_eq!(stage.sent.len(), STEPS_PER_INPUT);
    assert_eq!(stage.worker.timeout(), Some(stage.now.at), "the others don't wait longer than that");
    stage.input(Input::Timeout);
    assert_eq!(stage.sent.len(), 2 * STEPS_PER_INPUT);
    stage.input(Input::Timeout);
    let answered: Vec<Tuple> = stage.sent.iter().map(|sent| sent.tuple).collect();
    assert_eq!(answered, crowd.iter().map(|peer| peer.tuple).collect::<Vec<_>>());
}
