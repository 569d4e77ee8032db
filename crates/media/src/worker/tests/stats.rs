//! Statistics and dumps, number by number, after traffic of which every packet is known.

use mafalda_api::consumer::{ConsumerDump, ConsumerRtpStreamStat, ConsumerStat, RtpStreamParams};
use mafalda_api::producer::{ProducerDump, ProducerStat};
use mafalda_api::types::rtp_parameters::MediaKind;
use mafalda_api::waist::{
    DumpConsumer, DumpProducer, DumpTransport, Event, GetConsumerStats, GetProducerStats, GetTransportStats,
    Reply,
};
use mafalda_api::webrtc_transport::{WebRtcTransportDump, WebRtcTransportStat};

use super::super::*;
use super::peer::{Packet, Peer};
use super::stage::{Stage, VP8, VP8_RTX, audio, video};
use crate::rtcp::{DlrrReport, FirEntry, ReportBlock, SenderInfo};

/// Bytes that AES-GCM adds to a packet.
const TAG_LEN: u64 = 16;
/// Bytes of an RTP header without extensions; peers send none unless a packet says so.
const HEADER_LEN: usize = 12;

struct Scene {
    stage: Stage,
    sender: Peer,
    receiver: Peer,
    producer: ProducerId,
    consumer: ConsumerId,
}

impl Scene {
    fn new() -> Self {
        let mut stage = Stage::new();
        let (sender, receiver) = (stage.peer(), stage.peer());
        let producer = stage.produce(&sender, video("0", Some(1000)));
        let consumer = stage.consume(&receiver, producer, true);
        stage.sent.clear();
        Self { stage, sender, receiver, producer, consumer }
    }

    fn send(&mut self, packets: &[Packet]) {
        self.stage.datagrams(self.sender.send(packets));
    }

    fn of_producer(&mut self) -> ProducerStat {
        match self.stage.call(GetProducerStats { id: self.producer }).unwrap() {
            Reply::ProducerStats(stats) => stats.into_iter().next().expect("one stream"),
            other => panic!("{other:?}"),
        }
    }

    fn of_consumer(&mut self) -> ConsumerStat {
        let Reply::ConsumerStats(stats) = self.stage.call(GetConsumerStats { id: self.consumer }).unwrap()
        else {
            panic!("not a Consumer's statistics")
        };
        let own = stats.into_iter().find_map(|stat| match stat {
            ConsumerRtpStreamStat::Outbound(stat) => Some(stat),
            ConsumerRtpStreamStat::Inbound(_) => None,
        });
        own.expect("its own stream")
    }

    fn of_transport(&mut self, id: TransportId) -> WebRtcTransportStat {
        match self.stage.call(GetTransportStats { id }).unwrap() {
            Reply::TransportStats(mut stats) => stats.remove(0),
            other => panic!("{other:?}"),
        }
    }

    fn dump_producer(&mut self) -> ProducerDump {
        match self.stage.call(DumpProducer { id: self.producer }).unwrap() {
            Reply::ProducerDump(dump) => *dump,
            other => panic!("{other:?}"),
        }
    }

    fn dump_consumer(&mut self) -> ConsumerDump {
        match self.stage.call(DumpConsumer { id: self.consumer }).unwrap() {
            Reply::ConsumerDump(dump) => *dump,
            other => panic!("{other:?}"),
        }
    }

    fn dump_transport(&mut self, id: TransportId) -> WebRtcTransportDump {
        match self.stage.call(DumpTransport { id }).unwrap() {
            Reply::TransportDump(dump) => *dump,
            other => panic!("{other:?}"),
        }
    }

    /// What the peer would say of a report that came so many milliseconds ago and lay there for so many.
    fn echo(&self, ms_ago: u64, delay_ms: u64) -> (u32, u32) {
        let ntp = self.stage.now.ntp() - (ms_ago << 32) / 1000;
        ((ntp >> 16) as u32, (delay_ms * 65_536 / 1000) as u32)
    }
}

