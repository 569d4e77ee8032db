use mafalda_api::id::WorkerId;
use mafalda_api::types::rtp_parameters::RtpCapabilitiesFinalized;
use mafalda_api::waist::{Origin, RouterState, WorkerState};

use super::*;

fn origin(owner: SessionId) -> Origin {
    Origin { owner: Some(owner), ..Origin::default() }
}

fn worker(id: WorkerId, owner: SessionId) -> Event {
    Event::Appeared(ObjectState::Worker(WorkerState { id, origin: origin(owner) }))
}

fn router(id: RouterId, worker: WorkerId, owner: SessionId) -> Event {
    let rtp_capabilities = RtpCapabilitiesFinalized::default();
    Event::Appeared(ObjectState::Router(RouterState { id, origin: origin(owner), worker, rtp_capabilities }))
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
    assert!(matches!(log.newest_for(&Scope::Session(owner)), Update::Event { .. }));
    assert_eq!(ids(&log.snapshot(&Scope::Session(owner))), [w.into()]);
    log.append(Event::Closed { id: w.into(), cause: CloseCause::Requested });
    assert!(matches!(log.newest_for(&Scope::Session(owner)), Update::Event { .. }));
}
