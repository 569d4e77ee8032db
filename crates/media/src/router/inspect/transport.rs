//! Dumps and statistics of Transports.

use std::collections::HashMap;

use mafalda_api::direct_transport::{DirectTransportDump, DirectTransportStat};
use mafalda_api::id::{ConsumerId, ProducerId};
use mafalda_api::pipe_transport::{PipeTransportDump, PipeTransportStat};
use mafalda_api::plain_transport::{PlainTransportDump, PlainTransportStat};
use mafalda_api::transport::{RecvRtpHeaderExtensions, RtpListener};
use mafalda_api::types::data_structures::{DtlsParameters, IceRole};
use mafalda_api::webrtc_transport::{WebRtcTransportDump, WebRtcTransportStat};

use super::super::{Router, TransportKey};
use super::{ms, timestamp};
use crate::Now;
use crate::transport::Transport;

impl Router {
    pub(crate) fn dump_transport(&self, key: TransportKey) -> Option<WebRtcTransportDump> {
        let transport = self.transports.get(key)?;
        let webrtc = transport.as_webrtc()?;
        Some(WebRtcTransportDump {
            id: transport.id,
            producer_ids: self.known_ids(&transport.producers),
            direct: false,
            consumer_ids: transport.consumers.keys().copied().collect(),
            map_ssrc_consumer_id: targets(transport, false),
            map_rtx_ssrc_consumer_id: targets(transport, true),
            recv_rtp_header_extensions: header_extensions(transport),
            rtp_listener: self.listener(transport),
            trace_event_types: transport.traced.kinds(),
            sockets: webrtc.endpoints.dump_sockets(),
            dtls_parameters: DtlsParameters::clone(webrtc.handshake.parameters()),
            dtls_state: webrtc.handshake.state(),
            ice_candidates: webrtc.endpoints.candidates().to_vec(),
            ice_parameters: webrtc.ice_parameters(),
            ice_role: IceRole::Controlled,
            ice_state: webrtc.ice_state(),
            ice_selected_tuple: webrtc.selected_tuple(),
        })
    }

    pub(crate) fn dump_plain_transport(&self, key: TransportKey) -> Option<PlainTransportDump> {
        let transport = self.transports.get(key)?;
        let plain = transport.as_plain()?;
        Some(PlainTransportDump {
            id: transport.id,
            producer_ids: self.known_ids(&transport.producers),
            direct: false,
            consumer_ids: transport.consumers.keys().copied().collect(),
            map_ssrc_consumer_id: targets(transport, false),
            map_rtx_ssrc_consumer_id: targets(transport, true),
            recv_rtp_header_extensions: header_extensions(transport),
            rtp_listener: self.listener(transport),
            trace_event_types: transport.traced.kinds(),
            sockets: plain.dump_sockets(),
            rtcp_mux: plain.rtcp_mux(),
            comedia: plain.comedia(),
            tuple: plain.describe_rtp(),
            rtcp_tuple: plain.describe_rtcp(),
            srtp_parameters: plain.srtp_parameters(),
        })
    }

    pub(crate) fn dump_direct_transport(&self, key: TransportKey) -> Option<DirectTransportDump> {
        let transport = self.transports.get(key)?;
        let direct = transport.as_direct()?;
        let ends = transport.data.as_ref()?;
        Some(DirectTransportDump {
            id: transport.id,
            direct: true,
            producer_ids: self.known_ids(&transport.producers),
            consumer_ids: transport.consumers.keys().copied().collect(),
            map_ssrc_consumer_id: targets(transport, false),
            map_rtx_ssrc_consumer_id: targets(transport, true),
            recv_rtp_header_extensions: header_extensions(transport),
            rtp_listener: self.listener(transport),
            data_producer_ids: ends.producers.clone(),
            data_consumer_ids: ends.consumers.clone(),
            max_send_message_size: direct.max_send_message_size,
            max_receive_message_size: direct.max_receive_message_size,
            trace_event_types: transport.traced.kinds(),
        })
    }

