//! What a `ListenInfo` asks for, whatever listens: ports and ranges, flags, buffers, addresses and their announcement, groups.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::ops::RangeInclusive;

use mafalda_api::plain_transport::PlainTransport;
use mafalda_api::prelude::*;
use mafalda_api::router::Router;
use mafalda_api::socket::SocketDump;
use mafalda_api::types::data_structures::{IceState, SocketFlags};
use mafalda_api::waist::ErrorCode;
use mafalda_api::webrtc_server::WebRtcServerIpPort;
use mafalda_api::worker::Worker;
use mafalda_api::worker_manager::WorkerManager;

use crate::fixture::{calls, on_each_backend};
use crate::scene::{listen_info, options};
use crate::{check, parameters, scene};

on_each_backend! {
    workers_share_a_range_until_it_is_used_up,
    a_range_has_its_ports_for_each_protocol_and_address,
    rtcp_takes_a_port_of_the_range_too,
    a_workers_range_is_used_up_too,
    an_empty_range_is_refused,
    a_shared_port_is_never_chosen,
    buffers_are_told_as_the_kernel_gave_them,
    an_internal_address_is_a_candidate_of_lower_priority,
    a_server_listens_on_several_addresses_over_both_protocols,
    a_group_is_heard,
}

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const LOOPBACK_V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

/// Ports in a row that were free a moment ago for UDP and TCP, on IPv4 and IPv6. They lie above those that Workers and systems
/// choose from by default, so that no other body gets one of them by chance.
fn free_range(count: u16) -> RangeInclusive<u16> {
    let is_free = |port: u16| {
        [LOOPBACK, LOOPBACK_V6]
            .into_iter()
            .all(|ip| UdpSocket::bind((ip, port)).is_ok() && TcpListener::bind((ip, port)).is_ok())
    };
    loop {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("some port is free");
        let random = socket.local_addr().expect("it is bound").port();
        let first = 61_001 + random % 4_500;
        let last = first + count - 1;
        if (first..=last).all(is_free) {
            return first..=last;
        }
    }
}

async fn create(router: &Router, info: ListenInfo) -> Result<PlainTransport, RequestError> {
    router.create_plain_transport(PlainTransportOptions::new(info)).await
}

async fn server(worker: &Worker, infos: Vec<ListenInfo>) -> WebRtcServer {
    let options = WebRtcServerOptions::new(infos.try_into().expect("there are some"));
    worker.create_webrtc_server(options).await.expect("a WebRtcServer")
}

async fn workers_share_a_range_until_it_is_used_up(manager: &WorkerManager) {
    let range = free_range(3);
    let info = ListenInfo { port_range: Some(range.clone()), ..listen_info(Protocol::Udp) };
    let (first, second) = (scene::worker(manager).await, scene::worker(manager).await);
    let routers = [scene::router(&first).await, scene::router(&second).await];
    // Whatever listens takes its port from the same ones.
    let plain = create(&routers[0], info.clone()).await.expect("a PlainTransport");
    let webrtc = routers[1].create_webrtc_transport(options(info.clone())).await.expect("a WebRtcTransport");
    let server = server(&second, vec![info.clone()]).await;
    let of_server = server.dump().await.expect("a dump").udp_sockets[0].port;
    let mut taken = [plain.tuple().local_port(), webrtc.ice_candidates()[0].port, of_server];
    taken.sort_unstable();
    assert!(range.clone().eq(taken), "{range:?}, {taken:?}");
    for router in &routers {
        let refusal = create(router, info.clone()).await.expect_err("all are taken");
        assert!(matches!(&refusal, RequestError::NoPort { .. }), "{refusal:?}");
        let told = refusal.to_string();
        assert!([range.start(), range.end()].iter().all(|port| told.contains(&port.to_string())), "{told}");
    }
    // What is closed gives its port back, to any Worker.
    server.close();
    assert!(server.dump().await.is_err());
    let again = create(&routers[0], info).await.expect("a port is free");
    assert_eq!(again.tuple().local_port(), of_server);
}

