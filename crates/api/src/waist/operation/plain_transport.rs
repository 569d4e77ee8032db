//! Operations on PlainTransports.

use std::net::IpAddr;

use crate::id::{RouterId, TransportId};
use crate::types::data_structures::ListenInfo;
use crate::types::srtp_parameters::{SrtpCryptoSuite, SrtpParameters};

/// Creates a PlainTransport with sockets of its own.
#[derive(Clone, Debug)]
pub struct CreatePlainTransport {
    /// Drawn by the caller.
    pub id: TransportId,
    /// The Router that it shall belong to.
    pub router: RouterId,
    /// Where to listen: for RTP, and without `rtcp_mux` behind it for RTCP.
    pub listen_infos: Vec<ListenInfo>,
    /// Whether RTP and RTCP share a port.
    pub rtcp_mux: bool,
    /// Whether the peer's address is that of its first valid packet.
    pub comedia: bool,
    /// The suite of SRTP; `None` leaves packets as they are.
    pub srtp_crypto_suite: Option<SrtpCryptoSuite>,
    /// Most bits per second that the peer shall send, told by REMB; `None` is no limit.
    pub max_incoming_bitrate: Option<u64>,
}

/// Tells a PlainTransport who its peer is.
#[derive(Clone, Debug)]
pub struct ConnectPlainTransport {
    /// The Transport.
    pub id: TransportId,
    /// The peer's IP, unless comedia learns it.
    pub ip: Option<IpAddr>,
    /// Its port.
    pub port: Option<u16>,
    /// Its port for RTCP, where that has one of its own.
    pub rtcp_port: Option<u16>,
    /// The key of what it sends, where SRTP is enabled.
    pub srtp_parameters: Option<SrtpParameters>,
}

/// Tells what a PlainTransport holds.
#[derive(Clone, Debug)]
pub struct DumpPlainTransport {
    /// The Transport.
    pub id: TransportId,
}

/// Tells what went over a PlainTransport.
#[derive(Clone, Debug)]
pub struct GetPlainTransportStats {
    /// The Transport.
    pub id: TransportId,
}
