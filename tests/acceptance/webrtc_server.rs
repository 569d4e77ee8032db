//! WebRtcServers: where they listen, which Transports share them, and who closes with whom.

use std::collections::HashSet;
use std::io::Read;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use mafalda_api::prelude::*;
use mafalda_api::router::Router;
use mafalda_api::subscription::Observed;
use mafalda_api::types::data_structures::IceState;
use mafalda_api::waist::{CloseCause, ErrorCode, Event};
use mafalda_api::webrtc_server::WebRtcServerIpPort;
use mafalda_api::webrtc_transport::WebRtcTransport;
use mafalda_api::worker::{CreateWebRtcServerError, Worker};
use mafalda_api::worker_manager::WorkerManager;

use crate::fixture::{Calls, calls, closed, on_each_backend};
use crate::scene::listen_info;
use crate::{check, parameters, scene};

on_each_backend! {
    a_created_server_is_there,
    ports_are_given_by_number_by_range_or_by_the_worker,
    what_can_not_be_had_is_refused_and_leaves_nothing,
    a_closed_worker_refuses,
    transports_share_its_addresses,
    names_are_told_and_follow_a_restart,
    peers_come_in_over_both_protocols,
    closing_a_transport_leaves_it,
    closing_it_closes_its_transports,
    closing_the_worker_closes_it,
    a_transport_keeps_it,
    a_detached_server_stays,
    a_server_that_is_closed_or_elsewhere_is_refused,
    events_tell_its_life_in_order,
}

fn listen_infos() -> WebRtcServerListenInfos {
    WebRtcServerListenInfos::new(listen_info(Protocol::Udp)).insert(listen_info(Protocol::Tcp))
}

async fn server(worker: &Worker) -> WebRtcServer {
    worker.create_webrtc_server(WebRtcServerOptions::new(listen_infos())).await.expect("a WebRtcServer")
}

async fn transport(router: &Router, server: &WebRtcServer) -> WebRtcTransport {
    let options = WebRtcTransportOptions::new_with_server(server.clone());
    router.create_webrtc_transport(options).await.expect("a WebRtcTransport")
}

async fn try_create(
    worker: &Worker,
    listen_infos: Vec<ListenInfo>,
) -> Result<WebRtcServer, CreateWebRtcServerError> {
    let listen_infos = listen_infos.try_into().expect("there are some");
    worker.create_webrtc_server(WebRtcServerOptions::new(listen_infos)).await
}

async fn servers(worker: &Worker) -> Vec<WebRtcServerId> {
    worker.dump().await.expect("a dump").webrtc_server_ids
}

/// A port that was free a moment ago for UDP and for TCP, and the sockets that keep it from others.
fn free_port() -> (u16, (UdpSocket, TcpListener)) {
    loop {
        let udp = UdpSocket::bind("127.0.0.1:0").expect("some port is free");
        let port = udp.local_addr().expect("it is bound").port();
        if let Ok(tcp) = TcpListener::bind(("127.0.0.1", port)) {
            return (port, (udp, tcp));
        }
    }
}

async fn a_created_server_is_there(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let (send, created) = calls();
    let _handler = worker.on_new_webrtc_server(move |server| send.send(server.id()).expect("the body waits"));
    let (port, sockets) = free_port();
    drop(sockets);
    let at = |protocol| ListenInfo { port: Some(port), ..listen_info(protocol) };
    let announced = ListenInfo { announced_address: Some("media.example".into()), ..at(Protocol::Udp) };
    let mut options =
        WebRtcServerOptions::new(WebRtcServerListenInfos::new(announced).insert(at(Protocol::Tcp)));
    options.labels.insert("zone", "here");
    options.app_data = AppData::new(7_u8);
    let server = worker.create_webrtc_server(options).await.expect("a WebRtcServer");
    assert_eq!(created.next(), server.id());
    assert!(!server.closed() && server.is_owner());
    assert_eq!(server.worker().id(), worker.id());
    assert_eq!(server.labels().get("zone"), Some("here"));
    assert_eq!(server.app_data().downcast_ref::<u8>(), Some(&7));
    assert_eq!(manager.find_webrtc_server(server.id()).map(|found| found.id()), Some(server.id()));

    let here = vec![WebRtcServerIpPort { ip: [127, 0, 0, 1].into(), port }];
    let dump = server.dump().await.expect("a dump");
    assert_eq!(dump.id, server.id());
    assert_eq!((&dump.udp_sockets, &dump.tcp_servers), (&here, &here), "one port for both protocols");
    assert!(dump.webrtc_transport_ids.is_empty() && dump.local_ice_username_fragments.is_empty());
    assert_eq!(servers(&worker).await, [server.id()]);
}

