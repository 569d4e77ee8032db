//! Transports that share a WebRtcServer's sockets: checks find their way by name, and strangers change nothing.

use std::collections::HashSet;
use std::net::SocketAddr;

use mafalda_api::consumer::ConsumerRtpStreamStat;
use mafalda_api::id::{ObjectId, TransportId, WebRtcServerId};
use mafalda_api::types::data_structures::{ListenInfo, Protocol, TransportTuple};
use mafalda_api::waist::{
    Close, CloseCause, CreateWebRtcServer, CreateWebRtcTransport, DumpWebRtcServer, DumpWorker, ErrorCode,
    Event, GetConsumerStats, Listen, Reply, RestartIce,
};
use mafalda_api::webrtc_server::WebRtcServerDump;
use mafalda_api::worker::WorkerDump;
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::super::*;
use super::peer::{Packet, Peer};
use super::stage::{Sent, Stage, audio};
use crate::server::{WAITING_CONNECTIONS_MAX, WAITING_TIME_MAX};
use crate::stun;

fn remote(port: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], port))
}

/// A Transport on the server whose peer speaks from there.
fn join(stage: &mut Stage, server: WebRtcServerId, tuple: Tuple) -> Peer {
    let mut peer = Peer::new(stage.on_server(server), tuple);
    stage.check(&mut peer);
    peer
}

fn connect(stage: &mut Stage, listener: SocketId, number: u32) -> Tuple {
    let connection = Tuple { socket: SocketId(1000 + number), remote: remote(number as u16) };
    stage.input(Input::Accepted { listener, connection });
    connection
}

fn dump(stage: &mut Stage, server: WebRtcServerId) -> WebRtcServerDump {
    let Reply::WebRtcServerDump(dump) = stage.call(DumpWebRtcServer { id: server }).unwrap() else {
        panic!("the reply is of another operation")
    };
    dump
}

fn selected(stage: &Stage, id: TransportId) -> Option<Tuple> {
    stage.webrtc(id).ice.selected()
}

/// The error codes of the answers that were sent there; `None` is success.
fn answers(stage: &mut Stage, tuple: Tuple) -> Vec<Option<u16>> {
    let sent: Vec<Sent> = std::mem::take(&mut stage.sent);
    let own = sent.iter().filter(|it| it.tuple == tuple);
    own.map(|it| stun::Message::parse(&it.bytes).unwrap().error_code()).collect()
}

fn closed(stage: &Stage) -> Vec<(ObjectId, CloseCause)> {
    let events = stage.events.iter().filter_map(|event| match event {
        Event::Closed { id, cause } => Some((*id, cause.clone())),
        _ => None,
    });
    events.collect()
}

#[test]
fn checks_are_led_by_name_and_all_else_by_its_tuple() {
    let mut stage = Stage::new();
    let (server, [udp, _]) = stage.server();
    // Two of one household: the same IP address.
    let alice = join(&mut stage, server, Tuple { socket: udp, remote: remote(1) });
    let bob = join(&mut stage, server, Tuple { socket: udp, remote: remote(2) });
    for peer in [&alice, &bob] {
        assert_eq!(selected(&stage, peer.id), Some(peer.tuple));
        stage.key(peer);
    }
    stage.produce(&alice, audio("0", Some(1000)));
    stage.produce(&bob, audio("0", Some(1000)));
    let stranger = Tuple { socket: udp, remote: remote(3) };
    let packet = alice.protect(&Packet::sound(1000, 1));
    stage.datagrams([(alice.tuple, packet.clone()), (bob.tuple, packet.clone()), (stranger, packet)]);
    assert_eq!(stage.worker.drops().get(DropReason::UnknownTuple), 1);
    for peer in [&alice, &bob] {
        assert!(stage.machine(peer.id).traffic.rtp_received.bytes > 0);
    }
    let dump = dump(&mut stage, server);
    assert_eq!(dump.webrtc_transport_ids, HashSet::from([alice.id, bob.id]));
    assert_eq!(dump.local_ice_username_fragments.len(), 2);
    assert_eq!((dump.udp_sockets.len(), dump.tcp_servers.len()), (1, 1));
    let Reply::WorkerDump(WorkerDump { webrtc_server_ids, .. }) =
        stage.call(DumpWorker { id: stage.worker.id }).unwrap()
    else {
        panic!("the reply is of another operation")
    };
    assert_eq!(webrtc_server_ids, [server]);
}

