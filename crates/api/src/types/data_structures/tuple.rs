//! The addresses between which a transport's packets travel.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::Protocol;

/// Local and, once known, remote address of a transport.
#[derive(Debug, Clone, Ord, PartialOrd, Eq, PartialEq, Hash, Deserialize, Serialize)]
#[serde(untagged)]
pub enum TransportTuple {
    /// The remote side is known.
    #[serde(rename_all = "camelCase")]
    WithRemote {
        /// Local IP or announced address.
        local_address: String,
        /// Local port.
        local_port: u16,
        /// Remote IP.
        remote_ip: IpAddr,
        /// Remote port.
        remote_port: u16,
        /// Transport protocol.
        protocol: Protocol,
    },
    /// Nothing has come in yet.
    #[serde(rename_all = "camelCase")]
    LocalOnly {
        /// Local IP or announced address.
        local_address: String,
        /// Local port.
        local_port: u16,
        /// Transport protocol.
        protocol: Protocol,
    },
}

impl TransportTuple {
    /// Local IP or announced address.
    pub fn local_address(&self) -> &String {
        let (Self::WithRemote { local_address, .. } | Self::LocalOnly { local_address, .. }) = self;
        local_address
    }

    /// Local port.
    pub fn local_port(&self) -> u16 {
        let (Self::WithRemote { local_port, .. } | Self::LocalOnly { local_port, .. }) = self;
        *local_port
    }

    /// Transport protocol.
    pub fn protocol(&self) -> Protocol {
        let (Self::WithRemote { protocol, .. } | Self::LocalOnly { protocol, .. }) = self;
        *protocol
    }

    /// Remote IP, once known.
    pub fn remote_ip(&self) -> Option<IpAddr> {
        match self {
            Self::WithRemote { remote_ip, .. } => Some(*remote_ip),
            Self::LocalOnly { .. } => None,
        }
    }

    /// Remote port, once known.
    pub fn remote_port(&self) -> Option<u16> {
        match self {
            Self::WithRemote { remote_port, .. } => Some(*remote_port),
            Self::LocalOnly { .. } => None,
        }
    }
}
