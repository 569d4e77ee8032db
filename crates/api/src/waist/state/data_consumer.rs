//! What is known of a DataConsumer.

use std::sync::Arc;

use super::{ChannelNames, Described, Origin};
use crate::data_consumer::DataConsumerType;
use crate::id::{DataConsumerId, DataProducerId, ObjectId, TransportId};
use crate::waist::Event;

/// A DataConsumer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DataConsumerState {
    /// Its id.
    pub id: DataConsumerId,
    /// Who made it.
    pub origin: Origin,
    /// The Transport that it goes out through.
    pub transport: TransportId,
    /// The DataProducer that it consumes.
    pub data_producer: DataProducerId,
    /// How it goes out.
    pub r#type: DataConsumerType,
    /// What it is called: as its DataProducer.
    pub names: Arc<ChannelNames>,
    /// What it has subscribed to, in order.
    pub subchannels: Arc<[u16]>,
    /// Whether it is paused itself.
    pub paused: bool,
    /// Whether its DataProducer is paused.
    pub data_producer_paused: bool,
}

impl Described for DataConsumerState {
    fn id(&self) -> ObjectId {
        self.id.into()
    }

    fn parent(&self) -> Option<ObjectId> {
        Some(self.transport.into())
    }

    fn origin(&self) -> &Origin {
        &self.origin
    }

    fn origin_mut(&mut self) -> &mut Origin {
        &mut self.origin
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::DataConsumerPaused { .. } => self.paused = true,
            Event::DataConsumerResumed { .. } => self.paused = false,
            Event::DataConsumerDataProducerPaused { .. } => self.data_producer_paused = true,
            Event::DataConsumerDataProducerResumed { .. } => self.data_producer_paused = false,
            Event::SubchannelsChanged { subchannels, .. } => self.subchannels.clone_from(subchannels),
            _ => {}
        }
    }
}