    pub(crate) fn direct_transport_stats(&self, now: Now, key: TransportKey) -> Option<DirectTransportStat> {
        let transport = self.transports.get(key)?;
        let direct = transport.as_direct()?;
        let it = &transport.traffic;
        Some(DirectTransportStat {
            transport_id: transport.id,
            timestamp: timestamp(now),
            bytes_received: it.received.bytes,
            recv_bitrate: it.received.bitrate(now),
            bytes_sent: it.sent.bytes,
            send_bitrate: it.sent.bitrate(now),
            rtp_bytes_received: it.rtp_received.bytes,
            rtp_recv_bitrate: it.rtp_received.bitrate(now),
            rtp_bytes_sent: it.rtp_sent.bytes,
            rtp_send_bitrate: it.rtp_sent.bitrate(now),
            rtx_bytes_received: it.rtx_received.bytes,
            rtx_recv_bitrate: it.rtx_received.bitrate(now),
            rtx_bytes_sent: it.rtx_sent.bytes,
            rtx_send_bitrate: it.rtx_sent.bitrate(now),
            probation_bytes_sent: 0,
            probation_send_bitrate: 0,
            round_trip_time: transport.round_trip.map(ms),
            sends_refused: direct.sends_refused,
        })
    }

    pub(crate) fn transport_stats(&self, now: Now, key: TransportKey) -> Option<WebRtcTransportStat> {
        let transport = self.transports.get(key)?;
        let webrtc = transport.as_webrtc()?;
        let it = &transport.traffic;
        Some(WebRtcTransportStat {
            transport_id: transport.id,
            timestamp: timestamp(now),
            bytes_received: it.received.bytes,
            recv_bitrate: it.received.bitrate(now),
            bytes_sent: it.sent.bytes,
            send_bitrate: it.sent.bitrate(now),
            rtp_bytes_received: it.rtp_received.bytes,
            rtp_recv_bitrate: it.rtp_received.bitrate(now),
            rtp_bytes_sent: it.rtp_sent.bytes,
            rtp_send_bitrate: it.rtp_sent.bitrate(now),
            rtx_bytes_received: it.rtx_received.bytes,
            rtx_recv_bitrate: it.rtx_received.bitrate(now),
            rtx_bytes_sent: it.rtx_sent.bytes,
            rtx_send_bitrate: it.rtx_sent.bitrate(now),
            probation_bytes_sent: 0,
            probation_send_bitrate: 0,
            available_outgoing_bitrate: transport.available_outgoing_bitrate,
            max_incoming_bitrate: transport.max_incoming_bitrate,
            round_trip_time: transport.round_trip.map(ms),
            ice_role: IceRole::Controlled,
            ice_state: webrtc.ice_state(),
            ice_selected_tuple: webrtc.selected_tuple(),
            dtls_state: webrtc.handshake.state(),
        })
    }

    pub(crate) fn plain_transport_stats(&self, now: Now, key: TransportKey) -> Option<PlainTransportStat> {
        let transport = self.transports.get(key)?;
        let plain = transport.as_plain()?;
        let it = &transport.traffic;
        Some(PlainTransportStat {
            transport_id: transport.id,
            timestamp: timestamp(now),
            bytes_received: it.received.bytes,
            recv_bitrate: it.received.bitrate(now),
            bytes_sent: it.sent.bytes,
            send_bitrate: it.sent.bitrate(now),
            rtp_bytes_received: it.rtp_received.bytes,
            rtp_recv_bitrate: it.rtp_received.bitrate(now),
            rtp_bytes_sent: it.rtp_sent.bytes,
            rtp_send_bitrate: it.rtp_sent.bitrate(now),
            rtx_bytes_received: it.rtx_received.bytes,
            rtx_recv_bitrate: it.rtx_received.bitrate(now),
            rtx_bytes_sent: it.rtx_sent.bytes,
            rtx_send_bitrate: it.rtx_sent.bitrate(now),
            probation_bytes_sent: 0,
            probation_send_bitrate: 0,
            available_outgoing_bitrate: transport.available_outgoing_bitrate,
            max_incoming_bitrate: transport.max_incoming_bitrate,
            round_trip_time: transport.round_trip.map(ms),
            rtcp_mux: plain.rtcp_mux(),
            comedia: plain.comedia(),
            tuple: plain.describe_rtp(),
            rtcp_tuple: plain.describe_rtcp(),
        })
    }
}