async fn a_range_has_its_ports_for_each_protocol_and_address(manager: &WorkerManager) {
    let range = free_range(1);
    let worker = scene::worker(manager).await;
    let info = |protocol, ip| ListenInfo { ip, port_range: Some(range.clone()), ..listen_info(protocol) };
    let infos: Vec<_> = [LOOPBACK, LOOPBACK_V6]
        .into_iter()
        .flat_map(|ip| [Protocol::Udp, Protocol::Tcp].map(|protocol| info(protocol, ip)))
        .collect();
    let dump = server(&worker, infos).await.dump().await.expect("a dump");
    let ports =
        |sockets: &[WebRtcServerIpPort]| sockets.iter().map(|it| (it.ip, it.port)).collect::<Vec<_>>();
    let all = [(LOOPBACK, *range.start()), (LOOPBACK_V6, *range.start())];
    assert_eq!((ports(&dump.udp_sockets), ports(&dump.tcp_servers)), (all.to_vec(), all.to_vec()));
}

async fn rtcp_takes_a_port_of_the_range_too(manager: &WorkerManager) {
    let range = free_range(2);
    let router = scene::router(&scene::worker(manager).await).await;
    let info = ListenInfo { port_range: Some(range.clone()), ..listen_info(Protocol::Udp) };
    let mut options = PlainTransportOptions::new(info);
    options.rtcp_mux = false;
    let transport = router.create_plain_transport(options.clone()).await.expect("a PlainTransport");
    let rtcp = transport.rtcp_tuple().expect("a tuple of its own");
    let mut taken = [transport.tuple().local_port(), rtcp.local_port()];
    taken.sort_unstable();
    assert!(range.clone().eq(taken), "{range:?}, {taken:?}");
    // With room for one of the two there is none, and the one is free again.
    transport.close();
    assert!(transport.dump().await.is_err(), "closed, and not only told to close");
    let (first, last) = range.into_inner();
    let holder = UdpSocket::bind((LOOPBACK, last)).expect("its port is free");
    let refusal = router.create_plain_transport(options.clone()).await.expect_err("one port");
    assert_eq!(refusal.code(), ErrorCode::NoPort, "{refusal}");
    options.rtcp_mux = true;
    let transport = router.create_plain_transport(options).await.expect("one port is enough");
    assert_eq!(transport.tuple().local_port(), first);
    drop(holder);
}

async fn a_workers_range_is_used_up_too(manager: &WorkerManager) {
    let mut settings = WorkerSettings::default();
    settings.rtc_port_range = free_range(1);
    let port = *settings.rtc_port_range.start();
    let worker = manager.create_worker(settings).await.expect("a Worker");
    let router = scene::router(&worker).await;
    let first = create(&router, listen_info(Protocol::Udp)).await.expect("its only port");
    assert_eq!(first.tuple().local_port(), port);
    let refusal = create(&router, listen_info(Protocol::Udp)).await.expect_err("it has no other");
    assert_eq!(refusal.code(), ErrorCode::NoPort, "{refusal}");
    // Who names a port or a range need not mind the Worker's.
    let own = ListenInfo { port_range: Some(free_range(1)), ..listen_info(Protocol::Udp) };
    create(&router, own).await.expect("a range of its own");
}

#[expect(clippy::reversed_empty_ranges, reason = "what a careless caller may give")]
async fn an_empty_range_is_refused(manager: &WorkerManager) {
    let router = scene::router(&scene::worker(manager).await).await;
    let info = ListenInfo { port_range: Some(40_001..=40_000), ..listen_info(Protocol::Udp) };
    let refusal = create(&router, info).await.expect_err("no port is in it");
    assert_eq!(refusal.code(), ErrorCode::InvalidArgument, "{refusal}");
}

async fn a_shared_port_is_never_chosen(manager: &WorkerManager) {
    let range = free_range(1);
    let router = scene::router(&scene::worker(manager).await).await;
    let flags = Some(SocketFlags { udp_reuse_port: true, ..SocketFlags::default() });
    let info = ListenInfo { flags, ..listen_info(Protocol::Udp) };
    let named = ListenInfo { port: Some(*range.start()), ..info.clone() };
    let _first = create(&router, named.clone()).await.expect("a PlainTransport");
    create(&router, named).await.expect("both have named it");
    let (first, last) = (*range.start() - 1, *range.start());
    let holder = UdpSocket::bind((LOOPBACK, first));
    let choosing = ListenInfo { port_range: Some(first..=last), ..info };
    let refusal = create(&router, choosing).await.expect_err("one is shared, the other is somebody's");
    assert_eq!(refusal.code(), ErrorCode::NoPort, "{refusal}");
    drop(holder);
}