fn rtx(sequence: u16, lost: &Packet) -> Packet {
    let payload = [&(lost.index as u16).to_be_bytes()[..], &lost.payload].concat();
    Packet { ssrc: 1001, payload_type: VP8_RTX, index: sequence.into(), payload, ..lost.clone() }
}

/// Whether a rate is that of so many bytes within the window of 2.5 seconds, the last of whose 25 parts isn't over.
fn is_rate(bitrate: u64, bytes: u64) -> bool {
    (bytes * 8 * 1000 / 2500..=bytes * 8 * 1000 / 2400).contains(&bitrate)
}

fn len(packet: &Packet) -> u64 {
    (HEADER_LEN + packet.payload.len()) as u64
}

#[test]
fn a_producers_numbers_are_those_of_its_packets() {
    let mut scene = Scene::new();
    scene.send(&[Packet::key_frame(1000, 1), Packet::frame(1000, 2), Packet::frame(1000, 5)]);
    scene.stage.ms(20);
    let lost = [Packet::frame(1000, 3), Packet::frame(1000, 4)];
    // One comes as a retransmission, and once more; one was only late.
    scene.send(&[rtx(1, &lost[0]), rtx(2, &lost[0]), lost[1].clone()]);
    // Too far ahead to belong here, unless the next one does too.
    scene.send(&[Packet::frame(1000, 20_000)]);
    let stat = scene.of_producer();
    assert_eq!(stat.timestamp, scene.stage.now.unix.as_millis() as u64);
    assert_eq!((stat.ssrc, stat.rtx_ssrc, stat.rid.as_deref()), (1000, Some(1001), None));
    assert_eq!((stat.kind, stat.mime_type.as_str()), (MediaKind::Video, "video/VP8"));
    assert_eq!(
        (stat.packet_count, stat.byte_count),
        (5, 4 * len(&lost[0]) + len(&Packet::key_frame(1000, 1)))
    );
    assert_eq!((stat.packets_retransmitted, stat.packets_repaired), (2, 1));
    assert_eq!(stat.packets_discarded, 2, "the second retransmission, and a number that makes no sense");
    assert_eq!(stat.packets_lost, 1, "what a retransmission brought was lost");
    assert_eq!((stat.nack_count, stat.nack_packet_count), (1, 2));
    assert!(is_rate(stat.bitrate, stat.byte_count));
    assert_eq!((stat.rtx_packets_discarded, stat.round_trip_time), (Some(0), None));
    assert_eq!((stat.fraction_lost, stat.score), (0, 10), "nothing was reported yet");
    assert!(stat.bitrate_by_layer.is_empty());

    scene.stage.ms(1500);
    assert_eq!(scene.of_producer().fraction_lost, 51, "one of five, in 256ths");
}

#[test]
fn requests_for_key_frames_are_counted_on_both_sides() {
    let mut scene = Scene::new();
    scene.send(&[Packet::key_frame(1000, 1)]);
    scene.stage.ms(2000);
    let ssrc = scene.of_consumer().ssrc;
    let before = scene.of_producer().pli_count;
    let pli = scene.receiver.feedback(|writer| writer.pli(1, ssrc));
    let fir = scene.receiver.feedback(|writer| writer.fir(1, &[FirEntry { ssrc, sequence: 1 }]).map(drop));
    scene.stage.datagrams([pli, fir]);
    let stat = scene.of_consumer();
    assert_eq!((stat.pli_count, stat.fir_count), (1, 1));
    let stat = scene.of_producer();
    assert_eq!((stat.pli_count - before, stat.fir_count), (1, 0), "both ask for the same");

    // Without PLI a FIR is sent.
    let mut parameters = video("1", Some(2000));
    if let mafalda_api::types::rtp_parameters::RtpCodecParameters::Video { rtcp_feedback, .. } =
        &mut parameters.codecs[0]
    {
        rtcp_feedback.retain(|it| *it != mafalda_api::types::rtp_parameters::RtcpFeedback::NackPli);
    }
    scene.producer = scene.stage.produce(&scene.sender, parameters);
    scene.consumer = scene.stage.consume(&scene.receiver, scene.producer, true);
    scene.send(&[Packet::frame(2000, 1)]);
    let stat = scene.of_producer();
    assert_eq!((stat.pli_count, stat.fir_count), (0, 1));
}

