use std::num::NonZeroU32;
use std::time::Duration;

use mafalda_api::types::srtp_parameters::SrtpCryptoSuite;
use mafalda_media::dtls::{Certificate, FingerprintAlgorithm};

use super::*;
use crate::link::LinkQuality;
use crate::media::{Broken, Codec};
use world::World;

mod world;

/// One publisher, some subscribers, all connected.
fn stage(subscribers: usize, codecs: &[Codec]) -> World {
    staged(World::new(), subscribers, codecs)
}

fn staged(mut world: World, subscribers: usize, codecs: &[Codec]) -> World {
    let publisher = world.join();
    let subscribers: Vec<usize> = (0..subscribers).map(|_| world.join()).collect();
    for codec in codecs {
        let published = world.publish(publisher, *codec, |_| {});
        subscribers.iter().for_each(|subscriber| world.subscribe(*subscriber, published));
    }
    world
}

/// Ends the media and lets repairs come.
fn end(world: &mut World) {
    world.peers.iter_mut().for_each(|peer| peer.client.end_media());
    world.ms(500);
}

#[test]
fn clients_join_and_every_packet_of_every_codec_comes_as_it_was_sent() {
    let mut world = stage(3, &Codec::ALL);
    world.ms(2000);
    end(&mut world);
    for peer in &world.peers {
        assert_eq!(peer.client.state(), ClientState::Connected);
        assert_eq!(peer.client.drops(), ClientDrops::default());
    }
    for subscriber in 1..4 {
        let received = world.received(subscriber);
        assert_eq!(received.len(), 4);
        for (counters, complaint) in received {
            assert_eq!((counters.lost(), counters.duplicates, counters.broken, complaint), (0, 0, 0, None));
            assert!(counters.packets > 80 && counters.verified == counters.packets, "{counters:?}");
        }
        let delays = world.peers[subscriber].client.delays();
        assert!(delays.count() > 300 && delays.max() < Duration::from_millis(2), "no way takes time here");
    }
}

#[test]
fn rates_are_those_that_were_asked_for() {
    let mut world = stage(1, &[Codec::Vp8]);
    world.ms(10_000);
    let (_, _, sent) = world.peers[0].client.sent().next().unwrap();
    let rate = sent.bytes * 8 / 10;
    // 1 Mbit/s, headers and a few key frames on top.
    assert!((1_000_000..1_120_000).contains(&rate), "{rate}");
    assert_eq!(sent.frames_skipped, 0);
}

#[test]
fn a_client_gives_the_feedback_of_a_browser() {
    let mut world = stage(1, &[Codec::Vp8]);
    world.ms(5000);
    let feedback = world.peers[1].client.feedback();
    assert!((3..=8).contains(&feedback.reports), "{feedback:?}");
    // 50 ms apart at most rates.
    assert!((80..=100).contains(&feedback.arrivals), "{feedback:?}");
    assert_eq!(feedback.nacked, 0);
    let mut silent = World::new();
    silent.habits.transport_cc = false;
    let mut silent = staged(silent, 1, &[Codec::Vp8]);
    silent.ms(5000);
    assert_eq!(silent.peers[1].client.feedback().arrivals, 0);
}

#[test]
fn what_a_bad_network_loses_is_asked_for_and_comes() {
    let mut world = World::new();
    world.link = LinkQuality { loss: 0.03, jitter: Duration::from_millis(5) };
    let mut world = staged(world, 2, &[Codec::Vp8]);
    world.ms(8000);
    end(&mut world);
    for subscriber in [1, 2] {
        let (counters, complaint) = world.received(subscriber)[0];
        assert!(counters.repaired > 10, "{counters:?}");
        assert!(counters.lost() * 200 < counters.expected, "{counters:?}");
        assert_eq!((counters.broken, complaint), (0, None));
        assert!(world.peers[subscriber].client.feedback().nacked > 10);
    }
    let (_, _, sent) = world.peers[0].client.sent().next().unwrap();
    assert!(sent.repairs > 10, "the publisher's own losses: {sent:?}");
}

