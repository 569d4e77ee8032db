//! PlainTransports against peers that speak RTP and RTCP and nothing else.

mod peer;
mod stage;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use mafalda_api::types::srtp_parameters::{SrtpCryptoSuite, SrtpParameters};
use mafalda_api::waist::{Close, ErrorCode, Event, GetPlainTransportStats};
use mafalda_media::worker::DropReason;
use mafalda_testkit::each_seed;
use mafalda_testkit::media::Codec;
use rtc_srtp::context::Context;
use rtc_srtp::crypto::RTCCryptoProvider;
use rtc_srtp::crypto::providers::RingProvider;
use rtc_srtp::protection_profile::ProtectionProfile;

use peer::{Keys, PSFB, RECEIVER_REPORT, RTPFB, SENDER_REPORT};
use stage::{Member, Settings, Stage, USUAL};

/// Suites with the names that the other implementation has for them, and the length of their keys.
const SUITES: [(SrtpCryptoSuite, ProtectionProfile, usize, usize); 4] = [
    (SrtpCryptoSuite::AeadAes256Gcm, ProtectionProfile::AeadAes256Gcm, 32, 12),
    (SrtpCryptoSuite::AeadAes128Gcm, ProtectionProfile::AeadAes128Gcm, 16, 12),
    (SrtpCryptoSuite::AesCm128HmacSha180, ProtectionProfile::Aes128CmHmacSha1_80, 16, 14),
    (SrtpCryptoSuite::AesCm128HmacSha132, ProtectionProfile::Aes128CmHmacSha1_32, 16, 14),
];

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Alice sends a picture, Bob gets it; what Bob's stream is called.
fn flow(stage: &mut Stage, alice: Member, bob: Member) -> u32 {
    let producer = stage.produce(alice);
    let ssrc = stage.consume(bob, producer);
    let now = stage.clock.now().at;
    stage.peer_mut(alice).begin(now, Codec::Vp8);
    ssrc
}

/// Alice stops; all that she sent has come to Bob, but for what came before he did.
fn check_whole(stage: &mut Stage, alice: Member, bob: Member, ssrc: u32) {
    let sent = stage.peer_mut(alice).stop();
    stage.run(seconds(2));
    let inbox = stage.peer(bob).inbox(ssrc);
    inbox.check_whole();
    let (first, last) = inbox.span().expect("something has come");
    // Nobody knows of losses at the very end: no later packet shows the gap.
    assert!(first < 8 && last + 8 > sent, "{first} to {last} of {sent}");
    assert_eq!((stage.peer(alice).misled, stage.peer(bob).misled), (0, 0));
}

fn heard(stage: &Stage, member: Member, kind: u8) -> usize {
    stage.peer(member).heard.get(&kind).copied().unwrap_or(0)
}

/// Connects a member with SRTP.
fn exchange(stage: &mut Stage, member: Member, settings: Settings, fill: u8) {
    let suite = settings.suite.expect("SRTP");
    let (_, profile, key_len, salt_len) = SUITES.into_iter().find(|it| it.0 == suite).expect("a suite");
    let theirs = vec![fill; key_len + salt_len];
    let told = SrtpParameters { crypto_suite: suite, key_base64: BASE64.encode(&theirs) };
    stage.call(stage.connection(member, settings, Some(told))).expect("connected");
    let ours = stage.state(member.transport).srtp_parameters.clone().expect("a key");
    assert_eq!(ours.crypto_suite, suite);
    let ours = BASE64.decode(ours.key_base64).expect("Base64");
    let context = |text: &[u8]| {
        let (key, salt) = text.split_at(key_len);
        Context::new(key, salt, profile, None, None, RingProvider::new().crypto()).expect("a context")
    };
    stage.peer_mut(member).keys = Some(Keys { send: context(&theirs), receive: context(&ours) });
}

#[test]
fn media_and_reports_go_both_ways_with_mux_and_without() {
    for rtcp_mux in [true, false] {
        let mut stage = Stage::new(1);
        let settings = Settings { rtcp_mux, ..USUAL };
        let (alice, bob) = (stage.join(settings), stage.join(settings));
        let ssrc = flow(&mut stage, alice, bob);
        stage.run(seconds(4));
        assert!(heard(&stage, bob, SENDER_REPORT) >= 2, "Bob hears of the clocks");
        assert!(heard(&stage, alice, RECEIVER_REPORT) >= 2, "Alice hears of the losses");
        check_whole(&mut stage, alice, bob, ssrc);
        let stats = stage.call(GetPlainTransportStats { id: bob.transport }).expect("statistics").remove(0);
        assert!(stats.rtp_bytes_sent > 200_000 && stats.bytes_sent > stats.rtp_bytes_sent, "{stats:?}");
        assert_eq!(stats.rtcp_tuple.is_some(), !rtcp_mux);
    }
}

