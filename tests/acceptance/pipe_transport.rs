//! PipeTransports: where they listen, how they are joined to each other, what goes through them, end.

use std::net::UdpSocket;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use mafalda_api::consumer::{ConsumerRtpStreamStat, ConsumerType};
use mafalda_api::pipe_transport::PipeTransport;
use mafalda_api::prelude::*;
use mafalda_api::producer::Producer;
use mafalda_api::router::Router;
use mafalda_api::types::data_structures::TransportTuple;
use mafalda_api::types::srtp_parameters::{SrtpCryptoSuite, SrtpParameters};
use mafalda_api::waist::ErrorCode;
use mafalda_api::worker_manager::WorkerManager;

use crate::fixture::{calls, on_each_backend};
use crate::parameters;
use crate::scene::{self, Scene, listen_info};

on_each_backend! {
    a_created_transport_knows_its_own_address_only,
    a_port_and_a_range_are_kept_to,
    an_address_that_cannot_be_had_is_refused,
    connecting_names_the_other_end_once,
    srtp_has_one_suite_and_a_key_for_each_direction,
    wrong_parameters_are_refused,
    its_consumers_take_streams_as_they_are,
    packets_are_asked_for_again_with_rtx_only,
    any_transport_can_have_a_pipe_consumer,
    each_producer_keeps_its_cname,
    a_producer_can_have_the_id_of_another,
    media_goes_through_a_pair,
    incoming_bitrate_can_be_limited,
    closing_closes_all_in_it,
    the_manager_finds_it_by_its_kind,
}

const SUITE: SrtpCryptoSuite = SrtpCryptoSuite::AeadAes256Gcm;

fn options() -> PipeTransportOptions {
    PipeTransportOptions::new(listen_info(Protocol::Udp))
}

async fn router(manager: &WorkerManager) -> Router {
    scene::router(&scene::worker(manager).await).await
}

async fn create(router: &Router, options: PipeTransportOptions) -> PipeTransport {
    router.create_pipe_transport(options).await.expect("a PipeTransport")
}

fn named(port: u16) -> PipeTransportRemoteParameters {
    PipeTransportRemoteParameters { ip: [127, 0, 0, 1].into(), port, srtp_parameters: None }
}

/// Joins two to each other.
async fn join(one: &PipeTransport, other: &PipeTransport) {
    for (this, that) in [(one, other), (other, one)] {
        let remote = PipeTransportRemoteParameters {
            srtp_parameters: that.srtp_parameters(),
            ..named(that.tuple().local_port())
        };
        this.connect(remote).await.expect("a connection");
    }
}

/// What a pipe Consumer sends becomes a Producer at the other end.
async fn carry(consumer: &Consumer, to: &PipeTransport) -> Producer {
    let options = ProducerOptions::new(consumer.kind(), consumer.rtp_parameters().clone());
    to.produce(options).await.expect("a Producer")
}

async fn consume(transport: &PipeTransport, producer: &Producer) -> Consumer {
    let options = ConsumerOptions::new(producer.id(), RtpCapabilities::default());
    transport.consume(options).await.expect("a Consumer")
}

async fn a_created_transport_knows_its_own_address_only(manager: &WorkerManager) {
    let router = router(manager).await;
    let (send, created) = calls();
    let _handler = router.on_new_transport(move |it| {
        let is_pipe = matches!(it, NewTransport::Pipe(_));
        send.send((it.id(), is_pipe)).expect("the body waits");
    });
    let transport = create(&router, options()).await;
    assert_eq!(created.next(), (transport.id(), true));
    assert_eq!(transport.router().id(), router.id());
    let tuple = transport.tuple();
    assert!(matches!(tuple, TransportTuple::LocalOnly { .. }), "{tuple:?}");
    assert_eq!((tuple.local_address().as_str(), tuple.protocol()), ("127.0.0.1", Protocol::Udp));
    assert_eq!(transport.srtp_parameters(), None);
    let dump = transport.dump().await.expect("a dump");
    assert_eq!((dump.id, dump.rtx, dump.srtp_parameters), (transport.id(), false, None));
    assert_eq!(dump.tuple, tuple);
    assert!(dump.producer_ids.is_empty() && dump.consumer_ids.is_empty());
    let stats = transport.get_stats().await.expect("statistics").remove(0);
    assert_eq!((stats.transport_id, stats.bytes_received, stats.bytes_sent), (transport.id(), 0, 0));
    assert_eq!(stats.tuple, tuple);
    assert!(router.dump().await.expect("a dump").transport_ids.contains(&transport.id()));
}

