//! A PlainTransport: RTP and RTCP over UDP as they are, or under SRTP with keys that the application exchanges.

mod handle;

use std::collections::HashMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

pub use self::handle::{PlainTransport, WeakPlainTransport};
use crate::id::{ConsumerId, ProducerId, TransportId};
use crate::labels::Labels;
use crate::socket::SocketDump;
use crate::transport::{RecvRtpHeaderExtensions, RtpListener, TransportTraceEventType};
use crate::types::data_structures::{AppData, ListenInfo, TransportTuple};
use crate::types::srtp_parameters::{SrtpCryptoSuite, SrtpParameters};

/// How a PlainTransport is made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PlainTransportOptions {
    /// Where it listens, for UDP.
    pub listen_info: ListenInfo,
    /// Where it listens for RTCP; `None`, the default, means as for RTP, at a port of its own. Used without `rtcp_mux` only.
    pub rtcp_listen_info: Option<ListenInfo>,
    /// Whether RTP and RTCP share a port (RFC 5761). Default true.
    pub rtcp_mux: bool,
    /// Whether the peer's address is that of its first valid packet. Default false: `connect` names it.
    pub comedia: bool,
    /// Most bits per second that the peer shall send, told by REMB; `None`, the default, is no limit.
    pub max_incoming_bitrate: Option<u64>,
    /// Whether packets are protected by SRTP. Default false.
    pub enable_srtp: bool,
    /// With which suite; the peer may choose another one. Default `AES_CM_128_HMAC_SHA1_80`.
    pub srtp_crypto_suite: SrtpCryptoSuite,
    /// What travels with the Transport and shows wherever it shows.
    pub labels: Labels,
    /// What stays with the Transport in this process.
    pub app_data: AppData,
}

impl PlainTransportOptions {
    /// A Transport that listens there.
    #[must_use]
    pub fn new(listen_info: ListenInfo) -> Self {
        Self {
            listen_info,
            rtcp_listen_info: None,
            rtcp_mux: true,
            comedia: false,
            max_incoming_bitrate: None,
            enable_srtp: false,
            srtp_crypto_suite: SrtpCryptoSuite::default(),
            labels: Labels::default(),
            app_data: AppData::default(),
        }
    }
}

/// What is told of the peer for `connect`: its address where comedia doesn't learn it, its key where SRTP is enabled.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlainTransportRemoteParameters {
    /// Its IP.
    pub ip: Option<IpAddr>,
    /// Its port for RTP, and for RTCP where they share one.
    pub port: Option<u16>,
    /// Its port for RTCP.
    pub rtcp_port: Option<u16>,
    /// The key of what it sends.
    pub srtp_parameters: Option<SrtpParameters>,
}

/// What a PlainTransport holds.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlainTransportDump {
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
    /// Header extension ids of the peer.
    pub recv_rtp_header_extensions: RecvRtpHeaderExtensions,
    /// How it finds the Producer of a packet.
    pub rtp_listener: RtpListener,
    /// What is traced.
    pub trace_event_types: Vec<TransportTraceEventType>,
    /// Its own sockets, with what the kernel gave them. mediasoup has no such field.
    pub sockets: Vec<SocketDump>,
    /// Whether RTP and RTCP share a port.
    pub rtcp_mux: bool,
    /// Whether the peer's address is learnt from its packets.
    pub comedia: bool,
    /// Addresses of RTP; the local one alone while the peer's isn't known.
    pub tuple: TransportTuple,
    /// Addresses of RTCP, where it has a port of its own.
    pub rtcp_tuple: Option<TransportTuple>,
    /// Suite and key of what is sent, where SRTP is enabled.
    pub srtp_parameters: Option<SrtpParameters>,
}

/// What went over a PlainTransport. Bytes are since its creation, bitrates are bits per second of late.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlainTransportStat {
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
    /// Bytes sent to find out what the path carries: none yet, since nothing probes.
    pub probation_bytes_sent: u64,
    /// Bits per second sent to find out what the path carries.
    pub probation_send_bitrate: u64,
    /// Bits per second that the peer says it can take (REMB), if it says.
    pub available_outgoing_bitrate: Option<u64>,
    /// The limit of what the peer shall send, where one is set.
    pub max_incoming_bitrate: Option<u64>,
    /// Milliseconds to the peer and back, as its newest report has it; `None` before the first that tells.
    pub round_trip_time: Option<f32>,
    /// Whether RTP and RTCP share a port.
    pub rtcp_mux: bool,
    /// Whether the peer's address is learnt from its packets.
    pub comedia: bool,
    /// Addresses of RTP; the local one alone while the peer's isn't known.
    pub tuple: TransportTuple,
    /// Addresses of RTCP, where it has a port of its own.
    pub rtcp_tuple: Option<TransportTuple>,
}
