//! What happens to an object, as an ordered stream, beside the callbacks.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;

use crate::waist::Event;

/// Events that wait for a slow reader before the next ones are only counted. Larger bridges longer stalls; smaller keeps
/// less for readers that never come back: 256 events are a few seconds of a large room.
pub const EVENTS_MAX: usize = 256;

/// What a [`Subscription`] yields.
#[derive(Clone, PartialEq, Debug)]
pub enum Observed {
    /// Something happened.
    Event(Event),
    /// Events at this place were left out: the reader was too slow, or events that pass by came faster than the backend tells
    /// them (then only [`WorkerManager::events`](crate::worker_manager::WorkerManager::events) says so: it isn't known whose they
    /// were). What handles say is right all the same.
    Lagged {
        /// How many.
        missed: u64,
    },
}

/// Events of one handle's object, and [`Event::Appeared`] of what is created in it; in order. It ends after the object's
/// [`Event::Closed`], or when no handle is left.
#[must_use = "events are for who reads them"]
pub struct Subscription(Arc<Subscriber>);

impl Subscription {
    /// The next event; `None` at the end.
    pub async fn next(&mut self) -> Option<Observed> {
        poll_fn(|cx| self.0.poll(cx)).await
    }
}

impl Stream for Subscription {
    type Item = Observed;
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Observed>> {
        self.0.poll(cx)
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subscription")
    }
}

/// Who wants an object's events; `None` when there won't be any more.
pub(crate) struct Subscribers(Mutex<Option<Vec<Weak<Subscriber>>>>);

impl Default for Subscribers {
    fn default() -> Self {
        Self(Mutex::new(Some(Vec::new())))
    }
}

impl Subscribers {
    pub(crate) fn subscribe(&self) -> Subscription {
        let subscriber = Arc::new(Subscriber::default());
        match self.0.lock().expect("no holder panics").as_mut() {
            Some(subscribers) => {
                subscribers.retain(|subscriber| subscriber.strong_count() > 0);
                subscribers.push(Arc::downgrade(&subscriber));
            }
            None => subscriber.end(),
        }
        Subscription(subscriber)
    }

    pub(crate) fn publish(&self, event: &Event) {
        for subscriber in self.present() {
            subscriber.push(event.clone());
        }
    }

    /// Events were left out before they came here.
    pub(crate) fn miss(&self, events: u64) {
        for subscriber in self.present() {
            subscriber.miss(events);
        }
    }

    /// Whether publishing would be for nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.present().is_empty()
    }

    /// No events come any more.
    pub(crate) fn end(&self) {
        let subscribers = self.present();
        *self.0.lock().expect("no holder panics") = None;
        subscribers.iter().for_each(|subscriber| subscriber.end());
    }

    fn present(&self) -> Vec<Arc<Subscriber>> {
        let subscribers = self.0.lock().expect("no holder panics");
        subscribers.iter().flatten().filter_map(Weak::upgrade).collect()
    }
}

impl Drop for Subscribers {
    fn drop(&mut self) {
        self.end();
    }
}

/// What waits for one reader.
#[derive(Default)]
struct Subscriber(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    events: VecDeque<Observed>,
    missed: u64,
    ended: bool,
    waker: Option<Waker>,
}

impl Subscriber {
    fn push(&self, event: Event) {
        self.change(|waiting| waiting.push(event));
    }

    fn miss(&self, events: u64) {
        self.change(|waiting| waiting.missed += events);
    }

    fn end(&self) {
        self.change(|waiting| waiting.ended = true);
    }

    fn change(&self, change: impl FnOnce(&mut Waiting)) {
        let waker = {
            let mut waiting = self.0.lock().expect("no holder panics");
            change(&mut waiting);
            waiting.waker.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }

    fn poll(&self, cx: &mut Context<'_>) -> Poll<Option<Observed>> {
        let mut waiting = self.0.lock().expect("no holder panics");
        if let Some(observed) = waiting.pop() {
            return Poll::Ready(Some(observed));
        }
        if waiting.ended {
            return Poll::Ready(None);
        }
        let before = waiting.waker.replace(cx.waker().clone());
        drop(waiting);
        drop(before);
        Poll::Pending
    }
}

impl Waiting {
    fn push(&mut self, event: Event) {
        // The end is told to everyone, in one place more than the bound.
        let is_end = matches!(event, Event::Closed { .. });
        if self.events.len() >= EVENTS_MAX && !is_end {
            self.missed += 1;
            return;
        }
        self.tell_missed();
        self.events.push_back(Observed::Event(event));
    }

    fn pop(&mut self) -> Option<Observed> {
        if self.events.is_empty() {
            self.tell_missed();
        }
        self.events.pop_front()
    }

    fn tell_missed(&mut self) {
        let missed = std::mem::take(&mut self.missed);
        if missed > 0 {
            self.events.push_back(Observed::Lagged { missed });
        }
    }
}
