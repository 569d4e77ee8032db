//! DirectTransports: the application at the other end, without a network.

use std::sync::Arc;

use mafalda_api::consumer::ConsumerRtpStreamStat;
use mafalda_api::prelude::*;
use mafalda_api::producer::Producer;
use mafalda_api::waist::ErrorCode;
use mafalda_api::worker_manager::WorkerManager;

use crate::fixture::{Calls, calls, closed, on_each_backend};
use crate::parameters;
use crate::scene::{self, Scene};

on_each_backend! {
    it_is_created,
    weak_handles_do_not_keep_it,
    its_statistics_begin_at_zero,
    rtp_goes_from_an_application_to_another,
    a_receiver_s_rtcp_reaches_the_sender,
    retransmissions_come_out_too,
    packets_of_no_producer_are_dropped,
    what_is_no_packet_is_refused,
    a_flood_is_refused_and_counted,
    nothing_is_sent_when_it_is_closed,
    it_ends_with_its_router,
    it_is_found_by_its_id,
}

async fn direct(router: &Router) -> DirectTransport {
    router.create_direct_transport(DirectTransportOptions::default()).await.expect("a DirectTransport")
}

/// An RTP packet with a payload of one byte; what is sent as video is the beginning of a VP8 key frame.
fn rtp(payload_type: u8, sequence: u16, ssrc: u32) -> Vec<u8> {
    let mut packet = vec![0x80, payload_type];
    packet.extend(sequence.to_be_bytes());
    packet.extend(u32::from(sequence).to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    // S bit and PID 0, then a frame tag whose P bit is 0 (RFC 7741 §4.2, §4.3).
    packet.extend([0x10, 0x00, sequence as u8]);
    packet
}

fn send(producer: &Producer, packet: Vec<u8>) -> Result<(), NotificationError> {
    let Producer::Direct(producer) = producer else { panic!("a Producer of a DirectTransport is direct") };
    producer.send(packet)
}

async fn produce(transport: &DirectTransport, kind: MediaKind) -> Producer {
    let parameters = match kind {
        MediaKind::Audio => parameters::audio(),
        MediaKind::Video => parameters::video(),
    };
    transport.produce(ProducerOptions::new(kind, parameters)).await.expect("a Producer")
}

/// A Consumer and what comes out for it.
async fn consume(transport: &DirectTransport, producer: &Producer) -> (Consumer, Calls<Vec<u8>>) {
    let options = ConsumerOptions::new(producer.id(), parameters::client_capabilities());
    let consumer = transport.consume(options).await.expect("a Consumer");
    let (sent, packets) = calls();
    consumer.on_rtp(move |packet| sent.send(packet.to_vec()).expect("the body waits")).detach();
    (consumer, packets)
}

/// RTCP packets of that type that come out, each alone.
fn rtcp_of(transport: &DirectTransport, packet_type: u8, format: u8) -> Calls<Vec<u8>> {
    let (sent, packets) = calls();
    let on_rtcp = move |compound: &[u8]| {
        let mut rest = compound;
        while let [first, second, high, low, ..] = *rest {
            let len = 4 * (1 + usize::from(u16::from_be_bytes([high, low])));
            let (packet, behind) = rest.split_at(len);
            if (second, first & 0x1f) == (packet_type, format) {
                // More than the body looks at is no fault.
                let _ = sent.try_send(packet.to_vec());
            }
            rest = behind;
        }
    };
    transport.on_rtcp(on_rtcp).detach();
    packets
}

fn ssrc_of(consumer: &Consumer) -> u32 {
    consumer.rtp_parameters().encodings[0].ssrc.expect("a Consumer has an SSRC")
}

fn feedback(packet_type: u8, format: u8, ssrc: u32, entries: &[u8]) -> Vec<u8> {
    let words = u16::try_from(2 + entries.len() / 4).expect("it is small");
    let mut packet = vec![0x80 | format, packet_type];
    packet.extend(words.to_be_bytes());
    packet.extend([0, 0, 0, 1]);
    packet.extend(ssrc.to_be_bytes());
    packet.extend(entries);
    packet
}

async fn it_is_created(manager: &WorkerManager) {
    let router = scene::router(&scene::worker(manager).await).await;
    let (send, told) = calls();
    let on_new = move |transport: NewTransport<'_>| {
        let NewTransport::Direct(transport) = transport else { panic!("it is direct") };
        send.send(transport.id()).expect("the body waits");
    };
    router.on_new_transport(on_new).detach();
    let mut options = DirectTransportOptions::default();
    assert_eq!((options.max_send_message_size, options.max_receive_message_size), (262_144, 262_144));
    options.max_send_message_size = 1024;
    options.max_receive_message_size = 2048;
    options.labels.insert("of", "the recorder");
    options.app_data = AppData::new("mine");
    let transport = router.create_direct_transport(options).await.expect("a DirectTransport");
    assert_eq!(told.next(), transport.id());
    assert_eq!(transport.router().id(), router.id());
    assert_eq!(transport.app_data().downcast_ref(), Some(&"mine"));
    assert_eq!(transport.labels().get("of"), Some("the recorder"));
    assert!(!transport.closed() && transport.is_owner());

    let dump = transport.dump().await.expect("a dump");
    assert_eq!((dump.id, dump.direct), (transport.id(), true));
    assert!(dump.producer_ids.is_empty() && dump.consumer_ids.is_empty());
    assert!(dump.map_ssrc_consumer_id.is_empty() && dump.map_rtx_ssrc_consumer_id.is_empty());
    assert_eq!(dump.rtp_listener, mafalda_api::transport::RtpListener::default());
    assert_eq!((dump.max_send_message_size, dump.max_receive_message_size), (1024, 2048));
    assert!(router.dump().await.expect("a dump").transport_ids.contains(&transport.id()));

    let producer = produce(&transport, MediaKind::Video).await;
    let (consumer, _) = consume(&transport, &producer).await;
    let dump = transport.dump().await.expect("a dump");
    assert_eq!((dump.producer_ids, dump.consumer_ids), (vec![producer.id()], vec![consumer.id()]));
    assert_eq!(dump.map_ssrc_consumer_id.get(&ssrc_of(&consumer)), Some(&consumer.id()));
    assert_eq!(dump.map_rtx_ssrc_consumer_id.len(), 1);
    assert_eq!(dump.rtp_listener.ssrc_table.len(), 2);
}

