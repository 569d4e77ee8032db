//! Scores, statistics and dumps after packets that really went through.

use mafalda_api::consumer::ConsumerRtpStreamStat;
use mafalda_api::prelude::*;
use mafalda_api::types::data_structures::{DtlsState, IceRole, IceState};
use mafalda_api::worker_manager::WorkerManager;

use crate::fixture::{calls, on_each_backend};
use crate::line::{Line, SSRC};
use crate::scene::Scene;

on_each_backend! {
    the_first_packet_brings_scores_that_are_told,
    streams_are_counted_on_both_sides,
    transports_are_counted,
    streams_that_have_begun_are_dumped,
    a_transport_that_waits_says_so_everywhere,
}

/// Bytes of one of the line's packets.
const LEN: u64 = 19;

async fn the_first_packet_brings_scores_that_are_told(manager: &WorkerManager) {
    let line = Line::new(manager).await;
    assert!(line.producer.score().is_empty());
    assert_eq!(line.consumer.score().producer_score, 0);
    let (send, of_producer) = calls();
    line.producer.on_score(move |score| send.send(score.to_vec()).expect("the body waits")).detach();
    let (send, of_consumer) = calls();
    line.consumer.on_score(move |score| send.send(score.clone()).expect("the body waits")).detach();
    line.send(1, true);
    let score = of_producer.next();
    assert_eq!((score.len(), score[0].ssrc, score[0].encoding_idx, score[0].score), (1, SSRC, 0, 10));
    assert_eq!(line.producer.score(), score);
    let score = of_consumer.next();
    assert_eq!((score.score, score.producer_score, &score.producer_scores[..]), (10, 10, &[10][..]));
    assert_eq!(line.consumer.score(), score);
    line.send(2, false);
    line.through(2);
    assert!(of_producer.is_empty() && of_consumer.is_empty(), "nothing has changed");
}

async fn streams_are_counted_on_both_sides(manager: &WorkerManager) {
    let line = Line::new(manager).await;
    for sequence in 1..=4 {
        line.send(sequence, sequence == 1);
    }
    line.through(4);
    let stats = line.producer.get_stats().await.expect("statistics");
    let [stat] = &stats[..] else { panic!("one stream: {stats:?}") };
    assert_eq!((stat.ssrc, stat.rtx_ssrc, stat.rid.as_deref()), (SSRC, Some(SSRC + 1), None));
    assert_eq!((stat.kind, stat.mime_type.as_str()), (MediaKind::Video, "video/VP8"));
    assert_eq!((stat.packet_count, stat.byte_count, stat.packets_lost), (4, 4 * LEN, 0));
    assert!(stat.bitrate > 0 && stat.timestamp > 1_700_000_000_000);
    assert_eq!((stat.packets_discarded, stat.packets_repaired, stat.nack_count), (0, 0, 0));

    let stats = line.consumer.get_stats().await.expect("statistics");
    let [ConsumerRtpStreamStat::Outbound(own), ConsumerRtpStreamStat::Inbound(source)] = &stats[..] else {
        panic!("its own stream and the Producer's: {stats:?}")
    };
    assert_eq!((own.ssrc, own.packet_count, own.score), (line.ssrc(), 4, 10));
    assert!(own.byte_count >= 4 * LEN && own.bitrate > 0);
    assert_eq!((source.ssrc, source.packet_count), (SSRC, 4));
}

async fn transports_are_counted(manager: &WorkerManager) {
    let line = Line::new(manager).await;
    line.send(1, true);
    line.send(2, false);
    line.through(2);
    let stat = line.input.get_stats().await.expect("statistics").remove(0);
    assert_eq!(
        (stat.transport_id, stat.rtp_bytes_received, stat.rtp_bytes_sent),
        (line.input.id(), 2 * LEN, 0)
    );
    assert!(stat.bytes_received >= 2 * LEN && stat.recv_bitrate > 0 && stat.rtp_recv_bitrate > 0);
    assert_eq!((stat.rtx_bytes_received, stat.rtx_recv_bitrate, stat.probation_bytes_sent), (0, 0, 0));
    let stat = line.output.get_stats().await.expect("statistics").remove(0);
    let stats = line.consumer.get_stats().await.expect("statistics");
    let ConsumerRtpStreamStat::Outbound(own) = &stats[0] else { panic!("its own stream comes first") };
    assert_eq!((stat.rtp_bytes_received, stat.rtp_bytes_sent), (0, own.byte_count));
    assert!(stat.bytes_sent >= stat.rtp_bytes_sent && stat.send_bitrate > 0 && stat.rtp_send_bitrate > 0);
    assert_eq!((stat.rtx_bytes_sent, stat.rtx_send_bitrate, stat.round_trip_time), (0, 0, None));
}

async fn streams_that_have_begun_are_dumped(manager: &WorkerManager) {
    let line = Line::new(manager).await;
    assert!(line.producer.dump().await.expect("a dump").rtp_streams.is_empty());
    line.send(1, true);
    line.through(1);
    let dump = line.producer.dump().await.expect("a dump");
    let [stream] = &dump.rtp_streams[..] else { panic!("one stream: {dump:?}") };
    let params = &stream.params;
    assert_eq!((params.ssrc, params.rtx_ssrc, params.payload_type), (SSRC, Some(SSRC + 1), 112));
    assert_eq!((params.clock_rate, params.cname.as_str(), params.encoding_idx), (90_000, "FOOBAR", 0));
    assert!(params.use_nack && params.use_pli && !params.use_dtx && !params.use_in_band_fec);
    assert_eq!((params.spatial_layers, params.temporal_layers, stream.score), (1, 1, 10));
    let rtx = &stream.rtx_stream.as_ref().expect("it may come").params;
    assert_eq!(
        (rtx.ssrc, rtx.payload_type, rtx.clock_rate, rtx.rrid.as_deref()),
        (SSRC + 1, 113, 90_000, None)
    );
    let dump = line.output.dump().await.expect("a dump");
    assert_eq!(dump.map_ssrc_consumer_id.get(&line.ssrc()), Some(&line.consumer.id()));
    assert!(!dump.direct && dump.producer_ids.is_empty());
    let ids = line.input.dump().await.expect("a dump").recv_rtp_header_extensions;
    assert_eq!((ids.mid, ids.rid, ids.transport_wide_cc01), (Some(10), None, None));
}

async fn a_transport_that_waits_says_so_everywhere(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let stat = scene.first.get_stats().await.expect("statistics").remove(0);
    assert_eq!(
        (stat.ice_role, stat.ice_state, stat.dtls_state),
        (IceRole::Controlled, IceState::New, DtlsState::New)
    );
    assert_eq!((stat.ice_selected_tuple, stat.round_trip_time), (None, None));
    let dump = scene.first.dump().await.expect("a dump");
    assert_eq!(
        (dump.ice_role, dump.ice_state, dump.ice_selected_tuple),
        (IceRole::Controlled, IceState::New, None)
    );
    assert_eq!((dump.dtls_parameters, dump.dtls_state), (scene.first.dtls_parameters(), DtlsState::New));
    assert_eq!(dump.ice_parameters, scene.first.ice_parameters());
    assert!(!dump.direct);
}
