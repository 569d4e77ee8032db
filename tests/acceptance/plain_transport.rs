//! PlainTransports: where they listen, how they get to know their peer, media through them, their end.

mod srtp;

use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use mafalda_api::consumer::Consumer;
use mafalda_api::plain_transport::PlainTransport;
use mafalda_api::prelude::*;
use mafalda_api::router::Router;
use mafalda_api::types::data_structures::{SocketFlags, TransportTuple};
use mafalda_api::types::srtp_parameters::{SrtpCryptoSuite, SrtpParameters};
use mafalda_api::waist::ErrorCode;
use mafalda_api::worker_manager::WorkerManager;

use crate::fixture::{calls, on_each_backend};
use crate::parameters;
use crate::scene::{self, listen_info};

on_each_backend! {
    a_created_transport_knows_its_own_address_only,
    rtcp_has_a_port_of_its_own_without_mux,
    rtcp_may_have_an_address_of_its_own_too,
    comedia_learns_where_rtcp_comes_from,
    an_announced_address_is_told,
    an_address_of_the_place_is_one_address,
    a_foreign_address_is_refused,
    a_port_is_shared_only_where_that_is_asked_for,
    connecting_names_the_peer_once,
    wrong_parameters_are_refused,
    comedia_learns_the_peer_from_its_first_packet,
    strangers_are_not_heard_once_the_peer_is_known,
    media_goes_through_as_it_is,
    incoming_bitrate_can_be_limited,
    a_port_that_is_taken_is_refused,
    closing_closes_all_in_it,
    a_closing_router_is_told,
    a_closing_worker_is_told,
    a_closed_transport_refuses,
    the_manager_finds_it_by_its_kind,
}

/// The peer's SSRC and payload type, as `parameters::audio` tells them.
const HEADER: [u8; 12] = [0x80, 111, 0, 1, 0, 0, 0, 1, 0, 0, 0x2b, 0x67];
/// An RTCP packet that says nothing: a receiver report without blocks (RFC 3550 §6.4.2).
const RECEIVER_REPORT: [u8; 8] = [0x80, 201, 0, 1, 0, 0, 0, 9];
const HOSTS: (&str, &str) = ("127.0.0.1", "127.0.0.2");

fn options() -> PlainTransportOptions {
    PlainTransportOptions::new(listen_info(Protocol::Udp))
}

fn comedia() -> PlainTransportOptions {
    let mut options = options();
    options.comedia = true;
    options
}

async fn router(manager: &WorkerManager) -> Router {
    scene::router(&scene::worker(manager).await).await
}

async fn create(router: &Router, options: PlainTransportOptions) -> PlainTransport {
    router.create_plain_transport(options).await.expect("a PlainTransport")
}

/// A peer's socket.
fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    socket
}

fn port(socket: &UdpSocket) -> u16 {
    socket.local_addr().expect("an address").port()
}

fn named(socket: &UdpSocket) -> PlainTransportRemoteParameters {
    let address = socket.local_addr().expect("an address");
    PlainTransportRemoteParameters {
        ip: Some(address.ip()),
        port: Some(address.port()),
        ..PlainTransportRemoteParameters::default()
    }
}

fn send(socket: &UdpSocket, packet: &[u8], to: &TransportTuple) {
    socket.send_to(packet, ("127.0.0.1", to.local_port())).expect("loopback takes it");
}

/// The next packet that is RTP and no RTCP (RFC 5761 §4).
fn receive_rtp(socket: &UdpSocket) -> Vec<u8> {
    let mut buffer = [0; 2000];
    loop {
        let len = socket.recv(&mut buffer).expect("a packet comes");
        if len >= 12 && !(192..=223).contains(&buffer[1]) {
            return buffer[..len].to_vec();
        }
    }
}

/// An Opus packet of the peer, with this sequence number.
fn packet(sequence: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = HEADER.to_vec();
    packet[2..4].copy_from_slice(&sequence.to_be_bytes());
    packet.extend_from_slice(payload);
    packet
}

async fn produce(transport: &PlainTransport) -> mafalda_api::producer::Producer {
    let mut parameters = parameters::audio();
    parameters.encodings[0].ssrc = Some(11_111);
    parameters.mid = None;
    transport.produce(ProducerOptions::new(MediaKind::Audio, parameters)).await.expect("a Producer")
}

async fn consume(transport: &PlainTransport, producer: ProducerId) -> Consumer {
    let options = ConsumerOptions::new(producer, parameters::client_capabilities());
    transport.consume(options).await.expect("a Consumer")
}

