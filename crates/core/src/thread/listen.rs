//! Binding the sockets that a `ListenInfo` asks for.

use std::io;
use std::net::SocketAddr;
use std::ops::RangeInclusive;

use mafalda_api::types::data_structures::{ListenInfo, Protocol};
use mafalda_api::waist::{ErrorCode, Failure};
use socket2::{Domain, Socket, Type};

use super::port;

/// Connections that may wait to be accepted. The loop accepts some in each turn; a WebRtcServer's listener is that of all peers,
/// who may come at once, and whom the kernel turns away has lost a second.
const BACKLOG: i32 = 1024;

/// Asked for where the info names no size; the kernel gives as much of it as `net.core.rmem_max` and `wmem_max` allow. A turn can
/// take in a key frame from each of many publishers and send it to hundreds, all at once: what is smaller loses packets that the
/// thread would have got to within milliseconds, what is larger only adds delay under overload.
const BUFFER_BYTES: usize = 4 << 20;

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
    if info.protocol == Protocol::Tcp {
        // What is left of connections of an earlier listener doesn't count; another listener on the port still does.
        socket.set_reuse_address(true)?;
    }
    if flags.udp_reuse_port && info.protocol == Protocol::Udp {
        socket.set_reuse_port(true)?;
    }
    if info.protocol == Protocol::Udp {
        // The kernel gives what it may; it refuses none of these.
        socket.set_send_buffer_size(info.send_buffer_size.map_or(BUFFER_BYTES, |bytes| bytes as usize))?;
        socket.set_recv_buffer_size(info.recv_buffer_size.map_or(BUFFER_BYTES, |bytes| bytes as usize))?;
    } else {
        // Connections get those of their listener; the kernel grows them by itself where nothing is set.
        if let Some(bytes) = info.send_buffer_size {
            socket.set_send_buffer_size(bytes as usize)?;
        }
        if let Some(bytes) = info.recv_buffer_size {
            socket.set_recv_buffer_size(bytes as usize)?;
        }
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

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, TcpListener, TcpStream, UdpSocket};

    use super::*;

    fn info(protocol: Protocol) -> ListenInfo {
        ListenInfo { ip: IpAddr::from([127, 0, 0, 1]), ..ListenInfo::of_place(protocol) }
    }

    /// Any free port, from the kernel.
    const ANY: RangeInclusive<u16> = 0..=0;

    #[test]
    fn ports_that_are_in_use_are_passed_over_until_there_are_none() {
        for protocol in [Protocol::Udp, Protocol::Tcp] {
            let (_taken, address) = bind(&info(protocol), &ANY).unwrap();
            let port = address.port();
            let failure = bind(&info(protocol), &(port..=port)).unwrap_err();
            assert_eq!(failure.code, ErrorCode::NoPort, "{failure}");
            assert!(failure.detail.contains("every port"), "{failure}");
            let fixed = ListenInfo { port: Some(port), ..info(protocol) };
            let failure = bind(&fixed, &ANY).unwrap_err();
            assert_eq!(failure.code, ErrorCode::NoPort, "{failure}");
            assert!(failure.detail.contains(&format!("port {port} ")), "{failure}");
        }
    }

    #[test]
    #[expect(clippy::reversed_empty_ranges, reason = "what a careless caller may give")]
    fn an_empty_range_has_no_port() {
        let failure = bind(&info(Protocol::Udp), &(9..=8)).unwrap_err();
        assert_eq!(failure.code, ErrorCode::NoPort);
    }

    #[test]
    fn an_address_that_this_machine_does_not_have_is_unavailable() {
        let elsewhere = ListenInfo { ip: IpAddr::from([192, 0, 2, 1]), ..info(Protocol::Udp) };
        let failure = bind(&elsewhere, &ANY).unwrap_err();
        assert_eq!(failure.code, ErrorCode::AddressUnavailable, "{failure}");
    }

    #[test]
    fn a_tcp_port_is_free_again_as_soon_as_its_listener_is_gone() {
        let (listener, address) = bind(&info(Protocol::Tcp), &ANY).unwrap();
        let client = TcpStream::connect(address).unwrap();
        let listener = TcpListener::from(listener);
        listener.set_nonblocking(false).unwrap();
        // Who closes first keeps the port busy for a minute, but for listeners that don't mind.
        drop(listener.accept().unwrap());
        drop((listener, client));
        let fixed = ListenInfo { port: Some(address.port()), ..info(Protocol::Tcp) };
        bind(&fixed, &ANY).unwrap();
    }

    #[test]
    fn several_sockets_share_a_port_only_where_that_is_asked_for() {
        let flags = Some(mafalda_api::types::data_structures::SocketFlags {
            udp_reuse_port: true,
            ..Default::default()
        });
        let (_first, address) = bind(&ListenInfo { flags, ..info(Protocol::Udp) }, &ANY).unwrap();
        let port = Some(address.port());
        bind(&ListenInfo { flags, port, ..info(Protocol::Udp) }, &ANY).unwrap();
        assert!(UdpSocket::bind(address).is_err());
    }
}