#[test]
fn without_repairs_each_loss_is_counted() {
    let mut world = World::new();
    world.habits.nack = false;
    let publisher = world.join();
    let published = world.publish(publisher, Codec::Vp8, |_| {});
    world.link.loss = 0.05;
    let subscriber = world.join();
    world.subscribe(subscriber, published);
    world.ms(5000);
    end(&mut world);
    let (counters, complaint) = world.received(subscriber)[0];
    let share = counters.lost() as f64 / counters.expected as f64;
    assert!((0.02..0.08).contains(&share) && counters.repaired == 0, "{counters:?}");
    assert_eq!(complaint, None);
}

#[test]
fn spoiled_content_is_noticed_and_so_is_a_damaged_packet() {
    let mut world = World::new();
    let (publisher, subscriber) = (world.join(), world.join());
    let spoil = |track: &mut SendTrack| track.spoil_every = NonZeroU32::new(10);
    let published = world.publish(publisher, Codec::Vp8, spoil);
    world.subscribe(subscriber, published);
    world.ms(1000);
    let (counters, complaint) = world.received(subscriber)[0];
    assert!(counters.broken.abs_diff(counters.packets / 10) <= 2, "{counters:?}");
    assert!(matches!(complaint, Some(Verdict::Broken(Broken::Byte(_)))), "{complaint:?}");

    let mut world = stage(1, &[Codec::Vp8]);
    world.damage_every = Some(20);
    world.ms(1000);
    let (counters, complaint) = world.received(1)[0];
    assert!(counters.broken > 3 && complaint == Some(Verdict::Forged), "{counters:?}");
}

#[test]
fn a_packet_of_another_stream_is_noticed() {
    let mut world = World::new();
    let (publisher, subscriber) = (world.join(), world.join());
    let mut published = world.publish(publisher, Codec::Vp8, |_| {});
    published.stream = 77;
    world.subscribe(subscriber, published);
    world.ms(500);
    let (_, complaint) = world.received(subscriber)[0];
    assert_eq!(complaint, Some(Verdict::Misdelivered { is: 0, should: 77 }));
}

#[test]
fn one_packet_in_so_many_is_looked_into() {
    let mut world = World::new();
    let publisher = world.join();
    world.verify_every = 16;
    let subscriber = world.join();
    let published = world.publish(publisher, Codec::Vp8, |_| {});
    world.subscribe(subscriber, published);
    world.ms(20_000);
    end(&mut world);
    let (counters, complaint) = world.received(subscriber)[0];
    let expected = counters.packets / 16;
    assert!(counters.verified.abs_diff(expected) < expected / 3, "{counters:?}");
    assert_eq!((counters.lost(), complaint), (0, None));
}

#[test]
fn a_late_subscriber_begins_with_a_key_frame_and_misses_nothing_from_there() {
    let mut world = stage(1, &[Codec::Vp8]);
    world.ms(3000);
    let late = world.join();
    let published_late = {
        let publisher = world.join();
        world.publish(publisher, Codec::Vp9, |_| {})
    };
    world.subscribe(late, published_late);
    world.ms(1000);
    end(&mut world);
    let (counters, _) = world.received(late)[0];
    assert!(counters.packets > 80 && counters.lost() == 0, "{counters:?}");
    let joined = world.peers[late].client.joined().unwrap();
    let first = world.peers[late].client.first_media().unwrap();
    assert!(first >= joined);
}

#[test]
fn what_the_last_packets_were_is_known_from_the_publisher() {
    let mut world = stage(1, &[Codec::Vp8]);
    world.ms(1000);
    // The server vanishes; the publisher goes on.
    world.close_transport(1);
    world.ms(1000);
    let (counters, _) = world.received(1)[0];
    assert!(counters.lost() > 80, "{counters:?}");
    let sum: u64 = world.peers[1].client.received(world.now, |_| None).map(|(_, it, _)| it.lost()).sum();
    assert_eq!(sum, 0, "without that knowledge the end is not missed");
}

