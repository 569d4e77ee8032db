//! Many peers on the sockets of one WebRtcServer: they are told apart by name and by tuple, and don't disturb each other.

use std::net::SocketAddr;
use std::time::Duration;

use mafalda_api::id::{RouterId, WebRtcServerId};
use mafalda_api::types::data_structures::{DtlsState, IceState, Protocol};
use mafalda_api::waist::{
    Close, CloseCause, DumpWebRtcServer, ErrorCode, Event, ObjectState, WebRtcTransportState,
};
use mafalda_media::worker::DropReason;
use mafalda_testkit::media::{Codec, Inbox};
use mafalda_testkit::{
    Access, Hostility, JoinSettings, Packet, PeerId, Receiving, Sending, TrackSettings, World, each_seed,
};

use crate::scene::{far, sender};

/// A Router whose peers are all on one WebRtcServer.
struct Scene {
    world: World,
    server: WebRtcServerId,
    router: RouterId,
}

impl Scene {
    fn new(seed: u64) -> Self {
        let mut world = World::new(seed);
        let server = world.create_webrtc_server(world.worker());
        let router = world.create_router();
        Self { world, server, router }
    }

    fn join(&mut self, settings: &JoinSettings) -> PeerId {
        let create = World::server_transport_options(self.router, self.server);
        self.world.join_by(create, settings)
    }

    fn join_over(&mut self, protocol: Protocol, settings: JoinSettings) -> PeerId {
        self.join(&JoinSettings { protocol, ..settings })
    }

    fn connect(&mut self, peers: &[PeerId]) {
        let connected = self.world.run_until(Duration::from_secs(2), |world| {
            peers.iter().all(|peer| world.peer(*peer).is_connected())
        });
        assert!(connected);
    }

    fn produce(&mut self, peer: PeerId, codec: Codec) -> Sending {
        self.world.produce(peer, &TrackSettings::usual(codec))
    }

    fn state(&self, peer: PeerId) -> &WebRtcTransportState {
        self.world.transport_state(self.world.transport(peer))
    }

    fn remote(&self, peer: PeerId) -> Option<SocketAddr> {
        let tuple = self.state(peer).ice_selected_tuple.as_ref()?;
        Some(SocketAddr::new(tuple.remote_ip()?, tuple.remote_port()?))
    }

    fn inbox(&self, receiving: Receiving) -> &Inbox {
        self.world.peer(receiving.peer).log().inbox(receiving.ssrc)
    }

    fn run(&mut self, seconds: u64) {
        self.world.run(Duration::from_secs(seconds));
    }
}

#[test]
fn a_meeting_goes_over_one_port() {
    each_seed(|seed| {
        let mut scene = Scene::new(seed);
        let peers: Vec<PeerId> = (0..5).map(|_| scene.join(&far())).collect();
        scene.connect(&peers);
        let sendings: Vec<Sending> = peers.iter().map(|peer| scene.produce(*peer, Codec::Opus)).collect();
        let mut receivings = Vec::new();
        for sending in &sendings {
            for peer in peers.iter().filter(|peer| **peer != sending.peer) {
                receivings.push(scene.world.consume(*peer, sending.producer));
            }
        }
        scene.run(5);
        for receiving in &receivings {
            scene.inbox(*receiving).check_whole();
            assert!(scene.inbox(*receiving).count() > 200, "{}", scene.inbox(*receiving).count());
        }
        let candidates = scene.state(peers[0]).ice_candidates.clone();
        for peer in &peers {
            assert_eq!(scene.state(*peer).ice_candidates, candidates, "one address for all");
            assert_eq!(scene.remote(*peer), Some(scene.world.peer(*peer).address()));
            assert_eq!(scene.state(*peer).webrtc_server, Some(scene.server));
        }
        let dump = scene.world.call(DumpWebRtcServer { id: scene.server }).expect("a dump");
        assert_eq!((dump.webrtc_transport_ids.len(), dump.local_ice_username_fragments.len()), (5, 5));
    });
}

#[test]
fn peers_behind_one_address_and_over_tcp_share_it_too() {
    let mut scene = Scene::new(1);
    let alice = scene.join_over(Protocol::Tcp, sender());
    let (bob, carol) = (scene.join(&far()), scene.join(&far()));
    let dave = scene.join_over(Protocol::Tcp, far());
    // Behind one NAT: its address, and a port for each.
    for (peer, port) in [(alice, 6001), (bob, 6002), (carol, 6003), (dave, 6004)] {
        scene.world.peer_mut(peer).rebind(SocketAddr::from(([10, 3, 0, 1], port)));
    }
    scene.connect(&[alice, bob, carol, dave]);
    let sending = scene.produce(alice, Codec::Vp8);
    let receivings = [bob, carol, dave].map(|peer| scene.world.consume(peer, sending.producer));
    scene.run(5);
    for receiving in receivings {
        scene.inbox(receiving).check_whole();
        assert!(scene.inbox(receiving).count() > 250, "{}", scene.inbox(receiving).count());
    }
    for (peer, protocol) in [(alice, Protocol::Tcp), (bob, Protocol::Udp), (dave, Protocol::Tcp)] {
        let tuple = scene.state(peer).ice_selected_tuple.clone().expect("a tuple is selected");
        assert_eq!(tuple.protocol(), protocol);
    }
}

