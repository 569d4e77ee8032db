//! What can be traced at a Producer.

use serde::{Deserialize, Serialize};

use crate::types::data_structures::{RtpPacketTraceInfo, SrTraceInfo, SsrcTraceInfo, TraceEventDirection};

/// A kind of trace event of a Producer.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ProducerTraceEventType {
    /// An RTP packet that arrived, retransmissions with what they carry.
    Rtp,
    /// An RTP packet with the beginning of a key frame.
    KeyFrame,
    /// A NACK that was sent to the endpoint.
    Nack,
    /// A PLI that was sent to the endpoint.
    Pli,
    /// A FIR that was sent to the endpoint.
    Fir,
    /// A sender report of the endpoint.
    SR,
}

/// A trace event of a Producer. Timestamps are milliseconds since the Unix epoch.
#[derive(Debug, Clone, Eq, PartialEq, Deserialize, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ProducerTraceEventData {
    /// An RTP packet.
    Rtp {
        /// When.
        timestamp: u64,
        /// In.
        direction: TraceEventDirection,
        /// The packet.
        info: RtpPacketTraceInfo,
    },
    /// An RTP packet of a key frame.
    KeyFrame {
        /// When.
        timestamp: u64,
        /// In.
        direction: TraceEventDirection,
        /// The packet.
        info: RtpPacketTraceInfo,
    },
    /// A NACK.
    Nack {
        /// When.
        timestamp: u64,
        /// Out.
        direction: TraceEventDirection,
    },
    /// A PLI.
    Pli {
        /// When.
        timestamp: u64,
        /// Out.
        direction: TraceEventDirection,
        /// The stream.
        info: SsrcTraceInfo,
    },
    /// A FIR.
    Fir {
        /// When.
        timestamp: u64,
        /// Out.
        direction: TraceEventDirection,
        /// The stream.
        info: SsrcTraceInfo,
    },
    /// A sender report.
    Sr {
        /// When.
        timestamp: u64,
        /// In.
        direction: TraceEventDirection,
        /// What it says.
        info: SrTraceInfo,
    },
}
