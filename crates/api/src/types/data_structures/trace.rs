//! What trace events tell.

use serde::{Deserialize, Serialize};

/// Which way the traced thing went.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TraceEventDirection {
    /// Received by the server.
    In,
    /// Sent by the server.
    Out,
}

/// A traced RTP packet.
#[derive(Debug, Clone, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RtpPacketTraceInfo {
    /// Payload type.
    pub payload_type: u8,
    /// Sequence number.
    pub sequence_number: u16,
    /// RTP timestamp, in units of the codec's clock.
    pub timestamp: u32,
    /// Marker bit.
    pub marker: bool,
    /// SSRC.
    pub ssrc: u32,
    /// Whether it belongs to a key frame.
    pub is_key_frame: bool,
    /// Length of the packet, in bytes.
    pub size: u32,
    /// Length of its payload, in bytes.
    pub payload_size: u32,
    /// Spatial layer.
    pub spatial_layer: u8,
    /// Temporal layer.
    pub temporal_layer: u8,
    /// MID extension.
    pub mid: Option<String>,
    /// RID extension.
    pub rid: Option<String>,
    /// Repaired RID extension.
    pub rrid: Option<String>,
    /// Transport-wide sequence number.
    pub wide_sequence_number: Option<u16>,
    /// Whether it was sent as RTX.
    #[serde(default)]
    pub is_rtx: bool,
}

/// The stream that a traced PLI or FIR is about.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Deserialize, Serialize)]
pub struct SsrcTraceInfo {
    /// SSRC.
    pub ssrc: u32,
}

/// A traced decision of the bandwidth estimation. All in bits per second.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BweTraceInfo {
    /// What all consumers together would take.
    pub desired_bitrate: u64,
    /// Lower limit.
    pub min_bitrate: u64,
    /// Upper limit.
    pub max_bitrate: u64,
    /// What the path is estimated to carry.
    pub available_bitrate: u64,
}

/// A traced RTCP sender report (RFC 3550 section 6.4.1).
#[derive(Debug, Copy, Clone, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SrTraceInfo {
    /// SSRC of the sender.
    pub ssrc: u32,
    /// NTP timestamp, seconds.
    pub ntp_sec: u32,
    /// NTP timestamp, fraction of a second in units of 2⁻³².
    pub ntp_frac: u32,
    /// RTP timestamp at the same instant.
    pub rtp_ts: u32,
    /// Packets sent.
    pub packet_count: u32,
    /// Payload bytes sent.
    pub octet_count: u32,
}
