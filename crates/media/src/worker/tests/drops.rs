//! What goes no further: each reason, brought about by a datagram.

use super::super::*;
use super::peer::Packet;
use super::stage::{Stage, audio};
use crate::stun::{self, Class, TransactionId, Writer};

/// The count of one reason, which must be the only one that has changed.
fn only(stage: &Stage, before: Drops, reason: DropReason) -> u64 {
    let count = stage.worker.drops().get(reason) - before.get(reason);
    assert_eq!(stage.worker.drops().total() - before.total(), count, "{reason:?}");
    count
}

#[test]
fn each_datagram_that_goes_no_further_is_counted_by_its_reason() {
    let mut stage = Stage::new();
    let mut peer = stage.peer();
    stage.produce(&peer, audio("0", Some(1000)));
    stage.datagrams(peer.send(&[Packet::sound(1000, 1)]));
    let tuple = peer.tuple;
    let stranger = Tuple { remote: ([10, 9, 9, 9], 9).into(), ..tuple };
    let (_, mut in_the_clear) = peer.feedback(|writer| writer.pli(1, 2));
    // The first bit of the last word says whether it is encrypted (RFC 7714 §9.2).
    let trailer = in_the_clear.len() - 4;
    in_the_clear[trailer] &= 0x7f;
    let mut indication = [0; 64];
    let writer = Writer::new(Class::Indication, stun::BINDING, TransactionId([1; 12]), &mut indication);
    let len = writer.unwrap().finish(None).unwrap();
    let sound = peer.protect(&Packet::sound(1000, 2));
    let too_short = sound[..sound.len() - 16].to_vec();
    let mut spoiled = sound.clone();
    *spoiled.last_mut().unwrap() ^= 1;
    let cases = [
        (tuple, vec![200; 40], DropReason::UnknownProtocol),
        (stranger, sound, DropReason::UnknownTuple),
        (tuple, vec![0; 30], DropReason::MalformedStun),
        (tuple, indication[..len].to_vec(), DropReason::UnansweredStun),
        (tuple, vec![22, 1, 1, 0], DropReason::MalformedDtls),
        (tuple, spoiled, DropReason::Unauthentic),
        (tuple, peer.protect(&Packet::sound(1000, 1)), DropReason::Replayed),
        (tuple, in_the_clear, DropReason::Unauthentic),
        (tuple, too_short, DropReason::SrtpRefused),
        (tuple, peer.protect(&Packet::sound(4000, 1)), DropReason::UnknownSource),
        // A number farther ahead than any that may be lost at once (RFC 3550 §A.1).
        (tuple, peer.protect(&Packet::sound(1000, 20_000)), DropReason::OutOfSequence),
    ];
    for (tuple, datagram, reason) in cases {
        let before = *stage.worker.drops();
        stage.datagrams([(tuple, datagram)]);
        assert_eq!(only(&stage, before, reason), 1, "{reason:?}");
    }
}

#[test]
fn media_before_the_keys_is_counted() {
    let mut stage = Stage::new();
    let peer = stage.reachable();
    let before = *stage.worker.drops();
    stage.datagrams(peer.send(&[Packet::sound(1000, 1)]));
    assert_eq!(only(&stage, before, DropReason::NoKeys), 1);
}

#[test]
fn handshakes_that_find_no_room_are_counted() {
    let mut stage = Stage::new();
    let peer = stage.reachable();
    // As long as a handshake's datagrams are: none can be read, but that is found out when their turn comes.
    let mut datagram = vec![22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0x05, 0xaf];
    datagram.resize(13 + 0x05af, 1);
    let before = *stage.worker.drops();
    for _ in 0..8 {
        stage.datagrams((0..200).map(|_| (peer.tuple, datagram.clone())));
    }
    assert!(stage.worker.drops().get(DropReason::HandshakesFull) > before.get(DropReason::HandshakesFull));
}
