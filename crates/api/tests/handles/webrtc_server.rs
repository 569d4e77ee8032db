//! WebRtcServers: who keeps them, who hears of their end, and what is told of their Transports.

use event_listener_primitives::HandlerId;
use mafalda_api::id::ObjectId;
use mafalda_api::prelude::*;
use mafalda_api::subscription::Observed;
use mafalda_api::waist::{CloseCause, Event};

use crate::fake::FIRST_EPOCH as SAME_EPOCH;
use crate::rig::{Lines, Rig};

/// A Transport on a WebRtcServer, whose ends write lines.
struct Room {
    router: Router,
    server: WebRtcServer,
    transport: WebRtcTransport,
    lines: Lines,
    _handlers: [HandlerId; 5],
}

fn room(rig: &mut Rig) -> Room {
    let router = rig.router();
    let server = rig.server_in(router.worker());
    let transport = rig.transport_with(&router, &server);
    let lines = Lines::default();
    let handlers = [
        server.on_worker_close(lines.adder("server: worker close")),
        server.on_close(lines.adder("server: close")),
        transport.on_webrtc_server_close(Box::new(lines.adder("transport: server close"))),
        transport.on_router_close(Box::new(lines.adder("transport: router close"))),
        transport.on_close(Box::new(lines.adder("transport: close"))),
    ];
    Room { router, server, transport, lines, _handlers: handlers }
}

#[test]
fn a_transport_hears_that_its_server_closed_and_then_of_itself() {
    let mut rig = Rig::new();
    let room = room(&mut rig);
    room.server.close();
    assert_eq!(room.lines.take(), ["server: close"], "at once");
    rig.settle();
    assert_eq!(room.lines.take(), ["transport: server close", "transport: close"]);
    assert!(room.transport.closed() && !room.router.closed());
    let options = WebRtcTransportOptions::new_with_server(room.server.clone());
    let error = rig.run(room.router.create_webrtc_transport(options)).unwrap_err();
    let subject = Some(ObjectId::from(room.server.id()));
    assert!(matches!(error, RequestError::NotFound { subject: it, .. } if it == subject));
}

#[test]
fn what_closes_with_the_worker_or_the_router_is_told_that_cause() {
    let mut rig = Rig::new();
    let first = room(&mut rig);
    rig.fake.close(first.router.worker().id(), CloseCause::Requested);
    rig.settle();
    assert_eq!(
        first.lines.take(),
        ["server: worker close", "server: close", "transport: router close", "transport: close"]
    );

    let second = room(&mut rig);
    rig.fake.close(second.router.id(), CloseCause::Requested);
    rig.settle();
    assert_eq!(second.lines.take(), ["transport: router close", "transport: close"]);
    assert!(!second.server.closed());
}

#[test]
fn it_stays_as_long_as_a_transport_keeps_it() {
    let mut rig = Rig::new();
    let Room { server, transport, .. } = room(&mut rig);
    let (id, weak) = (server.id(), server.downgrade());
    drop(server);
    rig.settle();
    assert!(rig.fake.exists(id));
    assert_eq!(transport.webrtc_server().as_ref().map(WebRtcServer::id), Some(id));
    let found = rig.manager.find_webrtc_transport(transport.id()).unwrap();
    drop(transport);
    assert!(found.webrtc_server().as_ref().unwrap().is_owner(), "a handle that was found shares the hold");
    assert!(weak.upgrade().is_some_and(|server| server.id() == id));
    drop(found);
    rig.settle();
    assert!(!rig.fake.exists(id) && weak.upgrade().is_none());
}

#[test]
fn a_transport_with_sockets_of_its_own_has_none() {
    let mut rig = Rig::new();
    let transport = rig.transport();
    assert!(transport.webrtc_server().is_none());
}

#[test]
fn creations_are_told_to_the_worker_the_server_and_the_router() {
    let mut rig = Rig::new();
    let router = rig.router();
    let lines = Lines::default();
    let (of_worker, of_server, of_router) = (lines.clone(), lines.clone(), lines.clone());
    let _worker =
        router.worker().on_new_webrtc_server(move |server| of_worker.add(format!("worker {}", server.id())));
    let _router =
        router.on_new_transport(move |transport| of_router.add(format!("router {}", transport.id())));
    let server = rig.server_in(router.worker());
    let _server =
        server.on_new_webrtc_transport(move |transport| of_server.add(format!("server {}", transport.id())));
    let mut events = server.events();
    let transport = rig.transport_with(&router, &server);
    let id = transport.id();
    assert_eq!(
        lines.take(),
        [format!("worker {}", server.id()), format!("router {id}"), format!("server {id}")]
    );
    let Some(Observed::Event(Event::Appeared(state))) = rig.run(events.next()) else { panic!("a Transport") };
    assert_eq!(state.id(), id.into());
    rig.transport_on(&router);
    assert_eq!(lines.take().len(), 1, "the server isn't told of others");
}

#[test]
fn a_server_that_is_missing_from_a_snapshot_has_taken_its_transport_along() {
    let mut rig = Rig::new();
    let room = room(&mut rig);
    let (server, transport) = (ObjectId::from(room.server.id()), ObjectId::from(room.transport.id()));
    rig.fake.skip_to(SAME_EPOCH, |objects| objects.retain(|id, _| *id != server && *id != transport));
    rig.settle();
    assert_eq!(room.lines.take(), ["server: close", "transport: server close", "transport: close"]);
}

#[test]
fn it_can_be_detached_and_found() {
    let mut rig = Rig::new();
    let router = rig.router();
    let server = rig.server_in(router.worker());
    let id = server.id();
    server.detach();
    drop(server);
    rig.settle();
    assert!(rig.fake.exists(id) && rig.fake.owner(id).is_none());
    let found = rig.manager.find_webrtc_server(id).unwrap();
    assert_eq!((found.id(), found.is_owner(), found.worker().id()), (id, false, router.worker().id()));
}

#[test]
fn a_list_of_listen_infos_is_not_empty() {
    let error = WebRtcServerListenInfos::try_from(Vec::new()).unwrap_err();
    assert_eq!(error.to_string(), "Empty list of listen infos provided, should have at least one element");
    let infos = WebRtcServerListenInfos::new(ListenInfo::of_place(Protocol::Udp))
        .insert(ListenInfo::of_place(Protocol::Tcp));
    assert_eq!(infos.len(), 2);
    let error = WebRtcTransportListenInfos::try_from(Vec::new()).unwrap_err();
    assert_eq!(error.to_string(), "Empty list of listen IPs provided, should have at least one element");
    let infos = WebRtcTransportListenInfos::try_from(infos.to_vec()).unwrap();
    assert_eq!((infos.len(), infos[1].protocol), (2, Protocol::Tcp));
}
