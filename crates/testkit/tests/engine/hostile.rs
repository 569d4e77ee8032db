//! Strangers' packets while media flows: counted, dropped, and nobody notices.

use std::net::SocketAddr;
use std::time::Duration;

use mafalda_api::types::data_structures::DtlsRole;
use mafalda_media::worker::DropReason;
use mafalda_testkit::media::Codec;
use mafalda_testkit::{Hostility, JoinSettings, Packet, RtcpKind, World, each_seed};

use crate::scene::{Scene, far};

#[test]
fn media_is_unharmed_by_packets_in_the_senders_name() {
    each_seed(|seed| {
        let mut scene = Scene::new(seed);
        let (_, video) = scene.flow(Codec::Vp8);
        let (_, audio) = scene.flow(Codec::Opus);
        scene.run(1);
        let mut hostility = Hostility::new(seed);
        let injected: usize = (0..3000)
            .map(|_| {
                let packets = hostility.packets(scene.world.overheard());
                let count = packets.len();
                packets.into_iter().for_each(|packet| scene.world.inject(packet));
                scene.world.run(Duration::from_millis(1));
                count
            })
            .sum();
        scene.run(2);
        let drops = scene.world.drops(scene.world.worker());
        for receiving in [video, audio] {
            scene.inbox(receiving).check_whole();
        }
        assert!(scene.inbox(video).count() > 300 && scene.inbox(audio).count() > 250);
        assert!(scene.world.peer(scene.bob).log().count_sent(RtcpKind::Nack) == 0);
        assert!(drops.total() > injected as u64 / 2, "{drops:?} of {injected}");
        for reason in [
            DropReason::UnknownProtocol,
            DropReason::MalformedStun,
            DropReason::Unauthentic,
            DropReason::Replayed,
            DropReason::MalformedDtls,
        ] {
            assert!(drops.get(reason) > 0, "{reason:?}: {drops:?}");
        }
    });
}

#[test]
fn strangers_get_nothing_and_cost_nothing() {
    let mut scene = Scene::new(1);
    let (_, receiving) = scene.flow(Codec::Vp8);
    scene.run(1);
    let stranger = SocketAddr::from(([10, 9, 9, 9], 999));
    let media: Vec<Packet> = scene
        .world
        .overheard()
        .iter()
        .filter(|it| it.bytes[0] >= 128 || it.bytes[0] >= 20 && it.bytes[0] < 64)
        .cloned()
        .collect();
    let before = scene.world.drops(scene.world.worker()).get(DropReason::UnknownTuple);
    let count = media.len() as u64;
    media.into_iter().for_each(|packet| scene.world.inject(Packet { from: stranger, ..packet }));
    scene.run(1);
    let drops = scene.world.drops(scene.world.worker());
    assert_eq!(drops.get(DropReason::UnknownTuple), before + count);
    let answered = scene.world.network().stats(stranger.ip(), mafalda_testkit::Access::Down);
    assert_eq!(answered.sent, 0);
    scene.inbox(receiving).check_whole();
}

#[test]
fn a_handshake_succeeds_among_junk() {
    each_seed(|seed| {
        for dtls_role in [DtlsRole::Client, DtlsRole::Server] {
            let mut world = World::new(seed);
            let router = world.create_router();
            let peer = world.join(router, &JoinSettings { dtls_role, ..far() });
            let mut hostility = Hostility::new(seed);
            for _ in 0..1500 {
                let (from, to) = (world.peer(peer).address(), world.listener(peer));
                world.inject(Packet { from, to, bytes: hostility.junk() });
                world.run(Duration::from_millis(1));
            }
            assert!(world.peer(peer).is_connected(), "{dtls_role:?}");
        }
    });
}