async fn buffers_are_told_as_the_kernel_gave_them(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let router = scene::router(&worker).await;
    let info = |protocol| ListenInfo {
        send_buffer_size: Some(50_000),
        recv_buffer_size: Some(30_000),
        ..listen_info(protocol)
    };
    let mut with_rtcp = PlainTransportOptions::new(info(Protocol::Udp));
    with_rtcp.rtcp_mux = false;
    with_rtcp.rtcp_listen_info = Some(listen_info(Protocol::Udp));
    let plain = router.create_plain_transport(with_rtcp).await.expect("a PlainTransport");
    let told = plain.dump().await.expect("a dump").sockets;
    let ports: Vec<_> = told.iter().map(|it| it.port).collect();
    let rtcp = plain.rtcp_tuple().map(|it| it.local_port()).expect("a tuple of its own");
    assert_eq!(ports, [plain.tuple().local_port(), rtcp]);
    check_sizes(&told[0]);
    assert!(told[1].recv_buffer_size > told[0].recv_buffer_size, "{told:?}");

    let server = server(&worker, vec![info(Protocol::Udp), info(Protocol::Tcp)]).await;
    let of_server = server.dump().await.expect("a dump").sockets;
    assert_eq!(of_server.iter().map(|it| it.protocol).collect::<Vec<_>>(), [Protocol::Udp, Protocol::Tcp]);
    of_server.iter().for_each(check_sizes);
    let shared = WebRtcTransportOptions::new_with_server(server);
    let shared = router.create_webrtc_transport(shared).await.expect("a WebRtcTransport");
    assert!(shared.dump().await.expect("a dump").sockets.is_empty(), "they are the server's");
    let own = router.create_webrtc_transport(options(info(Protocol::Udp))).await.expect("a WebRtcTransport");
    let told = own.dump().await.expect("a dump").sockets;
    assert_eq!((told.len(), told[0].ip, told[0].port), (1, LOOPBACK, own.ice_candidates()[0].port));
    check_sizes(&told[0]);
}

/// Between what was asked for and twice as much, as Linux counts.
fn check_sizes(socket: &SocketDump) {
    assert!((50_000..=100_000).contains(&socket.send_buffer_size), "{socket:?}");
    assert!((30_000..=60_000).contains(&socket.recv_buffer_size), "{socket:?}");
}

async fn an_internal_address_is_a_candidate_of_lower_priority(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let router = scene::router(&worker).await;
    let info = |protocol| ListenInfo {
        announced_address: Some("media.example".into()),
        expose_internal_ip: true,
        ..listen_info(protocol)
    };
    let server = server(&worker, vec![info(Protocol::Udp), info(Protocol::Tcp)]).await;
    let options = WebRtcTransportOptions::new_with_server(server);
    let transport = router.create_webrtc_transport(options).await.expect("a WebRtcTransport");
    let candidates = transport.ice_candidates();
    let told: Vec<_> = candidates.iter().map(|it| (it.protocol, it.address.as_str())).collect();
    let (name, ip) = ("media.example", "127.0.0.1");
    let [udp, tcp] = [Protocol::Udp, Protocol::Tcp];
    assert_eq!(told, [(udp, name), (udp, ip), (tcp, name), (tcp, ip)]);
    for both in candidates.chunks(2) {
        assert_eq!((both[0].priority - both[1].priority, both[0].port), (1000, both[1].port));
    }
    assert!(candidates[1].priority > candidates[2].priority, "{candidates:?}");
    // What is announced as it is needn't be told twice.
    let same = ListenInfo { announced_address: Some("127.0.0.1".into()), ..info(Protocol::Udp) };
    let same = router.create_webrtc_transport(crate::scene::options(same)).await.expect("a WebRtcTransport");
    assert_eq!(same.ice_candidates().len(), 1);
}

