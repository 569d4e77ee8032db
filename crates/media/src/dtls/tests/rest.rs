//! Connections that are open and carry nothing.

use super::*;

/// A record of the peer's epoch with nobody's seal.
fn forged(kind: u8) -> Vec<u8> {
    forged_with(kind, 1, &[7; 40])
}

fn forged_with(kind: u8, number: u8, body: &[u8]) -> Vec<u8> {
    let mut record = vec![kind, 254, 253, 0, 1, 0, 0, 0, 0, 1, number, 0, body.len() as u8];
    record.extend(body);
    record
}

fn open(seed: u64) -> Pair {
    let mut pair = Pair::new(CALM, seed);
    pair.connect();
    while pair.step() {}
    pair
}

#[test]
fn it_rests_until_there_is_data() {
    for (from, to) in [(CLIENT, SERVER), (SERVER, CLIENT)] {
        let mut pair = open(1);
        assert!(pair.ends.iter().all(|end| end.dtls.rests()));
        for text in [&b"one"[..], b"two"] {
            pair.ends[from].dtls.send(pair.now, text).unwrap();
            pair.ends[to].dtls.send(pair.now, text).unwrap();
            while pair.step() {}
        }
        assert!(!pair.ends.iter().any(|end| end.dtls.rests()));
        assert!(pair.ends.iter().all(|end| end.data == [b"one", b"two"]));
    }
}

#[test]
fn what_is_not_from_the_peer_does_not_wake_it() {
    let mut pair = open(2);
    for kind in [21, 23] {
        for end in &mut pair.ends {
            end.handle(pair.now, &forged(kind));
            assert!(end.dtls.rests() && end.drain().is_empty(), "{kind}");
        }
    }
    // A datagram full of them costs one try.
    let full = forged(23).repeat(20);
    assert_eq!(pair.ends[SERVER].dtls.handle(pair.now, &full), Err(DropReason::Unsealed));
    pair.ends[CLIENT].dtls.send(pair.now, b"still there").unwrap();
    while pair.step() {}
    assert_eq!(pair.ends[SERVER].data, [b"still there"]);
}

#[test]
fn nothing_without_a_seal_ends_a_connection() {
    for works in [false, true] {
        let mut pair = open(4);
        if works {
            for (from, to) in [(CLIENT, SERVER), (SERVER, CLIENT)] {
                pair.ends[from].dtls.send(pair.now, b"hello").unwrap();
                while pair.step() {}
                assert!(!pair.ends[to].dtls.rests());
            }
        }
        let mut number = 0;
        for kind in 0..=255 {
            for len in [0, 1, 2, 23, 24, 25, 40] {
                for byte in [0, 1, 2] {
                    number += 1;
                    let record = forged_with(kind, number as u8, &vec![byte; len]);
                    pair.ends.iter_mut().for_each(|end| end.handle(pair.now, &record));
                }
            }
        }
        pair.ends.iter_mut().for_each(|end| drop(end.drain()));
        for from in [CLIENT, SERVER] {
            pair.ends[from].dtls.send(pair.now, b"still there").unwrap();
            while pair.step() {}
            assert_eq!(
                pair.ends[1 - from].data.last().map(Vec::as_slice),
                Some(&b"still there"[..]),
                "{works}"
            );
        }
    }
}

#[test]
fn a_record_comes_through_once() {
    let mut pair = open(3);
    pair.ends[CLIENT].dtls.send(pair.now, b"once").unwrap();
    let packets = pair.ends[CLIENT].drain();
    for _ in 0..2 {
        pair.ends[SERVER].handle(pair.now, &packets[0]);
        pair.ends[SERVER].drain();
    }
    assert_eq!(pair.ends[SERVER].data, [b"once"]);
}

#[test]
fn close_is_told_out_of_rest() {
    for closes in [CLIENT, SERVER] {
        let mut pair = open(4);
        pair.ends[closes].dtls.close(pair.now);
        while pair.step() {}
        assert!(pair.ends.iter().all(|end| matches!(end.last, Some(DtlsOutput::Closed))));
    }
}

#[test]
fn the_last_flight_is_the_servers_to_repeat_and_not_too_often() {
    let mut pair = open(5);
    pair.ends[CLIENT].handle(pair.now, &forged(HANDSHAKE));
    assert!(pair.ends[CLIENT].drain().is_empty());
    let mut repeat = |ms| {
        let now = pair.now.after(Duration::from_millis(ms));
        pair.ends[SERVER].handle(now, &forged(HANDSHAKE));
        pair.ends[SERVER].drain()
    };
    let first = repeat(0);
    assert_eq!(first.len(), 1);
    assert!(repeat(49).is_empty());
    assert_eq!(repeat(50), first);
    assert!(pair.ends[SERVER].dtls.rests());
    assert_eq!(pair.ends[SERVER].dropped, [DropReason::OutOfBounds]);
}