#[test]
fn a_name_without_its_password_changes_no_table() {
    let mut stage = Stage::new();
    let (server, [udp, tcp]) = stage.server();
    let mut alice = join(&mut stage, server, Tuple { socket: udp, remote: remote(1) });
    let connection = connect(&mut stage, tcp, 1);
    let before = stage.worker.paths.sizes();
    let name = stage.webrtc(alice.id).ice.local().username_fragment;
    let forged = alice.check_as(name.as_str(), b"a guess");
    let stranger = Tuple { socket: udp, remote: remote(666) };
    stage.sent.clear();
    for tuple in [stranger, connection] {
        stage.datagrams([(tuple, forged.clone())]);
        assert_eq!(answers(&mut stage, tuple), [Some(401)], "{tuple}");
    }
    assert_eq!(stage.worker.paths.sizes(), before);
    assert_eq!(selected(&stage, alice.id), Some(alice.tuple));
    assert!(stage.worker.servers[&server].waiting.connections().eq([connection.socket]));

    // Nobody's name, and no name at all.
    let mut answer = [0; stun::RESPONSE_LEN_MAX];
    let good = alice.check(&stage.webrtc(alice.id).ice);
    let message = stun::Message::parse(&good).unwrap();
    let nameless = message.write_success(remote(1), b"a guess", &mut answer).unwrap();
    stage.datagrams([
        (stranger, alice.check_as("nobody", b"a guess")),
        (stranger, answer[..nameless].to_vec()),
    ]);
    assert!(stage.sent.is_empty(), "{:?}", stage.sent);
    assert_eq!(stage.worker.drops().get(DropReason::UnknownUsername), 2);
    assert_eq!(stage.worker.paths.sizes(), before);
}

#[test]
fn a_name_is_good_on_its_own_server_alone() {
    let mut stage = Stage::new();
    let ((first, [udp, _]), (_, [other, _])) = (stage.server(), stage.server());
    let mut alice = join(&mut stage, first, Tuple { socket: udp, remote: remote(1) });
    alice.tuple.socket = other;
    stage.check(&mut alice);
    assert_eq!(stage.worker.drops().get(DropReason::UnknownUsername), 1);
    assert_eq!(selected(&stage, alice.id).map(|tuple| tuple.socket), Some(udp));
    // Nor is it on the socket of a Transport of its own.
    let bob = stage.peer();
    alice.tuple.socket = bob.tuple.socket;
    stage.sent.clear();
    stage.check(&mut alice);
    assert_eq!(answers(&mut stage, alice.tuple), [Some(401)]);
}

#[test]
fn a_path_can_not_be_taken_from_its_transport_by_another_of_the_server() {
    let mut stage = Stage::new();
    let (server, [udp, _]) = stage.server();
    let alice = join(&mut stage, server, Tuple { socket: udp, remote: remote(1) });
    let mut mallory = join(&mut stage, server, Tuple { socket: udp, remote: remote(2) });
    mallory.tuple = alice.tuple;
    stage.sent.clear();
    stage.check(&mut mallory);
    assert_eq!(answers(&mut stage, alice.tuple), [Some(401)]);
    assert_eq!(selected(&stage, alice.id), Some(alice.tuple));
    assert_eq!(selected(&stage, mallory.id).map(|it| it.remote), Some(remote(2)));
    // Once Alice has gone, whoever comes behind that address now may have it.
    stage.call(Close { ids: vec![alice.id.into()] }).unwrap();
    stage.check(&mut mallory);
    assert_eq!(selected(&stage, mallory.id), Some(alice.tuple));
}

#[test]
fn a_peer_that_roams_keeps_its_transport() {
    let mut stage = Stage::new();
    let (server, [udp, _]) = stage.server();
    let mut alice = join(&mut stage, server, Tuple { socket: udp, remote: remote(1) });
    let bob = join(&mut stage, server, Tuple { socket: udp, remote: remote(2) });
    alice.tuple.remote = SocketAddr::from(([198, 51, 100, 7], 9));
    stage.check(&mut alice);
    assert_eq!((selected(&stage, alice.id), selected(&stage, bob.id)), (Some(alice.tuple), Some(bob.tuple)));
    let told = stage.events.iter().rev().find_map(|event| match event {
        Event::IceSelectedTupleChanged { tuple, .. } => tuple.clone(),
        _ => None,
    });
    let TransportTuple::WithRemote { local_port, remote_ip, .. } = told.unwrap() else {
        panic!("a selected tuple has a remote side")
    };
    assert_eq!((local_port, remote_ip), (4000 + udp.0 as u16, alice.tuple.remote.ip()));
}