async fn a_created_transport_knows_its_own_address_only(manager: &WorkerManager) {
    let router = router(manager).await;
    let (send, created) = calls();
    let _handler = router.on_new_transport(move |it| send.send(it.id()).expect("the body waits"));
    let mut options = options();
    options.labels.insert("from", "an encoder");
    options.app_data = AppData::new("studio");
    let transport = create(&router, options).await;
    assert_eq!(created.next(), transport.id());
    assert_eq!(transport.labels().get("from"), Some("an encoder"));
    assert_eq!(transport.app_data().downcast_ref::<&str>(), Some(&"studio"));
    let tuple = transport.tuple();
    assert!(matches!(tuple, TransportTuple::LocalOnly { .. }), "{tuple:?}");
    assert_eq!((tuple.local_address().as_str(), tuple.protocol()), ("127.0.0.1", Protocol::Udp));
    assert_eq!((transport.rtcp_tuple(), transport.srtp_parameters()), (None, None));
    let dump = transport.dump().await.expect("a dump");
    assert_eq!((dump.id, dump.rtcp_mux, dump.comedia), (transport.id(), true, false));
    assert_eq!((dump.tuple, dump.rtcp_tuple, dump.srtp_parameters), (tuple.clone(), None, None));
    assert!(dump.producer_ids.is_empty() && dump.consumer_ids.is_empty());
    let stats = transport.get_stats().await.expect("statistics").remove(0);
    assert_eq!((stats.transport_id, stats.bytes_received, stats.bytes_sent), (transport.id(), 0, 0));
    assert_eq!((stats.tuple, stats.rtcp_mux, stats.comedia), (tuple, true, false));
}

async fn rtcp_has_a_port_of_its_own_without_mux(manager: &WorkerManager) {
    let mut options = options();
    options.rtcp_mux = false;
    let transport = create(&router(manager).await, options).await;
    let rtcp = transport.rtcp_tuple().expect("a tuple of its own");
    assert_ne!(rtcp.local_port(), transport.tuple().local_port());
    let socket = socket();
    let missing = transport.connect(named(&socket)).await.expect_err("rtcp_port is missing");
    assert_eq!(missing.code(), ErrorCode::InvalidArgument);
    let remote = PlainTransportRemoteParameters { rtcp_port: Some(4321), ..named(&socket) };
    transport.connect(remote).await.expect("a connection");
    assert_eq!(transport.rtcp_tuple().and_then(|tuple| tuple.remote_port()), Some(4321));
    assert_eq!(transport.dump().await.expect("a dump").rtcp_tuple, transport.rtcp_tuple());
    assert_eq!(transport.get_stats().await.expect("statistics")[0].rtcp_tuple, transport.rtcp_tuple());
}

async fn rtcp_may_have_an_address_of_its_own_too(manager: &WorkerManager) {
    let mut options = options();
    options.rtcp_mux = false;
    let elsewhere = ListenInfo { ip: [127, 0, 0, 2].into(), ..listen_info(Protocol::Udp) };
    options.rtcp_listen_info = Some(elsewhere.clone());
    let router = router(manager).await;
    let transport = create(&router, options.clone()).await;
    let rtcp = transport.rtcp_tuple().expect("a tuple of its own");
    assert_eq!((transport.tuple().local_address().as_str(), rtcp.local_address().as_str()), HOSTS);
    // With mux there is no socket for it.
    options.rtcp_mux = true;
    options.rtcp_listen_info = Some(ListenInfo { port: Some(rtcp.local_port()), ..elsewhere });
    assert_eq!(create(&router, options).await.rtcp_tuple(), None);
}

async fn comedia_learns_where_rtcp_comes_from(manager: &WorkerManager) {
    let mut options = comedia();
    options.rtcp_mux = false;
    let transport = create(&router(manager).await, options).await;
    let (told, tuples) = calls();
    let rtp_told = told.clone();
    let _rtp = transport.on_tuple(move |it| rtp_told.send(("rtp", it.clone())).expect("the body waits"));
    let _rtcp = transport.on_rtcp_tuple(move |it| told.send(("rtcp", it.clone())).expect("the body waits"));
    let (rtp, rtcp) = (socket(), socket());
    let ports = (transport.tuple(), transport.rtcp_tuple().expect("a tuple of its own"));
    // Each packet to the other's port: nobody is known by that.
    send(&rtp, &packet(1, b"opus"), &ports.1);
    send(&rtcp, &RECEIVER_REPORT, &ports.0);
    send(&rtcp, &RECEIVER_REPORT, &ports.1);
    let (first, tuple) = tuples.next();
    assert_eq!((first, tuple.remote_port()), ("rtcp", Some(port(&rtcp))));
    send(&rtp, &packet(2, b"opus"), &ports.0);
    let (second, tuple) = tuples.next();
    assert_eq!((second, tuple.remote_port()), ("rtp", Some(port(&rtp))));
    assert_eq!(transport.tuple(), tuple);
    assert_eq!(transport.rtcp_tuple().and_then(|tuple| tuple.remote_port()), Some(port(&rtcp)));
}

