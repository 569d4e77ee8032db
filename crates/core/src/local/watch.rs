//! One watcher's queue: bounded, and replaced by a snapshot when it overflows. Events that only pass by have a bound of their own:
//! they are left out and counted when there are too many, and never cost anybody a snapshot.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use mafalda_api::id::WorkerId;
use mafalda_api::waist::{Event, Scope, Update};

use super::log::Log;

/// Updates that wait for a watcher. Past that a snapshot is cheaper than catching up.
const WATCH_UPDATES_MAX: usize = 1024;

/// Passing events that wait for a watcher. Larger bridges longer stalls of who reads; smaller keeps less for one that never comes
/// back: at some two hundred bytes each this is a fifth of a megabyte per watcher.
const PASSING_MAX: usize = 1024;

/// The end that the control thread feeds.
#[derive(Debug)]
pub(crate) struct Watcher {
    scope: Scope,
    queue: Arc<Mutex<Queue>>,
}

/// The end that a mirror reads.
#[derive(Debug)]
pub(crate) struct WatchStream {
    queue: Arc<Mutex<Queue>>,
}

#[derive(Debug, Default)]
struct Queue {
    updates: VecDeque<Update>,
    /// How many of them are passing events, or tell how many are missing.
    passing: usize,
    /// Passing events that were left out behind the last update, or among those that gave way to a snapshot.
    missed: u64,
    waker: Option<Waker>,
    ended: bool,
}

/// A watcher of a scope and its stream.
pub(crate) fn watch(scope: Scope) -> (Watcher, WatchStream) {
    let queue = Arc::<Mutex<Queue>>::default();
    (Watcher { scope, queue: queue.clone() }, WatchStream { queue })
}

impl Watcher {
    pub(crate) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Whether nobody reads the stream any more.
    pub(crate) fn is_abandoned(&self) -> bool {
        Arc::strong_count(&self.queue) == 1
    }

    /// Tells what the log's newest event means here.
    pub(crate) fn on_appended(&self, log: &Log) {
        self.push(log.newest_for(&self.scope), log);
    }

    /// Tells of an event that only passes by, if its object is in scope.
    pub(crate) fn on_passing(&self, event: &Event, log: &Log) {
        if log.shows(event.subject(), &self.scope) {
            let mut queue = self.queue.lock().expect("no holder panics");
            queue.pass(event);
            queue.wake();
        }
    }

    /// Tells that a Worker has left passing events out, if that is in scope.
    pub(crate) fn on_missed(&self, worker: WorkerId, events: u64, log: &Log) {
        if log.shows(worker.into(), &self.scope) {
            let mut queue = self.queue.lock().expect("no holder panics");
            queue.missed += events;
            queue.wake();
        }
    }

    /// Puts updates behind what waits; all that waits gives way to a snapshot when it would be too much.
    pub(crate) fn push(&self, updates: impl IntoIterator<Item = Update>, log: &Log) {
        let mut queue = self.queue.lock().expect("no holder panics");
        for update in updates {
            queue.push(update);
        }
        if queue.updates.len() - queue.passing > WATCH_UPDATES_MAX {
            queue.clear();
            queue.updates.push_back(log.snapshot(&self.scope));
        }
        queue.wake();
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let mut queue = self.queue.lock().expect("no holder panics");
        queue.ended = true;
        queue.wake();
    }
}

impl Queue {
    /// A newer `Reached` makes the one before it superfluous.
    fn push(&mut self, update: Update) {
        if matches!(update, Update::Reached { .. })
            && matches!(self.updates.back(), Some(Update::Reached { .. }))
        {
            self.updates.pop_back();
        }
        self.updates.push_back(update);
    }

    fn pass(&mut self, event: &Event) {
        if self.passing >= PASSING_MAX {
            self.missed += 1;
            return;
        }
        if let Some(missed) = self.take_missed() {
            self.updates.push_back(missed);
            self.passing += 1;
        }
        self.updates.push_back(Update::Passing { event: event.clone() });
        self.passing += 1;
    }

