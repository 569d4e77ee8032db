//! WebRtcTransports: where they listen, ICE and DTLS as far as one side alone goes, limits, end.

use std::net::{IpAddr, Ipv6Addr, UdpSocket};

use mafalda_api::prelude::*;
use mafalda_api::router::Router;
use mafalda_api::subscription::Observed;
use mafalda_api::types::data_structures::{
    DtlsRole, DtlsState, IceCandidateTcpType, IceCandidateType, IceRole, IceState,
};
use mafalda_api::waist::{ErrorCode, Event};
use mafalda_api::webrtc_transport::WebRtcTransport;
use mafalda_api::worker_manager::WorkerManager;

use crate::fixture::{calls, closed, on_each_backend};
use crate::parameters;
use crate::peer::Peer;
use crate::scene::{self, Scene, listen_info, options};

on_each_backend! {
    a_created_transport_waits_for_its_peer,
    candidates_follow_the_listen_infos,
    an_announced_address_is_told_instead,
    it_listens_on_the_addresses_of_the_place,
    a_port_can_be_given,
    a_range_of_ports_is_used_up_and_given_back,
    addresses_of_others_are_refused,
    connecting_settles_the_role_once,
    connecting_needs_a_fingerprint,
    a_restart_gives_new_credentials,
    incoming_bitrate_can_be_limited,
    statistics_begin_at_zero,
    closing_closes_all_in_it,
    a_closing_router_or_worker_is_told,
    a_closed_transport_refuses,
    dropping_the_last_handle_closes,
    a_detached_transport_stays,
    events_tell_its_life_in_order,
    a_peer_connects_and_leaves,
    a_peer_that_moves_is_told,
    it_has_to_listen_somewhere,
}

async fn a_created_transport_waits_for_its_peer(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let router = scene::router(&worker).await;
    let (send, created) = calls();
    let _handler = router.on_new_transport(move |_| send.send(()).expect("the body waits"));
    let mut options = options(listen_info(Protocol::Udp));
    options.labels.insert("user", "alice");
    options.app_data = AppData::new("alice");
    let transport = router.create_webrtc_transport(options).await.expect("a Transport");
    created.next();
    assert_eq!(transport.router().id(), router.id());
    assert_eq!(transport.labels().get("user"), Some("alice"));
    assert_eq!(transport.app_data().downcast_ref::<&str>(), Some(&"alice"));
    assert_eq!((transport.ice_role(), transport.ice_state()), (IceRole::Controlled, IceState::New));
    assert_eq!(transport.ice_parameters().ice_lite, Some(true));
    assert_eq!(transport.ice_selected_tuple(), None);
    assert_eq!(transport.dtls_state(), DtlsState::New);
    assert_eq!((transport.dtls_parameters().role, transport.dtls_remote_cert()), (DtlsRole::Auto, None));
    assert!(!transport.dtls_parameters().fingerprints.is_empty());

    let dump = transport.dump().await.expect("a dump");
    assert_eq!((dump.id, dump.ice_state, dump.dtls_state), (transport.id(), IceState::New, DtlsState::New));
    assert_eq!(dump.ice_candidates, transport.ice_candidates());
    assert_eq!(dump.ice_parameters, transport.ice_parameters());
    assert!(dump.producer_ids.is_empty() && dump.consumer_ids.is_empty());
    let ids = router.dump().await.expect("a dump").transport_ids;
    assert_eq!(ids.into_iter().collect::<Vec<_>>(), [transport.id()]);
}