#[test]
fn a_key_frame_is_asked_for_on_behalf_of_who_needs_one() {
    let mut stage = Stage::new(2);
    let (alice, bob) = (stage.join(USUAL), stage.join(USUAL));
    let ssrc = flow(&mut stage, alice, bob);
    stage.run(seconds(1));
    let asked = heard(&stage, alice, PSFB);
    let pli = stage.peer_mut(bob).feedback(1, PSFB, ssrc, &[]);
    stage.send([pli]);
    stage.run(seconds(1));
    assert_eq!(heard(&stage, alice, PSFB), asked + 1, "Bob's PLI is hers");
    let keys = stage.peer(bob).inbox(ssrc).arrivals().iter().filter(|it| it.content.key && it.content.first);
    assert!(keys.count() >= 2, "one to begin with, one more");
    let late = stage.join(USUAL);
    let producer = stage.events.iter().find_map(|event| match event {
        Event::Appeared(mafalda_api::waist::ObjectState::Producer(state)) => Some(state.id),
        _ => None,
    });
    let ssrc = stage.consume(late, producer.expect("Alice's"));
    stage.run(seconds(1));
    assert!(stage.peer(late).inbox(ssrc).arrivals()[0].content.key, "a late one begins with a key frame");
}

#[test]
fn losses_are_repaired_over_rtcp_of_either_port() {
    each_seed(|seed| {
        for rtcp_mux in [true, false] {
            let mut stage = Stage::new(seed);
            let settings = Settings { rtcp_mux, ..USUAL };
            let (alice, bob) = (stage.join(settings), stage.join(settings));
            let ssrc = flow(&mut stage, alice, bob);
            stage.run(seconds(1));
            stage.set_loss(0.05);
            stage.run(seconds(5));
            stage.set_loss(0.0);
            stage.run(seconds(1));
            assert!(heard(&stage, alice, RTPFB) > 5 && stage.peer(alice).repeated > 5);
            check_whole(&mut stage, alice, bob, ssrc);
            let stats =
                stage.call(GetPlainTransportStats { id: bob.transport }).expect("statistics").remove(0);
            assert!(stats.rtx_bytes_sent > 0, "{stats:?}");
        }
    });
}

#[test]
fn srtp_of_another_implementation_goes_in_and_out_with_each_suite() {
    each_seed(|seed| {
        for (suite, ..) in SUITES {
            let mut stage = Stage::new(seed);
            let settings = Settings { suite: Some(suite), rtcp_mux: seed % 2 == 0, comedia: false };
            let (alice, bob) = (stage.meet(settings), stage.meet(settings));
            let producer = stage.produce(alice);
            let ssrc = stage.consume(bob, producer);
            exchange(&mut stage, alice, settings, 1);
            exchange(&mut stage, bob, settings, 2);
            let now = stage.clock.now().at;
            stage.peer_mut(alice).begin(now, Codec::Vp8);
            stage.run(seconds(1));
            stage.set_loss(0.05);
            stage.run(seconds(4));
            stage.set_loss(0.0);
            stage.run(seconds(1));
            check_whole(&mut stage, alice, bob, ssrc);
            assert!(heard(&stage, bob, SENDER_REPORT) >= 2 && heard(&stage, alice, RTPFB) > 0);
            assert_eq!(stage.worker.drops().get(DropReason::Unauthentic), 0);
        }
    });
}

#[test]
fn comedia_takes_the_first_that_is_authentic_and_nobody_else() {
    let mut stage = Stage::new(3);
    let settings = Settings { comedia: true, suite: Some(SrtpCryptoSuite::AeadAes128Gcm), ..USUAL };
    let alice = stage.meet(settings);
    stage.produce(alice);
    let stranger = |stage: &mut Stage| {
        let forged = stage.peer_mut(alice).media(true, 0, &[7; 100]);
        let from = std::net::SocketAddr::from(([10, 9, 9, 9], 9));
        stage.send([mafalda_testkit::Packet { from, ..forged }]);
        stage.run(seconds(1));
    };
    stranger(&mut stage);
    assert_eq!(stage.worker.drops().get(DropReason::NoKeys), 1);
    exchange(&mut stage, alice, settings, 1);
    let keys = stage.peer_mut(alice).keys.take();
    stranger(&mut stage);
    stage.peer_mut(alice).keys = keys;
    assert_eq!(stage.worker.drops().get(DropReason::Unauthentic), 1);
    assert_eq!(stage.state(alice.transport).tuple.remote_ip(), None);
    let now = stage.clock.now().at;
    stage.peer_mut(alice).begin(now, Codec::Vp8);
    stage.run(seconds(1));
    assert_eq!(stage.state(alice.transport).tuple.remote_ip(), Some(stage.host(alice)));
    stranger(&mut stage);
    assert_eq!(stage.worker.drops().get(DropReason::UnknownTuple), 1);
    assert_eq!(stage.state(alice.transport).tuple.remote_ip(), Some(stage.host(alice)));
    let told = stage.events.iter().filter(|event| matches!(event, Event::TupleChanged { .. }));
    assert_eq!(told.count(), 1);
}