#[test]
fn restarts_and_moves_of_one_do_not_disturb_another() {
    each_seed(|seed| {
        let mut scene = Scene::new(seed);
        let (alice, bob, carol) = (scene.join(&sender()), scene.join(&far()), scene.join(&far()));
        scene.connect(&[alice, bob, carol]);
        let sending = scene.produce(alice, Codec::Opus);
        let (to_bob, to_carol) =
            (scene.world.consume(bob, sending.producer), scene.world.consume(carol, sending.producer));
        scene.run(2);
        scene.world.restart_ice(alice);
        scene.world.restart_ice(bob);
        let moved = SocketAddr::from(([10, 2, 0, 9], 6000));
        scene.world.peer_mut(bob).rebind(moved);
        // Longer than consent lasts: the new credentials are in use by then.
        scene.run(40);
        assert_eq!(scene.remote(bob), Some(moved));
        for peer in [alice, bob, carol] {
            assert_eq!(
                (scene.state(peer).ice_state, scene.state(peer).dtls_state),
                (IceState::Completed, DtlsState::Connected)
            );
        }
        scene.inbox(to_carol).check_whole();
        let late = scene.world.elapsed() - Duration::from_secs(2);
        assert!(scene.inbox(to_bob).since(late).count() > 90);
        let dump = scene.world.call(DumpWebRtcServer { id: scene.server }).expect("a dump");
        assert_eq!(dump.local_ice_username_fragments.len(), 3, "old names are forgotten");
    });
}

#[test]
fn who_is_gone_leaves_its_address_to_whoever_comes_next() {
    let mut scene = Scene::new(2);
    let (alice, bob) = (scene.join(&sender()), scene.join(&far()));
    scene.connect(&[alice, bob]);
    let address = scene.world.peer(bob).address();
    let left = scene.world.transport(bob);
    scene.world.peer_mut(bob).rebind(SocketAddr::from(([10, 2, 0, 1], 1)));
    scene.world.call(Close { ids: vec![left.into()] }).expect("closed");
    let carol = scene.join(&far());
    scene.world.peer_mut(carol).rebind(address);
    scene.connect(&[carol]);
    let sending = scene.produce(alice, Codec::Vp8);
    let receiving = scene.world.consume(carol, sending.producer);
    scene.run(2);
    scene.inbox(receiving).check_whole();
    assert_eq!(scene.remote(carol), Some(address));
    assert!(scene.inbox(receiving).count() > 100);
}

#[test]
fn guessers_of_names_get_refusals_and_nobody_notices() {
    let mut scene = Scene::new(3);
    let (alice, bob) = (scene.join(&sender()), scene.join(&far()));
    scene.connect(&[alice, bob]);
    let sending = scene.produce(alice, Codec::Vp8);
    let receiving = scene.world.consume(bob, sending.producer);
    scene.run(1);
    // Who overheard Bob's checks knows his name, but not how to sign. Played back from elsewhere, a check is as good as new:
    // ICE has no other protection than that its answer goes to where it seems to come from. So these are spoiled.
    let checks: Vec<Packet> =
        scene.world.overheard().iter().filter(|packet| packet.bytes[0] < 2).cloned().collect();
    assert!(!checks.is_empty());
    let before = scene.world.events().len();
    for number in 0..200_u16 {
        for check in &checks {
            let mut bytes = check.bytes.clone();
            let at = bytes.len() - 8 - 1 - usize::from(number % 20);
            bytes[at] ^= 1 << (number % 8);
            resum(&mut bytes);
            let from = SocketAddr::from(([10, 9, 9, 9], 1000 + number));
            scene.world.inject(Packet { from, to: check.to, bytes });
        }
        scene.world.run(Duration::from_millis(5));
    }
    scene.run(1);
    assert_eq!(scene.world.events().len(), before, "{:?}", scene.world.events().last());
    scene.inbox(receiving).check_whole();
    let answered = scene.world.network().stats([10, 9, 9, 9].into(), Access::Down).sent;
    assert_eq!(answered, 200 * checks.len() as u64, "each gets its refusal");
    let media: Vec<Packet> =
        scene.world.overheard().iter().filter(|packet| packet.bytes[0] >= 128).cloned().collect();
    let count = media.len() as u64;
    let unknown = scene.world.drops(scene.world.worker()).get(DropReason::UnknownTuple);
    let from = SocketAddr::from(([10, 9, 9, 9], 1));
    media.into_iter().for_each(|packet| scene.world.inject(Packet { from, ..packet }));
    scene.run(1);
    let drops = scene.world.drops(scene.world.worker());
    assert_eq!(drops.get(DropReason::UnknownTuple), unknown + count, "a known name opens no way for media");
}