#[test]
fn names_follow_restarts() {
    let mut stage = Stage::new();
    let (server, [udp, _]) = stage.server();
    let mut alice = join(&mut stage, server, Tuple { socket: udp, remote: remote(1) });
    let names = |stage: &mut Stage| dump(stage, server).local_ice_username_fragments.len();
    let at = |port| Tuple { socket: udp, remote: remote(port) };
    let first = alice.check(&stage.webrtc(alice.id).ice);
    stage.call(RestartIce { id: alice.id }).unwrap();
    let second = alice.check(&stage.webrtc(alice.id).ice);
    assert_eq!(names(&mut stage), 2, "the old name is good until the new one is used");
    // A second restart before that ends the first.
    stage.call(RestartIce { id: alice.id }).unwrap();
    let third = alice.check(&stage.webrtc(alice.id).ice);
    assert_eq!(names(&mut stage), 2);
    stage.sent.clear();
    stage.datagrams([(at(2), first), (at(3), second.clone())]);
    assert_eq!(
        (answers(&mut stage, at(2)), stage.worker.drops().get(DropReason::UnknownUsername)),
        (vec![], 1)
    );
    assert!(stage.webrtc(alice.id).ice.is_valid(at(3)));
    stage.sent.clear();
    stage.datagrams([(at(4), third)]);
    assert_eq!(names(&mut stage), 1, "the new name is used");
    stage.datagrams([(at(5), second)]);
    assert_eq!(stage.worker.drops().get(DropReason::UnknownUsername), 2);
    stage.call(Close { ids: vec![alice.id.into()] }).unwrap();
    assert_eq!((names(&mut stage), stage.worker.paths.sizes()), (0, [0, 2, 0]), "the server's sockets stay");
}

fn rng(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

#[test]
fn no_two_transports_get_one_name() {
    let mut stage = Stage::new();
    let (server, _) = stage.server();
    // The same chance again and again.
    let ids = [(); 3].map(|()| {
        stage.worker.turn.rng = rng(9);
        stage.on_server(server)
    });
    stage.worker.turn.rng = rng(9);
    stage.call(RestartIce { id: ids[0] }).unwrap();
    let mut names: Vec<_> = dump(&mut stage, server)
        .local_ice_username_fragments
        .into_iter()
        .map(|it| it.local_ice_username_fragment)
        .collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 4, "{names:?}");
}

#[test]
fn a_connection_is_somebodys_from_its_first_good_check_on() {
    let mut stage = Stage::new();
    let (server, [_, tcp]) = stage.server();
    let (first, second) = (connect(&mut stage, tcp, 1), connect(&mut stage, tcp, 2));
    let alice = join(&mut stage, server, first);
    let bob = join(&mut stage, server, second);
    assert_eq!(stage.worker.servers[&server].waiting.connections().count(), 0);
    for peer in [&alice, &bob] {
        let described = stage.webrtc(peer.id).endpoints.describe(peer.tuple).unwrap();
        assert_eq!((described.protocol(), described.local_port()), (Protocol::Tcp, 4000 + tcp.0 as u16));
    }
    // Long after those that wait have to go, but before consent ends.
    stage.pass(WAITING_TIME_MAX * 2);
    assert!(stage.closed.is_empty());
    stage.call(Close { ids: vec![alice.id.into()] }).unwrap();
    assert_eq!(stage.closed, [first.socket], "its connection goes, the server's sockets stay");
    stage.input(Input::Disconnected { connection: second.socket });
    assert_eq!(selected(&stage, bob.id), None);
    assert!(stage.webrtc(bob.id).endpoints.sockets().next().is_none());
    assert_eq!(stage.closed, [first.socket]);
}

