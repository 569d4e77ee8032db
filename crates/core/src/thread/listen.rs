//! Binding the sockets that a `ListenInfo` asks for.

mod multicast;

use std::io;
use std::net::SocketAddr;
use std::ops::RangeInclusive;

use mafalda_api::types::data_structures::{ListenInfo, Protocol};
use mafalda_api::waist::{ErrorCode, Failure};
use mafalda_media::worker::SocketBuffers;
use nix::errno::Errno;
use socket2::{Domain, Socket, Type};

use super::port;
use crate::local::MediaAddress;

/// Connections that may wait to be accepted. The loop accepts some in each turn; a WebRtcServer's listener is that of all peers,
/// who may come at once, and whom the kernel turns away has lost a second.
const BACKLOG: i32 = 1024;

/// Asked for where the info names no size; the kernel gives as much of it as `net.core.rmem_max` and `wmem_max` allow. A turn can
/// take in a key frame from each of many publishers and send it to hundreds, all at once: what is smaller loses packets that the
/// thread would have got to within milliseconds, what is larger only adds delay under overload.
const BUFFER_BYTES: u32 = 4 << 20;

/// A socket that was bound.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) socket: Socket,
    pub(super) local: SocketAddr,
    pub(super) buffers: SocketBuffers,
}

/// Binds the first free port that the info allows. A multicast group is joined on the interfaces of the place's addresses.
pub(super) fn bind(
    info: &ListenInfo,
    ports: &RangeInclusive<u16>,
    place: &[MediaAddress],
) -> Result<Bound, Failure> {
    if let Some(range) = info.port_range.as_ref().filter(|range| range.is_empty()) {
        let detail = format!("port range {range:?} is empty");
        return Err(Failure::new(ErrorCode::InvalidArgument, detail));
    }
    let candidates = port::candidates(info, ports, rand::random());
    match port::first_free(candidates, |port| bind_port(info, port, place)) {
        Ok(Some(bound)) => Ok(bound),
        Ok(None) => Err(Failure::new(ErrorCode::NoPort, no_port(info, ports))),
        Err(error) => {
            let detail = format!("can't listen on {} ({:?}): {error}", info.ip, info.protocol);
            Err(Failure::new(code_of(&error), detail))
        }
    }
}

fn no_port(info: &ListenInfo, ports: &RangeInclusive<u16>) -> String {
    let (first, last) = port::range(info, ports).into_inner();
    let wanted = if first == last {
        format!("port {first} of {}", info.ip)
    } else {
        format!("every port from {first} to {last} of {}", info.ip)
    };
    format!("{wanted} ({:?}) is in use or not for this process", info.protocol)
}

fn bind_port(info: &ListenInfo, port: u16, place: &[MediaAddress]) -> io::Result<Bound> {
    let address = SocketAddr::new(info.ip, port);
    let kind = match info.protocol {
        Protocol::Udp => Type::DGRAM,
        Protocol::Tcp => Type::STREAM,
    };
    let socket = Socket::new(Domain::for_address(address), kind.nonblocking().cloexec(), None)?;
    let flags = info.flags.unwrap_or_default();
    if address.is_ipv6() {
        socket.set_only_v6(flags.ipv6_only)?;
    }
    if info.protocol == Protocol::Tcp {
        // What is left of connections of an earlier listener doesn't count; another listener on the port still does.
        socket.set_reuse_address(true)?;
    }
    let buffers = set_buffers(&socket, info)?;
    let shared = flags.udp_reuse_port && info.protocol == Protocol::Udp;
    let chosen = port::is_fixed(info);
    if shared && chosen {
        socket.set_reuse_port(true)?;
    }
    socket.bind(&address.into())?;
    if shared && !chosen {
        // Others may come to a port that we chose, but we don't choose one that is somebody's.
        socket.set_reuse_port(true)?;
    }
    match info.protocol {
        Protocol::Udp => multicast::join(&socket, info.ip, place)?,
        Protocol::Tcp => socket.listen(BACKLOG)?,
    }
    let local = socket.local_addr()?.as_socket().unwrap_or(address);
    Ok(Bound { socket, local, buffers })
}

/// Asks for the sizes of the info, where 0 is none as in mediasoup. The kernel refuses no size; it gives what it may, and tells.
fn set_buffers(socket: &Socket, info: &ListenInfo) -> io::Result<SocketBuffers> {
    let size = |wanted: Option<u32>| {
        let wanted = wanted.filter(|bytes| *bytes > 0);
        // Connections get those of their listener; the kernel grows them by itself where nothing is set.
        let size = if info.protocol == Protocol::Udp { wanted.or(Some(BUFFER_BYTES)) } else { wanted };
        // The kernel's number has a sign.
        size.map(|bytes| bytes.min(i32::MAX as u32) as usize)
    };
    if let Some(bytes) = size(info.send_buffer_size) {
        socket.set_send_buffer_size(bytes)?;
    }
    if let Some(bytes) = size(info.recv_buffer_size) {
        socket.set_recv_buffer_size(bytes)?;
    }
    let told = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
    Ok(SocketBuffers { send: told(socket.send_buffer_size()?), recv: told(socket.recv_buffer_size()?) })
}

/// What an error says about the address; ports that are in use or not allowed were passed over before.
fn code_of(error: &io::Error) -> ErrorCode {
    let errno = error.raw_os_error().map(Errno::from_raw);
    match errno {
        // Not ours; of a family that this system doesn't have; link-local, which means nothing without an interface; a group
        // that no interface can join.
        Some(Errno::EADDRNOTAVAIL | Errno::EAFNOSUPPORT | Errno::EINVAL | Errno::ENODEV) => {
            ErrorCode::AddressUnavailable
        }
        _ => ErrorCode::System,
    }
}

#[cfg(test)]
mod tests;
