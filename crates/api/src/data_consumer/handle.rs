//! The handle of a DataConsumer.

use std::fmt;
use std::sync::Arc;

use event_listener_primitives::HandlerId;

use super::{DataConsumerDump, DataConsumerStat, DataConsumerType};
use crate::callbacks::Notice;
use crate::error::RequestError;
use crate::handle::{Handle, WeakHandle, by_parent, handle_methods};
use crate::id::{DataConsumerId, DataProducerId};
use crate::link::Link;
use crate::mirror::Mirrored;
use crate::transport::{self, Transport};
use crate::types::data_structures::WebRtcMessage;
use crate::waist::{
    AddSubchannel, BufferedAmount, CloseCause, DataConsumerState, Done, DumpDataConsumer, Event,
    GetBufferedAmount, GetDataConsumerStats, PauseDataConsumer, RemoveSubchannel, ResumeDataConsumer,
    SetBufferedAmountLowThreshold, SetSubchannels,
};

/// One DataProducer's messages, sent on. Clones are the same DataConsumer; it keeps its Transport, not its DataProducer.
#[derive(Clone)]
#[non_exhaustive]
pub enum DataConsumer {
    /// One that the application gets the messages of, of a DirectTransport.
    Direct(DirectDataConsumer),
}

/// What is special about DataConsumers of DirectTransports: nothing. All that can be done with one is what can be done with any
/// [`DataConsumer`].
#[derive(Clone)]
pub struct DirectDataConsumer {
    handle: Handle,
    transport: Arc<dyn Transport>,
}

impl From<DirectDataConsumer> for DataConsumer {
    fn from(data_consumer: DirectDataConsumer) -> Self {
        Self::Direct(data_consumer)
    }
}

impl DataConsumer {
    handle_methods!("DataConsumer", DataConsumerId, DataConsumer, handle());

    pub(crate) fn of(link: &Arc<Link>, entry: &Arc<Mirrored>) -> Option<Self> {
        let transport = transport::any_of(link, entry.parent()?)?;
        Some(Self::from_handle(Handle::of(link, entry), transport))
    }

    pub(crate) fn from_handle(handle: Handle, transport: Arc<dyn Transport>) -> Self {
        Self::Direct(DirectDataConsumer { handle, transport })
    }

    fn handle(&self) -> &Handle {
        let Self::Direct(it) = self;
        &it.handle
    }

    /// What it consumes.
    #[must_use]
    pub fn data_producer_id(&self) -> DataProducerId {
        self.with(|state| state.data_producer)
    }

    /// The Transport that it goes out through.
    #[must_use]
    pub fn transport(&self) -> &Arc<dyn Transport> {
        let Self::Direct(it) = self;
        &it.transport
    }

    /// How its messages go out.
    #[must_use]
    pub fn r#type(&self) -> DataConsumerType {
        self.with(|state| state.r#type)
    }

    /// Whether it is paused itself.
    #[must_use]
    pub fn paused(&self) -> bool {
        self.with(|state| state.paused)
    }

    /// Whether its DataProducer is paused.
    #[must_use]
    pub fn producer_paused(&self) -> bool {
        self.with(|state| state.data_producer_paused)
    }

    /// Its DataProducer's label. Not to be taken for [`DataConsumer::labels`], which every object has.
    #[must_use]
    pub fn label(&self) -> &String {
        &self.handle().fixed().names().label
    }

    /// Its DataProducer's protocol.
    #[must_use]
    pub fn protocol(&self) -> &String {
        &self.handle().fixed().names().protocol
    }

    /// What it has subscribed to, in order.
    #[must_use]
    pub fn subchannels(&self) -> Vec<u16> {
        self.with(|state| state.subchannels.to_vec())
    }

    /// Tells what it is.
    ///
    /// # Errors
    ///
    /// When it is gone, or the backend is.
    pub async fn dump(&self) -> Result<DataConsumerDump, RequestError> {
        self.handle().link().run(DumpDataConsumer { id: self.id() }).await
    }

    /// Tells what went out; one entry.
    ///
    /// # Errors
    ///
    /// When it is gone, or the backend is.
    pub async fn get_stats(&self) -> Result<Vec<DataConsumerStat>, RequestError> {
        self.handle().link().run(GetDataConsumerStats { id: self.id() }).await
    }

    /// Stops sending.
    ///
    /// # Errors
    ///
    /// When it is gone, or the backend is.
    pub async fn pause(&self) -> Result<(), RequestError> {
        let Done = self.handle().link().run(PauseDataConsumer { id: self.id() }).await?;
        Ok(())
    }

    /// Sends again.
    ///
    /// # Errors
    ///
    /// When it is gone, or the backend is.
    pub async fn resume(&self) -> Result<(), RequestError> {
        let Done = self.handle().link().run(ResumeDataConsumer { id: self.id() }).await?;
        Ok(())
    }

