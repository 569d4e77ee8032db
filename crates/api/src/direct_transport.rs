//! A DirectTransport: RTP, RTCP and messages between a Router and the application itself, without a network.

mod handle;
mod packet;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

pub(crate) use self::handle::is_direct;
pub use self::handle::{DirectTransport, WeakDirectTransport};
pub(crate) use self::packet::rtp;
use crate::id::{ConsumerId, DataConsumerId, DataProducerId, ProducerId, TransportId};
use crate::labels::Labels;
use crate::transport::{RecvRtpHeaderExtensions, RtpListener, TransportTraceEventType};
use crate::types::data_structures::AppData;

/// How a DirectTransport is made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DirectTransportOptions {
    /// Most bytes of a message to the application. Default 262144.
    pub max_send_message_size: u32,
    /// Most bytes of a message from the application. Default 262144.
    pub max_receive_message_size: u32,
    /// What travels with the Transport and shows wherever it shows.
    pub labels: Labels,
    /// What stays with the Transport in this process.
    pub app_data: AppData,
}

impl Default for DirectTransportOptions {
    fn default() -> Self {
        Self {
            max_send_message_size: 262_144,
            max_receive_message_size: 262_144,
            labels: Labels::default(),
            app_data: AppData::default(),
        }
    }
}

/// What a DirectTransport holds.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DirectTransportDump {
    /// Its id.
    pub id: TransportId,
    /// Always true.
    pub direct: bool,
    /// Its Producers.
    pub producer_ids: Vec<ProducerId>,
    /// Its Consumers.
    pub consumer_ids: Vec<ConsumerId>,
    /// The Consumer that sends with an SSRC.
    pub map_ssrc_consumer_id: HashMap<u32, ConsumerId>,
    /// The Consumer that retransmits with an SSRC.
    pub map_rtx_ssrc_consumer_id: HashMap<u32, ConsumerId>,
    /// Its DataProducers.
    pub data_producer_ids: Vec<DataProducerId>,
    /// Its DataConsumers.
    pub data_consumer_ids: Vec<DataConsumerId>,
    /// Header extension ids of the application.
    pub recv_rtp_header_extensions: RecvRtpHeaderExtensions,
    /// How it finds the Producer of a packet.
    pub rtp_listener: RtpListener,
    /// Most bytes of a message to the application.
    pub max_send_message_size: u32,
    /// Most bytes of a message from the application.
    pub max_receive_message_size: u32,
    /// What it is traced for.
    pub trace_event_types: Vec<TransportTraceEventType>,
}

/// What went over a DirectTransport. Bytes are since its creation, bitrates are bits per second of late.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DirectTransportStat {
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
    /// Milliseconds to the application and back: only an application that sends reports has one.
    pub round_trip_time: Option<f32>,
    /// What the application sent when as much waited as may: it was told so, and nothing of it was taken. mediasoup, whose queue has
    /// no bound, has no such field.
    pub sends_refused: u64,
}
