//! Media over a pipe: Alice is with one Router and Bob with another, of the same Worker or of another one.

use std::time::Duration;

use mafalda_api::consumer::ConsumerRtpStreamStat;
use mafalda_api::id::RouterId;
use mafalda_api::waist::{Close, GetConsumerStats, GetProducerStats, RequestKeyFrame};
use mafalda_media::worker::DropReason;
use mafalda_testkit::media::{Codec, Inbox};
use mafalda_testkit::{
    Conditions, PeerId, Pipe, PipeSettings, Receiving, RtcpKind, Sending, TrackSettings, World, each_seed,
    pipe_host,
};

use crate::scene::{far, sender};

/// One way over a pipe.
const DELAY: Duration = Duration::from_millis(10);

const ALL: [PipeSettings; 4] = [
    PipeSettings { rtx: false, srtp: false },
    PipeSettings { rtx: true, srtp: false },
    PipeSettings { rtx: false, srtp: true },
    PipeSettings { rtx: true, srtp: true },
];

struct Scene {
    world: World,
    /// Where Bob is.
    there: RouterId,
    alice: PeerId,
    bob: PeerId,
    ends: [mafalda_api::id::TransportId; 2],
}

impl Scene {
    /// With a Worker for each Router, or one for both.
    fn new(seed: u64, settings: PipeSettings, workers: usize) -> Self {
        let mut world = World::new(seed);
        let here = world.create_router();
        let worker = if workers == 1 { world.worker() } else { world.add_worker() };
        let there = world.create_router_in(worker);
        let (alice, bob) = (world.join(here, &sender()), world.join(there, &far()));
        let ends = world.join_routers(here, there, settings);
        let connected = world.run_until(Duration::from_secs(2), |world| {
            [alice, bob].into_iter().all(|peer| world.peer(peer).is_connected())
        });
        assert!(connected);
        let mut scene = Self { world, there, alice, bob, ends };
        scene.conditions(Conditions::delayed(DELAY));
        scene
    }

    /// What the pipe does to packets, each way.
    fn conditions(&mut self, conditions: Conditions) {
        self.world.network().set_both(pipe_host(false), conditions);
        self.world.network().set_both(pipe_host(true), Conditions::default());
    }

    fn flow(&mut self, codec: Codec) -> (Sending, Pipe, Receiving) {
        let sending = self.world.produce(self.alice, &TrackSettings::usual(codec));
        let pipe = self.world.pipe(sending.producer, self.ends);
        let receiving = self.world.consume(self.bob, pipe.producer);
        (sending, pipe, receiving)
    }

    fn run(&mut self, seconds: u64) {
        self.world.run(Duration::from_secs(seconds));
    }

    fn inbox(&self, receiving: Receiving) -> &Inbox {
        self.world.peer(receiving.peer).log().inbox(receiving.ssrc)
    }

    fn stop(&mut self, sending: Sending) -> u64 {
        let now = self.world.now();
        self.world.peer_mut(self.alice).mute(now, sending.track, true);
        self.run(3);
        self.world.peer(self.alice).sent(sending.track)
    }

    /// Key frames that Alice was asked for.
    fn requests(&self) -> usize {
        self.world.peer(self.alice).log().key_frame_requests().len()
    }

    /// NACKs and packets sent again, as the two ends of the pipe count them.
    fn repairs(&mut self, pipe: &Pipe) -> (u64, u64) {
        let sent = self.world.call(GetConsumerStats { id: pipe.consumer }).expect("statistics").remove(0);
        let ConsumerRtpStreamStat::Outbound(sent) = sent else { panic!("its own stream comes first") };
        let got = self.world.call(GetProducerStats { id: pipe.producer }).expect("statistics").remove(0);
        // Those under way, or lost.
        assert!(got.nack_count >= sent.nack_count);
        (got.nack_count, sent.packets_retransmitted)
    }
}

#[test]
fn media_of_each_codec_goes_through_whole() {
    for (settings, workers) in ALL.into_iter().flat_map(|settings| [(settings, 1), (settings, 2)]) {
        let mut scene = Scene::new(1, settings, workers);
        let codecs = [Codec::Opus].into_iter().chain(Codec::VIDEO);
        let flows: Vec<_> = codecs.map(|codec| (codec, scene.flow(codec))).collect();
        scene.run(4);
        for (codec, (sending, pipe, receiving)) in &flows {
            let sent = scene.stop(*sending);
            let inbox = scene.inbox(*receiving);
            inbox.check_whole();
            let (first, last) = inbox.span().expect("something has come");
            assert!(first < 8 && last + 1 == sent, "{codec:?}: {first} to {last} of {sent}");
            assert!(*codec == Codec::Opus || inbox.arrivals()[0].content.key);
            assert_eq!(scene.repairs(pipe), (0, 0));
            let got = scene.world.call(GetProducerStats { id: pipe.producer }).expect("statistics").remove(0);
            assert_eq!((got.packet_count, got.packets_lost), (sent - first, 0));
            assert_eq!(got.score, 10);
        }
        let log = scene.world.peer(scene.bob).log();
        assert!(log.count_received(RtcpKind::SenderReport) >= 2, "Bob hears of the clocks");
    }
}