async fn an_announced_address_is_told(manager: &WorkerManager) {
    let info = ListenInfo { announced_address: Some("media.example".into()), ..listen_info(Protocol::Udp) };
    let transport = create(&router(manager).await, PlainTransportOptions::new(info)).await;
    assert_eq!(transport.tuple().local_address(), "media.example");
}

async fn an_address_of_the_place_is_one_address(manager: &WorkerManager) {
    let mut options = PlainTransportOptions::new(ListenInfo::of_place(Protocol::Udp));
    options.rtcp_mux = false;
    let transport = create(&router(manager).await, options).await;
    let rtcp = transport.rtcp_tuple().expect("a tuple of its own");
    assert_eq!(transport.tuple().local_address(), rtcp.local_address());
    assert_ne!(transport.tuple().local_address(), "0.0.0.0");
}

async fn a_foreign_address_is_refused(manager: &WorkerManager) {
    let router = router(manager).await;
    let info = ListenInfo { ip: [192, 0, 2, 1].into(), ..listen_info(Protocol::Udp) };
    let refusal =
        router.create_plain_transport(PlainTransportOptions::new(info.clone())).await.expect_err("foreign");
    assert_eq!(refusal.code(), ErrorCode::AddressUnavailable, "{refusal}");
    // The same for RTCP, and the socket of RTP is free again.
    let rtp = ListenInfo { port: Some(port(&socket())), ..listen_info(Protocol::Udp) };
    let mut options = PlainTransportOptions::new(rtp.clone());
    (options.rtcp_mux, options.rtcp_listen_info) = (false, Some(info));
    let refusal = router.create_plain_transport(options).await.expect_err("foreign");
    assert_eq!(refusal.code(), ErrorCode::AddressUnavailable, "{refusal}");
    create(&router, PlainTransportOptions::new(rtp)).await.close();
}

async fn a_port_is_shared_only_where_that_is_asked_for(manager: &WorkerManager) {
    let router = router(manager).await;
    let shared = |port| {
        let flags = SocketFlags { udp_reuse_port: true, ..SocketFlags::default() };
        ListenInfo { ip: [224, 0, 0, 1].into(), port, flags: Some(flags), ..listen_info(Protocol::Udp) }
    };
    let first = create(&router, PlainTransportOptions::new(shared(None))).await;
    let taken = Some(first.tuple().local_port());
    let second = create(&router, PlainTransportOptions::new(shared(taken))).await;
    assert_eq!(second.tuple().local_port(), first.tuple().local_port());
    let alone = ListenInfo { flags: None, ..shared(taken) };
    let refusal = router.create_plain_transport(PlainTransportOptions::new(alone)).await.expect_err("taken");
    assert_eq!(refusal.code(), ErrorCode::NoPort, "{refusal}");
}

async fn connecting_names_the_peer_once(manager: &WorkerManager) {
    let transport = create(&router(manager).await, options()).await;
    let socket = socket();
    let (told, tuples) = calls();
    let _handler = transport.on_tuple(move |_| told.send(()).expect("the body waits"));
    transport.connect(named(&socket)).await.expect("a connection");
    let remote = socket.local_addr().expect("an address");
    assert_eq!(transport.tuple().remote_port(), Some(remote.port()));
    assert_eq!(transport.tuple().remote_ip(), Some(remote.ip()));
    let again = transport.connect(named(&socket)).await.expect_err("once");
    assert_eq!(again.code(), ErrorCode::WrongState);
    // Callbacks come in order: this one comes behind all that connecting could have caused.
    let (told, producers) = calls();
    let _handler = transport.on_new_producer(Arc::new(move |_| told.send(()).expect("the body waits")));
    produce(&transport).await.close();
    producers.next();
    assert!(tuples.is_empty(), "only what comedia learns is told");
    let comedia = create(transport.router(), comedia()).await;
    let nothing = PlainTransportRemoteParameters::default();
    comedia.connect(nothing.clone()).await.expect("there is nothing to say");
    assert_eq!(comedia.connect(nothing).await.expect_err("once").code(), ErrorCode::WrongState);
}