async fn candidates_follow_the_listen_infos(manager: &WorkerManager) {
    let mut settings = WorkerSettings::default();
    settings.rtc_port_range = 20_000..=20_999;
    let worker = manager.create_worker(settings).await.expect("a Worker");
    let router = scene::router(&worker).await;
    let infos =
        WebRtcTransportListenInfos::new(listen_info(Protocol::Udp)).insert(listen_info(Protocol::Tcp));
    let infos =
        infos.insert(ListenInfo { ip: IpAddr::V6(Ipv6Addr::LOCALHOST), ..listen_info(Protocol::Udp) });
    let mut options = WebRtcTransportOptions::new(infos);
    options.enable_tcp = true;
    options.prefer_udp = true;
    let transport = router.create_webrtc_transport(options.clone()).await.expect("a Transport");
    let candidates = transport.ice_candidates();
    let told: Vec<_> = candidates.iter().map(|it| (it.protocol, it.address.as_str(), it.tcp_type)).collect();
    let passive = Some(IceCandidateTcpType::Passive);
    assert_eq!(
        told,
        [
            (Protocol::Udp, "127.0.0.1", None),
            (Protocol::Tcp, "127.0.0.1", passive),
            (Protocol::Udp, "::1", None)
        ]
    );
    for candidate in &candidates {
        assert!((20_000..=20_999).contains(&candidate.port), "{candidate:?}");
        assert_eq!(candidate.r#type, IceCandidateType::Host);
    }
    let priority = |index: usize| candidates[index].priority;
    assert!(priority(0) > priority(2) && priority(2) > priority(1), "{candidates:?}");

    options.enable_udp = false;
    let transport = router.create_webrtc_transport(options).await.expect("a Transport");
    assert!(transport.ice_candidates().iter().all(|it| it.protocol == Protocol::Tcp));
}

async fn an_announced_address_is_told_instead(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let router = scene::router(&worker).await;
    let mut info =
        ListenInfo { announced_address: Some("media.example".into()), ..listen_info(Protocol::Udp) };
    let transport = router.create_webrtc_transport(options(info.clone())).await.expect("a Transport");
    assert_eq!(addresses(&transport), ["media.example"]);
    info.expose_internal_ip = true;
    let transport = router.create_webrtc_transport(options(info)).await.expect("a Transport");
    assert_eq!(addresses(&transport), ["media.example", "127.0.0.1"]);
}

fn addresses(transport: &WebRtcTransport) -> Vec<String> {
    transport.ice_candidates().into_iter().map(|candidate| candidate.address).collect()
}

async fn it_listens_on_the_addresses_of_the_place(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let router = scene::router(&worker).await;
    for protocol in [Protocol::Udp, Protocol::Tcp] {
        let mut options = options(ListenInfo::of_place(protocol));
        options.enable_tcp = true;
        let transport = router.create_webrtc_transport(options).await.expect("a Transport");
        let addresses = addresses(&transport);
        assert!(!addresses.is_empty() && !addresses.contains(&"0.0.0.0".to_owned()), "{addresses:?}");
    }
}

/// A UDP port that was free a moment ago, and the socket that keeps it from others.
fn free_port() -> (u16, UdpSocket) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("some port is free");
    (socket.local_addr().expect("it is bound").port(), socket)
}

async fn a_port_can_be_given(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let router = scene::router(&worker).await;
    let (port, socket) = free_port();
    let info = ListenInfo { port: Some(port), ..listen_info(Protocol::Udp) };
    let error = router.create_webrtc_transport(options(info.clone())).await.expect_err("it is in use");
    assert_eq!(error.code(), ErrorCode::NoPort);
    assert!(error.to_string().contains(&port.to_string()), "{error}");
    drop(socket);
    let transport = router.create_webrtc_transport(options(info)).await.expect("a Transport");
    assert_eq!(transport.ice_candidates()[0].port, port);
    assert_eq!(router.dump().await.expect("a dump").transport_ids.len(), 1);
}

