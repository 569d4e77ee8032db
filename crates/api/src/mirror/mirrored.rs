//! One object's entry in the mirror.

use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, OnceLock, RwLock, Weak};

use crate::callbacks::{Callbacks, Notice};
use crate::handle::Hold;
use crate::id::{ObjectId, ProducerId, RouterId};
use crate::labels::Labels;
use crate::link::Port;
use crate::subscription::Subscribers;
use crate::types::data_structures::AppData;
use crate::types::rtp_parameters::RtpParameters;
use crate::waist::{ChannelNames, Event, ObjectState};

/// What is known of one object. It outlives the object for as long as a handle does.
pub(crate) struct Mirrored {
    id: ObjectId,
    above: Above,
    fixed: Fixed,
    state: RwLock<ObjectState>,
    life: AtomicU8,
    hold: Mutex<Weak<Hold>>,
    /// Of DirectTransports that have had a handle.
    port: OnceLock<Box<Port>>,
    pub(crate) callbacks: Callbacks,
    pub(crate) subscribers: Subscribers,
}

/// The entries of what an object lives and dies with.
#[derive(Default)]
pub(crate) struct Above {
    /// `None` where the parent is out of scope: then there are no handles either.
    pub(crate) parent: Option<Arc<Mirrored>>,
    /// Of Transports that listen on one.
    pub(crate) webrtc_server: Option<Arc<Mirrored>>,
}

/// What can't change. It is here beside the state, so that handles can lend it without a lock.
pub(crate) struct Fixed {
    pub(crate) labels: Labels,
    pub(crate) app_data: AppData,
    /// Of Producers and Consumers.
    rtp_parameters: Option<Arc<RtpParameters>>,
    /// Of Producers.
    consumable_rtp_parameters: Option<Arc<RtpParameters>>,
    /// Of DataProducers and DataConsumers.
    names: Option<Arc<ChannelNames>>,
    /// Of Producers that carry on another Router's under its id.
    alias: Option<ProducerId>,
}

/// It exists.
const OPEN: u8 = 0;
/// The backend closed it, callbacks have yet to be told.
const CLOSED: u8 = 1;
/// It was closed here, or callbacks have been told.
const FINISHED: u8 = 2;

impl Mirrored {
    pub(crate) fn new(state: ObjectState, above: Above, app_data: AppData) -> Self {
        Self {
            id: state.id(),
            above,
            fixed: Fixed::new(&state, app_data),
            state: RwLock::new(state),
            life: AtomicU8::new(OPEN),
            hold: Mutex::default(),
            port: OnceLock::new(),
            callbacks: Callbacks::default(),
            subscribers: Subscribers::default(),
        }
    }

    pub(crate) fn id(&self) -> ObjectId {
        self.id
    }

    /// The id that applications know it by: its own, but for Producers that have another's.
    pub(crate) fn known_as(&self) -> ObjectId {
        self.fixed.alias.map_or(self.id, ObjectId::from)
    }

    pub(crate) fn alias(&self) -> Option<ProducerId> {
        self.fixed.alias
    }

    pub(crate) fn parent(&self) -> Option<&Arc<Self>> {
        self.above.parent.as_ref()
    }

    /// Whether this is something of a Transport in that Router.
    pub(crate) fn is_in(&self, router: RouterId) -> bool {
        let home = self.parent().and_then(|transport| transport.parent());
        home.is_some_and(|home| home.id() == router.into())
    }

    pub(crate) fn webrtc_server(&self) -> Option<&Arc<Self>> {
        self.above.webrtc_server.as_ref()
    }

    pub(crate) fn fixed(&self) -> &Fixed {
        &self.fixed
    }

    /// Reads the state. The caller runs nobody else's code in there.
    pub(crate) fn with<R>(&self, read: impl FnOnce(&ObjectState) -> R) -> R {
        read(&self.state.read().expect("no holder panics"))
    }

    pub(crate) fn apply(&self, event: &Event) {
        self.state.write().expect("no holder panics").apply(event);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.life.load(Ordering::Acquire) != OPEN
    }

    /// Whether callbacks have been told of its end.
    pub(crate) fn is_finished(&self) -> bool {
        self.life.load(Ordering::Acquire) == FINISHED
    }

    /// The backend closed it; [`Mirrored::finish`] follows when its turn comes.
    pub(crate) fn closed_by_backend(&self) {
        let _ = self.life.compare_exchange(OPEN, CLOSED, Ordering::AcqRel, Ordering::Acquire);
    }

    /// It is closed here and now, if nobody else was first. Callbacks have yet to be told.
    pub(crate) fn close_here(&self) -> bool {
        self.life.compare_exchange(OPEN, FINISHED, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Tells callbacks of its end, if nobody else was first.
    pub(crate) fn finish(&self) {
        if self.life.swap(FINISHED, Ordering::AcqRel) != FINISHED {
            self.tell_closed();
        }
    }

    /// The way of packets to and from it, if it is open.
    pub(crate) fn port(&self) -> Option<&Port> {
        self.port.get().map(|port| &**port)
    }

    pub(crate) fn port_or(&self, open: impl FnOnce() -> Port) -> &Port {
        self.port.get_or_init(|| Box::new(open()))
    }

    pub(crate) fn tell_closed(&self) {
        self.callbacks.call(&Notice::Closed);
        self.callbacks.clear();
    }

    pub(crate) fn hold(&self) -> Option<Arc<Hold>> {
        self.hold.lock().expect("no holder panics").upgrade()
    }

    pub(crate) fn held_by(&self, hold: &Arc<Hold>) {
        *self.hold.lock().expect("no holder panics") = Arc::downgrade(hold);
    }

    /// The hold that handles share, or a new one.
    pub(crate) fn hold_or(&self, make: impl FnOnce() -> Arc<Hold>) -> Arc<Hold> {
        let mut hold = self.hold.lock().expect("no holder panics");
        hold.upgrade().unwrap_or_else(|| {
            let made = make();
            *hold = Arc::downgrade(&made);
            made
        })
    }
}

impl fmt::Debug for Mirrored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mirrored")
            .field("id", &self.id)
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

impl Fixed {
    fn new(state: &ObjectState, app_data: AppData) -> Self {
        let labels = state.origin().labels.clone();
        let (rtp_parameters, consumable_rtp_parameters) = match state {
            ObjectState::Producer(state) => {
                (Some(state.rtp_parameters.clone()), Some(state.consumable_rtp_parameters.clone()))
            }
            ObjectState::Consumer(state) => (Some(state.rtp_parameters.clone()), None),
            _ => (None, None),
        };
        let names = match state {
            ObjectState::DataProducer(state) => Some(state.names.clone()),
            ObjectState::DataConsumer(state) => Some(state.names.clone()),
            _ => None,
        };
        let alias = match state {
            ObjectState::Producer(state) => state.alias,
            _ => None,
        };
        Self { labels, app_data, rtp_parameters, consumable_rtp_parameters, names, alias }
    }

    pub(crate) fn rtp_parameters(&self) -> &RtpParameters {
        self.rtp_parameters.as_deref().expect("an entry's id names its kind")
    }

    pub(crate) fn names(&self) -> &ChannelNames {
        self.names.as_deref().expect("an entry's id names its kind")
    }

    pub(crate) fn consumable_rtp_parameters(&self) -> &RtpParameters {
        self.consumable_rtp_parameters.as_deref().expect("an entry's id names its kind")
    }
}

/// One kind of object's state in the state of any.
pub(crate) trait Part {
    fn of(state: &ObjectState) -> &Self;
}
