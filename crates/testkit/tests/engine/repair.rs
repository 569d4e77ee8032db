//! Lost packets come again: asked for by NACK, wrapped in RTX or, where that isn't negotiated, as they were.

use std::time::Duration;

use mafalda_api::types::rtp_parameters::{RtcpFeedback, RtpHeaderExtensionUri};
use mafalda_api::waist::DumpConsumer;
use mafalda_testkit::media::Codec;
use mafalda_testkit::{Conditions, Receiving, RtcpKind, Sending, TrackSettings, each_seed};

use crate::scene::{DELAY, Scene, sender};

/// How long a packet may take that got lost on both its ways, and whose NACKs got lost too.
const LATEST: Duration = Duration::from_millis(1500);

fn lossy(scene: &mut Scene, loss: f64) {
    for peer in [scene.alice, scene.bob] {
        let host = scene.world.peer(peer).address().ip();
        scene.world.network().set_both(host, Conditions::delayed(DELAY).lossy(loss));
    }
}

/// Sends for some seconds over a lossy network, after a good begin, then looks whether everything has come.
fn check_repair(scene: &mut Scene, sending: Sending, receiving: Receiving) {
    let begin = scene.world.elapsed();
    scene.run(1);
    lossy(scene, 0.05);
    scene.run(5);
    let now = scene.world.now();
    scene.world.peer_mut(scene.alice).mute(now, sending.track, true);
    scene.run(3);
    let inbox = scene.inbox(receiving);
    inbox.check_whole();
    let (first, last) = inbox.span().expect("something has come");
    // Nobody knows of losses at the very end: no later packet shows the gap.
    assert!(first < 8 && last + 8 > scene.world.peer(scene.alice).sent(sending.track), "{first} to {last}");
    for arrival in inbox.arrivals() {
        let made = begin + Duration::from_millis(33) * arrival.content.frame;
        assert!(arrival.at < made + LATEST, "{arrival:?} was made at {made:?}");
    }
    assert!(scene.world.peer(scene.alice).log().count_received(RtcpKind::Nack) > 0);
    assert!(scene.world.peer(scene.bob).log().count_sent(RtcpKind::Nack) > 0);
}

#[test]
fn five_percent_loss_on_every_link_is_repaired_with_rtx() {
    each_seed(|seed| {
        let mut scene = Scene::new(seed);
        let (sending, receiving) = scene.flow(Codec::Vp8);
        check_repair(&mut scene, sending, receiving);
    });
}

#[test]
fn five_percent_loss_is_repaired_without_rtx_by_the_same_bytes() {
    each_seed(|seed| {
        let mut scene = Scene::new(seed);
        let sending = scene.world.produce(scene.alice, &TrackSettings::usual(Codec::H264));
        let mut consume = scene.world.consume_operation(scene.bob, sending.producer);
        consume.rtp_capabilities.codecs.retain(|codec| !codec.mime_type().is_rtx());
        let receiving = scene.world.consume_by(scene.bob, consume);
        let parameters = &scene.world.consumer_state(receiving.consumer).rtp_parameters;
        assert!(parameters.encodings[0].rtx.is_none());
        assert!(parameters.codecs[0].rtcp_feedback().contains(&RtcpFeedback::Nack));
        check_repair(&mut scene, sending, receiving);
    });
}

#[test]
fn a_receiver_with_numbers_of_its_own_gets_media_and_repair_under_them() {
    each_seed(|seed| {
        let mut scene = Scene::new(seed);
        scene.bob = scene.world.join(scene.router, &sender());
        scene.run(1);
        let sending = scene.world.produce(scene.alice, &TrackSettings::usual(Codec::Vp9));
        let mut consume = scene.world.consume_operation(scene.bob, sending.producer);
        consume.remote_numbers = true;
        let receiving = scene.world.consume_by(scene.bob, consume);
        let parameters = &scene.world.consumer_state(receiving.consumer).rtp_parameters;
        let payload_types: Vec<_> = parameters.codecs.iter().map(|codec| codec.payload_type()).collect();
        assert_eq!(payload_types, [98, 99], "a browser's, where the Router has others");
        let mids = parameters.header_extensions.iter().filter(|it| it.uri == RtpHeaderExtensionUri::Mid);
        assert_eq!(mids.map(|mid| mid.id).collect::<Vec<_>>(), [4]);
        check_repair(&mut scene, sending, receiving);
        let dump = scene.world.call(DumpConsumer { id: receiving.consumer }).unwrap();
        assert_eq!(dump.rtp_streams[0].params.payload_type, 98);
        assert_eq!(dump.rtp_streams[0].params.rtx_payload_type, Some(99));
    });
}

#[test]
fn reordering_doubling_and_jitter_harm_nothing() {
    each_seed(|seed| {
        let mut scene = Scene::new(seed);
        let (sending, receiving) = scene.flow(Codec::Vp9);
        scene.run(1);
        for peer in [scene.alice, scene.bob] {
            let host = scene.world.peer(peer).address().ip();
            let conditions = Conditions {
                duplication: 0.05,
                reordering: 0.05,
                hold: Duration::from_millis(30),
                jitter: Duration::from_millis(15),
                ..Conditions::delayed(DELAY)
            };
            scene.world.network().set_both(host, conditions);
        }
        scene.run(6);
        let now = scene.world.now();
        scene.world.peer_mut(scene.alice).mute(now, sending.track, true);
        scene.run(1);
        scene.inbox(receiving).check_whole();
        let sent = scene.world.peer(scene.alice).sent(sending.track);
        assert_eq!(scene.inbox(receiving).span().map(|(_, last)| last + 1), Some(sent));
    });
}

/// str0m asks for a packet five times and then gives it up, so one here and there stays lost where each tenth packet does.
#[test]
fn a_begin_over_a_lossy_network_is_repaired_too() {
    let mut given_up = 0;
    for seed in 0..20 {
        let mut scene = Scene::new(seed);
        let (_, receiving) = scene.flow(Codec::Vp8);
        lossy(&mut scene, 0.1);
        scene.run(4);
        lossy(&mut scene, 0.0);
        scene.run(1);
        scene.inbox(receiving).check();
        let missing = scene.inbox(receiving).missing();
        assert!(missing.len() <= 1, "seed {seed}: {missing:?}");
        given_up += missing.len();
    }
    assert!(given_up <= 4, "{given_up} packets in 20 scenes");
}