#[test]
fn connections_of_nobody_are_bounded_in_number_and_time() {
    let mut stage = Stage::new();
    let (server, [_, tcp]) = stage.server();
    let most = WAITING_CONNECTIONS_MAX as u32;
    let connections: Vec<_> = (0..=most).map(|number| connect(&mut stage, tcp, number)).collect();
    assert_eq!(stage.closed, [connections[0].socket], "the oldest makes room");
    let alice = join(&mut stage, server, connections[1]);
    stage.input(Input::Disconnected { connection: connections[2].socket });
    stage.closed.clear();
    stage.pass(WAITING_TIME_MAX - std::time::Duration::from_millis(1));
    let late = connect(&mut stage, tcp, 5000);
    assert!(stage.closed.is_empty());
    stage.ms(2);
    assert_eq!(stage.closed.len(), WAITING_CONNECTIONS_MAX - 2);
    assert!(!stage.closed.contains(&alice.tuple.socket) && !stage.closed.contains(&late.socket));
    stage.closed.clear();
    stage.pass(WAITING_TIME_MAX);
    assert_eq!(stage.closed, [late.socket]);
    let [tuples, sockets, names] = stage.worker.paths.sizes();
    assert_eq!([tuples, sockets, names], [1, 3, 1], "two listening sockets and one connection");
}

#[test]
fn closing_it_closes_its_transports_and_no_others() {
    let mut stage = Stage::new();
    let (server, [udp, tcp]) = stage.server();
    let alice = join(&mut stage, server, Tuple { socket: udp, remote: remote(1) });
    let connection = connect(&mut stage, tcp, 1);
    let bob = join(&mut stage, server, connection);
    let waiting = connect(&mut stage, tcp, 2);
    let carol = stage.peer();
    stage.key(&alice);
    let producer = stage.produce(&alice, audio("0", Some(1000)));
    let consumer = stage.consume(&carol, producer, false);
    stage.events.clear();
    stage.call(Close { ids: vec![server.into()] }).unwrap();

    let closed = closed(&stage);
    assert_eq!(closed[0], (server.into(), CloseCause::Requested), "it is told first");
    let by_server = |id: TransportId| (id.into(), CloseCause::WebRtcServerClosed);
    for expected in [
        by_server(alice.id),
        by_server(bob.id),
        (producer.into(), CloseCause::TransportClosed),
        (consumer.into(), CloseCause::ProducerClosed),
    ] {
        assert_eq!(closed.iter().filter(|it| **it == expected).count(), 1, "{expected:?}");
    }
    assert_eq!(closed.len(), 5);
    let mut sockets = stage.closed.clone();
    sockets.sort_unstable();
    assert_eq!(sockets, [udp, tcp, connection.socket, waiting.socket]);
    assert_eq!(stage.worker.paths.sizes(), [1, 1, 1], "Carol's");

    let failure = stage.call(DumpWebRtcServer { id: server }).unwrap_err();
    assert_eq!((failure.code, failure.subject), (ErrorCode::NotFound, Some(server.into())));
    stage.closed.clear();
    stage.pass(WAITING_TIME_MAX);
    let late = Tuple { socket: SocketId(2000), remote: remote(3) };
    stage.input(Input::Accepted { listener: tcp, connection: late });
    assert_eq!(stage.closed, [late.socket], "who was just accepted finds nobody");
    let create = stage.transport_command(TransportId::new(), Listen::Server(server));
    let failure = stage.call(create).unwrap_err();
    assert_eq!((failure.code, failure.subject), (ErrorCode::NotFound, Some(server.into())));
}

#[test]
fn what_could_not_be_sent_is_counted_at_whom_it_was_for() {
    let mut stage = Stage::new();
    let (server, [udp, _]) = stage.server();
    let alice = join(&mut stage, server, Tuple { socket: udp, remote: remote(1) });
    let bob = join(&mut stage, server, Tuple { socket: udp, remote: remote(2) });
    stage.key(&alice);
    stage.key(&bob);
    let producer = stage.produce(&alice, audio("0", Some(1000)));
    let consumer = stage.consume(&bob, producer, false);
    let ssrc = stage.machine(bob.id).targets.keys().copied().next().unwrap();
    let discarded = |stage: &mut Stage| {
        let Reply::ConsumerStats(stats) = stage.call(GetConsumerStats { id: consumer }).unwrap() else {
            panic!("the reply is of another operation")
        };
        let ConsumerRtpStreamStat::Outbound(own) = &stats[0] else { panic!("{stats:?}") };
        own.packets_discarded
    };
    for (tuple, expected) in [(alice.tuple, 0), (bob.tuple, 3)] {
        stage.input(Input::Unsent { tuple, sender: Sender::Consumer(ssrc), packets: 3 });
        assert_eq!(discarded(&mut stage), expected);
    }
}

