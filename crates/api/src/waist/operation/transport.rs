//! Operations on Transports of more than one kind.

use crate::id::TransportId;

/// Limits what the endpoint sends.
#[derive(Clone, Debug)]
pub struct SetMaxIncomingBitrate {
    /// The Transport.
    pub id: TransportId,
    /// Bits per second; 0 removes the limit.
    pub bitrate: u64,
}
