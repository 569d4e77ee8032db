//! RTCP in both directions, and what statistics make of it.

use mafalda_api::consumer::ConsumerRtpStreamStat;
use mafalda_api::waist::{GetConsumerStats, GetProducerStats, GetTransportStats, SetMaxIncomingBitrate};
use mafalda_testkit::media::Codec;
use mafalda_testkit::{Conditions, Receiving, Rtcp, RtcpKind, Sending};

use crate::scene::{DELAY, Scene};

#[test]
fn the_sender_learns_what_arrived_of_the_whole_transport() {
    let mut scene = Scene::new(1);
    let (video, _) = scene.flow(Codec::Vp8);
    let (audio, _) = scene.flow(Codec::Opus);
    scene.run(5);
    let log = scene.world.peer(scene.alice).log();
    let reported = log.rtcp_received().iter().map(|(_, packet)| match packet {
        Rtcp::Twcc(feedback) => u64::from(feedback.status_count),
        _ => 0,
    });
    let reported: u64 = reported.sum();
    let sent = [video, audio].map(|it| scene.world.peer(scene.alice).sent(it.track)).iter().sum::<u64>();
    assert!((sent - 60..=sent).contains(&reported), "{reported} of {sent}");
    let reports = log.count_received(RtcpKind::TransportFeedback);
    assert!((20..=100).contains(&reports), "one each 50 to 250 ms: {reports}");
}

#[test]
fn the_limit_of_what_comes_in_reaches_the_sender() {
    let mut scene = Scene::new(2);
    scene.flow(Codec::Vp8);
    scene.run(2);
    assert!(scene.world.peer(scene.alice).log().rembs().is_empty(), "no limit, no REMB");
    let id = scene.world.transport(scene.alice);
    scene.world.call(SetMaxIncomingBitrate { id, bitrate: 500_000 }).unwrap();
    scene.run(5);
    let rembs = scene.world.peer(scene.alice).log().rembs();
    let told = rembs.last().map(|(_, bitrate)| *bitrate);
    assert!(told.is_some_and(|told| (499_000..=500_000).contains(&told)), "{rembs:?}");
    let stats = scene.world.call(GetTransportStats { id }).unwrap();
    assert_eq!(stats[0].max_incoming_bitrate, Some(500_000));
}

#[test]
fn reports_go_both_ways() {
    let mut scene = Scene::new(3);
    let (_, receiving) = scene.flow(Codec::Vp8);
    scene.run(10);
    let (alice, bob) = (scene.world.peer(scene.alice).log(), scene.world.peer(scene.bob).log());
    assert!(alice.count_received(RtcpKind::ReceiverReport) >= 5);
    let blocks: Vec<_> = bob
        .rtcp_received()
        .iter()
        .filter_map(|(at, packet)| match packet {
            Rtcp::SenderReport(report) if *report.sender_info.ssrc == receiving.ssrc => Some((at, report)),
            _ => None,
        })
        .collect();
    assert!(blocks.len() >= 5, "{}", blocks.len());
    for pair in blocks.windows(2) {
        let ((earlier, first), (later, second)) = (pair[0], pair[1]);
        let ticks = second.sender_info.rtp_time.numer() - first.sender_info.rtp_time.numer();
        let passed = (*later - *earlier).as_secs_f64();
        assert!((ticks as f64 / 90_000.0 - passed).abs() < 0.05, "{ticks} ticks in {passed} s");
        assert!(second.sender_info.sender_packet_count > first.sender_info.sender_packet_count);
    }
    assert!(bob.count_received(RtcpKind::SourceDescription) > 0);
}

#[test]
fn statistics_of_a_good_network_are_right() {
    let mut scene = Scene::new(4);
    let (sending, receiving) = scene.flow(Codec::Vp8);
    scene.run(10);
    let sent = scene.world.peer(scene.alice).sent(sending.track);
    let (producer, consumer) = stats(&mut scene, sending, receiving);
    assert!((sent - 6..=sent).contains(&producer.packet_count), "{} of {sent}", producer.packet_count);
    assert_eq!((producer.packets_lost, producer.fraction_lost, producer.score), (0, 0, 10));
    assert_eq!((producer.nack_count, producer.packets_repaired), (0, 0));
    assert!(producer.jitter < 900, "{} ticks is more than 10 ms", producer.jitter);
    assert!(producer.byte_count > producer.packet_count * 1000);
    // 30 frames per second, of two packets of some 1020 bytes.
    assert!((450_000..550_000).contains(&producer.bitrate), "{}", producer.bitrate);
    assert_eq!((consumer.packets_lost, consumer.score), (0, 10));
    assert!((450_000..550_000).contains(&consumer.bitrate), "{}", consumer.bitrate);
    for rtt in [producer.round_trip_time, consumer.round_trip_time] {
        assert!(rtt.is_some_and(|rtt| (45.0..60.0).contains(&rtt)), "{rtt:?}");
    }
    let id = scene.world.transport(scene.alice);
    let transport = scene.world.call(GetTransportStats { id }).unwrap().remove(0);
    assert!(
        transport.rtp_bytes_received >= producer.byte_count
            && transport.bytes_received > transport.rtp_bytes_received
    );
    assert!(transport.bytes_sent > 0 && transport.rtp_bytes_sent == 0);
}

#[test]
fn statistics_tell_of_loss() {
    let mut scene = Scene::new(5);
    let (sending, receiving) = scene.flow(Codec::Vp8);
    for peer in [scene.alice, scene.bob] {
        let host = scene.world.peer(peer).address().ip();
        scene.world.network().set_both(host, Conditions::delayed(DELAY).lossy(0.1));
    }
    scene.run(20);
    let (producer, consumer) = stats(&mut scene, sending, receiving);
    assert!(producer.nack_count > 10 && producer.nack_packet_count >= producer.nack_count);
    assert!(producer.packets_repaired > 50, "{}", producer.packets_repaired);
    assert!(consumer.nack_count > 10 && consumer.packets_retransmitted > 50);
    assert!(producer.score > 0 && consumer.score > 0);
}

#[test]
fn a_streams_first_packet_brings_its_score() {
    let mut scene = Scene::new(6);
    let (sending, receiving) = scene.flow(Codec::Vp8);
    scene.run(2);
    let score = &scene.world.producer_state(sending.producer).score;
    assert_eq!(score.iter().map(|it| it.score).collect::<Vec<_>>(), [10]);
    let score = &scene.world.consumer_state(receiving.consumer).score;
    assert_eq!(
        (score.score, score.producer_score, score.producer_scores.as_slice()),
        (10, 10, [10].as_slice())
    );
}

fn stats(
    scene: &mut Scene,
    sending: Sending,
    receiving: Receiving,
) -> (mafalda_api::producer::ProducerStat, mafalda_api::consumer::ConsumerStat) {
    let producer = scene.world.call(GetProducerStats { id: sending.producer }).expect("statistics").remove(0);
    let consumer = scene.world.call(GetConsumerStats { id: receiving.consumer }).expect("statistics");
    let outbound = consumer.into_iter().find_map(|stat| match stat {
        ConsumerRtpStreamStat::Outbound(stat) => Some(stat),
        ConsumerRtpStreamStat::Inbound(_) => None,
    });
    (producer, outbound.expect("a Consumer has its own"))
}
