//! The two ends of a network path, as the machines in here name them.
//!
//! A path is not an address pair: the local end is the socket that a packet came from, which the driver numbers. So the
//! protocol (UDP or TCP) and the local address need no mention, and two sockets on one port stay apart.

use std::fmt;
use std::net::SocketAddr;

/// A socket of the driver: a bound UDP socket, or **one** accepted TCP connection.
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