#[test]
fn closing_a_router_leaves_the_server() {
    let mut stage = Stage::new();
    let (server, [udp, tcp]) = stage.server();
    let connection = connect(&mut stage, tcp, 1);
    join(&mut stage, server, connection);
    join(&mut stage, server, Tuple { socket: udp, remote: remote(1) });
    stage.call(Close { ids: vec![stage.router.into()] }).unwrap();
    assert_eq!(stage.closed, [connection.socket]);
    assert_eq!(stage.worker.paths.sizes(), [0, 2, 0]);
    assert!(dump(&mut stage, server).webrtc_transport_ids.is_empty());
    stage.router = stage.create_router();
    let again = join(&mut stage, server, Tuple { socket: udp, remote: remote(1) });
    assert_eq!(selected(&stage, again.id), Some(again.tuple));
}

#[test]
fn what_makes_no_server_is_refused_and_leaves_nothing() {
    let mut stage = Stage::new();
    let (id, worker) = (WebRtcServerId::new(), stage.worker.id);
    let create = |listen_infos| CreateWebRtcServer { id, worker, listen_infos };
    let failure = stage.call(create(vec![ListenInfo::of_place(Protocol::Udp)])).unwrap_err();
    assert_eq!(failure.code, ErrorCode::InvalidArgument, "nothing was bound");
    let (server, _) = stage.server();
    let again = CreateWebRtcServer { id: server, worker, listen_infos: Vec::new() };
    assert_eq!(stage.call(again).unwrap_err().code, ErrorCode::AlreadyExists);
    let none = CreateWebRtcTransport {
        enable_udp: false,
        enable_tcp: false,
        ..stage.transport_command(TransportId::new(), Listen::Server(server))
    };
    assert_eq!(stage.call(none).unwrap_err().code, ErrorCode::InvalidArgument, "no candidate is left");
    assert_eq!(stage.worker.paths.sizes(), [0, 2, 0]);
    assert!(dump(&mut stage, server).webrtc_transport_ids.is_empty());
}

#[test]
fn a_transport_moves_between_routers_and_comes_only_where_its_server_is() {
    let mut stage = Stage::new();
    let (server, [udp, tcp]) = stage.server();
    let connection = connect(&mut stage, tcp, 1);
    let mut alice = join(&mut stage, server, Tuple { socket: udp, remote: remote(1) });
    alice.tuple = connection;
    stage.check(&mut alice);
    let check = alice.check(&stage.webrtc(alice.id).ice);
    let before = stage.worker.paths.sizes();
    let state = stage.worker.take_transport(stage.now, alice.id).unwrap();
    assert_eq!(stage.worker.paths.sizes(), [0, 2, 0]);
    assert!(dump(&mut stage, server).webrtc_transport_ids.is_empty());
    let away = Tuple { socket: udp, remote: remote(7) };
    stage.datagrams([(away, check.clone())]);
    assert_eq!(stage.worker.drops().get(DropReason::UnknownUsername), 1, "nobody has that name now");

    let mut elsewhere = Stage::new();
    elsewhere.server();
    let refused = elsewhere.worker.put_transport(elsewhere.now, elsewhere.router, state).unwrap_err();
    assert_eq!((refused.0.code, refused.0.subject), (ErrorCode::NotFound, Some(server.into())));
    assert_eq!(elsewhere.worker.paths.sizes(), [0, 2, 0]);

    let other = stage.create_router();
    stage.worker.put_transport(stage.now, other, *refused.1).map_err(|(failure, _)| failure).unwrap();
    stage.drain();
    assert_eq!(stage.worker.paths.sizes(), before);
    assert_eq!(dump(&mut stage, server).webrtc_transport_ids, HashSet::from([alice.id]));
    stage.datagrams([(away, check)]);
    assert!(stage.webrtc(alice.id).ice.is_valid(away));
}