impl Router {
    pub(crate) fn dump_pipe_transport(&self, key: TransportKey) -> Option<PipeTransportDump> {
        let transport = self.transports.get(key)?;
        let pipe = transport.as_pipe()?;
        Some(PipeTransportDump {
            id: transport.id,
            direct: false,
            producer_ids: self.known_ids(&transport.producers),
            consumer_ids: transport.consumers.keys().copied().collect(),
            map_ssrc_consumer_id: targets(transport, false),
            map_rtx_ssrc_consumer_id: targets(transport, true),
            recv_rtp_header_extensions: header_extensions(transport),
            rtp_listener: self.listener(transport),
            trace_event_types: transport.traced.kinds(),
            tuple: pipe.describe(),
            rtx: pipe.rtx(),
            srtp_parameters: pipe.srtp_parameters(),
        })
    }

    pub(crate) fn pipe_transport_stats(&self, now: Now, key: TransportKey) -> Option<PipeTransportStat> {
        let transport = self.transports.get(key)?;
        let pipe = transport.as_pipe()?;
        let it = &transport.traffic;
        Some(PipeTransportStat {
            transport_id: transport.id,
            timestamp: timestamp(now),
            bytes_received: it.received.bytes,
            recv_bitrate: it.received.bitrate(now),
            bytes_sent: it.sent.bytes,
            send_bitrate: it.sent.bitrate(now),
            rtp_bytes_received: it.rtp_received.bytes,
            rtp_recv_bitrate: it.rtp_received.bitrate(now),
            rtp_bytes_sent: it.rtp_sent.bytes,
            rtp_send_bitrate: it.rtp_sent.bitrate(now),
            rtx_bytes_received: it.rtx_received.bytes,
            rtx_recv_bitrate: it.rtx_received.bitrate(now),
            rtx_bytes_sent: it.rtx_sent.bytes,
            rtx_send_bitrate: it.rtx_sent.bitrate(now),
            probation_bytes_sent: 0,
            probation_send_bitrate: 0,
            round_trip_time: transport.round_trip.map(ms),
            available_outgoing_bitrate: transport.available_outgoing_bitrate,
            max_incoming_bitrate: transport.max_incoming_bitrate,
            tuple: pipe.describe(),
        })
    }
}

fn targets(transport: &Transport, rtx: bool) -> HashMap<u32, ConsumerId> {
    let targets = transport.targets.iter().filter(move |(_, target)| target.rtx == rtx);
    targets.map(|(ssrc, target)| (*ssrc, target.consumer)).collect()
}

fn header_extensions(transport: &Transport) -> RecvRtpHeaderExtensions {
    let ids = transport.recv_extensions;
    RecvRtpHeaderExtensions {
        mid: ids.mid,
        rid: ids.rid,
        rrid: ids.rrid,
        abs_send_time: ids.abs_send_time,
        transport_wide_cc01: ids.transport_wide_cc01,
    }
}

impl Router {
    /// Ids of Producers as applications know them.
    fn known_ids(&self, ids: &[ProducerId]) -> Vec<ProducerId> {
        ids.iter().map(|id| self.known_id(*id)).collect()
    }

    fn known_id(&self, id: ProducerId) -> ProducerId {
        self.producers.get(&id).map_or(id, |producer| producer.known_as())
    }

    fn listener(&self, transport: &Transport) -> RtpListener {
        let known = |table: Vec<(String, ProducerId)>| -> Vec<_> {
            table.into_iter().map(|(name, id)| (name, self.known_id(id))).collect()
        };
        let ssrcs = transport.listener.ssrc_table().into_iter();
        RtpListener {
            mid_table: known(transport.listener.mid_table()),
            rid_table: known(transport.listener.rid_table()),
            ssrc_table: ssrcs.map(|(ssrc, id)| (ssrc, self.known_id(id))).collect(),
        }
    }
}
