//! What all kinds of RtpObservers have in common: they listen to Producers of their Router and tell what they hear.

pub(crate) mod handle;

use std::fmt;

use event_listener_primitives::HandlerId;

use crate::error::RequestError;
use crate::handle::Handle;
use crate::id::ProducerId;
pub use crate::id::RtpObserverId;
use crate::labels::Labels;
use crate::producer::Producer;
use crate::router::Router;
use crate::subscription::Subscription;
use crate::types::data_structures::AppData;
use crate::waist::BoxFuture;

/// Any kind of RtpObserver. Sealed: the platform alone makes RtpObservers.
pub trait RtpObserver: fmt::Debug + Send + Sync + sealed::Sealed {
    /// The RtpObserver's id.
    fn id(&self) -> RtpObserverId;

    /// The Router whose Producers it listens to.
    fn router(&self) -> &Router;

    /// Whether it is paused.
    fn paused(&self) -> bool;

    /// What stays with the RtpObserver in this process; empty if it was created elsewhere.
    fn app_data(&self) -> &AppData;

    /// What travels with the RtpObserver.
    fn labels(&self) -> &Labels;

    /// Whether the RtpObserver is closed.
    fn closed(&self) -> bool;

    /// Closes the RtpObserver, at once: never blocks, and runs `on_close`.
    fn close(&self);

    /// Leaves the RtpObserver running, without an owner, when the last handle goes.
    fn detach(&self);

    /// Whether the RtpObserver closes when the last handle of this process goes.
    fn is_owner(&self) -> bool;

    /// Makes this and all other handles of the object in this process its owners, if it belongs to this process's session.
    /// Says whether they are.
    fn claim(&self) -> bool;

    /// What happens to the RtpObserver from now on, in order.
    fn events(&self) -> Subscription;

    /// Stops listening. Fails when it is gone, or the backend is.
    fn pause(&self) -> BoxFuture<'_, Result<(), RequestError>>;

    /// Listens again. Fails when it is gone, or the backend is.
    fn resume(&self) -> BoxFuture<'_, Result<(), RequestError>>;

    /// Listens to a Producer; does nothing if it does already. A Producer that closes is removed.
    ///
    /// Fails with [`RequestError::NotFound`] when its Router has no such Producer, with [`RequestError::Unsupported`] when
    /// that is not an audio Producer, with [`RequestError::Overloaded`] when too many listen to it already, and when the
    /// RtpObserver or the backend is gone.
    fn add_producer(
        &self,
        rtp_observer_add_producer_options: RtpObserverAddProducerOptions,
    ) -> BoxFuture<'_, Result<(), RequestError>>;

    /// No longer listens to a Producer; does nothing if it doesn't. Fails when it is gone, or the backend is.
    fn remove_producer(&self, producer_id: ProducerId) -> BoxFuture<'_, Result<(), RequestError>>;

    /// Calls back when it is paused.
    fn on_pause(&self, callback: Box<dyn Fn() + Send + Sync>) -> HandlerId;

    /// Calls back when it is resumed.
    fn on_resume(&self, callback: Box<dyn Fn() + Send + Sync>) -> HandlerId;

    /// Calls back for each Producer that is added, unless that has closed meanwhile.
    fn on_add_producer(&self, callback: Box<dyn Fn(&Producer) + Send + Sync>) -> HandlerId;

    /// Calls back for each Producer that is removed; not for those that close.
    fn on_remove_producer(&self, callback: Box<dyn Fn(&Producer) + Send + Sync>) -> HandlerId;

    /// Calls back when it closes because its Router did; `on_close` follows.
    fn on_router_close(&self, callback: Box<dyn FnOnce() + Send>) -> HandlerId;

    /// Calls back when it closes; at once if it is closed.
    fn on_close(&self, callback: Box<dyn FnOnce() + Send>) -> HandlerId;
}

/// Which Producer is added to an RtpObserver.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RtpObserverAddProducerOptions {
    /// An audio Producer of the RtpObserver's Router.
    pub producer_id: ProducerId,
}

impl RtpObserverAddProducerOptions {
    /// This Producer.
    #[must_use]
    pub fn new(producer_id: ProducerId) -> Self {
        Self { producer_id }
    }
}

pub(crate) mod sealed {
    pub trait Sealed {}
}

/// What each kind of RtpObserver has; all that [`RtpObserver`] offers is made of it.
pub(crate) trait Kind: Clone + fmt::Debug + Send + Sync + 'static {
    fn handle(&self) -> &Handle;
    fn home(&self) -> &Router;
}

impl<T: Kind> sealed::Sealed for T {}