#[test]
fn a_consumers_numbers_are_those_of_its_packets_and_reports() {
    let mut scene = Scene::new();
    let packets: Vec<Packet> = std::iter::once(Packet::key_frame(1000, 1))
        .chain((2..=10).map(|index| Packet::frame(1000, index)))
        .collect();
    scene.send(&packets);
    let sent = scene.stage.take_sent(&scene.receiver);
    let received = scene.receiver.media(sent);
    let ssrc = received[0].ssrc;
    scene.stage.ms(200);
    let nack = scene.receiver.nack(ssrc, &[received[3].index, received[5].index]);
    scene.stage.datagrams([nack]);
    scene.stage.ms(200);
    let nack = scene.receiver.nack(ssrc, &[received[5].index]);
    scene.stage.datagrams([nack]);
    let (last_sr, delay_since_last_sr) = scene.echo(80, 50);
    let block = ReportBlock {
        ssrc,
        fraction_lost: 77,
        cumulative_lost: 2,
        highest_sequence: received[9].index as u32,
        jitter: 33,
        last_sr,
        delay_since_last_sr,
    };
    let report = scene.receiver.feedback(|writer| writer.receiver_report(1, &[block]).map(drop));
    scene.stage.datagrams([report]);

    let stat = scene.of_consumer();
    assert_eq!(stat.timestamp, scene.stage.now.unix.as_millis() as u64);
    assert_eq!((stat.ssrc, stat.rtx_ssrc.is_some()), (ssrc, true));
    assert_eq!((stat.kind, stat.mime_type.as_str()), (MediaKind::Video, "video/VP8"));
    assert_eq!((stat.packet_count, stat.packets_discarded), (10, 0));
    let overhead = (stat.byte_count - packets.iter().map(len).sum::<u64>()) / 10;
    assert!((4..40).contains(&overhead), "extensions of {overhead} bytes");
    assert!(is_rate(stat.bitrate, stat.byte_count));
    assert_eq!((stat.nack_count, stat.nack_packet_count), (2, 3));
    assert_eq!((stat.packets_retransmitted, stat.packets_repaired), (3, 2));
    assert_eq!((stat.packets_lost, stat.fraction_lost, stat.jitter), (2, 51, 33), "two of ten, in 256ths");
    assert!(stat.round_trip_time.is_some_and(|ms| (29.0..31.0).contains(&ms)), "{:?}", stat.round_trip_time);
    // Two of three retransmissions were of use: 10 - (2 - 2 * (10 / 12)^4 * 2 / 3) is 8.6, of which whole packets are lost.
    assert_eq!(stat.score, 7);
    assert_eq!(stat.rtx_packets_discarded, Some(0));
    let inbound = scene.stage.call(GetConsumerStats { id: scene.consumer }).unwrap();
    let Reply::ConsumerStats(stats) = inbound else { panic!("{inbound:?}") };
    let of_producer = scene.of_producer();
    assert!(
        matches!(&stats[..], [ConsumerRtpStreamStat::Outbound(_), ConsumerRtpStreamStat::Inbound(stat)] if *stat == of_producer)
    );

    let events = std::mem::take(&mut scene.stage.events);
    let told: Vec<u8> = events
        .iter()
        .filter_map(|event| match event {
            Event::ConsumerScoreChanged { score, .. } => Some(score.score),
            _ => None,
        })
        .collect();
    assert_eq!(told.last(), Some(&7), "the change was told");
}

