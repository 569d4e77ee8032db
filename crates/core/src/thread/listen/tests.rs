//! Ports that are there and that are not, flags, buffers and groups, on loopback.

use std::net::{IpAddr, Ipv6Addr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use mafalda_api::types::data_structures::SocketFlags;
use socket2::SockRef;

use super::*;

/// Any free port, from the kernel.
const ANY: RangeInclusive<u16> = 0..=0;
const LOOPBACK: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn info(protocol: Protocol) -> ListenInfo {
    ListenInfo { ip: LOOPBACK, ..ListenInfo::of_place(protocol) }
}

fn place() -> [MediaAddress; 1] {
    [LOOPBACK.into()]
}

fn bound(info: &ListenInfo) -> Bound {
    bind(info, &ANY, &place()).unwrap()
}

fn refused(info: &ListenInfo, ports: &RangeInclusive<u16>) -> Failure {
    bind(info, ports, &place()).unwrap_err()
}

#[test]
fn ports_that_are_in_use_are_passed_over_until_there_are_none() {
    for protocol in [Protocol::Udp, Protocol::Tcp] {
        let taken = bound(&info(protocol));
        let port = taken.local.port();
        let failure = refused(&info(protocol), &(port..=port));
        assert_eq!(failure.code, ErrorCode::NoPort, "{failure}");
        let fixed = ListenInfo { port: Some(port), ..info(protocol) };
        let failure = refused(&fixed, &ANY);
        assert_eq!(failure.code, ErrorCode::NoPort, "{failure}");
        assert!(failure.detail.contains(&format!("port {port} ")), "{failure}");
        drop(taken);
        assert_eq!(bound(&fixed).local.port(), port);
    }
}

#[test]
fn every_port_of_a_range_is_found_whatever_the_start() {
    // Ports that were free together a moment ago; somebody else may take one of them.
    let range = loop {
        let first = bound(&info(Protocol::Udp)).local.port();
        let range = first..=first.saturating_add(2);
        let free = range.clone().all(|port| UdpSocket::bind((LOOPBACK, port)).is_ok());
        if free && range.clone().count() == 3 {
            break range;
        }
    };
    let info = ListenInfo { port_range: Some(range.clone()), ..info(Protocol::Udp) };
    let mut all: Vec<_> = range.clone().map(|_| bound(&info)).collect();
    all.sort_by_key(|bound| bound.local.port());
    assert!(all.iter().map(|bound| bound.local.port()).eq(range.clone()));
    let failure = refused(&info, &ANY);
    assert_eq!(failure.code, ErrorCode::NoPort, "{failure}");
    let told = format!("every port from {} to {} ", range.start(), range.end());
    assert!(failure.detail.contains(&told), "{failure}");
    let freed = all.remove(1).local.port();
    assert_eq!(bound(&info).local.port(), freed);
}

#[test]
#[expect(clippy::reversed_empty_ranges, reason = "what a careless caller may give")]
fn an_empty_range_is_a_mistake() {
    let info = ListenInfo { port_range: Some(9..=8), ..info(Protocol::Udp) };
    assert_eq!(refused(&info, &ANY).code, ErrorCode::InvalidArgument);
}

#[test]
fn an_address_that_can_not_be_had_is_unavailable() {
    let link_local = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
    for ip in [IpAddr::from([192, 0, 2, 1]), link_local.into()] {
        for protocol in [Protocol::Udp, Protocol::Tcp] {
            let failure = refused(&ListenInfo { ip, ..info(protocol) }, &ANY);
            assert_eq!(failure.code, ErrorCode::AddressUnavailable, "{failure}");
        }
    }
    for errno in [Errno::EAFNOSUPPORT, Errno::ENODEV] {
        assert_eq!(code_of(&errno.into()), ErrorCode::AddressUnavailable);
    }
    assert_eq!(code_of(&Errno::EMFILE.into()), ErrorCode::System);
}

#[test]
fn a_tcp_port_is_free_again_as_soon_as_its_listener_is_gone() {
    let Bound { socket, local, .. } = bound(&info(Protocol::Tcp));
    let client = TcpStream::connect(local).unwrap();
    let listener = TcpListener::from(socket);
    listener.set_nonblocking(false).unwrap();
    // Who closes first keeps the port busy for a minute, but for listeners that don't mind.
    drop(listener.accept().unwrap());
    drop((listener, client));
    bound(&ListenInfo { port: Some(local.port()), ..info(Protocol::Tcp) });
}

#[test]
fn a_shared_port_is_taken_by_name_only() {
    let flags = Some(SocketFlags { udp_reuse_port: true, ..Default::default() });
    let sharing = ListenInfo { flags, ..info(Protocol::Udp) };
    let first = bound(&sharing);
    let port = first.local.port();
    let _second = bound(&ListenInfo { port: Some(port), ..sharing.clone() });
    assert!(UdpSocket::bind(first.local).is_err());
    // Where the port is to be chosen, it is one that nobody has.
    let failure = refused(&sharing, &(port..=port));
    assert_eq!(failure.code, ErrorCode::NoPort, "{failure}");
}

#[test]
fn an_ipv6_socket_is_for_ipv4_too_unless_it_is_told_not_to() {
    for ipv6_only in [false, true] {
        let flags = Some(SocketFlags { ipv6_only, ..Default::default() });
        let six = ListenInfo { ip: Ipv6Addr::UNSPECIFIED.into(), flags, ..info(Protocol::Udp) };
        let bound = bound(&six);
        assert_eq!(bound.socket.only_v6().unwrap(), ipv6_only);
        let four = UdpSocket::bind(("0.0.0.0", bound.local.port()));
        assert_eq!(four.is_ok(), ipv6_only);
    }
}

#[test]
fn buffers_are_as_large_as_asked_for_and_what_the_kernel_gave_is_told() {
    for protocol in [Protocol::Udp, Protocol::Tcp] {
        let sized = |send, recv| ListenInfo {
            send_buffer_size: Some(send),
            recv_buffer_size: Some(recv),
            ..info(protocol)
        };
        let small = bound(&sized(40_000, 20_000));
        let told = SockRef::from(&small.socket);
        let kernel = [told.send_buffer_size().unwrap(), told.recv_buffer_size().unwrap()];
        assert_eq!([small.buffers.send, small.buffers.recv].map(|bytes| bytes as usize), kernel);
        // Linux doubles what it is asked for, for its own bookkeeping (socket(7)); others may not.
        assert!((40_000..=80_000).contains(&small.buffers.send), "{:?}", small.buffers);
        assert!((20_000..=40_000).contains(&small.buffers.recv), "{:?}", small.buffers);
        // None and 0 are the same, and the largest number asks for as much as there is.
        let (absent, zero, huge) =
            (bound(&info(protocol)), bound(&sized(0, 0)), bound(&sized(u32::MAX, u32::MAX)));
        assert_eq!(absent.buffers, zero.buffers);
        assert!(huge.buffers.send >= absent.buffers.send.min(40_000), "{:?}", huge.buffers);
    }
}

#[test]
fn a_group_is_joined_on_the_interfaces_of_the_place() {
    let group = std::net::Ipv4Addr::new(239, 255, 77, 1);
    let info = ListenInfo { ip: group.into(), ..info(Protocol::Udp) };
    let Bound { socket, local, .. } = bound(&info);
    let socket = UdpSocket::from(socket);
    socket.set_nonblocking(false).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    SockRef::from(&sender).set_multicast_if_v4(&[127, 0, 0, 1].into()).unwrap();
    sender.send_to(b"to all", local).unwrap();
    let mut buffer = [0; 16];
    assert_eq!(socket.recv(&mut buffer).unwrap(), 6);
    // An address that no interface has joins nothing.
    let failure = bind(&info, &ANY, &[IpAddr::from([192, 0, 2, 1]).into()]).unwrap_err();
    assert_eq!(failure.code, ErrorCode::AddressUnavailable, "{failure}");
    // All systems are members of this one, wherever they are.
    let all = ListenInfo { ip: [224, 0, 0, 1].into(), ..info };
    bind(&all, &ANY, &[IpAddr::from([192, 0, 2, 1]).into()]).unwrap();
}
