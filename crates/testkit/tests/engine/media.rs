//! Media through a Router between peers on another stack: whole, in order, both ways, in each codec.

use std::time::Duration;

use mafalda_testkit::media::Codec;
use mafalda_testkit::{RtcpKind, TrackSettings, World};

use crate::scene::{far, sender};

#[test]
fn each_codec_goes_through_whole() {
    for codec in [Codec::Opus].into_iter().chain(Codec::VIDEO) {
        let mut world = World::new(1);
        let router = world.create_router();
        let (alice, bob) = (world.join(router, &sender()), world.join(router, &far()));
        world.run(Duration::from_secs(1));
        let sending = world.produce(alice, &TrackSettings::usual(codec));
        let receiving = world.consume(bob, sending.producer);
        world.run(Duration::from_secs(5));

        let inbox = world.peer(bob).log().inbox(receiving.ssrc);
        inbox.check_whole();
        let (first, last) = inbox.span().unwrap_or_else(|| panic!("{codec:?}: nothing arrived"));
        assert!(
            first <= 4 && last >= world.peer(alice).sent(sending.track) - 10,
            "{codec:?}: {first} to {last}"
        );
        assert_eq!(world.peer(bob).log().count_sent(RtcpKind::Nack), 0);
        assert_eq!(world.drops(world.worker()).total(), 0, "{:?}", world.drops(world.worker()));
    }
}

#[test]
fn one_transport_carries_media_both_ways() {
    let mut world = World::new(2);
    let router = world.create_router();
    let peers = [world.join(router, &far()), world.join(router, &far())];
    world.run(Duration::from_secs(1));
    let mut receivings = Vec::new();
    for (from, to) in [(0, 1), (1, 0)] {
        for codec in [Codec::Opus, Codec::Vp8, Codec::H264] {
            let sending = world.produce(peers[from], &TrackSettings::usual(codec));
            receivings.push(world.consume(peers[to], sending.producer));
        }
    }
    world.run(Duration::from_secs(5));
    for receiving in receivings {
        let inbox = world.peer(receiving.peer).log().inbox(receiving.ssrc);
        inbox.check_whole();
        assert!(inbox.count() > 200, "{} arrived", inbox.count());
    }
}

#[test]
fn a_producer_is_found_by_mid_when_its_ssrc_is_not_told() {
    let mut world = World::new(3);
    let router = world.create_router();
    let (alice, bob) = (world.join(router, &sender()), world.join(router, &far()));
    world.run(Duration::from_secs(1));
    let sending = world.produce(alice, &TrackSettings { ssrcs: false, ..TrackSettings::usual(Codec::Vp8) });
    let receiving = world.consume(bob, sending.producer);
    world.run(Duration::from_secs(10));
    let inbox = world.peer(bob).log().inbox(receiving.ssrc);
    inbox.check_whole();
    assert!(inbox.count() > 500);
}

#[test]
fn one_producer_goes_to_many() {
    let mut world = World::new(4);
    let router = world.create_router();
    let alice = world.join(router, &sender());
    let others: Vec<_> = (0..8).map(|_| world.join(router, &far())).collect();
    world.run(Duration::from_secs(1));
    let sending = world.produce(alice, &TrackSettings::usual(Codec::Vp8));
    let receivings: Vec<_> = others.iter().map(|peer| world.consume(*peer, sending.producer)).collect();
    world.run(Duration::from_secs(3));
    for receiving in receivings {
        let inbox = world.peer(receiving.peer).log().inbox(receiving.ssrc);
        inbox.check_whole();
        assert!(inbox.count() > 150, "{} arrived", inbox.count());
    }
}