#[test]
fn what_comedia_learns_later_does_not_stop_what_flows() {
    let mut stage = Stage::new(4);
    let comedia = Settings { comedia: true, rtcp_mux: false, suite: None };
    let (alice, bob) = (stage.join(USUAL), stage.meet(comedia));
    let ssrc = flow(&mut stage, alice, bob);
    stage.run(seconds(1));
    let hello = stage.peer_mut(bob).media(false, 0, &[1; 20]);
    stage.send([hello]);
    stage.run(seconds(1));
    let asked = heard(&stage, alice, PSFB);
    assert_eq!(heard(&stage, bob, SENDER_REPORT), 0, "nobody knows yet where Bob wants it");
    // Its address for RTCP, then `connect` that has nothing to say: neither begins the video anew.
    let report = stage.peer_mut(bob).report();
    stage.send([report]);
    stage.run(seconds(1));
    stage.call(stage.connection(bob, comedia, None)).expect("connected");
    stage.run(seconds(2));
    assert_eq!(heard(&stage, alice, PSFB), asked, "no further key frame");
    assert!(heard(&stage, bob, SENDER_REPORT) > 0);
    stage.peer_mut(alice).stop();
    stage.run(seconds(1));
    stage.peer(bob).inbox(ssrc).check_whole();
    assert!(stage.peer(bob).inbox(ssrc).count() > 200);
    let again = stage.call(stage.connection(bob, comedia, None)).expect_err("once");
    assert_eq!(again.code, ErrorCode::WrongState);
}

#[test]
fn packets_on_the_wrong_socket_are_dropped_and_counted() {
    let mut stage = Stage::new(5);
    let settings = Settings { rtcp_mux: false, ..USUAL };
    let alice = stage.join(settings);
    stage.produce(alice);
    let (to_rtp, to_rtcp) = (stage.peer(alice).to_rtp, stage.peer(alice).to_rtcp);
    let (rtp, rtcp) = (stage.peer(alice).rtp, stage.peer(alice).rtcp);
    let media = stage.peer_mut(alice).media(true, 0, &[7; 100]);
    let report = stage.peer_mut(alice).report();
    stage.send([
        mafalda_testkit::Packet { from: rtcp, to: to_rtcp, ..media },
        mafalda_testkit::Packet { from: rtp, to: to_rtp, ..report },
    ]);
    stage.run(seconds(1));
    assert_eq!(stage.worker.drops().get(DropReason::UnknownTuple), 2);
    let stats = stage.call(GetPlainTransportStats { id: alice.transport }).expect("statistics").remove(0);
    assert_eq!(stats.bytes_received, 0);
}

#[test]
fn plain_transports_move_with_their_peers_and_take_their_sockets_along_when_they_close() {
    let mut stage = Stage::new(6);
    let settings =
        Settings { suite: Some(SrtpCryptoSuite::AesCm128HmacSha180), rtcp_mux: false, comedia: false };
    let (alice, bob) = (stage.join(USUAL), stage.meet(settings));
    let ssrc = flow(&mut stage, alice, bob);
    exchange(&mut stage, bob, settings, 9);
    stage.run(seconds(1));
    let other = stage.add_router();
    for member in [alice, bob] {
        let now = stage.clock.now();
        let state = stage.worker.take_transport(now, member.transport).expect("it is there");
        stage.drain();
        stage.worker.put_transport(now, other, state).map_err(|(failure, _)| failure).expect("taken in");
        stage.drain();
    }
    stage.run(seconds(2));
    check_whole(&mut stage, alice, bob, ssrc);
    assert_eq!(stage.sockets(), 3);
    stage.call(Close { ids: vec![bob.transport.into()] }).expect("closed");
    assert_eq!(stage.sockets(), 1, "both of Bob's are closed");
    stage.call(Close { ids: vec![alice.transport.into()] }).expect("closed");
    assert_eq!(stage.sockets(), 0);
}