async fn a_range_of_ports_is_used_up_and_given_back(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let router = scene::router(&worker).await;
    let (port, socket) = free_port();
    drop(socket);
    let info = ListenInfo { port_range: Some(port..=port), ..listen_info(Protocol::Udp) };
    let first = router.create_webrtc_transport(options(info.clone())).await.expect("a Transport");
    let error = router.create_webrtc_transport(options(info.clone())).await.expect_err("none is left");
    assert!(matches!(error, RequestError::NoPort { .. }), "{error:?}");
    // TCP has ports of its own.
    let mut tcp = options(ListenInfo { protocol: Protocol::Tcp, ..info.clone() });
    tcp.enable_tcp = true;
    let second = router.create_webrtc_transport(tcp).await.expect("a Transport");
    assert_eq!(second.ice_candidates()[0].port, port);
    first.close();
    router.create_webrtc_transport(options(info)).await.expect("its port is free again");
}

async fn addresses_of_others_are_refused(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let router = scene::router(&worker).await;
    let info = ListenInfo { ip: [8, 8, 8, 8].into(), ..listen_info(Protocol::Udp) };
    let both = WebRtcTransportListenInfos::new(listen_info(Protocol::Udp)).insert(info);
    let error =
        router.create_webrtc_transport(WebRtcTransportOptions::new(both)).await.expect_err("not ours");
    assert!(matches!(error, RequestError::AddressUnavailable { .. }), "{error:?}");
    assert!(error.to_string().contains("8.8.8.8"), "{error}");
    assert!(router.dump().await.expect("a dump").transport_ids.is_empty());
}

fn remote(role: &str) -> WebRtcTransportRemoteParameters {
    WebRtcTransportRemoteParameters { dtls_parameters: parameters::dtls_parameters(role) }
}

async fn connecting_settles_the_role_once(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let router = scene::router(&worker).await;
    let roles = [("client", DtlsRole::Server), ("server", DtlsRole::Client), ("auto", DtlsRole::Client)];
    for (theirs, ours) in roles {
        let transport = scene::transport(&router).await;
        transport.connect(remote(theirs)).await.expect("connected");
        assert_eq!(transport.dtls_parameters().role, ours);
        let error = transport.connect(remote(theirs)).await.expect_err("it was connected before");
        assert_eq!(error.code(), ErrorCode::WrongState);
    }
}

async fn connecting_needs_a_fingerprint(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let transport = scene::transport(&scene::router(&worker).await).await;
    let mut without = remote("client");
    without.dtls_parameters.fingerprints.clear();
    let error = transport.connect(without).await.expect_err("there is no fingerprint");
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
    transport.connect(remote("client")).await.expect("a refused call leaves nothing behind");
}

async fn a_restart_gives_new_credentials(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let transport = scene::transport(&scene::router(&worker).await).await;
    let before = transport.ice_parameters();
    let after = transport.restart_ice().await.expect("new credentials");
    assert_eq!(transport.ice_parameters(), after);
    assert_ne!(before.username_fragment, after.username_fragment);
    assert_ne!(before.password, after.password);
}

async fn incoming_bitrate_can_be_limited(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let router = scene::router(&worker).await;
    let mut options = options(listen_info(Protocol::Udp));
    options.max_incoming_bitrate = Some(300_000);
    let transport = router.create_webrtc_transport(options).await.expect("a Transport");
    assert_eq!(limit(&transport).await, Some(300_000));
    transport.set_max_incoming_bitrate(100_000).await.expect("set");
    assert_eq!(limit(&transport).await, Some(100_000));
    transport.set_max_incoming_bitrate(0).await.expect("lifted");
    assert_eq!(limit(&transport).await, None);
}

async fn limit(transport: &WebRtcTransport) -> Option<u64> {
    transport.get_stats().await.expect("statistics")[0].max_incoming_bitrate
}

async fn statistics_begin_at_zero(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let transport = scene::transport(&scene::router(&worker).await).await;
    let stats = transport.get_stats().await.expect("statistics");
    assert_eq!(stats.len(), 1);
    let stat = &stats[0];
    assert_eq!(stat.transport_id, transport.id());
    assert!(stat.timestamp > 1_700_000_000_000, "milliseconds since 1970: {}", stat.timestamp);
    let counters = [
        stat.bytes_received,
        stat.bytes_sent,
        stat.rtp_bytes_received,
        stat.rtp_bytes_sent,
        stat.rtx_bytes_received,
        stat.rtx_bytes_sent,
        stat.recv_bitrate,
        stat.send_bitrate,
    ];
    assert_eq!(counters, [0; 8]);
    assert_eq!((stat.ice_state, stat.dtls_state), (IceState::New, DtlsState::New));
    assert_eq!((stat.ice_selected_tuple.as_ref(), stat.max_incoming_bitrate), (None, None));
}