async fn weak_handles_do_not_keep_it(manager: &WorkerManager) {
    let router = scene::router(&scene::worker(manager).await).await;
    let transport = direct(&router).await;
    let weak = transport.downgrade();
    assert_eq!(weak.upgrade().expect("there is a handle").id(), transport.id());
    drop(transport);
    assert!(weak.upgrade().is_none());
    assert!(router.dump().await.expect("a dump").transport_ids.is_empty());
}

async fn its_statistics_begin_at_zero(manager: &WorkerManager) {
    let router = scene::router(&scene::worker(manager).await).await;
    let transport = direct(&router).await;
    let stats = transport.get_stats().await.expect("statistics");
    let [it] = &stats[..] else { panic!("one entry: {stats:?}") };
    assert_eq!(it.transport_id, transport.id());
    assert!(it.timestamp > 0);
    let counts = [
        [it.bytes_received, it.recv_bitrate, it.bytes_sent, it.send_bitrate],
        [it.rtp_bytes_received, it.rtp_recv_bitrate, it.rtp_bytes_sent, it.rtp_send_bitrate],
        [it.rtx_bytes_received, it.rtx_recv_bitrate, it.rtx_bytes_sent, it.rtx_send_bitrate],
    ];
    assert_eq!(counts, [[0; 4]; 3]);
    assert_eq!(it.sends_refused, 0);
}

async fn rtp_goes_from_an_application_to_another(manager: &WorkerManager) {
    let router = scene::router(&scene::worker(manager).await).await;
    let (first, second) = (direct(&router).await, direct(&router).await);
    let producer = produce(&first, MediaKind::Audio).await;
    let (consumer, packets) = consume(&second, &producer).await;
    for sequence in 1..=5 {
        send(&producer, rtp(111, sequence, 11_111_111)).expect("there is room");
    }
    let received: Vec<_> = (0..5).map(|_| packets.next()).collect();
    for (packet, sequence) in received.iter().zip(1_u16..) {
        assert_eq!((packet[0] >> 6, packet[1] & 0x7f), (2, 100), "the Router's payload type");
        assert_eq!(packet[4..8], u32::from(sequence).to_be_bytes());
        assert_eq!(packet[8..12], ssrc_of(&consumer).to_be_bytes());
        assert_eq!(packet[packet.len() - 3..], [0x10, 0x00, sequence as u8]);
    }
    let stats = first.get_stats().await.expect("statistics");
    assert_eq!((stats[0].rtp_bytes_received, stats[0].bytes_received), (5 * 15, 5 * 15));
    let stats = second.get_stats().await.expect("statistics");
    let bytes: usize = received.iter().map(Vec::len).sum();
    assert_eq!(stats[0].rtp_bytes_sent, bytes as u64);
    let stats = producer.get_stats().await.expect("statistics");
    assert_eq!((stats[0].packet_count, stats[0].byte_count), (5, 5 * 15));
    assert_eq!(consumer.get_stats().await.expect("statistics").len(), 2);
}

