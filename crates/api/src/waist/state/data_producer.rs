//! What is known of a DataProducer.

use std::sync::Arc;

use super::{Described, Origin};
use crate::data_producer::DataProducerType;
use crate::id::{DataProducerId, ObjectId, TransportId};
use crate::waist::Event;

/// What a data channel is called, on both sides of a Router.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChannelNames {
    /// Its label.
    pub label: String,
    /// What is spoken over it.
    pub protocol: String,
}

/// A DataProducer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DataProducerState {
    /// Its id.
    pub id: DataProducerId,
    /// Who made it.
    pub origin: Origin,
    /// The Transport that it comes in through.
    pub transport: TransportId,
    /// How it comes in.
    pub r#type: DataProducerType,
    /// What it is called.
    pub names: Arc<ChannelNames>,
    /// Whether it is paused.
    pub paused: bool,
}

impl Described for DataProducerState {
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
            Event::DataProducerPaused { .. } => self.paused = true,
            Event::DataProducerResumed { .. } => self.paused = false,
            _ => {}
        }
    }
}
