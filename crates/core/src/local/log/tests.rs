use std::sync::Arc;

use mafalda_api::id::{TransportId, WebRtcServerId, WorkerId};
use mafalda_api::types::data_structures::{
    DtlsParameters, DtlsRole, DtlsState, IceParameters, IceRole, IceState,
};
use mafalda_api::waist::{Origin, RouterState, WebRtcServerState, WebRtcTransportState, WorkerState};

use super::*;

fn origin(owner: SessionId) -> Origin {
    Origin { owner: Some(owner), ..Origin::default() }
}

fn worker(id: WorkerId, owner: SessionId) -> Event {
    Event::Appeared(ObjectState::Worker(Arc::new(WorkerState { id, origin: origin(owner) })))
}

fn router(id: RouterId, worker: WorkerId, owner: SessionId) -> Event {
    let rtp_capabilities = Arc::default();
    let state = RouterState { id, origin: origin(owner), worker, rtp_capabilities };
    Event::Appeared(state.into())
}

fn server(id: WebRtcServerId, worker: WorkerId, owner: SessionId) -> Event {
    Event::Appeared(ObjectState::WebRtcServer(Arc::new(WebRtcServerState {
        id,
        origin: origin(owner),
        worker,
    })))
}

fn transport(id: TransportId, router: RouterId, owner: SessionId) -> Event {
    transport_on(id, router, None, owner)
}

fn transport_on(
    id: TransportId,
    router: RouterId,
    webrtc_server: Option<WebRtcServerId>,
    owner: SessionId,
) -> Event {
    Event::Appeared(ObjectState::WebRtcTransport(Arc::new(WebRtcTransportState {
        id,
        origin: origin(owner),
        router,
        webrtc_server,
        ice_role: IceRole::Controlled,
        ice_parameters: Arc::new(IceParameters {
            username_fragment: String::new(),
            password: String::new(),
            ice_lite: Some(true),
        }),
        ice_candidates: Arc::default(),
        ice_state: IceState::New,
        ice_selected_tuple: None,
        dtls_parameters: Arc::new(DtlsParameters { role: DtlsRole::Auto, fingerprints: Vec::new() }),
        dtls_state: DtlsState::New,
        dtls_remote_cert: None,
    })))
}

fn newest(log: &Log, session: SessionId) -> Vec<Update> {
    log.newest_for(&Scope::Session(session)).collect()
}

fn ids(update: &Update) -> Vec<ObjectId> {
    match update {
        Update::Snapshot { objects, .. } => objects.iter().map(ObjectState::id).collect(),
        other => panic!("not a snapshot: {other:?}"),
    }
}

#[test]
fn a_snapshot_has_what_is_in_scope_parents_first() {
    let (mine, other) = (SessionId::new(), SessionId::new());
    let (w, r1, r2) = (WorkerId::new(), RouterId::new(), RouterId::new());
    let mut log = Log::new(7);
    log.append(worker(w, mine));
    log.append(router(r1, w, mine));
    log.append(router(r2, w, other));
    assert_eq!(ids(&log.snapshot(&Scope::Session(mine))), [w.into(), r1.into()]);
    assert_eq!(ids(&log.snapshot(&Scope::Routers(vec![r2]))), [r2.into()]);
    assert_eq!(ids(&log.snapshot(&Scope::All)).len(), 3);
    assert_eq!(log.position(), Position { epoch: 7, sequence: 3 });
}

#[test]
fn since_gives_what_was_missed_and_where_the_log_stands() {
    let (mine, other) = (SessionId::new(), SessionId::new());
    let (w, r) = (WorkerId::new(), RouterId::new());
    let mut log = Log::new(1);
    log.append(worker(w, mine));
    let seen = log.position();
    log.append(router(r, w, other));
    log.append(Event::Closed { id: w.into(), cause: CloseCause::Requested });
    let missed = log.since(seen, &Scope::Session(mine)).unwrap();
    assert_eq!(missed.len(), 2, "{missed:?}");
    assert!(matches!(&missed[0], Update::Event { at, .. } if at.sequence == 3));
    assert!(matches!(&missed[1], Update::Reached { at } if at.sequence == 3));
}

#[test]
fn a_position_that_the_log_does_not_know_gets_nothing() {
    let mut log = Log::new(1);
    for _ in 0..=LOG_EVENTS_MAX {
        log.append(worker(WorkerId::new(), SessionId::new()));
    }
    assert!(log.since(Position { epoch: 2, sequence: 1 }, &Scope::All).is_none(), "another epoch");
    assert!(log.since(Position { epoch: 1, sequence: 0 }, &Scope::All).is_none(), "older than the log");
    assert!(log.since(Position { epoch: 1, sequence: u64::MAX }, &Scope::All).is_none(), "from the future");
    assert!(log.since(Position { epoch: 1, sequence: 1 }, &Scope::All).is_some());
}

#[test]
fn closing_names_children_after_their_parents() {
    let owner = SessionId::new();
    let (w, r) = (WorkerId::new(), RouterId::new());
    let mut log = Log::new(1);
    log.append(worker(w, owner));
    log.append(router(r, w, owner));
    let events = log.closing(w.into(), CloseCause::Died("test".into()));
    assert_eq!(
        events,
        [
            Event::Closed { id: w.into(), cause: CloseCause::Died("test".into()) },
            Event::Closed { id: r.into(), cause: CloseCause::WorkerClosed },
        ]
    );
    for event in events {
        log.append(event);
    }
    assert!(ids(&log.snapshot(&Scope::All)).is_empty());
}