async fn closing_closes_all_in_it(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let producer = scene.video().await;
    let consumer = scene.consume(&producer).await;
    let (send, closed) = calls();
    let tell = |what: &'static str| {
        let send = send.clone();
        move || send.send(what).expect("the body waits")
    };
    producer.on_transport_close(tell("producer, by its transport")).detach();
    consumer.on_producer_close(tell("consumer, by its producer")).detach();
    scene.first.close();
    assert!(scene.first.closed());
    let mut told = [closed.next(), closed.next()];
    told.sort_unstable();
    assert_eq!(told, ["consumer, by its producer", "producer, by its transport"]);
    closed!(producer);
    closed!(consumer);
    assert!(!scene.second.closed());
    let error = scene.first.dump().await.expect_err("it is closed");
    assert_eq!(error.code(), ErrorCode::NotFound);
    assert_eq!(transports(&scene.router).await, [scene.second.id()]);
}

async fn a_closing_router_or_worker_is_told(manager: &WorkerManager) {
    for by_worker in [false, true] {
        let worker = scene::worker(manager).await;
        let router = scene::router(&worker).await;
        let transport = scene::transport(&router).await;
        let (send, told) = calls();
        let of_close = send.clone();
        let by_router = Box::new(move || send.send("by its router").expect("the body waits"));
        transport.on_router_close(by_router).detach();
        transport.on_close(Box::new(move || of_close.send("closed").expect("the body waits"))).detach();
        if by_worker {
            worker.close();
        } else {
            router.close();
        }
        assert_eq!([told.next(), told.next()], ["by its router", "closed"]);
        assert!(transport.closed());
    }
}

async fn a_closed_transport_refuses(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let producer = scene.audio().await;
    let transport = scene.second;
    transport.close();
    let refusals = [
        transport.dump().await.map(drop).expect_err("closed"),
        transport.get_stats().await.map(drop).expect_err("closed"),
        transport.connect(remote("client")).await.expect_err("closed"),
        transport.set_max_incoming_bitrate(1_000).await.expect_err("closed"),
        transport.restart_ice().await.map(drop).expect_err("closed"),
    ];
    assert!(refusals.iter().all(|refusal| refusal.code() == ErrorCode::NotFound), "{refusals:?}");
    let options = ProducerOptions::new(MediaKind::Audio, parameters::audio());
    assert_eq!(transport.produce(options).await.expect_err("closed").code(), ErrorCode::NotFound);
    let options = ConsumerOptions::new(producer.id(), parameters::client_capabilities());
    assert_eq!(transport.consume(options).await.expect_err("closed").code(), ErrorCode::NotFound);
}

async fn transports(router: &Router) -> Vec<TransportId> {
    router.dump().await.expect("a dump").transport_ids.into_iter().collect()
}

async fn dropping_the_last_handle_closes(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let router = scene::router(&worker).await;
    let transport = scene::transport(&router).await;
    let (id, weak) = (transport.id(), transport.downgrade());
    let found = manager.find_webrtc_transport(id).expect("it is there");
    drop(transport);
    assert_eq!(transports(&router).await, [id], "a handle is left");
    drop(found);
    assert!(weak.upgrade().is_none());
    assert!(transports(&router).await.is_empty());
}

async fn a_detached_transport_stays(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let router = scene::router(&worker).await;
    let transport = scene::transport(&router).await;
    let id = transport.id();
    transport.detach();
    drop(transport);
    assert_eq!(transports(&router).await, [id]);
    let observer = manager.find_webrtc_transport(id).expect("it stays");
    assert!(!observer.is_owner());
    drop(observer);
    assert_eq!(transports(&router).await, [id]);
}

