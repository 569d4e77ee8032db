//! Operations on DirectTransports.

use crate::id::{RouterId, TransportId};

/// Creates a DirectTransport.
#[derive(Clone, Debug)]
pub struct CreateDirectTransport {
    /// Drawn by the caller.
    pub id: TransportId,
    /// The Router that it shall belong to.
    pub router: RouterId,
    /// Most bytes of a message to the application.
    pub max_send_message_size: u32,
    /// Most bytes of a message from the application.
    pub max_receive_message_size: u32,
}

/// Tells what a DirectTransport holds.
#[derive(Clone, Debug)]
pub struct DumpDirectTransport {
    /// The Transport.
    pub id: TransportId,
}

/// Tells what went over a DirectTransport.
#[derive(Clone, Debug)]
pub struct GetDirectTransportStats {
    /// The Transport.
    pub id: TransportId,
}