async fn a_port_and_a_range_are_kept_to(manager: &WorkerManager) {
    let router = router(manager).await;
    let free = || UdpSocket::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    let port = free();
    let fixed = ListenInfo { port: Some(port), ..listen_info(Protocol::Udp) };
    let transport = create(&router, PipeTransportOptions::new(fixed.clone())).await;
    assert_eq!(transport.tuple().local_port(), port);
    let refusal = router.create_pipe_transport(PipeTransportOptions::new(fixed)).await.expect_err("taken");
    assert_eq!(refusal.code(), ErrorCode::NoPort, "{refusal}");
    let port = free();
    let range = ListenInfo { port_range: Some(port..=port), ..listen_info(Protocol::Udp) };
    let transport = create(&router, PipeTransportOptions::new(range.clone())).await;
    assert_eq!(transport.tuple().local_port(), port);
    let refusal = router.create_pipe_transport(PipeTransportOptions::new(range)).await.expect_err("full");
    assert_eq!(refusal.code(), ErrorCode::NoPort, "{refusal}");
}

async fn an_address_that_cannot_be_had_is_refused(manager: &WorkerManager) {
    let router = router(manager).await;
    let foreign = ListenInfo { ip: [192, 0, 2, 1].into(), ..listen_info(Protocol::Udp) };
    let refusal =
        router.create_pipe_transport(PipeTransportOptions::new(foreign)).await.expect_err("foreign");
    assert_eq!(refusal.code(), ErrorCode::AddressUnavailable, "{refusal}");
    let tcp = PipeTransportOptions::new(listen_info(Protocol::Tcp));
    let refusal = router.create_pipe_transport(tcp).await.expect_err("TCP");
    assert_eq!(refusal.code(), ErrorCode::InvalidArgument, "{refusal}");
    let announced =
        ListenInfo { announced_address: Some("pipe.example".into()), ..listen_info(Protocol::Udp) };
    let transport = create(&router, PipeTransportOptions::new(announced)).await;
    assert_eq!(transport.tuple().local_address(), "pipe.example");
    let of_place = PipeTransportOptions::new(ListenInfo::of_place(Protocol::Udp));
    assert_ne!(create(&router, of_place).await.tuple().local_address(), "0.0.0.0");
    router.close();
    assert_eq!(
        router.create_pipe_transport(options()).await.expect_err("closed").code(),
        ErrorCode::NotFound
    );
}

async fn connecting_names_the_other_end_once(manager: &WorkerManager) {
    let transport = create(&router(manager).await, options()).await;
    let (told, tuples) = calls();
    let _handler = transport.on_tuple(move |tuple| told.send(tuple.clone()).expect("the body waits"));
    transport.connect(named(4321)).await.expect("a connection");
    let tuple = tuples.next();
    assert_eq!(tuple, transport.tuple());
    assert_eq!(tuple.remote_port(), Some(4321));
    assert_eq!(tuple.remote_ip(), Some([127, 0, 0, 1].into()));
    let again = transport.connect(named(4321)).await.expect_err("once");
    assert_eq!(again.code(), ErrorCode::WrongState);
    assert_eq!(transport.dump().await.expect("a dump").tuple, tuple);
}

async fn srtp_has_one_suite_and_a_key_for_each_direction(manager: &WorkerManager) {
    let mut protected = options();
    protected.enable_srtp = true;
    let transport = create(&router(manager).await, protected).await;
    let ours = transport.srtp_parameters().expect("a key");
    assert_eq!(ours.crypto_suite, SUITE);
    assert_eq!(BASE64.decode(&ours.key_base64).expect("Base64").len(), 44);
    let theirs = SrtpParameters { crypto_suite: SUITE, key_base64: BASE64.encode([3; 44]) };
    let remote = |key| PipeTransportRemoteParameters { srtp_parameters: Some(key), ..named(9999) };
    let mirrored = transport.connect(remote(ours.clone())).await.expect_err("our own key");
    assert_eq!(mirrored.code(), ErrorCode::InvalidArgument);
    transport.connect(remote(theirs)).await.expect("a connection");
    assert_eq!(transport.srtp_parameters().as_ref(), Some(&ours));
    assert_eq!(transport.dump().await.expect("a dump").srtp_parameters, Some(ours));
}