async fn events_tell_its_life_in_order(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let router = scene::router(&worker).await;
    let transport = scene::transport(&router).await;
    let mut events = transport.events();
    transport.connect(remote("client")).await.expect("connected");
    transport.restart_ice().await.expect("restarted");
    let producer = scene::produce(&transport, MediaKind::Audio, parameters::audio()).await;
    transport.close();
    let mut told = Vec::new();
    while let Some(Observed::Event(event)) = events.next().await {
        told.push(match event {
            Event::DtlsParametersChanged { .. } => "role",
            Event::IceParametersChanged { .. } => "credentials",
            Event::Appeared(state) if state.id() == producer.id().into() => "producer",
            Event::Closed { .. } => "closed",
            _ => "something else",
        });
    }
    assert_eq!(told, ["role", "credentials", "producer", "closed"]);
}

async fn a_peer_connects_and_leaves(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let transport = scene::transport(&scene::router(&worker).await).await;
    let (send, told) = calls();
    let ice = send.clone();
    let _handlers = [
        transport.on_ice_state_change(move |it| ice.send(format!("ICE {it:?}")).expect("the body waits")),
        transport.on_dtls_state_change(move |it| send.send(format!("DTLS {it:?}")).expect("the body waits")),
    ];
    let mut peer = Peer::of(&transport);
    transport.connect(peer.parameters()).await.expect("connected");
    peer.check(&transport);
    peer.shake_hands();
    assert_eq!([(); 3].map(|()| told.next()), ["ICE Completed", "DTLS Connecting", "DTLS Connected"]);
    assert_eq!((transport.ice_state(), transport.dtls_state()), (IceState::Completed, DtlsState::Connected));
    let certificate = transport.dtls_remote_cert().expect("the peer has shown one");
    assert!(certificate.starts_with("-----BEGIN CERTIFICATE-----"), "{certificate}");
    let dump = transport.dump().await.expect("a dump");
    assert_eq!(
        (dump.ice_role, dump.ice_selected_tuple),
        (IceRole::Controlled, transport.ice_selected_tuple())
    );
    assert_eq!((dump.dtls_state, dump.dtls_parameters), (DtlsState::Connected, transport.dtls_parameters()));

    peer.close();
    assert_eq!(told.next(), "DTLS Closed");
    assert_eq!(transport.dtls_state(), DtlsState::Closed);
    assert!(!transport.closed(), "whoever made it closes it");
}

async fn a_peer_that_moves_is_told(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let transport = scene::transport(&scene::router(&worker).await).await;
    let (send, told) = calls();
    let _handler = transport.on_ice_selected_tuple_change(move |tuple| {
        send.send(tuple.clone()).expect("the body waits");
    });
    let mut peer = Peer::of(&transport);
    for _ in 0..2 {
        peer.check(&transport);
        let tuple = told.next();
        assert_eq!(tuple.remote_port(), Some(peer.port()));
        assert_eq!(transport.ice_selected_tuple(), Some(tuple));
        peer.moves();
    }
}

async fn it_has_to_listen_somewhere(manager: &WorkerManager) {
    let error = WebRtcTransportListenInfos::try_from(Vec::new()).expect_err("nowhere");
    assert_eq!(error.to_string(), "Empty list of listen IPs provided, should have at least one element");
    let infos = vec![listen_info(Protocol::Udp), listen_info(Protocol::Udp)];
    let infos = WebRtcTransportListenInfos::try_from(infos).expect("two");
    assert_eq!(infos.len(), 2);
    let router = scene::router(&scene::worker(manager).await).await;
    let transport = router.create_webrtc_transport(WebRtcTransportOptions::new(infos)).await;
    assert_eq!(transport.expect("a Transport").ice_candidates().len(), 2);
}