#[test]
fn losses_on_the_pipe_are_repaired_on_the_pipe_with_rtx() {
    each_seed(|seed| {
        for settings in ALL.into_iter().filter(|settings| settings.rtx) {
            let mut scene = Scene::new(seed, settings, 1 + seed as usize % 2);
            let (sending, pipe, receiving) = scene.flow(Codec::Vp8);
            scene.run(1);
            scene.conditions(Conditions::delayed(DELAY).lossy(0.05));
            scene.run(5);
            scene.conditions(Conditions::delayed(DELAY));
            scene.run(1);
            let sent = scene.stop(sending);
            let inbox = scene.inbox(receiving);
            inbox.check_whole();
            assert_eq!(inbox.span().map(|(_, last)| last), Some(sent - 1));
            let (nacks, resent) = scene.repairs(&pipe);
            assert!(nacks > 5 && resent > 5, "{nacks} {resent}");
            assert_eq!(
                scene.world.peer(scene.alice).log().count_received(RtcpKind::Nack),
                0,
                "it is not her loss"
            );
        }
    });
}

#[test]
fn without_rtx_nobody_asks_over_the_pipe_and_gaps_stay_gaps() {
    each_seed(|seed| {
        let mut scene = Scene::new(seed, PipeSettings { rtx: false, srtp: seed % 2 == 0 }, 2);
        let (sending, pipe, receiving) = scene.flow(Codec::Vp8);
        scene.run(1);
        scene.conditions(Conditions::delayed(DELAY).lossy(0.05));
        scene.run(4);
        scene.conditions(Conditions::delayed(DELAY));
        scene.run(1);
        let sent = scene.stop(sending);
        assert_eq!(scene.repairs(&pipe), (0, 0));
        let inbox = scene.inbox(receiving);
        // Nothing twice, nothing out of order, and a gap for each that was lost.
        inbox.check();
        let missing = inbox.missing().len();
        assert!(missing > 3 && inbox.span().map(|(_, last)| last) == Some(sent - 1));
        let got = scene.world.call(GetProducerStats { id: pipe.producer }).expect("statistics").remove(0);
        assert_eq!(got.packets_lost as usize, missing);
    });
}

#[test]
fn reordering_on_the_pipe_loses_nothing() {
    each_seed(|seed| {
        for settings in ALL {
            let mut scene = Scene::new(seed, settings, 2);
            let (video, _, receiving) = scene.flow(Codec::Vp8);
            let (audio, _, listening) = scene.flow(Codec::Opus);
            let mixed = Conditions {
                reordering: 0.2,
                hold: Duration::from_millis(30),
                duplication: 0.05,
                ..Conditions::delayed(DELAY)
            };
            scene.conditions(mixed);
            scene.run(4);
            scene.conditions(Conditions::delayed(DELAY));
            scene.run(1);
            for (sending, receiving) in [(video, receiving), (audio, listening)] {
                let sent = scene.stop(sending);
                let inbox = scene.inbox(receiving);
                inbox.check();
                // What came before the first key frame's beginning is not made up for, whatever held that back.
                let (first, last) = inbox.span().expect("something has come");
                assert!(
                    inbox.missing().is_empty() && first < 40 && last + 1 == sent,
                    "{first} to {last} of {sent}"
                );
            }
        }
    });
}

#[test]
fn key_frames_are_asked_for_through_the_pipe_once_however_many_need_one() {
    for (srtp, workers) in [(false, 1), (true, 2)] {
        let mut scene = Scene::new(5, PipeSettings { rtx: false, srtp }, workers);
        let (_, pipe, receiving) = scene.flow(Codec::H264);
        scene.run(3);
        let mut all = vec![receiving];
        let peers: Vec<_> = (0..4).map(|_| scene.world.join(scene.there, &far())).collect();
        scene.run(2);
        let before = scene.requests();
        all.extend(peers.into_iter().map(|peer| scene.world.consume(peer, pipe.producer)));
        scene.run(3);
        assert_eq!(scene.requests(), before + 1, "four that come at once need one");
        for late in &all[1..] {
            assert!(scene.inbox(*late).arrivals()[0].content.key, "and begin with it");
        }
        let before = scene.requests();
        all.iter().for_each(|it| scene.world.peer_mut(it.peer).request_key_frame(it.ssrc, false));
        scene.run(2);
        assert_eq!(scene.requests(), before + 1);
        for consumer in [receiving.consumer, pipe.consumer] {
            let before = scene.requests();
            scene.world.call(RequestKeyFrame { id: consumer }).expect("asked");
            scene.run(2);
            assert_eq!(scene.requests(), before + 1);
        }
    }
}

