//! One watcher's queue: bounded, and replaced by a snapshot when it overflows.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use mafalda_api::waist::{Scope, Update};

use super::log::Log;

/// Updates that wait for a watcher. Past that a snapshot is cheaper than catching up.
const WATCH_UPDATES_MAX: usize = 1024;

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

    /// Puts updates behind what waits; all that waits gives way to a snapshot when it would be too much.
    pub(crate) fn push(&self, updates: impl IntoIterator<Item = Update>, log: &Log) {
        let mut queue = self.queue.lock().expect("no holder panics");
        for update in updates {
            queue.push(update);
        }
        if queue.updates.len() > WATCH_UPDATES_MAX {
            queue.updates.clear();
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
        match queue.updates.pop_front() {
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
    use mafalda_api::id::{SessionId, WorkerId};
    use mafalda_api::waist::{Event, ObjectState, Origin, WorkerState};

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