async fn wrong_parameters_are_refused(manager: &WorkerManager) {
    let router = router(manager).await;
    let socket = socket();
    let key =
        SrtpParameters { crypto_suite: SrtpCryptoSuite::AeadAes128Gcm, key_base64: BASE64.encode([7; 28]) };
    let short = SrtpParameters { key_base64: BASE64.encode([7; 27]), ..key.clone() };
    let mut protected = options();
    protected.enable_srtp = true;
    let nothing = PlainTransportRemoteParameters::default();
    let with = |key: &SrtpParameters| PlainTransportRemoteParameters {
        srtp_parameters: Some(key.clone()),
        ..named(&socket)
    };
    let cases = [
        (options(), nothing.clone()),
        (options(), PlainTransportRemoteParameters { port: None, ..named(&socket) }),
        (options(), PlainTransportRemoteParameters { rtcp_port: Some(1), ..named(&socket) }),
        (options(), with(&key)),
        (options(), PlainTransportRemoteParameters { port: Some(0), ..named(&socket) }),
        (comedia(), named(&socket)),
        (protected.clone(), named(&socket)),
        (protected, with(&short)),
    ];
    for (options, remote) in cases {
        let transport = create(&router, options).await;
        let refusal = transport.connect(remote.clone()).await.expect_err("it is wrong");
        assert_eq!(refusal.code(), ErrorCode::InvalidArgument, "{remote:?}: {refusal}");
        assert_eq!(transport.tuple().remote_port(), None, "nothing was taken over");
    }
    let none = listen_info(Protocol::Tcp);
    let refusal = router.create_plain_transport(PlainTransportOptions::new(none)).await.expect_err("TCP");
    assert_eq!(refusal.code(), ErrorCode::InvalidArgument, "{refusal}");
}

async fn comedia_learns_the_peer_from_its_first_packet(manager: &WorkerManager) {
    let transport = create(&router(manager).await, comedia()).await;
    produce(&transport).await.detach();
    let (told, tuples) = calls();
    let _handler = transport.on_tuple(move |tuple| told.send(tuple.clone()).expect("the body waits"));
    let socket = socket();
    // What is no media is not taken for the peer.
    send(&socket, &[0; 40], &transport.tuple());
    send(&socket, &packet(1, b"opus"), &transport.tuple());
    let tuple = tuples.next();
    assert_eq!(tuple.remote_port(), Some(socket.local_addr().expect("an address").port()));
    assert_eq!(transport.tuple(), tuple);
}

async fn strangers_are_not_heard_once_the_peer_is_known(manager: &WorkerManager) {
    let transport = create(&router(manager).await, comedia()).await;
    let producer = produce(&transport).await;
    let (told, tuples) = calls();
    let _handler = transport.on_tuple(move |_| told.send(()).expect("the body waits"));
    let (peer, stranger) = (socket(), socket());
    send(&peer, &packet(1, b"opus"), &transport.tuple());
    tuples.next();
    let known = transport.tuple();
    send(&stranger, &packet(2, b"noise"), &known);
    send(&peer, &packet(3, b"opus"), &known);
    // Both have come in by then: one socket, in order.
    let out = create(transport.router(), options()).await;
    let sink = socket();
    out.connect(named(&sink)).await.expect("a connection");
    consume(&out, producer.id()).await.detach();
    send(&peer, &packet(4, b"last"), &known);
    assert!(receive_rtp(&sink).ends_with(b"last"));
    let bytes = transport.get_stats().await.expect("statistics")[0].rtp_bytes_received;
    assert_eq!(bytes, 3 * 16, "three packets of the peer");
    assert_eq!(transport.tuple(), known);
}

