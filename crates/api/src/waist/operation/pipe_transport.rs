//! Operations on PipeTransports.

use std::net::IpAddr;

use crate::id::{RouterId, TransportId};
use crate::types::data_structures::ListenInfo;
use crate::types::srtp_parameters::SrtpParameters;

/// Creates a PipeTransport with a socket of its own.
#[derive(Clone, Debug)]
pub struct CreatePipeTransport {
    /// Drawn by the caller.
    pub id: TransportId,
    /// The Router that it shall belong to.
    pub router: RouterId,
    /// Where to listen, for UDP.
    pub listen_info: ListenInfo,
    /// Whether lost packets are asked for and sent again (RFC 4588).
    pub enable_rtx: bool,
    /// Whether packets are protected by SRTP.
    pub enable_srtp: bool,
}

/// Tells a PipeTransport where the other one is.
#[derive(Clone, Debug)]
pub struct ConnectPipeTransport {
    /// The Transport.
    pub id: TransportId,
    /// The other one's IP.
    pub ip: IpAddr,
    /// Its port.
    pub port: u16,
    /// The key of what it sends, where SRTP is enabled.
    pub srtp_parameters: Option<SrtpParameters>,
}

/// Tells what a PipeTransport holds.
#[derive(Clone, Debug)]
pub struct DumpPipeTransport {
    /// The Transport.
    pub id: TransportId,
}

/// Tells what went over a PipeTransport.
#[derive(Clone, Debug)]
pub struct GetPipeTransportStats {
    /// The Transport.
    pub id: TransportId,
}
