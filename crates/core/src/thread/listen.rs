//! Binding the sockets that a `ListenInfo` asks for.

use std::io;
use std::net::SocketAddr;
use std::ops::RangeInclusive;

use mafalda_api::types::data_structures::{ListenInfo, Protocol};
use mafalda_api::waist::{ErrorCode, Failure};
use socket2::{Domain, Socket, Type};

use super::port;

/// Connections that may wait to be accepted; the loop accepts them within a turn.
const BACKLOG: i32 = 64;

/// Binds the first free port that the info allows.
pub(super) fn bind(info: &ListenInfo, ports: &RangeInclusive<u16>) -> Result<(Socket, SocketAddr), Failure> {
    for port in port::candidates(info, ports, rand::random()) {
        match bind_port(info, port) {
            Ok(bound) => return Ok(bound),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(error) => {
                let detail = format!("can't listen on {} ({:?}): {error}", info.ip, info.protocol);
                return Err(Failure::new(code_of(&error), detail));
            }
        }
    }
    let range = info.port_range.as_ref().unwrap_or(ports);
    let wanted = match info.port.filter(|_| info.port_range.is_none()) {
        Some(port) => format!("port {port}"),
        None => format!("every port from {} to {}", range.start(), range.end()),
    };
    Err(Failure::new(ErrorCode::NoPort, format!("{wanted} of {} ({:?}) is in use", info.ip, info.protocol)))
}

fn bind_port(info: &ListenInfo, port: u16) -> io::Result<(Socket, SocketAddr)> {
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
    if flags.udp_reuse_port && info.protocol == Protocol::Udp {
        socket.set_reuse_port(true)?;
    }
    if let Some(bytes) = info.send_buffer_size {
        socket.set_send_buffer_size(bytes as usize)?;
    }
    if let Some(bytes) = info.recv_buffer_size {
        socket.set_recv_buffer_size(bytes as usize)?;
    }
    socket.bind(&address.into())?;
    if info.protocol == Protocol::Tcp {
        socket.listen(BACKLOG)?;
    }
    let local = socket.local_addr()?.as_socket().unwrap_or(address);
    Ok((socket, local))
}

fn code_of(error: &io::Error) -> ErrorCode {
    match error.kind() {
        io::ErrorKind::AddrNotAvailable | io::ErrorKind::PermissionDenied => ErrorCode::AddressUnavailable,
        _ => ErrorCode::System,
    }
}