#[test]
fn a_retransmission_that_comes_too_late_is_counted() {
    let mut scene = Scene::new();
    scene.send(&[Packet::key_frame(1000, 1), Packet::frame(1000, 2)]);
    let sent = scene.stage.take_sent(&scene.receiver);
    let received = scene.receiver.media(sent);
    // The ring forgets after its age, the log of what was sent doesn't.
    scene.stage.ms(9000);
    scene.send(&[Packet::frame(1000, 3)]);
    let nack = scene.receiver.nack(received[0].ssrc, &[received[1].index]);
    scene.stage.datagrams([nack]);
    let stat = scene.of_consumer();
    assert_eq!(stat.nack_packet_count, 1);
    let asked = stat.packets_retransmitted;
    assert_eq!(stat.rtx_packets_discarded, Some(asked));
}

#[test]
fn a_transports_numbers_are_those_of_what_went_over_it() {
    let mut scene = Scene::new();
    let before = [scene.sender.id, scene.receiver.id].map(|id| scene.of_transport(id));
    let lost = Packet::frame(1000, 2);
    let packets = [Packet::key_frame(1000, 1), Packet::frame(1000, 3)];
    scene.send(&packets);
    let repair = rtx(1, &lost);
    scene.send(std::slice::from_ref(&repair));
    let sent = scene.stage.take_sent(&scene.receiver);
    let bytes: u64 = sent.iter().map(|packet| packet.len() as u64).sum();
    let received = scene.receiver.media(sent);

    let stat = scene.of_transport(scene.sender.id);
    let rtp: u64 = packets.iter().map(len).sum();
    assert_eq!(
        (stat.transport_id, stat.timestamp),
        (scene.sender.id, scene.stage.now.unix.as_millis() as u64)
    );
    assert_eq!((stat.rtp_bytes_received, stat.rtx_bytes_received), (rtp, len(&repair)));
    assert_eq!(stat.bytes_received - before[0].bytes_received, rtp + len(&repair) + 3 * TAG_LEN);
    assert!(is_rate(stat.rtp_recv_bitrate, rtp));
    assert!(is_rate(stat.rtx_recv_bitrate, len(&repair)));
    assert!(stat.recv_bitrate > stat.rtp_recv_bitrate + stat.rtx_recv_bitrate);
    assert_eq!((stat.rtp_bytes_sent, stat.rtx_bytes_sent, stat.rtp_send_bitrate), (0, 0, 0));
    assert_eq!((stat.probation_bytes_sent, stat.probation_send_bitrate), (0, 0));

    let stat = scene.of_transport(scene.receiver.id);
    assert_eq!(stat.bytes_sent - before[1].bytes_sent, bytes);
    assert_eq!(stat.rtp_bytes_sent, bytes - 3 * TAG_LEN, "three packets, without what SRTP adds");
    assert_eq!(stat.rtp_bytes_sent, scene.of_consumer().byte_count);
    assert!(is_rate(stat.rtp_send_bitrate, stat.rtp_bytes_sent));
    assert!(stat.send_bitrate >= stat.rtp_send_bitrate && stat.rtx_bytes_sent == 0);
    assert_eq!(stat.round_trip_time, None);

    scene.stage.ms(200);
    let nack = scene.receiver.nack(received[0].ssrc, &[received[0].index]);
    scene.stage.datagrams([nack]);
    let again = scene.stage.take_sent(&scene.receiver);
    let stat = scene.of_transport(scene.receiver.id);
    let media: Vec<_> = again.iter().filter(|bytes| super::peer::is_media(bytes)).collect();
    assert_eq!((media.len(), stat.rtx_bytes_sent), (1, media[0].len() as u64 - TAG_LEN));
    assert!(is_rate(stat.rtx_send_bitrate, stat.rtx_bytes_sent));
}