    fn pop(&mut self) -> Option<Update> {
        let update = self.updates.pop_front();
        if let Some(Update::Passing { .. } | Update::Missed { .. }) = update {
            self.passing -= 1;
        }
        update.or_else(|| self.take_missed())
    }

    /// A snapshot will make up for all but what only passed by.
    fn clear(&mut self) {
        for update in self.updates.drain(..) {
            self.missed += match update {
                Update::Passing { .. } => 1,
                Update::Missed { events } => events,
                _ => 0,
            };
        }
        self.passing = 0;
    }

    fn take_missed(&mut self) -> Option<Update> {
        let events = std::mem::take(&mut self.missed);
        (events > 0).then_some(Update::Missed { events })
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl Stream for WatchStream {
    type Item = Update;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Update>> {
        let mut queue = self.queue.lock().expect("no holder panics");
        match queue.pop() {
            Some(update) => Poll::Ready(Some(update)),
            None if queue.ended => Poll::Ready(None),
            None => {
                queue.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use mafalda_api::id::{ProducerId, SessionId, TransportId, WorkerId};
    use mafalda_api::producer::{ProducerTraceEventData, ProducerType};
    use mafalda_api::types::data_structures::TraceEventDirection;
    use mafalda_api::types::rtp_parameters::MediaKind;
    use mafalda_api::waist::{ObjectState, Origin, ProducerState, WorkerState};

    use super::*;

    fn appeared(owner: SessionId) -> Event {
        let origin = Origin { owner: Some(owner), ..Origin::default() };
        Event::Appeared(ObjectState::Worker(Arc::new(WorkerState { id: WorkerId::new(), origin })))
    }

    fn next(stream: &mut WatchStream) -> Poll<Option<Update>> {
        Pin::new(stream).poll_next(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn what_is_out_of_scope_is_merged_into_one_position() {
        let mut log = Log::new(1);
        let (watcher, mut stream) = watch(Scope::Session(SessionId::new()));
        for _ in 0..3 {
            log.append(appeared(SessionId::new()));
            watcher.on_appended(&log);
        }
        assert!(matches!(next(&mut stream), Poll::Ready(Some(Update::Reached { at })) if at.sequence == 3));
        assert!(next(&mut stream).is_pending());
    }

    #[test]
    fn a_watcher_that_is_too_slow_gets_a_snapshot() {
        let owner = SessionId::new();
        let mut log = Log::new(1);
        let (watcher, mut stream) = watch(Scope::Session(owner));
        for _ in 0..=WATCH_UPDATES_MAX {
            log.append(appeared(owner));
            watcher.on_appended(&log);
        }
        let Poll::Ready(Some(Update::Snapshot { at, objects })) = next(&mut stream) else {
            panic!("no snapshot")
        };
        assert_eq!((at.sequence as usize, objects.len()), (WATCH_UPDATES_MAX + 1, WATCH_UPDATES_MAX + 1));
        assert!(next(&mut stream).is_pending());
    }

    fn traced(id: ProducerId) -> Event {
        let trace = ProducerTraceEventData::Nack { timestamp: 0, direction: TraceEventDirection::Out };
        Event::ProducerTraced { id, trace: Arc::new(trace) }
    }

    /// A log with one Producer in it, whose other owners are of no account.
    fn log_with_producer(owner: SessionId) -> (Log, ProducerId) {
        let mut log = Log::new(1);
        let id = ProducerId::new();
        let origin = Origin { owner: Some(owner), ..Origin::default() };
        let state = ProducerState {
            id,
            alias: None,
            origin,
            transport: TransportId::new(),
            kind: MediaKind::Audio,
            r#type: ProducerType::Simple,
            rtp_parameters: Arc::default(),
            consumable_rtp_parameters: Arc::default(),
            paused: false,
            score: Vec::new(),
            video_orientation: None,
        };
        log.append(Event::Appeared(state.into()));
        (log, id)
    }

    #[test]
    fn what_passes_by_goes_to_whose_scope_has_the_object_and_is_not_in_the_log() {
        let owner = SessionId::new();
        let (mut log, id) = log_with_producer(owner);
        let before = log.position();
        let (mine, mut told) = watch(Scope::Session(owner));
        let (other, mut untold) = watch(Scope::Session(SessionId::new()));
        for watcher in [&mine, &other] {
            watcher.on_passing(&traced(id), &log);
            watcher.on_passing(&traced(ProducerId::new()), &log);
        }
        assert!(
            matches!(next(&mut told), Poll::Ready(Some(Update::Passing { event })) if event == traced(id))
        );
        assert!(next(&mut told).is_pending() && next(&mut untold).is_pending());
        assert_eq!(log.position(), before);
        log.append(Event::ProducerPaused { id });
        let missed = log.since(before, &Scope::All).unwrap();
        assert!(matches!(&missed[..], [Update::Event { .. }, Update::Reached { .. }]), "{missed:?}");
    }

    #[test]
    fn a_slow_watcher_misses_what_passes_by_is_told_how_much_and_gets_no_snapshot_for_it() {
        let owner = SessionId::new();
        let (mut log, id) = log_with_producer(owner);
        let (watcher, mut stream) = watch(Scope::All);
        for _ in 0..PASSING_MAX + 5 {
            watcher.on_passing(&traced(id), &log);
        }
        log.append(Event::ProducerPaused { id });
        watcher.on_appended(&log);
        for _ in 0..PASSING_MAX {
            assert!(matches!(next(&mut stream), Poll::Ready(Some(Update::Passing { .. }))));
        }
        watcher.on_passing(&traced(id), &log);
        assert!(matches!(next(&mut stream), Poll::Ready(Some(Update::Event { .. }))));
        assert!(matches!(next(&mut stream), Poll::Ready(Some(Update::Missed { events: 5 }))));
        assert!(matches!(next(&mut stream), Poll::Ready(Some(Update::Passing { .. }))));
        assert!(next(&mut stream).is_pending());
    }

    #[test]
    fn what_a_worker_has_left_out_is_told_to_those_who_see_it() {
        let owner = SessionId::new();
        let (worker, origin) = (WorkerId::new(), Origin { owner: Some(owner), ..Origin::default() });
        let mut log = Log::new(1);
        log.append(Event::Appeared(ObjectState::Worker(Arc::new(WorkerState { id: worker, origin }))));
        let (mine, mut told) = watch(Scope::Session(owner));
        let (other, mut untold) = watch(Scope::Session(SessionId::new()));
        for watcher in [&mine, &other] {
            watcher.on_missed(worker, 3, &log);
            watcher.on_missed(worker, 4, &log);
            watcher.on_missed(WorkerId::new(), 50, &log);
        }
        assert!(matches!(next(&mut told), Poll::Ready(Some(Update::Missed { events: 7 }))));
        assert!(next(&mut told).is_pending() && next(&mut untold).is_pending());
    }

    #[test]
    fn what_gives_way_to_a_snapshot_is_counted_too() {
        let owner = SessionId::new();
        let (mut log, id) = log_with_producer(owner);
        let (watcher, mut stream) = watch(Scope::All);
        for _ in 0..PASSING_MAX + 5 {
            watcher.on_passing(&traced(id), &log);
        }
        for _ in 0..=WATCH_UPDATES_MAX {
            log.append(Event::ProducerPaused { id });
            watcher.on_appended(&log);
        }
        assert!(matches!(next(&mut stream), Poll::Ready(Some(Update::Snapshot { .. }))));
        let all = PASSING_MAX as u64 + 5;
        assert!(matches!(next(&mut stream), Poll::Ready(Some(Update::Missed { events })) if events == all));
        assert!(next(&mut stream).is_pending());
    }

    #[test]
    fn the_stream_ends_with_its_watcher_after_what_was_queued() {
        let mut log = Log::new(1);
        let (watcher, mut stream) = watch(Scope::All);
        log.append(appeared(SessionId::new()));
        watcher.on_appended(&log);
        drop(watcher);
        assert!(matches!(next(&mut stream), Poll::Ready(Some(Update::Event { .. }))));
        assert!(matches!(next(&mut stream), Poll::Ready(None)));
    }
}