async fn wrong_parameters_are_refused(manager: &WorkerManager) {
    let router = router(manager).await;
    let mut protected = options();
    protected.enable_srtp = true;
    let key = |crypto_suite, len: usize| {
        Some(SrtpParameters { crypto_suite, key_base64: BASE64.encode(vec![7; len]) })
    };
    let with = |srtp_parameters| PipeTransportRemoteParameters { srtp_parameters, ..named(9999) };
    let text = SrtpParameters { crypto_suite: SUITE, key_base64: "no Base64!".into() };
    let cases = [
        (options(), named(0)),
        (options(), PipeTransportRemoteParameters { ip: [0, 0, 0, 0].into(), ..named(9999) }),
        (options(), PipeTransportRemoteParameters { ip: "::1".parse().expect("an IP"), ..named(9999) }),
        (options(), with(key(SUITE, 44))),
        (protected.clone(), named(9999)),
        (protected.clone(), with(key(SUITE, 43))),
        (protected.clone(), with(key(SrtpCryptoSuite::AeadAes128Gcm, 28))),
        (protected, with(Some(text))),
    ];
    for (options, remote) in cases {
        let transport = create(&router, options).await;
        let refusal = transport.connect(remote.clone()).await.expect_err("it is wrong");
        assert_eq!(refusal.code(), ErrorCode::InvalidArgument, "{remote:?}: {refusal}");
        assert_eq!(transport.tuple().remote_port(), None, "nothing was taken over");
    }
}