#[test]
fn round_trips_come_from_reports_and_from_echoes() {
    let mut scene = Scene::new();
    scene.send(&[Packet::key_frame(1000, 1)]);
    let sent = scene.stage.take_sent(&scene.receiver);
    let received = scene.receiver.media(sent);
    scene.stage.ms(500);
    let (last_sr, delay_since_last_sr) = scene.echo(120, 20);
    let block = ReportBlock {
        ssrc: received[0].ssrc,
        fraction_lost: 0,
        cumulative_lost: 0,
        highest_sequence: received[0].index as u32,
        jitter: 0,
        last_sr,
        delay_since_last_sr,
    };
    let report = scene.receiver.feedback(|writer| writer.receiver_report(1, &[block]).map(drop));
    let (last_rr, delay) = scene.echo(70, 20);
    let ssrc = scene.stage.machine(scene.sender.id).feedback_ssrc;
    let echo =
        scene.sender.feedback(|writer| writer.dlrr(1000, &[DlrrReport { ssrc, last_rr, delay }]).map(drop));
    scene.stage.datagrams([report, echo]);
    let near = |measured: Option<f32>, ms: f32| {
        assert!(measured.is_some_and(|measured| (measured - ms).abs() < 1.0), "{measured:?} is not {ms}");
    };
    near(scene.of_consumer().round_trip_time, 100.0);
    near(scene.of_producer().round_trip_time, 50.0);
    near(scene.of_transport(scene.receiver.id).round_trip_time, 100.0);
    near(scene.of_transport(scene.sender.id).round_trip_time, 50.0);

    // A report that has heard of none of ours tells nothing new.
    let block = ReportBlock { last_sr: 0, delay_since_last_sr: 0, ..block };
    let report = scene.receiver.feedback(|writer| writer.receiver_report(1, &[block]).map(drop));
    scene.stage.datagrams([report]);
    near(scene.of_transport(scene.receiver.id).round_trip_time, 100.0);
}

#[test]
fn streams_are_dumped_with_what_was_negotiated() {
    let mut scene = Scene::new();
    assert!(scene.dump_producer().rtp_streams.is_empty(), "none has begun");
    scene.send(&[Packet::key_frame(1000, 1)]);
    let dump = scene.dump_producer();
    let cname = dump.rtp_parameters.rtcp.cname.clone().unwrap();
    let [stream] = &dump.rtp_streams[..] else { panic!("{dump:?}") };
    let mime_type = dump.rtp_parameters.codecs[0].mime_type();
    let params = RtpStreamParams {
        clock_rate: 90_000,
        cname: cname.clone(),
        encoding_idx: 0,
        mime_type,
        payload_type: VP8,
        spatial_layers: 1,
        ssrc: 1000,
        temporal_layers: 1,
        use_dtx: false,
        use_in_band_fec: false,
        use_nack: true,
        use_pli: true,
        rid: None,
        rtx_ssrc: Some(1001),
        rtx_payload_type: Some(VP8_RTX),
    };
    assert_eq!((&stream.params, stream.score), (&params, 10));
    let rtx = &stream.rtx_stream.as_ref().unwrap().params;
    assert_eq!((rtx.clock_rate, &rtx.cname, rtx.payload_type, rtx.ssrc), (90_000, &cname, VP8_RTX, 1001));
    assert_eq!((rtx.rrid.as_deref(), rtx.mime_type), (None, mime_type));

    let dump = scene.dump_consumer();
    let [stream] = &dump.rtp_streams[..] else { panic!("{dump:?}") };
    let encoding = &dump.rtp_parameters.encodings[0];
    assert_eq!(Some(stream.params.ssrc), encoding.ssrc);
    assert_eq!(stream.params.rtx_ssrc, encoding.rtx.as_ref().map(|rtx| rtx.ssrc));
    assert_eq!((stream.params.clock_rate, stream.params.mime_type, stream.score), (90_000, mime_type, 10));
    assert_eq!((stream.params.spatial_layers, stream.params.temporal_layers), (1, 1));
    assert!(stream.params.use_nack && stream.params.use_pli && !stream.params.use_dtx);
    assert_eq!(dump.priority, 1);
    assert_eq!((dump.preferred_spatial_layer, dump.current_temporal_layer), (None, None));
}