async fn ports_are_given_by_number_by_range_or_by_the_worker(manager: &WorkerManager) {
    let mut settings = WorkerSettings::default();
    settings.rtc_port_range = 21_000..=21_999;
    let worker = manager.create_worker(settings).await.expect("a Worker");
    let (port, sockets) = free_port();
    drop(sockets);
    let ranged = ListenInfo { port_range: Some(port..=port), ..listen_info(Protocol::Udp) };
    let server = try_create(&worker, vec![ranged, listen_info(Protocol::Tcp)]).await.expect("a WebRtcServer");
    let dump = server.dump().await.expect("a dump");
    assert_eq!(dump.udp_sockets[0].port, port);
    assert!((21_000..=21_999).contains(&dump.tcp_servers[0].port), "{dump:?}");
}

async fn what_can_not_be_had_is_refused_and_leaves_nothing(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let (port, sockets) = free_port();
    drop(sockets);
    let free = ListenInfo { port: Some(port), ..listen_info(Protocol::Udp) };
    let foreign = ListenInfo { ip: [8, 8, 8, 8].into(), ..listen_info(Protocol::Udp) };
    let error = try_create(&worker, vec![free.clone(), foreign]).await.expect_err("not ours");
    let CreateWebRtcServerError::Request(RequestError::AddressUnavailable { detail }) = &error else {
        panic!("{error:?}")
    };
    assert!(detail.contains("8.8.8.8") && error.to_string().contains("8.8.8.8"), "{error}");
    let error = try_create(&worker, vec![free.clone(), free.clone()]).await.expect_err("one port, twice");
    assert!(matches!(error, CreateWebRtcServerError::Request(RequestError::NoPort { .. })), "{error:?}");
    assert_eq!(error.code(), ErrorCode::NoPort);
    assert!(servers(&worker).await.is_empty());

    // What was refused has not kept its port.
    let first = try_create(&worker, vec![free.clone()]).await.expect("a WebRtcServer");
    let error = try_create(&worker, vec![free.clone()]).await.expect_err("the first one has it");
    assert_eq!(error.code(), ErrorCode::NoPort);
    assert_eq!(servers(&worker).await, [first.id()]);
    first.close();
    try_create(&worker, vec![free]).await.expect("its port is free again");
}

async fn a_closed_worker_refuses(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    worker.close();
    let error = try_create(&worker, vec![listen_info(Protocol::Udp)]).await.expect_err("it is closed");
    assert_eq!(error.code(), ErrorCode::NotFound);
}

async fn transports_share_its_addresses(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let router = scene::router(&worker).await;
    let server = server(&worker).await;
    let (send, created) = calls();
    let of_router = send.clone();
    let _handlers = [
        server.on_new_webrtc_transport(move |it| send.send(("server", it.id())).expect("the body waits")),
        router.on_new_transport(move |it| of_router.send(("router", it.id())).expect("the body waits")),
    ];
    let first = transport(&router, &server).await;
    assert_eq!([created.next(), created.next()], [("router", first.id()), ("server", first.id())]);
    assert_eq!(first.webrtc_server().as_ref().map(WebRtcServer::id), Some(server.id()));
    let dump = server.dump().await.expect("a dump");
    let told: Vec<_> = first.ice_candidates().into_iter().map(|it| (it.protocol, it.port)).collect();
    assert_eq!(told, [(Protocol::Udp, dump.udp_sockets[0].port), (Protocol::Tcp, dump.tcp_servers[0].port)]);

    // Routers of one Worker share it, and what a Transport doesn't want it isn't told.
    let other = scene::router(&worker).await;
    let mut options = WebRtcTransportOptions::new_with_server(server.clone());
    options.enable_tcp = false;
    let second = other.create_webrtc_transport(options.clone()).await.expect("a WebRtcTransport");
    assert_eq!(second.ice_candidates(), first.ice_candidates()[..1]);
    options.enable_udp = false;
    let error = other.create_webrtc_transport(options).await.expect_err("nothing is left");
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
    let dump = server.dump().await.expect("a dump");
    assert_eq!(dump.webrtc_transport_ids, HashSet::from([first.id(), second.id()]));
    assert!(scene::transport(&router).await.webrtc_server().is_none());
}