#[test]
fn a_lost_request_is_repeated() {
    let mut scene = Scene::new(6, PipeSettings::default(), 2);
    let (_, _, receiving) = scene.flow(Codec::Vp8);
    scene.run(3);
    let before = scene.requests();
    let at = scene.world.elapsed();
    // Nothing comes over the pipe in either direction.
    scene.conditions(Conditions::delayed(DELAY).lossy(1.0));
    scene.world.peer_mut(scene.bob).request_key_frame(receiving.ssrc, false);
    scene.world.run(Duration::from_millis(500));
    assert_eq!(scene.requests(), before);
    scene.conditions(Conditions::delayed(DELAY));
    scene.world.peer_mut(scene.bob).request_key_frame(receiving.ssrc, false);
    scene.run(2);
    assert!(scene.requests() > before);
    let keys = scene.inbox(receiving).since(at).filter(|it| it.content.key && it.content.first);
    assert!(keys.count() >= 1);
}

#[test]
fn paused_nothing_flows_and_resumed_it_begins_with_a_key_frame_and_without_a_gap() {
    each_seed(|seed| {
        for settings in ALL {
            let mut scene = Scene::new(seed, settings, 1 + seed as usize % 2);
            let (sending, pipe, receiving) = scene.flow(Codec::Vp8);
            scene.run(2);
            scene.world.set_paused(sending.producer, &pipe, true);
            scene.run(1);
            let (paused_at, before) = (scene.world.elapsed(), scene.inbox(receiving).count());
            scene.run(2);
            assert_eq!(scene.inbox(receiving).count(), before);
            let stats =
                scene.world.call(GetConsumerStats { id: pipe.consumer }).expect("statistics").remove(0);
            let ConsumerRtpStreamStat::Outbound(stats) = stats else { panic!("its own") };
            assert_eq!(stats.bitrate, 0, "nothing goes over the pipe");
            scene.world.set_paused(sending.producer, &pipe, false);
            scene.run(2);
            let inbox = scene.inbox(receiving);
            let after: Vec<_> = inbox.since(paused_at).collect();
            assert!(after.len() > 30 && after[0].content.key && after[0].content.first);
            let last = inbox.arrivals()[before - 1].sequence;
            assert_eq!(after[0].sequence, last + 1, "no number is left out");
            inbox.check();
        }
    });
}

#[test]
fn strangers_are_not_heard() {
    for srtp in [false, true] {
        let mut scene = Scene::new(8, PipeSettings { rtx: false, srtp }, 1);
        let (sending, _, receiving) = scene.flow(Codec::Opus);
        scene.run(1);
        let real =
            scene.world.overheard().iter().rfind(|it| it.to.ip() == pipe_host(true)).expect("media").clone();
        let elsewhere = std::net::SocketAddr::new(real.from.ip(), real.from.port() + 1);
        let (worker, before) = (scene.world.worker(), scene.inbox(receiving).count());
        let drops = scene.world.drops(worker).get(DropReason::UnknownTuple);
        // Before its turn, so that it would be taken for the real one.
        let mut forged = real.bytes.clone();
        forged[3] = forged[3].wrapping_add(1);
        scene.world.inject(mafalda_testkit::Packet { from: elsewhere, bytes: forged, ..real.clone() });
        // DTLS is not spoken there.
        scene.world.inject(mafalda_testkit::Packet { bytes: vec![22; 100], ..real });
        let sent = scene.stop(sending);
        assert_eq!(scene.world.drops(worker).get(DropReason::UnknownTuple), drops + 1);
        assert_eq!(scene.world.drops(worker).get(DropReason::UnexpectedDtls), 1);
        let inbox = scene.inbox(receiving);
        inbox.check_whole();
        assert!(inbox.count() >= before && inbox.span().map(|(_, last)| last) == Some(sent - 1));
    }
}

#[test]
fn the_end_of_an_end_is_the_end_of_what_goes_through_it() {
    let mut scene = Scene::new(7, PipeSettings { rtx: true, srtp: true }, 1);
    let (_, pipe, receiving) = scene.flow(Codec::Vp8);
    scene.run(2);
    scene.world.call(Close { ids: vec![pipe.there.into()] }).expect("closed");
    assert!(scene.world.object(pipe.producer).is_none() && scene.world.object(receiving.consumer).is_none());
    scene.run(1);
    // The other end sends on until it is told: to nobody.
    let before = scene.inbox(receiving).count();
    scene.run(2);
    assert_eq!(scene.inbox(receiving).count(), before);
    scene.world.call(Close { ids: vec![pipe.here.into()] }).expect("closed");
    assert!(scene.world.object(pipe.consumer).is_none());
    scene.run(1);
}
