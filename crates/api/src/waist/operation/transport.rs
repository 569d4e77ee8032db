//! Operations on Transports of more than one kind.

use crate::id::TransportId;
use crate::transport::TransportTraceEventType;

/// Limits what the endpoint sends.
#[derive(Clone, Debug)]
pub struct SetMaxIncomingBitrate {
    /// The Transport.
    pub id: TransportId,
    /// Bits per second; 0 removes the limit.
    pub bitrate: u64,
}

/// Chooses what is traced at a Transport: these kinds, and no others.
#[derive(Clone, Debug)]
pub struct EnableTransportTraceEvents {
    /// The Transport.
    pub id: TransportId,
    /// The kinds.
    pub types: Vec<TransportTraceEventType>,
}
