//! Key frames: asked for when a receiver needs one, once however many need it, and waited for before anything is sent on.

use std::time::Duration;

use mafalda_api::waist::{PauseConsumer, PauseProducer, RequestKeyFrame, ResumeConsumer, ResumeProducer};
use mafalda_testkit::RtcpKind;
use mafalda_testkit::media::Codec;

use crate::scene::{Scene, far};

fn requests(scene: &Scene) -> usize {
    scene.world.peer(scene.alice).log().key_frame_requests().len()
}

#[test]
fn a_receivers_request_reaches_the_sender() {
    for codec in Codec::VIDEO {
        let mut scene = Scene::new(1);
        let (_, receiving) = scene.flow(codec);
        scene.run(3);
        for full_intra_request in [false, true] {
            let (before, at) = (requests(&scene), scene.world.elapsed());
            scene.world.peer_mut(scene.bob).request_key_frame(receiving.ssrc, full_intra_request);
            scene.run(2);
            assert_eq!(requests(&scene), before + 1, "{codec:?}");
            let keys = scene.inbox(receiving).since(at).filter(|it| it.content.key && it.content.first);
            assert_eq!(keys.count(), 1, "{codec:?}");
        }
        let log = scene.world.peer(scene.alice).log();
        assert!(log.count_received(RtcpKind::Pli) >= 2 && log.count_received(RtcpKind::Fir) == 0);
    }
}

#[test]
fn requests_of_many_receivers_are_one() {
    let mut scene = Scene::new(2);
    let (sending, receiving) = scene.flow(Codec::Vp8);
    let mut receivings = vec![receiving];
    for _ in 0..4 {
        let peer = scene.world.join(scene.router, &far());
        receivings.push(scene.world.consume(peer, sending.producer));
    }
    scene.run(4);
    let before = requests(&scene);
    for receiving in &receivings {
        scene.world.peer_mut(receiving.peer).request_key_frame(receiving.ssrc, false);
    }
    scene.run(2);
    assert_eq!(requests(&scene), before + 1);
}

#[test]
fn an_application_can_ask_too() {
    let mut scene = Scene::new(3);
    let (_, receiving) = scene.flow(Codec::Vp8);
    scene.run(3);
    let before = requests(&scene);
    scene.world.call(RequestKeyFrame { id: receiving.consumer }).unwrap();
    scene.run(1);
    assert_eq!(requests(&scene), before + 1);
}

#[test]
fn a_resumed_consumer_begins_with_a_key_frame_and_shows_no_gap() {
    for codec in Codec::VIDEO {
        let mut scene = Scene::new(4);
        let (_, receiving) = scene.flow(codec);
        scene.run(3);
        scene.world.call(PauseConsumer { id: receiving.consumer }).unwrap();
        scene.run(1);
        let paused = scene.inbox(receiving).arrivals().len();
        let last = scene.inbox(receiving).arrivals()[paused - 1];
        let asked = requests(&scene);
        scene.run(2);
        assert_eq!(
            scene.inbox(receiving).arrivals().len(),
            paused,
            "{codec:?}: nothing comes while it is paused"
        );

        scene.world.call(ResumeConsumer { id: receiving.consumer }).unwrap();
        scene.run(2);
        assert_eq!(requests(&scene), asked + 1, "{codec:?}");
        let first = scene.inbox(receiving).arrivals()[paused];
        assert!(first.content.key && first.content.first, "{codec:?}: {first:?}");
        assert_eq!(first.sequence, last.sequence + 1, "{codec:?}");
        scene.inbox(receiving).check();
    }
}

#[test]
fn a_late_receiver_begins_with_a_key_frame() {
    for codec in Codec::VIDEO {
        let mut scene = Scene::new(5);
        let (sending, _) = scene.flow(codec);
        scene.run(3);
        let peer = scene.world.join(scene.router, &far());
        scene.run(1);
        let receiving = scene.world.consume(peer, sending.producer);
        scene.run(2);
        let first = scene.inbox(receiving).arrivals()[0];
        assert!(first.content.key && first.content.first, "{codec:?}: {first:?}");
        scene.inbox(receiving).check_whole();
    }
}

#[test]
fn a_paused_producer_sends_nothing_on_and_goes_on_with_a_key_frame() {
    let mut scene = Scene::new(6);
    let (sending, receiving) = scene.flow(Codec::Vp8);
    scene.run(3);
    scene.world.call(PauseProducer { id: sending.producer }).unwrap();
    assert!(scene.world.consumer_state(receiving.consumer).producer_paused);
    scene.run(1);
    let paused = scene.inbox(receiving).arrivals().len();
    scene.run(2);
    assert_eq!(scene.inbox(receiving).arrivals().len(), paused);
    scene.world.call(ResumeProducer { id: sending.producer }).unwrap();
    scene.run(2);
    let first = scene.inbox(receiving).arrivals()[paused];
    assert!(first.content.key && first.content.first, "{first:?}");
    scene.inbox(receiving).check();
}

#[test]
fn a_lost_key_frame_request_is_repeated() {
    let mut scene = Scene::new(7);
    let (_, receiving) = scene.flow(Codec::Vp8);
    scene.run(3);
    let before = requests(&scene);
    let host = scene.world.peer(scene.alice).address().ip();
    let conditions = mafalda_testkit::Conditions::delayed(crate::scene::DELAY);
    scene.world.network().set(host, mafalda_testkit::Access::Down, conditions.lossy(1.0));
    scene.world.peer_mut(scene.bob).request_key_frame(receiving.ssrc, false);
    scene.world.run(Duration::from_millis(500));
    assert_eq!(requests(&scene), before);
    scene.world.network().set(host, mafalda_testkit::Access::Down, conditions);
    scene.run(3);
    assert!(requests(&scene) > before);
}
