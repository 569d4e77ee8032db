//! What is known of a Consumer.

use std::sync::Arc;

use super::{Described, Origin};
use crate::consumer::{ConsumerScore, ConsumerType};
use crate::id::{ConsumerId, ObjectId, ProducerId, TransportId};
use crate::types::rtp_parameters::{MediaKind, RtpParameters};
use crate::waist::Event;

/// A Consumer.
#[derive(Clone, PartialEq, Debug)]
pub struct ConsumerState {
    /// Its id.
    pub id: ConsumerId,
    /// Who made it.
    pub origin: Origin,
    /// The Transport that it goes out through.
    pub transport: TransportId,
    /// The Producer that it consumes.
    pub producer: ProducerId,
    /// The id under which its Router knows that Producer, where it is another.
    pub producer_alias: Option<ProducerId>,
    /// Audio or video.
    pub kind: MediaKind,
    /// How it treats the Producer's streams.
    pub r#type: ConsumerType,
    /// What the endpoint receives.
    pub rtp_parameters: Arc<RtpParameters>,
    /// Whether it is paused itself.
    pub paused: bool,
    /// Whether its Producer is paused.
    pub producer_paused: bool,
    /// The quality of its stream.
    pub score: ConsumerScore,
}

impl Described for ConsumerState {
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
            Event::ConsumerPaused { .. } => self.paused = true,
            Event::ConsumerResumed { .. } => self.paused = false,
            Event::ConsumerProducerPaused { .. } => self.producer_paused = true,
            Event::ConsumerProducerResumed { .. } => self.producer_paused = false,
            Event::ConsumerScoreChanged { score, .. } => self.score.clone_from(score),
            _ => {}
        }
    }
}
