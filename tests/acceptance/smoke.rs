//! One pass over the whole interface, as an application makes it in the life of a conference.

use std::net::UdpSocket;
use std::time::Duration;

use mafalda_api::consumer::ConsumerRtpStreamStat;
use mafalda_api::plain_transport::PlainTransport;
use mafalda_api::prelude::*;
use mafalda_api::types::data_structures::{DtlsState, IceState};
use mafalda_api::worker_manager::WorkerManager;

use crate::fixture::{calls, closed, on_each_backend};
use crate::parameters;
use crate::peer::Peer;
use crate::scene::{self, listen_info};

on_each_backend! {
    a_conference_from_beginning_to_end,
    a_stream_from_one_socket_to_another,
}

/// Two in a room, of whom one sends sound and picture to the other.
async fn a_conference_from_beginning_to_end(manager: &WorkerManager) {
    let worker = manager.create_worker(WorkerSettings::default()).await.expect("a Worker");
    let infos = WebRtcServerListenInfos::new(listen_info(Protocol::Udp)).insert(listen_info(Protocol::Tcp));
    let server = worker.create_webrtc_server(WebRtcServerOptions::new(infos)).await.expect("a WebRtcServer");
    let router =
        worker.create_router(RouterOptions::new(parameters::media_codecs())).await.expect("a Router");

    let options = WebRtcTransportOptions::new_with_server(server.clone());
    let sends = router.create_webrtc_transport(options.clone()).await.expect("a WebRtcTransport");
    let receives = router.create_webrtc_transport(options).await.expect("a WebRtcTransport");
    let mut peers = [Peer::of(&sends), Peer::of(&receives)];
    for (transport, peer) in [&sends, &receives].into_iter().zip(&mut peers) {
        let (send, states) = calls();
        let _handler = transport.on_dtls_state_change(move |state| send.send(state).expect("the body waits"));
        transport.connect(peer.parameters()).await.expect("connected");
        peer.check(transport);
        peer.shake_hands();
        assert_eq!([states.next(), states.next()], [DtlsState::Connecting, DtlsState::Connected]);
        assert_eq!(transport.ice_state(), IceState::Completed);
    }
    sends.set_max_incoming_bitrate(1_500_000).await.expect("a limit");
    sends.restart_ice().await.expect("new credentials");
    peers[0].check(&sends);

    let mut consumers = Vec::new();
    for (kind, rtp_parameters) in
        [(MediaKind::Audio, parameters::audio()), (MediaKind::Video, parameters::video())]
    {
        let producer = scene::produce(&sends, kind, rtp_parameters).await;
        let capabilities = parameters::client_capabilities();
        assert!(router.can_consume(&producer.id(), &capabilities));
        let mut options = ConsumerOptions::new(producer.id(), capabilities);
        options.paused = true;
        options.app_data = AppData::new(kind);
        let consumer = receives.consume(options).await.expect("a Consumer");
        assert_eq!(consumer.app_data().downcast_ref(), Some(&kind));
        consumer.resume().await.expect("resumed");
        consumer.request_key_frame().await.expect("asked for");
        producer.pause().await.expect("paused");
        assert!(consumer.producer_paused());
        producer.resume().await.expect("resumed");
        producer.dump().await.expect("a dump");
        producer.get_stats().await.expect("statistics");
        consumer.dump().await.expect("a dump");
        assert_eq!(consumer.get_stats().await.expect("statistics").len(), 1);
        consumers.push((producer, consumer));
    }
    assert_eq!(worker.dump().await.expect("a dump").router_ids, [router.id()]);
    assert_eq!(server.dump().await.expect("a dump").webrtc_transport_ids.len(), 2);
    assert_eq!(router.dump().await.expect("a dump").map_consumer_id_producer_id.len(), 2);
    assert_eq!(receives.dump().await.expect("a dump").consumer_ids.len(), 2);
    assert!(sends.get_stats().await.expect("statistics")[0].bytes_received > 0, "checks and a handshake");

    peers[0].close();
    sends.close();
    for (producer, consumer) in consumers {
        closed!(producer);
        closed!(consumer);
    }
    worker.close();
    closed!(router);
    closed!(server);
    closed!(receives);
}

/// Sound goes in as RTP and comes out as RTP, and everybody counts it.
async fn a_stream_from_one_socket_to_another(manager: &WorkerManager) {
    let router = scene::router(&scene::worker(manager).await).await;
    let mut options = PlainTransportOptions::new(listen_info(Protocol::Udp));
    options.comedia = true;
    let input = router.create_plain_transport(options).await.expect("a PlainTransport");
    let options = PlainTransportOptions::new(listen_info(Protocol::Udp));
    let output = router.create_plain_transport(options).await.expect("a PlainTransport");
    let [source, sink] = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").expect("a port is free"));
    let sink_address = sink.local_addr().expect("it is bound");
    let remote = PlainTransportRemoteParameters {
        ip: Some(sink_address.ip()),
        port: Some(sink_address.port()),
        ..PlainTransportRemoteParameters::default()
    };
    output.connect(remote).await.expect("connected");

    let options = ProducerOptions::new(MediaKind::Audio, parameters::audio());
    let producer = input.produce(options).await.expect("a Producer");
    let options = ConsumerOptions::new(producer.id(), parameters::client_capabilities());
    let consumer = output.consume(options).await.expect("a Consumer");
    let (send, scores) = calls();
    let _handler = producer.on_score(move |scores| send.send(scores.to_vec()).expect("the body waits"));
    for sequence in 1..=3 {
        source.send_to(&sound(sequence), ("127.0.0.1", input.tuple().local_port())).expect("sent");
        receive_sound(&sink);
    }
    let score = scores.next();
    assert_eq!(score.iter().map(|it| (it.ssrc, it.score)).collect::<Vec<_>>(), [(11_111_111, 10)]);
    assert_eq!(producer.score(), score);
    assert_eq!(producer.get_stats().await.expect("statistics")[0].packet_count, 3);
    let stats = consumer.get_stats().await.expect("statistics");
    let sent = stats.iter().find_map(|stat| match stat {
        ConsumerRtpStreamStat::Outbound(stat) => Some(stat.packet_count),
        ConsumerRtpStreamStat::Inbound(_) => None,
    });
    assert_eq!(sent, Some(3));
    check_bytes(&input, &output).await;
}

/// What came in went out.
async fn check_bytes(input: &PlainTransport, output: &PlainTransport) {
    let [input, output] =
        [input.get_stats().await, output.get_stats().await].map(|stats| stats.expect("statistics").remove(0));
    assert_eq!(input.rtp_bytes_received, 3 * 16);
    assert!(output.rtp_bytes_sent >= 3 * 16, "{output:?}");
    assert!(output.bytes_sent >= output.rtp_bytes_sent);
}

/// An Opus packet of the Producer's.
fn sound(sequence: u8) -> [u8; 16] {
    let [_, b, c, d] = 11_111_111_u32.to_be_bytes();
    [0x80, 111, 0, sequence, 0, 0, 3, sequence, 0, b, c, d, 0xf8, 1, 2, 3]
}

/// Waits for the next packet of sound, which is no RTCP (RFC 5761 §4).
fn receive_sound(sink: &UdpSocket) {
    sink.set_read_timeout(Some(Duration::from_secs(20))).expect("it can be set");
    let mut buffer = [0; 1500];
    while !matches!(sink.recv(&mut buffer).expect("a packet comes"), 12.. if buffer[1] & 0x7f == 100) {}
}