#[test]
fn media_of_all_is_unharmed_by_packets_in_the_name_of_any() {
    each_seed(|seed| {
        let mut scene = Scene::new(seed);
        let peers: Vec<PeerId> = (0..3).map(|_| scene.join(&far())).collect();
        scene.connect(&peers);
        let mut receivings = Vec::new();
        for (index, peer) in peers.iter().enumerate() {
            let sending = scene.produce(*peer, Codec::Opus);
            receivings.push(scene.world.consume(peers[(index + 1) % peers.len()], sending.producer));
        }
        scene.run(1);
        let mut hostility = Hostility::new(seed);
        for _ in 0..2000 {
            for packet in hostility.packets(scene.world.overheard()) {
                scene.world.inject(packet);
            }
            scene.world.run(Duration::from_millis(1));
        }
        scene.run(1);
        for receiving in receivings {
            scene.inbox(receiving).check_whole();
            assert!(scene.inbox(receiving).count() > 150);
        }
        let drops = scene.world.drops(scene.world.worker());
        assert!(drops.get(DropReason::Unauthentic) > 0 && drops.total() > 2000, "{drops:?}");
    });
}

/// Makes FINGERPRINT right again (RFC 8489 §14.7), bit by bit.
fn resum(message: &mut [u8]) {
    let (body, sum) = message.split_at_mut(message.len() - 8);
    let mut crc = !0_u32;
    for byte in body {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1));
        }
    }
    sum[4..].copy_from_slice(&(!crc ^ 0x5354_554e).to_be_bytes());
}

#[test]
fn closing_it_says_goodbye_to_all_its_peers() {
    let mut scene = Scene::new(4);
    let (alice, bob) = (scene.join(&sender()), scene.join_over(Protocol::Tcp, far()));
    let carol = scene.world.join(scene.router, &far());
    scene.connect(&[alice, bob, carol]);
    let sending = scene.produce(alice, Codec::Opus);
    let receiving = scene.world.consume(carol, sending.producer);
    scene.run(1);
    let before = scene.world.events().len();
    scene.world.call(Close { ids: vec![scene.server.into()] }).expect("closed");
    let closed: Vec<_> = scene.world.events()[before..]
        .iter()
        .filter_map(|(_, event)| match event {
            Event::Closed { id, cause } => Some((*id, cause.clone())),
            _ => None,
        })
        .collect();
    assert_eq!(closed.len(), 5, "{closed:?}");
    assert_eq!(closed[0], (scene.server.into(), CloseCause::Requested));
    for peer in [alice, bob] {
        let expected = (scene.world.transport(peer).into(), CloseCause::WebRtcServerClosed);
        assert!(closed.contains(&expected), "{closed:?}");
    }
    assert!(closed.contains(&(sending.producer.into(), CloseCause::TransportClosed)));
    assert!(closed.contains(&(receiving.consumer.into(), CloseCause::ProducerClosed)));
    scene.run(1);
    for peer in [alice, bob] {
        assert!(scene.world.peer(peer).log().closed_at().is_some(), "the peer is told by DTLS");
    }
    assert!(scene.world.peer(carol).log().closed_at().is_none());
    let create = World::server_transport_options(scene.router, scene.server);
    assert_eq!(scene.world.call(create).unwrap_err().code, ErrorCode::NotFound);
}

#[test]
fn a_transport_moves_to_another_router_of_its_worker_and_to_no_other_worker() {
    let mut scene = Scene::new(5);
    let (alice, bob) = (scene.join(&sender()), scene.join_over(Protocol::Tcp, far()));
    scene.connect(&[alice, bob]);
    let sending = scene.produce(alice, Codec::Vp8);
    let receiving = scene.world.consume(bob, sending.producer);
    scene.run(1);
    let elsewhere = scene.world.add_worker();
    let away = scene.world.create_router_in(elsewhere);
    let failure = scene.world.try_migrate(scene.world.transport(bob), away).unwrap_err();
    assert_eq!((failure.code, failure.subject), (ErrorCode::NotFound, Some(scene.server.into())));
    scene.run(1);
    let room = scene.world.create_router();
    for peer in [alice, bob] {
        let transport = scene.world.transport(peer);
        scene.world.migrate(transport, room);
    }
    scene.run(2);
    scene.world.restart_ice(alice);
    scene.run(40);
    scene.inbox(receiving).check_whole();
    assert!(scene.inbox(receiving).count() > 2400, "{}", scene.inbox(receiving).count());
    let Some(ObjectState::WebRtcTransport(state)) = scene.world.object(scene.world.transport(alice)) else {
        panic!("the Transport stays")
    };
    assert_eq!(state.ice_state, IceState::Completed);
}

#[test]
fn a_transport_on_the_server_of_another_worker_is_refused() {
    let mut scene = Scene::new(6);
    let elsewhere = scene.world.add_worker();
    let server = scene.world.create_webrtc_server(elsewhere);
    let failure = scene.world.call(World::server_transport_options(scene.router, server)).unwrap_err();
    assert_eq!((failure.code, failure.subject), (ErrorCode::NotFound, Some(server.into())));
    assert!(failure.detail.contains(&scene.world.worker().to_string()), "{failure}");
}
