//! What is known of a Producer.

use std::sync::Arc;

use super::{Described, Origin};
use crate::id::{ObjectId, ProducerId, TransportId};
use crate::producer::{ProducerScore, ProducerType, ProducerVideoOrientation};
use crate::types::rtp_parameters::{MediaKind, RtpParameters};
use crate::waist::Event;

/// A Producer.
#[derive(Clone, PartialEq, Debug)]
pub struct ProducerState {
    /// Its id.
    pub id: ProducerId,
    /// Who made it.
    pub origin: Origin,
    /// The id under which its Router knows it, where that is that of another Router's Producer that it carries on.
    pub alias: Option<ProducerId>,
    /// The Transport that it comes in through.
    pub transport: TransportId,
    /// Audio or video.
    pub kind: MediaKind,
    /// One stream, several, or one with layers in it.
    pub r#type: ProducerType,
    /// What the endpoint sends.
    pub rtp_parameters: Arc<RtpParameters>,
    /// What Consumers can be offered, in the Router's own payload types and SSRCs.
    pub consumable_rtp_parameters: Arc<RtpParameters>,
    /// Whether it is paused.
    pub paused: bool,
    /// The quality of each of its RTP streams.
    pub score: Vec<ProducerScore>,
    /// How its picture lies, once a packet has told.
    pub video_orientation: Option<ProducerVideoOrientation>,
}

impl Described for ProducerState {
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
            Event::ProducerPaused { .. } => self.paused = true,
            Event::ProducerResumed { .. } => self.paused = false,
            Event::ProducerScoreChanged { score, .. } => self.score.clone_from(score),
            Event::ProducerVideoOrientationChanged { orientation, .. } => {
                self.video_orientation = Some(*orientation);
            }
            _ => {}
        }
    }
}