#[test]
fn a_server_that_does_not_answer_or_is_another_fails_the_client() {
    let mut world = World::new();
    let unreachable = world.join_with(|access| access.ice.password = "wrong".into());
    let other = Certificate::generate().unwrap().fingerprint(FingerprintAlgorithm::Sha256);
    let impostor = world.join_with(|access| access.fingerprints = vec![other]);
    world.ms(11_000);
    let failure = |index: usize| match world.peers[index].client.state() {
        ClientState::Failed(failure) => failure,
        state => panic!("{state:?}"),
    };
    assert_eq!(failure(unreachable), ClientFailure::Unreachable);
    assert!(matches!(failure(impostor), ClientFailure::Session(SessionFailure::Fingerprint(_))));
    assert_eq!(world.peers[unreachable].client.timeout(), None, "it rests");
}

#[test]
fn a_client_notices_that_the_server_has_closed_and_can_leave_itself() {
    let mut world = stage(1, &[Codec::Vp8]);
    world.ms(500);
    world.close_transport(1);
    world.ms(100);
    let closed = ClientState::Failed(ClientFailure::Session(SessionFailure::Closed));
    assert_eq!(world.peers[1].client.state(), closed);
    let now = world.now;
    world.peers[0].client.close(now);
    world.ms(100);
    assert_eq!(world.peers[0].client.state(), ClientState::Closed);
    assert_eq!(world.peers[0].client.timeout(), None);
}

#[test]
fn datagrams_that_mean_nothing_are_counted() {
    let mut world = stage(1, &[Codec::Vp8]);
    world.ms(200);
    let now = world.now;
    let client = &mut world.peers[1].client;
    for mut datagram in [
        vec![],
        vec![5; 40],
        vec![0x80, 96],
        [&[0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9][..], &[0; 40]].concat(),
        [&[0x80, 200, 0, 6][..], &[7; 40]].concat(),
    ] {
        client.handle(now, &mut datagram);
    }
    let expected = ClientDrops { malformed: 3, early: 0, unknown_ssrc: 1, forged: 1 };
    assert_eq!(client.drops(), expected);
}

const SUITES: [Option<SrtpCryptoSuite>; 4] = [
    None,
    Some(SrtpCryptoSuite::AeadAes128Gcm),
    Some(SrtpCryptoSuite::AeadAes256Gcm),
    Some(SrtpCryptoSuite::AesCm128HmacSha180),
];

#[test]
fn clients_of_plain_transports_are_found_and_get_every_packet_whatever_protects_it() {
    for suite in SUITES {
        let mut world = World::new();
        let (publisher, subscriber) = (world.join_plain(suite), world.join_plain(suite));
        for codec in Codec::ALL {
            let published = world.publish(publisher, codec, |_| {});
            world.subscribe(subscriber, published);
        }
        world.ms(2000);
        end(&mut world);
        for (counters, complaint) in world.received(subscriber) {
            assert_eq!((counters.lost(), counters.broken, complaint), (0, 0, None), "{suite:?}");
            assert!(counters.packets > 80 && counters.verified == counters.packets, "{suite:?} {counters:?}");
        }
        assert_eq!(world.peers[subscriber].client.drops(), ClientDrops::default());
        assert!(world.peers[subscriber].client.feedback().arrivals > 20, "{suite:?}");
    }
}

#[test]
fn clients_of_plain_transports_repair_losses() {
    for suite in [None, Some(SrtpCryptoSuite::AeadAes128Gcm)] {
        let mut world = World::new();
        world.link.loss = 0.03;
        let (publisher, subscriber) = (world.join_plain(suite), world.join_plain(suite));
        let published = world.publish(publisher, Codec::Vp8, |_| {});
        world.subscribe(subscriber, published);
        world.ms(6000);
        end(&mut world);
        let (counters, complaint) = world.received(subscriber)[0];
        assert!(counters.repaired > 10 && counters.lost() * 100 < counters.expected, "{counters:?}");
        assert_eq!((counters.broken, complaint), (0, None));
    }
}