async fn names_are_told_and_follow_a_restart(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let router = scene::router(&worker).await;
    let server = server(&worker).await;
    let transport = transport(&router, &server).await;
    let old = transport.ice_parameters().username_fragment;
    assert_eq!(names(&server, &transport).await, std::slice::from_ref(&old));
    let new = transport.restart_ice().await.expect("restarted").username_fragment;
    assert_eq!(names(&server, &transport).await, [new, old], "until the peer uses the new one");
}

/// The names of the only Transport, its present one first.
async fn names(server: &WebRtcServer, transport: &WebRtcTransport) -> Vec<String> {
    let names = server.dump().await.expect("a dump").local_ice_username_fragments;
    assert!(names.iter().all(|it| it.webrtc_transport_id == transport.id()));
    names.into_iter().map(|it| it.local_ice_username_fragment).collect()
}

async fn peers_come_in_over_both_protocols(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let router = scene::router(&worker).await;
    let server = server(&worker).await;
    let transports = [transport(&router, &server).await, transport(&router, &server).await];
    let addresses = server.dump().await.expect("a dump");
    let at = |it: &WebRtcServerIpPort| SocketAddr::new(it.ip, it.port);
    let (udp, tcp) = (at(&addresses.udp_sockets[0]), at(&addresses.tcp_servers[0]));
    let states = transports.each_ref().map(states);

    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port is free");
    let mut stream = TcpStream::connect(tcp).expect("it listens");
    assert!(check::over_udp(&socket, udp, &transports[0].ice_parameters()));
    assert!(check::over_tcp(&mut stream, &transports[1].ice_parameters()));
    let ends = [(Protocol::Udp, socket.local_addr()), (Protocol::Tcp, stream.local_addr())];
    for ((transport, states), (protocol, end)) in transports.iter().zip(&states).zip(ends) {
        assert_eq!(states.next(), IceState::Completed);
        let tuple = transport.ice_selected_tuple().expect("one is selected");
        assert_eq!((tuple.protocol(), tuple.remote_port()), (protocol, Some(end.expect("bound").port())));
    }

    // Who knows a name alone is refused, whatever the protocol, and the way to the peer stays.
    let stranger = UdpSocket::bind("127.0.0.1:0").expect("a port is free");
    let wrong = mafalda_api::types::data_structures::IceParameters {
        password: "a guess".into(),
        ..transports[0].ice_parameters()
    };
    assert!(!check::over_udp(&stranger, udp, &wrong));
    assert!(!check::over_tcp(&mut TcpStream::connect(tcp).expect("it listens"), &wrong));
    assert_eq!(
        transports[0].ice_selected_tuple().and_then(|it| it.remote_port()),
        socket.local_addr().ok().map(|it| it.port())
    );

    // The connection is the Transport's, and ends with it; the server goes on.
    transports[1].close();
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("it can be set");
    assert_eq!(stream.read(&mut [0; 64]).expect("an orderly end"), 0);
    assert!(check::over_udp(&socket, udp, &transports[0].ice_parameters()));
}

fn states(transport: &WebRtcTransport) -> Calls<IceState> {
    let (send, states) = calls();
    transport.on_ice_state_change(move |state| send.send(state).expect("the body waits")).detach();
    states
}

async fn closing_a_transport_leaves_it(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let router = scene::router(&worker).await;
    let server = server(&worker).await;
    let (first, second) = (transport(&router, &server).await, transport(&router, &server).await);
    first.close();
    let dump = server.dump().await.expect("a dump");
    assert_eq!(dump.webrtc_transport_ids, HashSet::from([second.id()]));
    assert_eq!(dump.local_ice_username_fragments.len(), 1);
    router.close();
    closed!(second);
    assert!(!server.closed());
    assert!(server.dump().await.expect("a dump").webrtc_transport_ids.is_empty());
}

