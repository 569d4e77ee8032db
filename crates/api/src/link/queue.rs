//! Callbacks that wait for the deliver future, in the order in which things happened.
//!
//! Bounded by [`CALLBACKS_MAX`]: from there on, a change takes the place of an earlier change of the same kind at the same
//! object. So there are never more than that many, one per object and kind, and one per DirectTransport; beginnings and ends of objects
//! always stay.
//! Passing events have a bound of their own, [`PASSING_MAX`], and are left out and counted from there on.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::task::Waker;

use crate::id::{ObjectId, ProducerId};
use crate::mirror::Mirrored;
use crate::waist::{CloseCause, Event};

/// Callbacks that wait before changes merge. Larger keeps every single change longer when a callback is slow; smaller merges
/// what a short stall would have let through: 1024 is one change of every object of a large room.
pub(crate) const CALLBACKS_MAX: usize = 1024;

/// Passing events that wait before further ones are left out. Larger bridges longer stalls; smaller keeps less that nobody may
/// want any more: 1024 traced packets are a second of a large video.
pub(crate) const PASSING_MAX: usize = 1024;

/// Something that callbacks may be registered for.
#[derive(Debug)]
pub(crate) enum Item {
    Appeared(Arc<Mirrored>),
    Changed(Arc<Mirrored>, Event),
    Passing(Arc<Mirrored>, Event),
    Closed(Arc<Mirrored>, CloseCause),
    /// Something has come out of this DirectTransport. It is in here once at the most, but for the moment in which it is opened.
    Media(Arc<Mirrored>),
}

#[derive(Default)]
pub(crate) struct Queue(Mutex<State>);

#[derive(Default)]
struct State {
    items: VecDeque<Item>,
    /// Number of the item in front; each next one has the next number.
    first: u64,
    /// The number of the last change of each kind at each object that still waits.
    latest: HashMap<(ObjectId, Change), u64>,
    /// How many of the items are passing events.
    passing: usize,
    /// Passing events that were left out.
    missed: u64,
    waker: Option<Waker>,
    ended: bool,
}

/// What the deliver future finds.
pub(crate) enum Next {
    Item(Item),
    Nothing,
    /// Nothing, and nothing will come.
    Ended,
}

impl Queue {
    pub(crate) fn push(&self, item: Item) {
        let (waker, superfluous) = {
            let mut state = self.0.lock().expect("no holder panics");
            let superfluous = state.push(item);
            (state.waker.take(), superfluous)
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        // Its entry may hold an application's values: not under the lock.
        drop(superfluous);
    }

    pub(crate) fn next(&self) -> Next {
        let mut state = self.0.lock().expect("no holder panics");
        match state.pop() {
            Some(item) => Next::Item(item),
            None if state.ended => Next::Ended,
            None => Next::Nothing,
        }
    }

    /// How many passing events were left out so far.
    pub(crate) fn missed(&self) -> u64 {
        self.0.lock().expect("no holder panics").missed
    }

    /// Who is woken next time.
    pub(crate) fn register(&self, waker: &Waker) {
        let before = self.0.lock().expect("no holder panics").waker.replace(waker.clone());
        drop(before);
    }

    pub(crate) fn wake(&self) {
        let waker = self.0.lock().expect("no holder panics").waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// What waits is still delivered, nothing more comes.
    pub(crate) fn end(&self) {
        self.0.lock().expect("no holder panics").ended = true;
        self.wake();
    }
}

impl State {
    /// Gives back the item that nobody needs: one that has no callback, the change that this one took the place of, or a passing
    /// event too many.
    fn push(&mut self, item: Item) -> Option<Item> {
        if let Item::Changed(entry, event) = &item {
            let Some(change) = Change::of(event) else { return Some(item) };
            let key = (entry.id(), change);
            if self.items.len() - self.passing >= CALLBACKS_MAX
                && let Some(number) = self.latest.get(&key)
            {
                let at = usize::try_from(number - self.first).expect("an item's place in the queue");
                return self.items.get_mut(at).map(|earlier| std::mem::replace(earlier, item));
            }
            self.latest.insert(key, self.first + self.items.len() as u64);
        }
        if let Item::Passing(..) = &item {
            if self.passing == PASSING_MAX {
                self.missed += 1;
                return Some(item);
            }
            self.passing += 1;
        }
        self.items.push_back(item);
        None
    }

    fn pop(&mut self) -> Option<Item> {
        let item = self.items.pop_front()?;
        if let Item::Changed(entry, event) = &item
            && let Some(change) = Change::of(event)
            && self.latest.get(&(entry.id(), change)) == Some(&self.first)
        {
            self.latest.remove(&(entry.id(), change));
        }
        if let Item::Passing(..) = &item {
            self.passing -= 1;
        }
        self.first += 1;
        Some(item)
    }
}

/// What an event changes: of two that change the same, only the last counts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Change {
    Silence,
    IceState,
    IceSelectedTuple,
    DtlsState,
    Tuple,
    RtcpTuple,
    Paused,
    ProducerPaused,
    Score,
    /// Whether an RtpObserver listens to this one.
    Observed(ProducerId),
    DominantSpeaker,
    VideoOrientation,
}

impl Change {
    /// `None` for what has no callback, and for what passes by.
    fn of(event: &Event) -> Option<Self> {
        match event {
            Event::Appeared(_)
            | Event::Closed { .. }
            | Event::Detached { .. }
            | Event::SubchannelsChanged { .. }
            | Event::RtpCapabilitiesChanged { .. }
            | Event::MediaCodecsRefused { .. }
            | Event::IceParametersChanged { .. }
            | Event::DtlsParametersChanged { .. }
            | Event::PlainTransportConnected { .. }
            | Event::TransportTraced { .. }
            | Event::ProducerTraced { .. }
            | Event::ConsumerTraced { .. }
            | Event::Volumes { .. } => None,
            // Told once: who missed it would go on showing somebody who speaks.
            Event::Silence { .. } => Some(Self::Silence),
            Event::TupleChanged { .. } => Some(Self::Tuple),
            Event::RtcpTupleChanged { .. } => Some(Self::RtcpTuple),
            Event::IceStateChanged { .. } => Some(Self::IceState),
            Event::IceSelectedTupleChanged { .. } => Some(Self::IceSelectedTuple),
            Event::DtlsStateChanged { .. } => Some(Self::DtlsState),
            Event::ProducerPaused { .. }
            | Event::ProducerResumed { .. }
            | Event::ConsumerPaused { .. }
            | Event::ConsumerResumed { .. }
            | Event::DataProducerPaused { .. }
            | Event::DataProducerResumed { .. }
            | Event::DataConsumerPaused { .. }
            | Event::DataConsumerResumed { .. }
            | Event::RtpObserverPaused { .. }
            | Event::RtpObserverResumed { .. } => Some(Self::Paused),
            Event::ConsumerProducerPaused { .. }
            | Event::ConsumerProducerResumed { .. }
            | Event::DataConsumerDataProducerPaused { .. }
            | Event::DataConsumerDataProducerResumed { .. } => Some(Self::ProducerPaused),
            Event::ProducerScoreChanged { .. } | Event::ConsumerScoreChanged { .. } => Some(Self::Score),
            Event::RtpObserverProducerAdded { producer, .. }
            | Event::RtpObserverProducerRemoved { producer, .. } => Some(Self::Observed(*producer)),
            Event::ProducerVideoOrientationChanged { .. } => Some(Self::VideoOrientation),
            Event::DominantSpeaker { .. } => Some(Self::DominantSpeaker),
        }
    }
}