async fn a_receiver_s_rtcp_reaches_the_sender(manager: &WorkerManager) {
    let router = scene::router(&scene::worker(manager).await).await;
    let (first, second) = (direct(&router).await, direct(&router).await);
    let asked = rtcp_of(&first, 206, 1);
    let reports = rtcp_of(&first, 201, 1);
    let sender_reports = rtcp_of(&second, 200, 0);
    let producer = produce(&first, MediaKind::Video).await;
    let (consumer, packets) = consume(&second, &producer).await;
    assert_eq!(asked.next()[8..12], 22_222_222_u32.to_be_bytes(), "a Consumer begins with a key frame");
    send(&producer, rtp(112, 1, 22_222_222)).expect("there is room");
    packets.next();
    // A report of each side comes by itself within a second and a half.
    assert_eq!(reports.next()[8..12], 22_222_222_u32.to_be_bytes());
    assert_eq!(sender_reports.next()[4..8], ssrc_of(&consumer).to_be_bytes());
    consumer.request_key_frame().await.expect("asked");
    second.send_rtcp(feedback(206, 1, ssrc_of(&consumer), &[])).expect("there is room");
    asked.next();
    // Packets pass beside calls: this one may overtake it.
    loop {
        let stats = consumer.get_stats().await.expect("statistics");
        let ConsumerRtpStreamStat::Outbound(own) = &stats[0] else { panic!("{stats:?}") };
        if own.pli_count == 1 {
            break;
        }
    }
}

async fn retransmissions_come_out_too(manager: &WorkerManager) {
    let router = scene::router(&scene::worker(manager).await).await;
    let (first, second) = (direct(&router).await, direct(&router).await);
    let nacks = rtcp_of(&first, 205, 1);
    let producer = produce(&first, MediaKind::Video).await;
    let (consumer, packets) = consume(&second, &producer).await;
    send(&producer, rtp(112, 1, 22_222_222)).expect("there is room");
    let packet = packets.next();
    // Its receiver lost it.
    let nack = feedback(205, 1, ssrc_of(&consumer), &[packet[2], packet[3], 0, 0]);
    second.send_rtcp(nack).expect("there is room");
    let again = packets.next();
    let rtx = consumer.rtp_parameters().encodings[0].rtx.as_ref().expect("retransmissions");
    assert_eq!((again[1] & 0x7f, &again[8..12]), (102, &rtx.ssrc.to_be_bytes()[..]));
    assert!(second.get_stats().await.expect("statistics")[0].rtx_bytes_sent > 0);

    // Its sender left one out: it is asked for, as of any sender.
    send(&producer, rtp(112, 3, 22_222_222)).expect("there is room");
    let asked = nacks.next();
    assert_eq!((&asked[8..12], &asked[12..14]), (&22_222_222_u32.to_be_bytes()[..], &[0, 2][..]));
}

async fn packets_of_no_producer_are_dropped(manager: &WorkerManager) {
    let router = scene::router(&scene::worker(manager).await).await;
    let transport = direct(&router).await;
    let producer = produce(&transport, MediaKind::Audio).await;
    let (_consumer, packets) = consume(&transport, &producer).await;
    send(&producer, rtp(111, 1, 7)).expect("there is room");
    // Its CSRCs would lie behind its end.
    let mut cut = rtp(111, 1, 11_111_111);
    cut[0] |= 0x0f;
    send(&producer, cut).expect("there is room");
    send(&producer, rtp(111, 9, 11_111_111)).expect("there is room");
    assert_eq!(packets.next().last(), Some(&9), "the others went nowhere");
    let stats = producer.get_stats().await.expect("statistics");
    assert_eq!(stats[0].packet_count, 1);
}

