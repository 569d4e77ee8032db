//! A PipeTransport: one end of a pipe between two Routers, over which RTP streams go as they are, under SRTP where that is wanted.
//!
//! Its Consumers carry all streams of their Producers, and its Producers are what another Router's PipeTransport sends. What the
//! endpoints at the far end can do is of no interest here: no capabilities are looked at, no MIDs are sent, no bandwidth is
//! estimated.

mod handle;

use std::collections::HashMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

pub use self::handle::{PipeTransport, WeakPipeTransport};
use crate::id::{ConsumerId, ProducerId, TransportId};
use crate::labels::Labels;
use crate::transport::{RecvRtpHeaderExtensions, RtpListener, TransportTraceEventType};
use crate::types::data_structures::{AppData, ListenInfo, TransportTuple};
use crate::types::srtp_parameters::SrtpParameters;

/// How a PipeTransport is made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PipeTransportOptions {
    /// Where it listens, for UDP.
    pub listen_info: ListenInfo,
    /// Whether lost packets are asked for and sent again (RFC 4588). Default false: a good network loses none. Must be the same
    /// at both ends.
    pub enable_rtx: bool,
    /// Whether packets are protected by SRTP, with `AEAD_AES_256_GCM`. Default false. Must be the same at both ends.
    pub enable_srtp: bool,
    /// What travels with the Transport and shows wherever it shows.
    pub labels: Labels,
    /// What stays with the Transport in this process.
    pub app_data: AppData,
}

impl PipeTransportOptions {
    /// A Transport that listens there.
    #[must_use]
    pub fn new(listen_info: ListenInfo) -> Self {
        Self {
            listen_info,
            enable_rtx: false,
            enable_srtp: false,
            labels: Labels::default(),
            app_data: AppData::default(),
        }
    }
}

/// What is told of the other end for `connect`.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PipeTransportRemoteParameters {
    /// Its IP.
    pub ip: IpAddr,
    /// Its port.
    pub port: u16,
    /// The key of what it sends, where SRTP is enabled.
    pub srtp_parameters: Option<SrtpParameters>,
}

/// What a PipeTransport holds.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PipeTransportDump {
    /// Its id.
    pub id: TransportId,
    /// False: its media go over the network.
    pub direct: bool,
    /// Its Producers.
    pub producer_ids: Vec<ProducerId>,
    /// Its Consumers.
    pub consumer_ids: Vec<ConsumerId>,
    /// The Consumer that sends with an SSRC.
    pub map_ssrc_consumer_id: HashMap<u32, ConsumerId>,
    /// The Consumer that retransmits with an SSRC.
    pub map_rtx_ssrc_consumer_id: HashMap<u32, ConsumerId>,
    /// Header extension ids of the other end.
    pub recv_rtp_header_extensions: RecvRtpHeaderExtensions,
    /// How it finds the Producer of a packet.
    pub rtp_listener: RtpListener,
    /// What is traced.
    pub trace_event_types: Vec<TransportTraceEventType>,
    /// Its addresses; the local one alone before `connect`.
    pub tuple: TransportTuple,
    /// Whether lost packets are asked for and sent again.
    pub rtx: bool,
    /// Suite and key of what it sends, where SRTP is enabled.
    pub srtp_parameters: Option<SrtpParameters>,
}

/// What went over a PipeTransport. Bytes are since its creation, bitrates are bits per second of late.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PipeTransportStat {
    /// The Transport.
    pub transport_id: TransportId,
    /// When this was taken: milliseconds since the Unix epoch.
    pub timestamp: u64,
    /// All bytes received.
    pub bytes_received: u64,
    /// All bits per second received.
    pub recv_bitrate: u64,
    /// All bytes sent.
    pub bytes_sent: u64,
    /// All bits per second sent.
    pub send_bitrate: u64,
    /// Bytes of RTP packets received, without retransmissions.
    pub rtp_bytes_received: u64,
    /// Bits per second of RTP received, without retransmissions.
    pub rtp_recv_bitrate: u64,
    /// Bytes of RTP packets sent, without retransmissions.
    pub rtp_bytes_sent: u64,
    /// Bits per second of RTP sent, without retransmissions.
    pub rtp_send_bitrate: u64,
    /// Bytes of retransmissions received.
    pub rtx_bytes_received: u64,
    /// Bits per second of retransmissions received.
    pub rtx_recv_bitrate: u64,
    /// Bytes of retransmissions sent.
    pub rtx_bytes_sent: u64,
    /// Bits per second of retransmissions sent.
    pub rtx_send_bitrate: u64,
    /// Bytes sent to find out what the path carries: none, since nothing probes.
    pub probation_bytes_sent: u64,
    /// Bits per second sent to find out what the path carries.
    pub probation_send_bitrate: u64,
    /// Bits per second that the other end says it can take (REMB), if it says.
    pub available_outgoing_bitrate: Option<u64>,
    /// The limit of what the other end shall send, where one is set.
    pub max_incoming_bitrate: Option<u64>,
    /// Milliseconds to the other Router and back, as its newest report has it; `None` before the first that tells.
    pub round_trip_time: Option<f32>,
    /// Its addresses; the local one alone before `connect`.
    pub tuple: TransportTuple,
}
