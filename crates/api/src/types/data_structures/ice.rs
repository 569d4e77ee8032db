//! ICE credentials, candidates and states (RFC 8445). The server side is ICE-lite and always controlled.

use serde::{Deserialize, Serialize};

use super::Protocol;

/// Role in the ICE session.
#[derive(Debug, Copy, Clone, Ord, PartialOrd, Eq, PartialEq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum IceRole {
    /// The peer nominates; what a server always is.
    Controlled,
    /// This side nominates.
    Controlling,
}

/// Credentials of one ICE session, renewed by a restart.
#[derive(Debug, Clone, Ord, PartialOrd, Eq, PartialEq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IceParameters {
    /// `ice-ufrag` (RFC 8839 section 5.4).
    pub username_fragment: String,
    /// `ice-pwd` (RFC 8839 section 5.4).
    pub password: String,
    /// Whether this side is a lite implementation (RFC 8445 section 2.5).
    pub ice_lite: Option<bool>,
}

/// Kind of an ICE candidate (RFC 8445 section 5.1.1).
#[derive(Debug, Copy, Clone, Ord, PartialOrd, Eq, PartialEq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum IceCandidateType {
    /// An address of the machine itself; the only kind that a lite server offers.
    Host,
    /// Server reflexive.
    Srflx,
    /// Peer reflexive.
    Prflx,
    /// Relayed.
    Relay,
}

/// Kind of a TCP candidate (RFC 6544 section 4.5); a server only ever waits for connections.
#[derive(Debug, Copy, Clone, Ord, PartialOrd, Eq, PartialEq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum IceCandidateTcpType {
    /// Accepts connections and opens none.
    Passive,
}

/// An address at which the server can be reached.
#[derive(Debug, Clone, Ord, PartialOrd, Eq, PartialEq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IceCandidate {
    /// Candidates with one foundation share base and kind (RFC 8445 section 5.1.1.3).
    pub foundation: String,
    /// Higher is tried first (RFC 8445 section 5.1.2).
    pub priority: u32,
    /// IP address or host name.
    pub address: String,
    /// Transport protocol.
    pub protocol: Protocol,
    /// Port.
    pub port: u16,
    /// Kind of candidate.
    pub r#type: IceCandidateType,
    /// Kind of TCP candidate; absent for UDP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp_type: Option<IceCandidateTcpType>,
}

/// State of a transport's ICE session.
#[derive(Debug, Copy, Clone, Ord, PartialOrd, Eq, PartialEq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum IceState {
    /// No valid binding request has come in yet.
    New,
    /// A valid request has come in, without nomination.
    Connected,
    /// The peer has nominated a pair.
    Completed,
    /// Consent was lost or the TCP connection closed.
    Disconnected,
}