#[test]
fn a_session_goes_on_seeing_what_it_has_detached() {
    let owner = SessionId::new();
    let w = WorkerId::new();
    let mut log = Log::new(1);
    log.append(worker(w, owner));
    log.append(Event::Detached { id: w.into() });
    assert!(matches!(newest(&log, owner).as_slice(), [Update::Event { .. }]));
    assert_eq!(ids(&log.snapshot(&Scope::Session(owner))), [w.into()]);
    log.append(Event::Closed { id: w.into(), cause: CloseCause::Requested });
    assert!(matches!(newest(&log, owner).as_slice(), [Update::Event { .. }]));
}

#[test]
fn what_an_owned_object_lives_in_is_in_scope_while_it_does() {
    let (mine, other) = (SessionId::new(), SessionId::new());
    let (w, r1, r2) = (WorkerId::new(), RouterId::new(), RouterId::new());
    let mut log = Log::new(1);
    log.append(worker(w, other));
    assert!(matches!(newest(&log, mine).as_slice(), [Update::Reached { .. }]));
    let before = log.position();
    log.append(router(r1, w, mine));
    let [snapshot] = newest(&log, mine).try_into().unwrap();
    assert_eq!(ids(&snapshot), [w.into(), r1.into()], "the Worker before the Router");
    assert!(log.since(before, &Scope::Session(mine)).is_none(), "what was missed is more than events");
    assert!(log.since(before, &Scope::Session(other)).is_some());
    log.append(router(r2, w, mine));
    assert!(matches!(newest(&log, mine).as_slice(), [Update::Event { .. }]), "the Worker is known");
    log.append(Event::Closed { id: r1.into(), cause: CloseCause::Requested });
    assert!(matches!(newest(&log, mine).as_slice(), [Update::Event { .. }]));
    log.append(Event::Closed { id: r2.into(), cause: CloseCause::Requested });
    let [event, snapshot] = newest(&log, mine).try_into().unwrap();
    assert!(matches!(event, Update::Event { event: Event::Closed { .. }, .. }), "with its cause");
    assert!(ids(&snapshot).is_empty());
    assert_eq!(ids(&log.snapshot(&Scope::Session(other))), [w.into()]);
}

#[test]
fn a_server_is_in_scope_of_who_has_a_transport_on_it() {
    let (mine, other) = (SessionId::new(), SessionId::new());
    let (w, s, r, t) = (WorkerId::new(), WebRtcServerId::new(), RouterId::new(), TransportId::new());
    let mut log = Log::new(1);
    log.append(worker(w, other));
    log.append(server(s, w, other));
    log.append(router(r, w, mine));
    assert_eq!(ids(&log.snapshot(&Scope::Session(mine))), [w.into(), r.into()]);
    log.append(transport_on(t, r, Some(s), mine));
    let [snapshot] = newest(&log, mine).try_into().unwrap();
    assert_eq!(ids(&snapshot), [w.into(), s.into(), r.into(), t.into()], "the server before its Transport");
    log.append(Event::Closed { id: s.into(), cause: CloseCause::Requested });
    assert!(matches!(newest(&log, mine).as_slice(), [Update::Event { .. }]));
    log.append(Event::Closed { id: t.into(), cause: CloseCause::WebRtcServerClosed });
    assert_eq!(ids(&log.snapshot(&Scope::Session(mine))), [w.into(), r.into()]);
}

#[test]
fn a_workers_end_ends_its_servers() {
    let owner = SessionId::new();
    let (w, s, r, t) = (WorkerId::new(), WebRtcServerId::new(), RouterId::new(), TransportId::new());
    let mut log = Log::new(1);
    for event in
        [worker(w, owner), server(s, w, owner), router(r, w, owner), transport_on(t, r, Some(s), owner)]
    {
        log.append(event);
    }
    let closed = |id, cause| Event::Closed { id, cause };
    assert_eq!(
        log.closing(w.into(), CloseCause::Requested),
        [
            closed(w.into(), CloseCause::Requested),
            closed(s.into(), CloseCause::WorkerClosed),
            closed(r.into(), CloseCause::WorkerClosed),
            closed(t.into(), CloseCause::RouterClosed),
        ]
    );
}

#[test]
fn who_watches_routers_hears_of_the_end_of_all_that_lived_in_them() {
    let owner = SessionId::new();
    let (w, r, t) = (WorkerId::new(), RouterId::new(), TransportId::new());
    let mut log = Log::new(1);
    log.append(worker(w, owner));
    log.append(router(r, w, owner));
    log.append(transport(t, r, owner));
    let scope = Scope::Routers(vec![r]);
    assert_eq!(ids(&log.snapshot(&scope)), [r.into(), t.into()]);
    for event in log.closing(w.into(), CloseCause::Requested) {
        let hears = event.subject() != w.into();
        log.append(event);
        assert_eq!(matches!(log.newest_for(&scope).next(), Some(Update::Event { .. })), hears);
    }
}
