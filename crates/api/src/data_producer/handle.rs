//! The handle of a DataProducer.

use std::fmt;
use std::sync::Arc;

use event_listener_primitives::HandlerId;

use super::{DataProducerDump, DataProducerStat, DataProducerType};
use crate::error::{NotificationError, RequestError};
use crate::handle::{Handle, WeakHandle, by_parent, handle_methods};
use crate::id::DataProducerId;
use crate::link::Link;
use crate::mirror::Mirrored;
use crate::transport::{self, Transport};
use crate::types::data_structures::WebRtcMessage;
use crate::waist::{
    Audience, DataMessage, DataProducerState, Done, DumpDataProducer, Event, GetDataProducerStats, Ingress,
    ObjectState, PauseDataProducer, ResumeDataProducer,
};

/// Messages that are sent into a Router. Clones are the same DataProducer; it keeps its Transport.
#[derive(Clone)]
#[non_exhaustive]
pub enum DataProducer {
    /// One that the application sends, of a DirectTransport.
    Direct(DirectDataProducer),
}

/// A DataProducer of a DirectTransport: the application is its source.
#[derive(Clone)]
pub struct DirectDataProducer {
    handle: Handle,
    transport: Arc<dyn Transport>,
}

impl DirectDataProducer {
    /// Sends a message to the DataProducer's DataConsumers: with `subchannels` to those that have subscribed to one of them, else to all;
    /// of these to those alone that have subscribed to the required subchannel, and have not to the ignored one. It never waits; messages
    /// come in order.
    ///
    /// # Errors
    ///
    /// When it is larger than the Transport's `max_receive_message_size`, as much waits as may, or the DataProducer or the backend is
    /// gone.
    pub fn send(
        &self,
        message: WebRtcMessage<'_>,
        subchannels: Option<Vec<u16>>,
        required_subchannel: Option<u16>,
        ignored_subchannel: Option<u16>,
    ) -> Result<(), NotificationError> {
        let transport = self.handle.entry().parent().ok_or(NotificationError::ChannelClosed)?;
        let max = transport.with(|state| match state {
            ObjectState::DirectTransport(state) => state.max_receive_message_size as usize,
            _ => 0,
        });
        let (ppid, payload) = message.into_ppid_and_payload();
        if payload.len() > max {
            return Err(NotificationError::TooLarge { len: payload.len(), max });
        }
        let message = DataMessage { ppid, payload: payload.into() };
        let subchannels = subchannels.unwrap_or_default();
        let audience = Audience { subchannels, required: required_subchannel, ignored: ignored_subchannel };
        let data_producer = self.handle.with(|state: &DataProducerState| state.id);
        self.handle.send(transport, Ingress::Message { data_producer, message, audience })
    }
}

impl From<DirectDataProducer> for DataProducer {
    fn from(data_producer: DirectDataProducer) -> Self {
        Self::Direct(data_producer)
    }
}

impl DataProducer {
    handle_methods!("DataProducer", DataProducerId, DataProducer, handle());

    pub(crate) fn of(link: &Arc<Link>, entry: &Arc<Mirrored>) -> Option<Self> {
        let transport = transport::any_of(link, entry.parent()?)?;
        Some(Self::from_handle(Handle::of(link, entry), transport))
    }

    pub(crate) fn from_handle(handle: Handle, transport: Arc<dyn Transport>) -> Self {
        Self::Direct(DirectDataProducer { handle, transport })
    }

    fn handle(&self) -> &Handle {
        let Self::Direct(it) = self;
        &it.handle
    }

    /// The Transport that it comes in through.
    #[must_use]
    pub fn transport(&self) -> &Arc<dyn Transport> {
        let Self::Direct(it) = self;
        &it.transport
    }

    /// How its messages come in.
    #[must_use]
    pub fn r#type(&self) -> DataProducerType {
        self.with(|state| state.r#type)
    }

    /// Whether it is paused.
    #[must_use]
    pub fn paused(&self) -> bool {
        self.with(|state| state.paused)
    }

    /// What tells it from other channels, for the application. Not to be taken for [`DataProducer::labels`], which every object has.
    #[must_use]
    pub fn label(&self) -> &String {
        &self.handle().fixed().names().label
    }

    /// What is spoken over it, for the application.
    #[must_use]
    pub fn protocol(&self) -> &String {
        &self.handle().fixed().names().protocol
    }

    /// Tells what it is.
    ///
    /// # Errors
    ///
    /// When it is gone, or the backend is.
    pub async fn dump(&self) -> Result<DataProducerDump, RequestError> {
        self.handle().link().run(DumpDataProducer { id: self.id() }).await
    }

    /// Tells what came in; one entry.
    ///
    /// # Errors
    ///
    /// When it is gone, or the backend is.
    pub async fn get_stats(&self) -> Result<Vec<DataProducerStat>, RequestError> {
        self.handle().link().run(GetDataProducerStats { id: self.id() }).await
    }

    /// Stops what it sends from reaching its DataConsumers.
    ///
    /// # Errors
    ///
    /// When it is gone, or the backend is.
    pub async fn pause(&self) -> Result<(), RequestError> {
        let Done = self.handle().link().run(PauseDataProducer { id: self.id() }).await?;
        Ok(())
    }

    /// Lets what it sends reach its DataConsumers again.
    ///
    /// # Errors
    ///
    /// When it is gone, or the backend is.
    pub async fn resume(&self) -> Result<(), RequestError> {
        let Done = self.handle().link().run(ResumeDataProducer { id: self.id() }).await?;
        Ok(())
    }

    /// Calls back when it is paused.
    pub fn on_pause<F: Fn() + Send + Sync + 'static>(&self, callback: F) -> HandlerId {
        self.handle().on_change(move |event| {
            if let Event::DataProducerPaused { .. } = event {
                callback();
            }
        })
    }

    /// Calls back when it is resumed.
    pub fn on_resume<F: Fn() + Send + Sync + 'static>(&self, callback: F) -> HandlerId {
        self.handle().on_change(move |event| {
            if let Event::DataProducerResumed { .. } = event {
                callback();
            }
        })
    }

    /// Calls back when it closes because its Transport did; `on_close` follows.
    pub fn on_transport_close<F: FnOnce() + Send + 'static>(&self, callback: F) -> HandlerId {
        self.handle().on_closing(by_parent, callback)
    }

    /// A handle that keeps nothing alive.
    #[must_use]
    pub fn downgrade(&self) -> WeakDataProducer {
        WeakDataProducer(self.handle().downgrade())
    }

    fn with<R>(&self, read: impl FnOnce(&DataProducerState) -> R) -> R {
        self.handle().with(read)
    }
}

impl fmt::Debug for DirectDataProducer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle.fmt(f)
    }
}

impl fmt::Debug for DataProducer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle().fmt(f)
    }
}

/// A [`DataProducer`] that is not kept alive.
#[derive(Clone, Debug)]
pub struct WeakDataProducer(WeakHandle);

impl WeakDataProducer {
    /// The handle, while another one is there.
    #[must_use]
    pub fn upgrade(&self) -> Option<DataProducer> {
        let handle = self.0.upgrade()?;
        DataProducer::of(handle.link(), handle.entry())
    }
}