async fn closing_it_closes_its_transports(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let router = scene::router(&worker).await;
    let server = server(&worker).await;
    let transport = transport(&router, &server).await;
    let other = scene::transport(&router).await;
    let producer = scene::produce(&transport, MediaKind::Audio, parameters::audio()).await;
    let (send, ends) = calls();
    let tell = |what: &'static str| {
        let send = send.clone();
        move || send.send(what).expect("the body waits")
    };
    server.on_worker_close(tell("server, by its worker")).detach();
    server.on_close(tell("server")).detach();
    transport.on_webrtc_server_close(Box::new(tell("transport, by its server"))).detach();
    transport.on_router_close(Box::new(tell("transport, by its router"))).detach();
    transport.on_close(Box::new(tell("transport"))).detach();
    producer.on_transport_close(tell("producer, by its transport")).detach();
    server.close();
    assert!(server.closed());
    let told = [(); 4].map(|()| ends.next());
    assert_eq!(told, ["server", "transport, by its server", "transport", "producer, by its transport"]);
    assert!(ends.is_empty());
    closed!(producer);
    assert!(transport.closed() && !other.closed() && !router.closed());
    assert!(servers(&worker).await.is_empty());
    let error = server.dump().await.expect_err("it is closed");
    assert_eq!(error.code(), ErrorCode::NotFound);
    assert_eq!(router.dump().await.expect("a dump").transport_ids, HashSet::from([other.id()]));
}

async fn closing_the_worker_closes_it(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let router = scene::router(&worker).await;
    let server = server(&worker).await;
    let transport = transport(&router, &server).await;
    let (send, ends) = calls();
    let tell = |what: &'static str| {
        let send = send.clone();
        move || send.send(what).expect("the body waits")
    };
    server.on_worker_close(tell("server, by its worker")).detach();
    server.on_close(tell("server")).detach();
    transport.on_webrtc_server_close(Box::new(tell("transport, by its server"))).detach();
    transport.on_router_close(Box::new(tell("transport, by its router"))).detach();
    worker.close();
    assert_eq!([ends.next(), ends.next()], ["server, by its worker", "server"]);
    assert_eq!(ends.next(), "transport, by its router");
    closed!(transport);
    assert!(ends.is_empty());
}

async fn a_transport_keeps_it(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let router = scene::router(&worker).await;
    let server = server(&worker).await;
    let (id, weak) = (server.id(), server.downgrade());
    let transport = transport(&router, &server).await;
    let (send, ended) = calls();
    server.on_close(move || send.send(()).expect("the body waits")).detach();
    drop(server);
    assert_eq!(servers(&worker).await, [id]);
    assert!(ended.is_empty() && !transport.closed());
    assert_eq!(weak.upgrade().map(|server| server.id()), Some(id));
    drop(transport);
    ended.next();
    assert!(weak.upgrade().is_none());
    assert!(servers(&worker).await.is_empty());
}

async fn a_detached_server_stays(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let router = scene::router(&worker).await;
    let server = server(&worker).await;
    let id = server.id();
    server.detach();
    drop(server);
    assert_eq!(servers(&worker).await, [id]);
    let observer = manager.find_webrtc_server(id).expect("it stays");
    assert!(!observer.is_owner());
    drop(transport(&router, &observer).await);
    drop(observer);
    assert_eq!(servers(&worker).await, [id]);
}

async fn a_server_that_is_closed_or_elsewhere_is_refused(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let router = scene::router(&worker).await;
    let other = scene::worker(manager).await;
    let elsewhere = server(&other).await;
    let gone = server(&worker).await;
    gone.close();
    for server in [elsewhere, gone] {
        let subject = Some(server.id().into());
        let options = WebRtcTransportOptions::new_with_server(server);
        let error = router.create_webrtc_transport(options).await.expect_err("it isn't in this Worker");
        assert!(matches!(&error, RequestError::NotFound { subject: it, .. } if *it == subject), "{error:?}");
        assert!(error.to_string().contains(&worker.id().to_string()), "{error}");
    }
    assert!(router.dump().await.expect("a dump").transport_ids.is_empty());
}

async fn events_tell_its_life_in_order(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let router = scene::router(&worker).await;
    let server = server(&worker).await;
    let mut events = server.events();
    let transport = transport(&router, &server).await;
    let mut of_transport = transport.events();
    server.close();
    let Some(Observed::Event(Event::Appeared(state))) = events.next().await else { panic!("a Transport") };
    assert_eq!(state.id(), transport.id().into());
    let closed = |id, cause| Some(Observed::Event(Event::Closed { id, cause }));
    assert_eq!(events.next().await, closed(server.id().into(), CloseCause::Requested));
    assert_eq!(events.next().await, None);
    assert_eq!(of_transport.next().await, closed(transport.id().into(), CloseCause::WebRtcServerClosed));
}
