//! What can be traced at a Consumer.

use serde::{Deserialize, Serialize};

use crate::types::data_structures::{RtpPacketTraceInfo, SsrcTraceInfo, TraceEventDirection};

/// A kind of trace event of a Consumer.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ConsumerTraceEventType {
    /// An RTP packet that was sent, retransmissions included.
    Rtp,
    /// An RTP packet with the beginning of a key frame.
    KeyFrame,
    /// A NACK of the endpoint.
    Nack,
    /// A PLI of the endpoint.
    Pli,
    /// A FIR of the endpoint.
    Fir,
}

/// A trace event of a Consumer. Timestamps are milliseconds since the Unix epoch.
#[derive(Debug, Clone, Eq, PartialEq, Deserialize, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ConsumerTraceEventData {
    /// An RTP packet.
    Rtp {
        /// When.
        timestamp: u64,
        /// Out.
        direction: TraceEventDirection,
        /// The packet.
        info: RtpPacketTraceInfo,
    },
    /// An RTP packet of a key frame.
    KeyFrame {
        /// When.
        timestamp: u64,
        /// Out.
        direction: TraceEventDirection,
        /// The packet.
        info: RtpPacketTraceInfo,
    },
    /// A NACK.
    Nack {
        /// When.
        timestamp: u64,
        /// In.
        direction: TraceEventDirection,
    },
    /// A PLI.
    Pli {
        /// When.
        timestamp: u64,
        /// In.
        direction: TraceEventDirection,
        /// The Consumer's stream.
        info: SsrcTraceInfo,
    },
    /// A FIR.
    Fir {
        /// When.
        timestamp: u64,
        /// In.
        direction: TraceEventDirection,
        /// The Consumer's stream.
        info: SsrcTraceInfo,
    },
}
