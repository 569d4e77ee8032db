//! Joining the multicast group that a socket is bound to.
//!
//! Only groups of any source; a socket that is bound to the group's address gets what is sent there and nothing else.

use std::io;
use std::net::{IpAddr, Ipv4Addr};

use socket2::Socket;

use crate::local::MediaAddress;

/// Every system is in this group, and there is no joining it (RFC 1112 §4).
const ALL_SYSTEMS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 1);

/// Joins the group on the interface of each of the place's addresses, where the kernel knows one: media may come over any of them.
/// For IPv6 it is the kernel's choice of an interface, since an interface isn't named by an address there. Nothing happens for
/// what is no group.
///
/// # Errors
/// When no interface takes it.
pub(super) fn join(socket: &Socket, ip: IpAddr, place: &[MediaAddress]) -> io::Result<()> {
    match ip {
        IpAddr::V4(group) if group.is_multicast() && group != ALL_SYSTEMS => {
            join_v4(socket, &group, interfaces(place))
        }
        IpAddr::V6(group) if group.is_multicast() => socket.join_multicast_v6(&group, 0),
        _ => Ok(()),
    }
}

/// The place's IPv4 addresses; the kernel's choice where it has none.
fn interfaces(place: &[MediaAddress]) -> Vec<Ipv4Addr> {
    let addresses = place.iter().filter_map(|address| match address.ip {
        IpAddr::V4(ip) => Some(ip),
        IpAddr::V6(_) => None,
    });
    let addresses: Vec<_> = addresses.collect();
    if addresses.is_empty() { vec![Ipv4Addr::UNSPECIFIED] } else { addresses }
}

fn join_v4(socket: &Socket, group: &Ipv4Addr, interfaces: Vec<Ipv4Addr>) -> io::Result<()> {
    let mut joined = Err(io::ErrorKind::AddrNotAvailable.into());
    for interface in interfaces {
        match socket.join_multicast_v4(group, &interface) {
            Ok(()) => joined = Ok(()),
            // Two addresses of one interface.
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(error) => joined = joined.or(Err(error)),
        }
    }
    joined
}
