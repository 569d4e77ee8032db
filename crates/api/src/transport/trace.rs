//! What can be traced on a Transport.

use serde::{Deserialize, Serialize};

use crate::types::data_structures::{BweTraceInfo, RtpPacketTraceInfo, TraceEventDirection};

/// A kind of trace event of a Transport.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TransportTraceEventType {
    /// A packet that was sent to find out what the path carries.
    Probation,
    /// A decision of the bandwidth estimation.
    Bwe,
}

/// A trace event of a Transport. Timestamps are milliseconds since the Unix epoch.
#[derive(Debug, Clone, Eq, PartialEq, Deserialize, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum TransportTraceEventData {
    /// A probe packet.
    Probation {
        /// When.
        timestamp: u64,
        /// Out.
        direction: TraceEventDirection,
        /// The packet.
        info: RtpPacketTraceInfo,
    },
    /// A decision of the bandwidth estimation.
    Bwe {
        /// When.
        timestamp: u64,
        /// Out.
        direction: TraceEventDirection,
        /// The decision.
        info: BweTraceInfo,
    },
}