async fn what_is_no_packet_is_refused(manager: &WorkerManager) {
    let router = scene::router(&scene::worker(manager).await).await;
    let transport = direct(&router).await;
    let producer = produce(&transport, MediaKind::Audio).await;
    let report = vec![0x80, 201, 0, 1, 0, 0, 0, 9];
    for packet in [Vec::new(), vec![0x80; 11], vec![0; 20], report.clone()] {
        let error = send(&producer, packet).expect_err("it is no RTP");
        assert!(matches!(error, NotificationError::Malformed(_)), "{error:?}");
    }
    for packet in [Vec::new(), vec![0x80, 201, 0], rtp(111, 1, 7)] {
        let error = transport.send_rtcp(packet).expect_err("it is no RTCP");
        assert_eq!(error.code(), ErrorCode::InvalidArgument, "{error:?}");
    }
    let error = send(&producer, vec![0x80; 2049]).expect_err("it is too large");
    assert_eq!(error, NotificationError::TooLarge { len: 2049, max: 2048 });
    transport.send_rtcp(report).expect("this one is");
}

async fn a_flood_is_refused_and_counted(manager: &WorkerManager) {
    let router = scene::router(&scene::worker(manager).await).await;
    let transport = direct(&router).await;
    let producer = produce(&transport, MediaKind::Audio).await;
    let mut sequence = 0;
    let error = loop {
        sequence += 1;
        match send(&producer, rtp(111, sequence, 11_111_111)) {
            Ok(()) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(error, NotificationError::QueueFull);
    assert_eq!(error.code(), ErrorCode::Overloaded);
    // What was not refused is all taken, in time.
    let sent = u64::from(sequence - 1);
    loop {
        let stats = producer.get_stats().await.expect("statistics");
        if stats.first().is_some_and(|stats| stats.packet_count == sent) {
            break;
        }
    }
    assert_eq!(transport.get_stats().await.expect("statistics")[0].sends_refused, 1);
}

async fn nothing_is_sent_when_it_is_closed(manager: &WorkerManager) {
    let router = scene::router(&scene::worker(manager).await).await;
    let transport = direct(&router).await;
    let producer = produce(&transport, MediaKind::Audio).await;
    let (send_closed, closed) = calls();
    producer.on_transport_close(move || send_closed.send(()).expect("the body waits")).detach();
    transport.close();
    closed.next();
    let error = send(&producer, rtp(111, 1, 11_111_111)).expect_err("it is closed");
    assert_eq!((error, error.code()), (NotificationError::ChannelClosed, ErrorCode::Disconnected));
    let report = vec![0x80, 201, 0, 1, 0, 0, 0, 9];
    assert_eq!(transport.send_rtcp(report), Err(NotificationError::ChannelClosed));
    assert_eq!(transport.dump().await.expect_err("it is closed").code(), ErrorCode::NotFound);
    assert_eq!(transport.get_stats().await.expect_err("it is closed").code(), ErrorCode::NotFound);
}

async fn it_ends_with_its_router(manager: &WorkerManager) {
    let router = scene::router(&scene::worker(manager).await).await;
    let transport = direct(&router).await;
    let (send, told) = calls();
    let ends = ["router", "closed"];
    let [by_router, closed] = ends.map(|what| {
        let send = send.clone();
        Box::new(move || send.send(what).expect("the body waits"))
    });
    transport.on_router_close(by_router).detach();
    transport.on_close(closed).detach();
    router.close();
    assert_eq!([told.next(), told.next()], ends);
    assert!(transport.closed());
    let error = router.create_direct_transport(DirectTransportOptions::default()).await;
    assert_eq!(error.expect_err("the Router is closed").code(), ErrorCode::NotFound);

    let scene = Scene::new(manager).await;
    let transport = direct(&scene.router).await;
    scene.worker.close();
    closed!(transport);
}

async fn it_is_found_by_its_id(manager: &WorkerManager) {
    let router = scene::router(&scene::worker(manager).await).await;
    let transport = direct(&router).await;
    let found = manager.find_direct_transport(transport.id()).expect("it is there");
    let producer = produce(&found, MediaKind::Audio).await;
    let (_consumer, packets) = consume(&transport, &producer).await;
    drop(transport);
    assert!(!found.closed(), "every handle given out holds it");
    send(&producer, rtp(111, 1, 11_111_111)).expect("there is room");
    packets.next();
    let other = Arc::clone(producer.transport());
    drop((found, producer));
    assert!(!other.closed());
}