#[test]
fn a_client_of_a_plain_transport_greets_until_the_server_speaks_and_media_is_a_greeting() {
    let mut world = World::new();
    let (publisher, subscriber) = (world.join_plain(None), world.join_plain(None));
    world.ms(400);
    let reports = |world: &World, peer: usize| world.peers[peer].client.feedback().reports;
    assert_eq!(reports(&world, subscriber), 4, "after 0, 50, 150 and 350 ms");
    let greeted = reports(&world, publisher);
    let published = world.publish(publisher, Codec::Opus, |_| {});
    world.subscribe(subscriber, published);
    world.ms(100);
    assert_eq!(reports(&world, publisher), greeted);
    assert!(world.peers[subscriber].client.timeout() > Some(world.now.at), "it rests until something is due");
    assert!(world.received(subscriber)[0].0.packets >= 4);
}

#[test]
fn spoiled_content_is_noticed_without_srtp_too() {
    let mut world = World::new();
    let (publisher, subscriber) = (world.join_plain(None), world.join_plain(None));
    let spoil = |track: &mut SendTrack| track.spoil_every = NonZeroU32::new(10);
    let published = world.publish(publisher, Codec::Vp8, spoil);
    world.subscribe(subscriber, published);
    world.ms(1000);
    let (counters, complaint) = world.received(subscriber)[0];
    assert!(counters.broken > 5 && matches!(complaint, Some(Verdict::Broken(_))), "{counters:?}");
}

#[test]
fn a_client_of_a_plain_transport_takes_neither_checks_nor_handshakes() {
    let mut world = World::new();
    let peer = world.join_plain(None);
    let now = world.now;
    let client = &mut world.peers[peer].client;
    client.handle(now, &mut [0; 20]);
    client.handle(now, &mut [22; 20]);
    assert_eq!(client.drops(), ClientDrops { early: 2, ..ClientDrops::default() });
    client.close(now);
    assert_eq!((client.state(), client.timeout()), (ClientState::Closed, None));
}

#[test]
fn who_joins_just_behind_others_sees_the_first_key_frame_soon() {
    let mut world = World::new();
    let publisher = world.join();
    let published = world.publish(publisher, Codec::Vp8, |_| {});
    world.ms(1000);
    let mut joins = Vec::new();
    for _ in 0..25 {
        let (subscriber, at) = (world.join(), world.now.at);
        world.subscribe(subscriber, published);
        joins.push((subscriber, at));
        world.ms(40);
    }
    world.ms(1500);
    let waits = joins.iter().map(|(subscriber, at)| {
        world.peers[*subscriber].client.first_media().unwrap().saturating_duration_since(*at).as_millis()
    });
    let waits: Vec<u128> = waits.collect();
    // A request that the publisher passes over, since it has answered one 300 ms ago, is repeated soon.
    assert!(waits.iter().all(|wait| *wait < 450), "{waits:?}");
    let (_, _, sent) = world.peers[publisher].client.sent().next().unwrap();
    assert!(sent.key_frame_requests < 10, "{sent:?}");
}

#[test]
fn what_the_publishers_network_loses_comes_once_to_each_subscriber() {
    let mut world = World::new();
    world.link = LinkQuality { loss: 0.05, jitter: Duration::from_millis(60) };
    let publisher = world.join();
    // On their own way nothing gets lost, so nothing need come twice; but it takes time, and they ask.
    world.link.loss = 0.0;
    let published = world.publish(publisher, Codec::Vp8, |_| {});
    let subscribers: Vec<usize> = (0..3).map(|_| world.join()).collect();
    subscribers.iter().for_each(|it| world.subscribe(*it, published));
    world.ms(8000);
    end(&mut world);
    for subscriber in subscribers {
        let (counters, complaint) = world.received(subscriber)[0];
        assert!(counters.repaired > 20 && counters.lost() == 0 && complaint.is_none(), "{counters:?}");
        assert!(world.peers[subscriber].client.feedback().nacked >= counters.repaired);
        // A round trip that was measured shorter than this one lets a few through.
        assert!(counters.duplicates * 10 < counters.repaired, "{counters:?}");
    }
}