    /// Tells how many bytes wait to be sent over SCTP.
    ///
    /// # Errors
    ///
    /// When its messages go to the application, as in mediasoup, it is gone, or the backend is.
    pub async fn get_buffered_amount(&self) -> Result<u32, RequestError> {
        let BufferedAmount(bytes) = self.handle().link().run(GetBufferedAmount { id: self.id() }).await?;
        Ok(bytes)
    }

    /// Sets at how many bytes that wait to be sent over SCTP it is told that few are left.
    ///
    /// # Errors
    ///
    /// When its messages go to the application, as in mediasoup, it is gone, or the backend is.
    pub async fn set_buffered_amount_low_threshold(&self, threshold: u32) -> Result<(), RequestError> {
        let operation = SetBufferedAmountLowThreshold { id: self.id(), threshold };
        let Done = self.handle().link().run(operation).await?;
        Ok(())
    }

    /// Subscribes to these subchannels in place of those from before.
    ///
    /// # Errors
    ///
    /// When it is gone, or the backend is.
    pub async fn set_subchannels(&self, subchannels: Vec<u16>) -> Result<(), RequestError> {
        let Done = self.handle().link().run(SetSubchannels { id: self.id(), subchannels }).await?;
        Ok(())
    }

    /// Subscribes to a subchannel. To have subscribed already is no error.
    ///
    /// # Errors
    ///
    /// When it is gone, or the backend is.
    pub async fn add_subchannel(&self, subchannel: u16) -> Result<(), RequestError> {
        let Done = self.handle().link().run(AddSubchannel { id: self.id(), subchannel }).await?;
        Ok(())
    }

    /// Subscribes to a subchannel no longer. Not to have subscribed is no error.
    ///
    /// # Errors
    ///
    /// When it is gone, or the backend is.
    pub async fn remove_subchannel(&self, subchannel: u16) -> Result<(), RequestError> {
        let Done = self.handle().link().run(RemoveSubchannel { id: self.id(), subchannel }).await?;
        Ok(())
    }

    /// Calls back with each message, where its Transport is a DirectTransport. A callback that is too slow loses some: they count in the
    /// statistics.
    pub fn on_message<F: Fn(&WebRtcMessage<'_>) + Send + Sync + 'static>(&self, callback: F) -> HandlerId {
        self.handle().on_notice(move |notice| {
            if let Notice::Message(message) = notice {
                callback(message);
            }
        })
    }

    /// Calls back when it is paused.
    pub fn on_pause<F: Fn() + Send + Sync + 'static>(&self, callback: F) -> HandlerId {
        self.handle().on_change(move |event| {
            if let Event::DataConsumerPaused { .. } = event {
                callback();
            }
        })
    }

    /// Calls back when it is resumed.
    pub fn on_resume<F: Fn() + Send + Sync + 'static>(&self, callback: F) -> HandlerId {
        self.handle().on_change(move |event| {
            if let Event::DataConsumerResumed { .. } = event {
                callback();
            }
        })
    }

    /// Calls back when its DataProducer is paused.
    pub fn on_data_producer_pause<F: Fn() + Send + Sync + 'static>(&self, callback: F) -> HandlerId {
        self.handle().on_change(move |event| {
            if let Event::DataConsumerDataProducerPaused { .. } = event {
                callback();
            }
        })
    }

    /// Calls back when its DataProducer is resumed.
    pub fn on_data_producer_resume<F: Fn() + Send + Sync + 'static>(&self, callback: F) -> HandlerId {
        self.handle().on_change(move |event| {
            if let Event::DataConsumerDataProducerResumed { .. } = event {
                callback();
            }
        })
    }

    /// Calls back when it closes because its DataProducer did; `on_close` follows.
    pub fn on_data_producer_close<F: FnOnce() + Send + 'static>(&self, callback: F) -> HandlerId {
        self.handle().on_closing(|cause| *cause == CloseCause::DataProducerClosed, callback)
    }

    /// Calls back when it closes because its Transport did; `on_close` follows.
    pub fn on_transport_close<F: FnOnce() + Send + 'static>(&self, callback: F) -> HandlerId {
        self.handle().on_closing(by_parent, callback)
    }

    /// A handle that keeps nothing alive.
    #[must_use]
    pub fn downgrade(&self) -> WeakDataConsumer {
        WeakDataConsumer(self.handle().downgrade())
    }

    fn with<R>(&self, read: impl FnOnce(&DataConsumerState) -> R) -> R {
        self.handle().with(read)
    }
}

impl fmt::Debug for DirectDataConsumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle.fmt(f)
    }
}

impl fmt::Debug for DataConsumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle().fmt(f)
    }
}

/// A [`DataConsumer`] that is not kept alive.
#[derive(Clone, Debug)]
pub struct WeakDataConsumer(WeakHandle);

impl WeakDataConsumer {
    /// The handle, while another one is there.
    #[must_use]
    pub fn upgrade(&self) -> Option<DataConsumer> {
        let handle = self.0.upgrade()?;
        DataConsumer::of(handle.link(), handle.entry())
    }
}
