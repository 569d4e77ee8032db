//! Operations on WebRtcTransports.

use crate::id::{RouterId, TransportId, WebRtcServerId};
use crate::types::data_structures::{DtlsParameters, ListenInfo};

/// Whose sockets a WebRtcTransport uses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Listen {
    /// Its own; one candidate per address, two where an internal address is exposed.
    Individual(Vec<ListenInfo>),
    /// Those of a WebRtcServer, which lives in the same Worker.
    Server(WebRtcServerId),
}

/// Creates a WebRtcTransport.
#[derive(Clone, Debug)]
pub struct CreateWebRtcTransport {
    /// Drawn by the caller.
    pub id: TransportId,
    /// The Router that it shall belong to.
    pub router: RouterId,
    /// Where to listen.
    pub listen: Listen,
    /// Whether UDP infos are used.
    pub enable_udp: bool,
    /// Whether TCP infos are used.
    pub enable_tcp: bool,
    /// Give UDP candidates the higher priority.
    pub prefer_udp: bool,
    /// Give TCP candidates the higher priority.
    pub prefer_tcp: bool,
    /// Seconds without a consent check until ICE is disconnected: 0 (never) or 10 to 60.
    pub ice_consent_timeout: u8,
    /// Most bits per second that the endpoint shall send, told by REMB; `None` is no limit.
    pub max_incoming_bitrate: Option<u64>,
}

/// Gives a WebRtcTransport its peer's DTLS parameters.
#[derive(Clone, Debug)]
pub struct ConnectWebRtcTransport {
    /// The Transport.
    pub id: TransportId,
    /// The peer's role and fingerprints.
    pub dtls_parameters: DtlsParameters,
}

/// Gives a WebRtcTransport new ICE credentials.
#[derive(Clone, Debug)]
pub struct RestartIce {
    /// The Transport.
    pub id: TransportId,
}

/// Tells what a WebRtcTransport holds.
#[derive(Clone, Debug)]
pub struct DumpTransport {
    /// The Transport.
    pub id: TransportId,
}

/// Tells what went over a WebRtcTransport.
#[derive(Clone, Debug)]
pub struct GetTransportStats {
    /// The Transport.
    pub id: TransportId,
}