async fn its_consumers_take_streams_as_they_are(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let pipe = create(&scene.router, options()).await;
    for producer in [scene.audio().await, scene.video().await] {
        let consumer = consume(&pipe, &producer).await;
        assert_eq!((consumer.r#type(), consumer.kind()), (ConsumerType::Pipe, producer.kind()));
        assert_eq!((consumer.paused(), consumer.producer_paused()), (false, false));
        let parameters = consumer.rtp_parameters();
        let consumable = producer.consumable_rtp_parameters();
        assert_eq!((&parameters.mid, &parameters.rtcp), (&None, &consumable.rtcp));
        assert_eq!(parameters.codecs[0].payload_type(), consumable.codecs[0].payload_type());
        let kept = [RtcpFeedback::NackPli, RtcpFeedback::CcmFir];
        assert!(parameters.codecs.iter().all(|codec| !codec.is_rtx()));
        assert!(parameters.codecs[0].rtcp_feedback().iter().all(|feedback| kept.contains(feedback)));
        assert!(parameters.header_extensions.iter().all(|it| it.uri != RtpHeaderExtensionUri::Mid));
        let ssrc = parameters.encodings[0].ssrc.expect("an SSRC");
        assert_ne!(Some(ssrc), consumable.encodings[0].ssrc);
        let score = consumer.score();
        assert_eq!((score.score, score.producer_score), (10, 10));
        let dump = consumer.dump().await.expect("a dump");
        assert_eq!((dump.r#type, dump.rtp_streams.len()), (ConsumerType::Pipe, 1));
        assert_eq!(dump.consumable_rtp_encodings, consumable.encodings);
        let stats = consumer.get_stats().await.expect("statistics");
        assert!(matches!(stats.as_slice(), [ConsumerRtpStreamStat::Outbound(it)] if it.ssrc == ssrc));
        let dump = pipe.dump().await.expect("a dump");
        assert_eq!(dump.map_ssrc_consumer_id.get(&ssrc), Some(&consumer.id()));
        consumer.close();
    }
    let gone = ProducerId::new();
    let options = ConsumerOptions::new(gone, RtpCapabilities::default());
    assert_eq!(pipe.consume(options).await.expect_err("gone"), ConsumeError::ProducerNotFound(gone));
}

async fn packets_are_asked_for_again_with_rtx_only(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let mut options = options();
    options.enable_rtx = true;
    let pipe = create(&scene.router, options).await;
    assert!(pipe.dump().await.expect("a dump").rtx);
    let producer = scene.video().await;
    let consumer = consume(&pipe, &producer).await;
    let parameters = consumer.rtp_parameters();
    assert_eq!(parameters.codecs.iter().filter(|codec| codec.is_rtx()).count(), 1);
    assert!(parameters.codecs[0].rtcp_feedback().contains(&RtcpFeedback::Nack));
    let rtx = parameters.encodings[0].rtx.expect("an SSRC for it").ssrc;
    let dump = pipe.dump().await.expect("a dump");
    assert_eq!(dump.map_rtx_ssrc_consumer_id.get(&rtx), Some(&consumer.id()));
}

async fn any_transport_can_have_a_pipe_consumer(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let producer = scene.video().await;
    let mut options = ConsumerOptions::new(producer.id(), parameters::client_capabilities());
    options.pipe = true;
    let consumer = scene.second.consume(options.clone()).await.expect("a Consumer");
    assert_eq!((consumer.r#type(), &consumer.rtp_parameters().mid), (ConsumerType::Pipe, &None));
    assert!(consumer.rtp_parameters().encodings[0].rtx.is_some(), "as for any endpoint's video");
    options.rtp_capabilities = parameters::other_capabilities();
    let refusal = scene.second.consume(options).await.expect_err("no codec");
    assert!(matches!(refusal, ConsumeError::BadConsumerRtpParameters(_)), "{refusal}");
}

async fn each_producer_keeps_its_cname(manager: &WorkerManager) {
    let pipe = create(&router(manager).await, options()).await;
    let mut audio = parameters::audio();
    audio.mid = None;
    let mut video = parameters::video();
    (video.mid, video.rtcp.cname) = (None, Some("ANOTHER".into()));
    let audio = pipe.produce(ProducerOptions::new(MediaKind::Audio, audio)).await.expect("a Producer");
    let video = pipe.produce(ProducerOptions::new(MediaKind::Video, video)).await.expect("a Producer");
    assert_eq!(audio.consumable_rtp_parameters().rtcp.cname.as_deref(), Some("FOOBAR"));
    assert_eq!(video.consumable_rtp_parameters().rtcp.cname.as_deref(), Some("ANOTHER"));
}

async fn a_producer_can_have_the_id_of_another(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let origin = scene.audio().await;
    let consumer = consume(&create(&scene.router, options()).await, &origin).await;
    let carry = || {
        let parameters = consumer.rtp_parameters().clone();
        ProducerOptions::new_pipe_transport(origin.id(), MediaKind::Audio, parameters)
    };
    let there = create(&router(manager).await, options()).await;
    let producer = there.produce(carry()).await.expect("a Producer");
    assert_eq!((producer.id(), producer.transport().id()), (origin.id(), there.id()));
    assert_eq!(there.dump().await.expect("a dump").producer_ids, [origin.id()]);
    assert!(there.router().can_consume(&origin.id(), &parameters::client_capabilities()));
    // Each is paused, asked and closed as what it is.
    producer.pause().await.expect("paused");
    assert!(producer.paused() && !origin.paused());
    let again = there.produce(carry()).await.expect_err("it is there");
    assert_eq!(again, ProduceError::AlreadyExists(origin.id()));
    let beside = create(&scene.router, options()).await;
    let again = beside.produce(carry()).await.expect_err("the origin is there");
    assert_eq!(again, ProduceError::AlreadyExists(origin.id()));
    producer.close();
    assert!(!there.router().can_consume(&origin.id(), &parameters::client_capabilities()));
    assert!(!origin.closed() && scene.router.can_consume(&origin.id(), &parameters::client_capabilities()));
    there.produce(carry()).await.expect("the id is free again").close();
}

async fn media_goes_through_a_pair(manager: &WorkerManager) {
    for (enable_srtp, one_worker) in [(false, false), (true, false), (true, true)] {
        let here = router(manager).await;
        let there = if one_worker { scene::router(here.worker()).await } else { router(manager).await };
        let mut options = options();
        options.enable_srtp = enable_srtp;
        let (one, other) = (create(&here, options.clone()).await, create(&there, options).await);
        join(&one, &other).await;
        let (source, sink) = (socket(), socket());
        let mut input = PlainTransportOptions::new(listen_info(Protocol::Udp));
        input.comedia = true;
        let input = here.create_plain_transport(input).await.expect("a PlainTransport");
        let mut parameters = parameters::audio();
        parameters.mid = None;
        let options = ProducerOptions::new(MediaKind::Audio, parameters);
        let origin = input.produce(options).await.expect("a Producer");
        let consumer = consume(&one, &origin).await;
        let producer = carry(&consumer, &other).await;
        let output = PlainTransportOptions::new(listen_info(Protocol::Udp));
        let output = there.create_plain_transport(output).await.expect("a PlainTransport");
        let address = sink.local_addr().expect("an address");
        let remote = PlainTransportRemoteParameters {
            ip: Some(address.ip()),
            port: Some(address.port()),
            ..PlainTransportRemoteParameters::default()
        };
        output.connect(remote).await.expect("a connection");
        let options = ConsumerOptions::new(producer.id(), parameters::client_capabilities());
        let last = output.consume(options).await.expect("a Consumer");
        let ssrc = last.rtp_parameters().encodings[0].ssrc.expect("an SSRC");
        for sequence in 1..=3_u8 {
            // As `parameters::audio` tells it.
            let packet = [0x80, 111, 0, sequence, 0, 0, 0, sequence, 0, 0xa9, 0x8a, 0xc7, 1, 2, sequence];
            source.send_to(&packet, ("127.0.0.1", input.tuple().local_port())).expect("loopback takes it");
            let got = receive_rtp(&sink);
            assert_eq!(
                (got[8..12].to_vec(), got[4..8].to_vec()),
                (ssrc.to_be_bytes().to_vec(), packet[4..8].to_vec())
            );
            assert!(got.ends_with(&packet[12..]), "{got:?}");
        }
        let stats = one.get_stats().await.expect("statistics").remove(0);
        assert!(stats.rtp_bytes_sent >= 45, "{stats:?}");
        assert!(other.get_stats().await.expect("statistics")[0].rtp_bytes_received >= 45);
    }
}

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    socket
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

async fn incoming_bitrate_can_be_limited(manager: &WorkerManager) {
    let transport = create(&router(manager).await, options()).await;
    transport.set_max_incoming_bitrate(100_000).await.expect("a limit");
    assert_eq!(transport.get_stats().await.expect("statistics")[0].max_incoming_bitrate, Some(100_000));
    transport.set_max_incoming_bitrate(0).await.expect("no limit");
    assert_eq!(transport.get_stats().await.expect("statistics")[0].max_incoming_bitrate, None);
}

async fn closing_closes_all_in_it(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let transport = create(&scene.router, options()).await;
    let producer = scene.audio().await;
    let consumer = consume(&transport, &producer).await;
    let (send, closed) = calls();
    consumer.on_transport_close(move || send.send(()).expect("the body waits")).detach();
    transport.close();
    closed.next();
    assert!(transport.closed() && consumer.closed());
    assert_eq!(transport.dump().await.expect_err("closed").code(), ErrorCode::NotFound);
    assert_eq!(transport.get_stats().await.expect_err("closed").code(), ErrorCode::NotFound);
    assert_eq!(transport.connect(named(9)).await.expect_err("closed").code(), ErrorCode::NotFound);
    let other = create(&scene.router, options()).await;
    let (send, closed) = calls();
    other.on_router_close(Box::new(move || send.send(()).expect("the body waits"))).detach();
    scene.router.close();
    closed.next();
    assert!(other.closed());
}

async fn the_manager_finds_it_by_its_kind(manager: &WorkerManager) {
    let transport = create(&router(manager).await, options()).await;
    let found = manager.find_pipe_transport(transport.id()).expect("it is there");
    assert_eq!(found.id(), transport.id());
    assert!(manager.find_plain_transport(transport.id()).is_none());
    let weak = transport.downgrade();
    assert_eq!(weak.upgrade().map(|it| it.id()), Some(transport.id()));
    let id = transport.id();
    drop((transport, found));
    assert!(weak.upgrade().is_none() && manager.find_pipe_transport(id).is_none());
}
