//! Live Transports move to another Worker: no new handshake, no gap in numbers, no number used twice.

use mafalda_api::types::data_structures::DtlsState;
use mafalda_api::waist::{Event, GetConsumerStats};
use mafalda_testkit::Conditions;
use mafalda_testkit::media::Codec;

use crate::scene::{DELAY, Scene};

#[test]
fn a_call_goes_on_in_another_worker() {
    let mut scene = Scene::new(1);
    let (_, video) = scene.flow(Codec::Vp8);
    let (_, audio) = scene.flow(Codec::Opus);
    scene.run(2);
    let other = scene.world.add_worker();
    let router = scene.world.create_router_in(other);
    for _ in 0..2 {
        for (peer, home) in [(scene.alice, router), (scene.bob, router)] {
            scene.world.migrate(scene.world.transport(peer), home);
        }
        scene.run(3);
    }
    for receiving in [video, audio] {
        scene.inbox(receiving).check_whole();
        let late = scene.world.elapsed() - std::time::Duration::from_secs(1);
        assert!(scene.inbox(receiving).since(late).count() > 40);
        assert!(scene.world.call(GetConsumerStats { id: receiving.consumer }).is_ok());
    }
    let handshakes =
        scene.world.events().iter().filter(|(_, event)| {
            matches!(event, Event::DtlsStateChanged { state: DtlsState::Connected, .. })
        });
    assert_eq!(handshakes.count(), 2, "one for each peer");
}

#[test]
fn a_transport_can_leave_what_it_consumes_and_come_back_under_loss() {
    let mut scene = Scene::new(2);
    let (_, receiving) = scene.flow(Codec::Vp8);
    for peer in [scene.alice, scene.bob] {
        let host = scene.world.peer(peer).address().ip();
        scene.world.network().set_both(host, Conditions::delayed(DELAY).lossy(0.05));
    }
    scene.run(2);
    let other = scene.world.add_worker();
    let away = scene.world.create_router_in(other);
    let bob = scene.world.transport(scene.bob);
    scene.world.migrate(bob, away);
    scene.run(1);
    let gone = scene.inbox(receiving).count();
    scene.run(1);
    assert_eq!(scene.inbox(receiving).count(), gone, "its Producer isn't there");
    scene.world.migrate(bob, scene.router);
    scene.run(5);
    scene.inbox(receiving).check();
    assert!(scene.inbox(receiving).count() > gone + 200);
}
