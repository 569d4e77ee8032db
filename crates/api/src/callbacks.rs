//! What an application wants to be called for at one object, in the order in which it said so.
//!
//! The list is our own and not a `Bag`, for two reasons: callbacks keep their order, and a callback that holds the last
//! handle of its own object may be unregistered (a `Bag` drops it under the lock that the object's end then takes).

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, OnceLock, Weak};

use event_listener_primitives::{BagOnce, HandlerId};

use crate::consumer::Consumer;
use crate::data_consumer::DataConsumer;
use crate::data_producer::DataProducer;
use crate::producer::Producer;
use crate::router::{NewRtpObserver, NewTransport, Router};
use crate::types::data_structures::WebRtcMessage;
use crate::waist::{CloseCause, Event};
use crate::webrtc_server::WebRtcServer;
use crate::worker::Worker;

/// What callbacks are called with.
#[derive(Debug)]
pub(crate) enum Notice<'a> {
    /// The object changed.
    Changed(&'a Event),
    /// A Worker was created.
    NewWorker(&'a Worker),
    /// A WebRtcServer was created in this Worker.
    NewWebRtcServer(&'a WebRtcServer),
    /// A Router was created in this Worker.
    NewRouter(&'a Router),
    /// A Transport was created in this Router, or on this WebRtcServer.
    NewTransport(NewTransport<'a>),
    /// An RtpObserver was created in this Router.
    NewRtpObserver(NewRtpObserver<'a>),
    /// A Producer was created on this Transport.
    NewProducer(&'a Producer),
    /// A Consumer was created on this Transport.
    NewConsumer(&'a Consumer),
    /// A DataProducer was created on this Transport.
    NewDataProducer(&'a DataProducer),
    /// A DataConsumer was created on this Transport.
    NewDataConsumer(&'a DataConsumer),
    /// A message of this DataConsumer came out of a DirectTransport.
    Message(&'a WebRtcMessage<'a>),
    /// An RTP packet of this Consumer came out of a DirectTransport.
    Rtp(&'a [u8]),
    /// An RTCP packet came out of this DirectTransport.
    Rtcp(&'a [u8]),
    /// The object was closed from elsewhere; [`Notice::Closed`] follows.
    Closing(&'a CloseCause),
    /// The object is closed.
    Closed,
}

type Callback = Arc<dyn Fn(&Notice<'_>) + Send + Sync>;

/// The callbacks of one object.
#[derive(Default)]
pub(crate) struct Callbacks {
    slots: Mutex<Vec<Arc<Slot>>>,
}

impl Callbacks {
    /// Adds a callback, until the returned id is dropped.
    pub(crate) fn add(&self, callback: impl Fn(&Notice<'_>) + Send + Sync + 'static) -> HandlerId {
        let (slot, id) = Slot::new(Arc::new(callback));
        let mut slots = self.slots.lock().expect("no holder panics");
        slots.retain(|slot| !slot.is_empty());
        slots.push(slot);
        id
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.slots.lock().expect("no holder panics").iter().all(|slot| slot.is_empty())
    }

    /// Calls all; a panic in one is logged and does not reach the others.
    pub(crate) fn call(&self, notice: &Notice<'_>) {
        let callbacks: Vec<Callback> =
            self.slots.lock().expect("no holder panics").iter().filter_map(|slot| slot.callback()).collect();
        for callback in callbacks {
            shielded(|| callback(notice));
        }
    }

    /// Drops all callbacks, so that one that holds a handle of its own object doesn't hold it for ever.
    pub(crate) fn clear(&self) {
        let slots = std::mem::take(&mut *self.slots.lock().expect("no holder panics"));
        drop(slots);
    }
}

impl fmt::Debug for Callbacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Callbacks")
    }
}

/// A callback that runs once, on whichever thread comes first.
pub(crate) struct Once(Mutex<Option<Box<dyn FnOnce() + Send>>>);

impl Once {
    pub(crate) fn new(callback: impl FnOnce() + Send + 'static) -> Self {
        Self(Mutex::new(Some(Box::new(callback))))
    }

    pub(crate) fn run(&self) {
        let callback = self.0.lock().expect("no holder panics").take();
        if let Some(callback) = callback {
            callback();
        }
    }
}

/// Runs an application's code so that its panic does not become ours.
pub(crate) fn shielded(callback: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(callback)) {
        let text =
            panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
        tracing::error!(panic = text.unwrap_or("no text"), "callback panicked");
    }
}

/// One registration. The callback is taken out when its [`HandlerId`] is dropped.
struct Slot {
    callback: Mutex<Option<Callback>>,
    /// Holds the token that the id removes; `HandlerId`s come out of bags only.
    registration: OnceLock<BagOnce<Token>>,
}

impl Slot {
    fn new(callback: Callback) -> (Arc<Self>, HandlerId) {
        let slot = Arc::new(Self { callback: Mutex::new(Some(callback)), registration: OnceLock::new() });
        let id = slot.registration.get_or_init(BagOnce::default).add(Token(Arc::downgrade(&slot)));
        (slot, id)
    }

    fn callback(&self) -> Option<Callback> {
        self.callback.lock().expect("no holder panics").clone()
    }

    fn is_empty(&self) -> bool {
        self.callback.lock().expect("no holder panics").is_none()
    }
}

struct Token(Weak<Slot>);

impl Drop for Token {
    fn drop(&mut self) {
        let Some(slot) = self.0.upgrade() else { return };
        let callback = slot.callback.lock().expect("no holder panics").take();
        drop(callback);
    }
}
