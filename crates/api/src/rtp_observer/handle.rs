//! What the handles of all kinds of RtpObservers do alike.

use std::sync::Arc;

use event_listener_primitives::HandlerId;

use super::{Kind, RtpObserver, RtpObserverAddProducerOptions};
use crate::error::RequestError;
use crate::handle::{Handle, by_parent};
use crate::id::{ObjectId, ProducerId, RtpObserverId};
use crate::labels::Labels;
use crate::link::Link;
use crate::producer::Producer;
use crate::router::Router;
use crate::subscription::Subscription;
use crate::types::data_structures::AppData;
use crate::waist::{
    AddObservedProducer, BoxFuture, Done, Event, Operation, PauseRtpObserver, RemoveObservedProducer,
    ResumeRtpObserver, RtpObserverState,
};

impl<T: Kind> RtpObserver for T {
    fn id(&self) -> RtpObserverId {
        match self.handle().entry().id() {
            ObjectId::RtpObserver(id) => id,
            _ => unreachable!("a handle's entry is of its kind"),
        }
    }

    fn router(&self) -> &Router {
        self.home()
    }

    fn paused(&self) -> bool {
        self.handle().with(|state: &RtpObserverState| state.paused)
    }

    fn app_data(&self) -> &AppData {
        &self.handle().fixed().app_data
    }

    fn labels(&self) -> &Labels {
        &self.handle().fixed().labels
    }

    fn closed(&self) -> bool {
        self.handle().closed()
    }

    fn close(&self) {
        self.handle().close();
    }

    fn detach(&self) {
        self.handle().detach();
    }

    fn is_owner(&self) -> bool {
        self.handle().is_owner()
    }

    fn claim(&self) -> bool {
        self.handle().claim()
    }

    fn events(&self) -> Subscription {
        self.handle().events()
    }

    fn pause(&self) -> BoxFuture<'_, Result<(), RequestError>> {
        done(self.handle(), PauseRtpObserver { id: self.id() })
    }

    fn resume(&self) -> BoxFuture<'_, Result<(), RequestError>> {
        done(self.handle(), ResumeRtpObserver { id: self.id() })
    }

    fn add_producer(
        &self,
        rtp_observer_add_producer_options: RtpObserverAddProducerOptions,
    ) -> BoxFuture<'_, Result<(), RequestError>> {
        let RtpObserverAddProducerOptions { producer_id } = rtp_observer_add_producer_options;
        done(self.handle(), AddObservedProducer { id: self.id(), producer: producer_id })
    }

    fn remove_producer(&self, producer_id: ProducerId) -> BoxFuture<'_, Result<(), RequestError>> {
        done(self.handle(), RemoveObservedProducer { id: self.id(), producer: producer_id })
    }

    fn on_pause(&self, callback: Box<dyn Fn() + Send + Sync>) -> HandlerId {
        self.handle().on_change(move |event| {
            if let Event::RtpObserverPaused { .. } = event {
                callback();
            }
        })
    }

    fn on_resume(&self, callback: Box<dyn Fn() + Send + Sync>) -> HandlerId {
        self.handle().on_change(move |event| {
            if let Event::RtpObserverResumed { .. } = event {
                callback();
            }
        })
    }

    fn on_add_producer(&self, callback: Box<dyn Fn(&Producer) + Send + Sync>) -> HandlerId {
        let find = producers(self.handle().link());
        self.handle().on_change(move |event| {
            if let Event::RtpObserverProducerAdded { producer, .. } = event
                && let Some(producer) = find(*producer)
            {
                callback(&producer);
            }
        })
    }

    fn on_remove_producer(&self, callback: Box<dyn Fn(&Producer) + Send + Sync>) -> HandlerId {
        let find = producers(self.handle().link());
        self.handle().on_change(move |event| {
            if let Event::RtpObserverProducerRemoved { producer, .. } = event
                && let Some(producer) = find(*producer)
            {
                callback(&producer);
            }
        })
    }

    fn on_router_close(&self, callback: Box<dyn FnOnce() + Send>) -> HandlerId {
        self.handle().on_closing(by_parent, callback)
    }

    fn on_close(&self, callback: Box<dyn FnOnce() + Send>) -> HandlerId {
        self.handle().on_close(callback)
    }
}

fn done<O>(handle: &Handle, operation: O) -> BoxFuture<'_, Result<(), RequestError>>
where
    O: Operation<Reply = Done, Error = RequestError> + 'static,
{
    Box::pin(async move {
        let Done = handle.link().run(operation).await?;
        Ok(())
    })
}

/// Finds Producers for callbacks, which must not keep the link that keeps them.
pub(crate) fn producers(link: &Arc<Link>) -> impl Fn(ProducerId) -> Option<Producer> + Send + Sync + use<> {
    let link = Arc::downgrade(link);
    move |id| {
        let link = link.upgrade()?;
        let entry = link.mirror.find(id)?;
        Producer::of(&link, &entry)
    }
}
