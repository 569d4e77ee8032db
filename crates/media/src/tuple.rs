//! The two ends of a network path, as the machines in here name them.
//!
//! A path is not an address pair: the local end is the socket that a packet came from, which the driver numbers. So the
//! protocol (UDP or TCP) and the local address need no mention, and two sockets on one port stay apart.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// A socket of the driver: a bound UDP socket, **one** accepted TCP connection, or the application's end of a DirectTransport.
///
/// The driver gives the numbers and doesn't use one again while a machine may still know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(pub u32);

/// A path between a local socket and a remote address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tuple {
    /// The local end.
    pub socket: SocketId,
    /// The remote end, as the socket reported it.
    pub remote: SocketAddr,
}

impl Tuple {
    /// The path of RTP to and from the application of a DirectTransport, which the driver numbers as a socket. The remote end is one that
    /// no network has.
    #[must_use]
    pub const fn direct_rtp(socket: SocketId) -> Self {
        Self::direct(socket, 0)
    }

    /// The same for RTCP.
    #[must_use]
    pub const fn direct_rtcp(socket: SocketId) -> Self {
        Self::direct(socket, 1)
    }

    const fn direct(socket: SocketId, channel: u16) -> Self {
        Self { socket, remote: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), channel) }
    }
}

impl fmt::Display for SocketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

impl fmt::Display for Tuple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}<-{}", self.socket, self.remote)
    }
}