async fn media_goes_through_as_it_is(manager: &WorkerManager) {
    let router = router(manager).await;
    let input = create(&router, comedia()).await;
    let producer = produce(&input).await;
    let output = create(&router, options()).await;
    let (source, sink) = (socket(), socket());
    output.connect(named(&sink)).await.expect("a connection");
    let consumer = consume(&output, producer.id()).await;
    let ssrc = consumer.rtp_parameters().encodings[0].ssrc.expect("an SSRC");
    let mut sequences = Vec::new();
    for sequence in 1..=5 {
        send(&source, &packet(sequence, &[sequence as u8; 80]), &input.tuple());
        let got = receive_rtp(&sink);
        assert_eq!(got[8..12], ssrc.to_be_bytes());
        assert!(got.ends_with(&[sequence as u8; 80]), "{got:?}");
        sequences.push(u16::from_be_bytes([got[2], got[3]]));
    }
    assert!(sequences.windows(2).all(|pair| pair[1] == pair[0] + 1), "{sequences:?}");
    assert!(output.get_stats().await.expect("statistics")[0].rtp_bytes_sent >= 5 * 92);
}

async fn incoming_bitrate_can_be_limited(manager: &WorkerManager) {
    let mut options = options();
    options.max_incoming_bitrate = Some(300_000);
    let transport = create(&router(manager).await, options).await;
    assert_eq!(transport.get_stats().await.expect("statistics")[0].max_incoming_bitrate, Some(300_000));
    transport.set_max_incoming_bitrate(100_000).await.expect("a limit");
    assert_eq!(transport.get_stats().await.expect("statistics")[0].max_incoming_bitrate, Some(100_000));
    transport.set_max_incoming_bitrate(0).await.expect("no limit");
    assert_eq!(transport.get_stats().await.expect("statistics")[0].max_incoming_bitrate, None);
}

async fn a_port_that_is_taken_is_refused(manager: &WorkerManager) {
    let router = router(manager).await;
    let taken = socket();
    let port = taken.local_addr().expect("an address").port();
    let info = ListenInfo { port: Some(port), ..listen_info(Protocol::Udp) };
    let refusal =
        router.create_plain_transport(PlainTransportOptions::new(info.clone())).await.expect_err("taken");
    assert_eq!(refusal.code(), ErrorCode::NoPort, "{refusal}");
    drop(taken);
    let transport = create(&router, PlainTransportOptions::new(info)).await;
    assert_eq!(transport.tuple().local_port(), port);
}

async fn closing_closes_all_in_it(manager: &WorkerManager) {
    let transport = create(&router(manager).await, options()).await;
    let producer = produce(&transport).await;
    let (send, closed) = calls();
    producer.on_transport_close(move || send.send(()).expect("the body waits")).detach();
    transport.close();
    closed.next();
    assert!(transport.closed() && producer.closed());
}

async fn a_closed_transport_refuses(manager: &WorkerManager) {
    let transport = create(&router(manager).await, options()).await;
    let producer = produce(&transport).await;
    transport.close();
    let refusals = [
        transport.dump().await.map(drop).expect_err("closed"),
        transport.get_stats().await.map(drop).expect_err("closed"),
        transport.connect(named(&socket())).await.expect_err("closed"),
        transport.set_max_incoming_bitrate(1_000).await.expect_err("closed"),
    ];
    assert!(refusals.iter().all(|refusal| refusal.code() == ErrorCode::NotFound), "{refusals:?}");
    let options = ProducerOptions::new(MediaKind::Audio, parameters::audio());
    assert_eq!(transport.produce(options).await.expect_err("closed").code(), ErrorCode::NotFound);
    let options = ConsumerOptions::new(producer.id(), parameters::client_capabilities());
    assert_eq!(transport.consume(options).await.expect_err("closed").code(), ErrorCode::NotFound);
}

async fn a_closing_router_is_told(manager: &WorkerManager) {
    let router = router(manager).await;
    let transport = create(&router, options()).await;
    let (send, closed) = calls();
    transport.on_router_close(Box::new(move || send.send(()).expect("the body waits"))).detach();
    router.close();
    closed.next();
    assert!(transport.closed());
}

async fn a_closing_worker_is_told(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let transport = create(&scene::router(&worker).await, options()).await;
    let (send, closed) = calls();
    transport.on_router_close(Box::new(move || send.send(()).expect("the body waits"))).detach();
    worker.close();
    closed.next();
    assert!(transport.closed());
}

async fn the_manager_finds_it_by_its_kind(manager: &WorkerManager) {
    let transport = create(&router(manager).await, options()).await;
    let found = manager.find_plain_transport(transport.id()).expect("it is there");
    assert_eq!(found.id(), transport.id());
    assert!(manager.find_webrtc_transport(transport.id()).is_none());
    let weak = transport.downgrade();
    assert_eq!(weak.upgrade().map(|it| it.id()), Some(transport.id()));
}
