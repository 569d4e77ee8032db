//! What is known of an RtpObserver.

use std::collections::BTreeSet;
use std::num::NonZeroU16;

use super::{Described, Origin};
use crate::id::{ObjectId, ProducerId, RouterId, RtpObserverId};
use crate::waist::Event;

/// An RtpObserver of any kind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RtpObserverState {
    /// Its id.
    pub id: RtpObserverId,
    /// Who made it.
    pub origin: Origin,
    /// The Router whose Producers it listens to.
    pub router: RouterId,
    /// What it listens for.
    pub kind: RtpObserverKind,
    /// Whether it is paused.
    pub paused: bool,
    /// The Producers that it listens to.
    pub producers: BTreeSet<ProducerId>,
}

/// What an RtpObserver listens for, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RtpObserverKind {
    /// Who is loud.
    AudioLevel {
        /// How many Producers it tells of at most.
        max_entries: NonZeroU16,
        /// Average below which a Producer isn't heard, in dBov.
        threshold: i8,
        /// Milliseconds over which it listens, then tells.
        interval: u16,
    },
    /// Who speaks.
    ActiveSpeaker {
        /// Milliseconds between its decisions.
        interval: u16,
        /// Who speaks, once it has decided.
        dominant_speaker: Option<ProducerId>,
    },
}

impl Described for RtpObserverState {
    fn id(&self) -> ObjectId {
        self.id.into()
    }

    fn parent(&self) -> Option<ObjectId> {
        Some(self.router.into())
    }

    fn origin(&self) -> &Origin {
        &self.origin
    }

    fn origin_mut(&mut self) -> &mut Origin {
        &mut self.origin
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::RtpObserverPaused { .. } => self.paused = true,
            Event::RtpObserverResumed { .. } => self.paused = false,
            Event::RtpObserverProducerAdded { producer, .. } => drop(self.producers.insert(*producer)),
            Event::RtpObserverProducerRemoved { producer, .. } => self.remove(*producer),
            Event::DominantSpeaker { producer, .. } => self.set_dominant_speaker(Some(*producer)),
            _ => {}
        }
    }
}

impl RtpObserverState {
    /// Who speaks, of those that an ActiveSpeakerObserver listens to.
    pub(crate) fn dominant_speaker(&self) -> Option<ProducerId> {
        match self.kind {
            RtpObserverKind::AudioLevel { .. } => None,
            RtpObserverKind::ActiveSpeaker { dominant_speaker, .. } => dominant_speaker,
        }
    }

    fn set_dominant_speaker(&mut self, producer: Option<ProducerId>) {
        if let RtpObserverKind::ActiveSpeaker { dominant_speaker, .. } = &mut self.kind {
            *dominant_speaker = producer;
        }
    }

    /// Who is no longer listened to doesn't speak.
    fn remove(&mut self, producer: ProducerId) {
        self.producers.remove(&producer);
        if self.dominant_speaker() == Some(producer) {
            self.set_dominant_speaker(None);
        }
    }
}