async fn a_server_listens_on_several_addresses_over_both_protocols(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let router = scene::router(&worker).await;
    let addresses = [LOOPBACK, [127, 0, 0, 2].into(), LOOPBACK_V6];
    let infos = [Protocol::Udp, Protocol::Tcp]
        .into_iter()
        .flat_map(|protocol| addresses.map(|ip| ListenInfo { ip, ..listen_info(protocol) }))
        .collect();
    let server = server(&worker, infos).await;
    let dump = server.dump().await.expect("a dump");
    let at = |sockets: &[WebRtcServerIpPort]| {
        sockets.iter().map(|it| SocketAddr::new(it.ip, it.port)).collect::<Vec<_>>()
    };
    let (udp, tcp) = (at(&dump.udp_sockets), at(&dump.tcp_servers));
    assert!([&udp, &tcp].iter().all(|of| of.iter().map(SocketAddr::ip).eq(addresses)), "{dump:?}");
    // Peers come in at each of them, and are told where they did.
    for (index, ip) in addresses.into_iter().enumerate() {
        for protocol in [Protocol::Udp, Protocol::Tcp] {
            let options = WebRtcTransportOptions::new_with_server(server.clone());
            let transport = router.create_webrtc_transport(options).await.expect("a WebRtcTransport");
            assert_eq!(transport.ice_candidates().len(), 6);
            let (send, states) = calls();
            transport.on_ice_state_change(move |state| send.send(state).expect("the body waits")).detach();
            let ice = transport.ice_parameters();
            // Held until the end: a connection that is over is no way any more.
            let socket = UdpSocket::bind((ip, 0)).expect("a port is free");
            let mut stream = TcpStream::connect(tcp[index]).expect("it listens");
            assert!(match protocol {
                Protocol::Udp => check::over_udp(&socket, udp[index], &ice),
                Protocol::Tcp => check::over_tcp(&mut stream, &ice),
            });
            assert_eq!(states.next(), IceState::Completed);
            let tuple = transport.ice_selected_tuple().expect("one is selected");
            assert_eq!((tuple.protocol(), tuple.local_address()), (protocol, &ip.to_string()));
        }
    }
}

async fn a_group_is_heard(manager: &WorkerManager) {
    let router = scene::router(&scene::worker(manager).await).await;
    let group = IpAddr::from([239, 255, 77, 2]);
    let flags = Some(SocketFlags { udp_reuse_port: true, ..SocketFlags::default() });
    let at = |port| ListenInfo { ip: group, port, flags, ..listen_info(Protocol::Udp) };
    let comedia = |port| {
        let mut options = PlainTransportOptions::new(at(port));
        options.comedia = true;
        options
    };
    let first = router.create_plain_transport(comedia(None)).await.expect("a PlainTransport");
    let port = first.tuple().local_port();
    let second = router.create_plain_transport(comedia(Some(port))).await.expect("the same port");
    let (told, tuples) = calls();
    for transport in [&first, &second] {
        let told = told.clone();
        transport.on_tuple(move |tuple| told.send(tuple.clone()).expect("the body waits")).detach();
        let mut parameters = parameters::audio();
        parameters.encodings[0].ssrc = Some(11_111);
        parameters.mid = None;
        let options = ProducerOptions::new(MediaKind::Audio, parameters);
        transport.produce(options).await.expect("a Producer").detach();
    }
    // A sender to the group on loopback, of an address of its own: both hear it.
    let sender = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM, None).expect("a socket");
    sender.set_multicast_if_v4(&Ipv4Addr::LOCALHOST).expect("an interface");
    let sender = UdpSocket::from(sender);
    let packet = [0x80, 111, 0, 1, 0, 0, 0, 1, 0, 0, 0x2b, 0x67, 1, 2, 3, 4];
    sender.send_to(&packet, SocketAddr::new(group, port)).expect("it goes to the group");
    let from = sender.local_addr().expect("it was bound by sending").port();
    assert_eq!([tuples.next().remote_port(), tuples.next().remote_port()], [Some(from); 2]);
    assert_eq!(first.tuple().remote_ip(), Some(LOOPBACK));
}