#[test]
fn layers_that_were_negotiated_are_dumped() {
    let mut scene = Scene::new();
    let mut parameters = video("1", Some(2000));
    parameters.encodings[0].scalability_mode = "L2T3".parse().unwrap();
    scene.producer = scene.stage.produce(&scene.sender, parameters);
    scene.send(&[Packet::key_frame(2000, 1)]);
    let params = &scene.dump_producer().rtp_streams[0].params;
    assert_eq!((params.spatial_layers, params.temporal_layers), (2, 3));
}

#[test]
fn what_opus_says_of_itself_is_dumped() {
    use mafalda_api::types::rtp_parameters::{RtpCodecParameters, RtpCodecParametersParameters};
    let mut scene = Scene::new();
    let mut parameters = audio("1", Some(3000));
    if let RtpCodecParameters::Audio { parameters, .. } = &mut parameters.codecs[0] {
        *parameters =
            RtpCodecParametersParameters::from([("useinbandfec", 1_u32.into()), ("usedtx", 1_u32.into())]);
    }
    scene.producer = scene.stage.produce(&scene.sender, parameters);
    scene.send(&[Packet::sound(3000, 1)]);
    let dump = scene.dump_producer();
    let params = &dump.rtp_streams[0].params;
    assert!(params.use_in_band_fec && params.use_dtx && !params.use_pli);
    assert_eq!((params.clock_rate, params.rtx_ssrc, params.rtx_payload_type), (48_000, None, None));
}

#[test]
fn a_transports_tables_are_dumped() {
    let mut scene = Scene::new();
    let consumer = scene.dump_consumer();
    let encoding = &consumer.rtp_parameters.encodings[0];
    let dump = scene.dump_transport(scene.receiver.id);
    let (ssrc, rtx) = (encoding.ssrc.unwrap(), encoding.rtx.as_ref().unwrap().ssrc);
    assert_eq!(dump.map_ssrc_consumer_id.into_iter().collect::<Vec<_>>(), [(ssrc, scene.consumer)]);
    assert_eq!(dump.map_rtx_ssrc_consumer_id.into_iter().collect::<Vec<_>>(), [(rtx, scene.consumer)]);
    assert_eq!((dump.consumer_ids, dump.direct), (vec![scene.consumer], false));

    let dump = scene.dump_transport(scene.sender.id);
    let ids = dump.recv_rtp_header_extensions;
    assert_eq!((ids.mid, ids.abs_send_time, ids.transport_wide_cc01), (Some(1), Some(4), Some(5)));
    assert_eq!((ids.rid, ids.rrid), (Some(2), Some(3)));
    let mut table = dump.rtp_listener.ssrc_table;
    table.sort_unstable_by_key(|(ssrc, _)| *ssrc);
    assert_eq!(table, [(1000, scene.producer), (1001, scene.producer)]);
    assert_eq!(dump.rtp_listener.mid_table, [("0".to_owned(), scene.producer)]);
}

#[test]
fn a_score_that_comes_back_within_a_turn_is_not_told() {
    let mut scene = Scene::new();
    scene.send(&[Packet::key_frame(1000, 1)]);
    scene.send(&(2..=100).map(|index| Packet::frame(1000, index)).collect::<Vec<_>>());
    let report = |ntp| SenderInfo { ssrc: 1000, ntp, rtp_timestamp: 0, packet_count: 0, octet_count: 0 };
    scene.stage.events.clear();
    let good = scene.sender.feedback(|writer| writer.sender_report(&report(1), &[]).map(drop));
    scene.stage.datagrams([good]);
    let told = |stage: &Stage| {
        stage.events.iter().filter(|event| matches!(event, Event::ProducerScoreChanged { .. })).count()
    };
    assert_eq!(told(&scene.stage), 0, "nothing was lost");
    scene.send(&(121..=140).map(|index| Packet::frame(1000, index)).collect::<Vec<_>>());
    let bad = scene.sender.feedback(|writer| writer.sender_report(&report(2), &[]).map(drop));
    scene.stage.datagrams([bad]);
    assert_eq!(told(&scene.stage), 1, "half of them were");
}
