//! Operations on RtpObservers of all kinds.

use std::num::NonZeroU16;

use crate::id::{ProducerId, RouterId, RtpObserverId};

/// Creates an AudioLevelObserver.
#[derive(Clone, Debug)]
pub struct CreateAudioLevelObserver {
    /// Drawn by the caller.
    pub id: RtpObserverId,
    /// The Router whose Producers it shall listen to.
    pub router: RouterId,
    /// How many Producers it tells of at most.
    pub max_entries: NonZeroU16,
    /// Average below which a Producer isn't heard, in dBov: not above 0.
    pub threshold: i8,
    /// Milliseconds over which it listens, then tells; brought into 250 to 5000.
    pub interval: u16,
}

/// Creates an ActiveSpeakerObserver.
#[derive(Clone, Debug)]
pub struct CreateActiveSpeakerObserver {
    /// Drawn by the caller.
    pub id: RtpObserverId,
    /// The Router whose Producers it shall listen to.
    pub router: RouterId,
    /// Milliseconds between its decisions; brought into 100 to 5000.
    pub interval: u16,
}

/// Lets an RtpObserver stop listening.
#[derive(Clone, Debug)]
pub struct PauseRtpObserver {
    /// The RtpObserver.
    pub id: RtpObserverId,
}

/// Lets an RtpObserver listen again.
#[derive(Clone, Debug)]
pub struct ResumeRtpObserver {
    /// The RtpObserver.
    pub id: RtpObserverId,
}

/// Lets an RtpObserver listen to a Producer. Does nothing if it does already.
#[derive(Clone, Debug)]
pub struct AddObservedProducer {
    /// The RtpObserver.
    pub id: RtpObserverId,
    /// An audio Producer of its Router.
    pub producer: ProducerId,
}

/// Lets an RtpObserver no longer listen to a Producer. Does nothing if it doesn't.
#[derive(Clone, Debug)]
pub struct RemoveObservedProducer {
    /// The RtpObserver.
    pub id: RtpObserverId,
    /// The Producer.
    pub producer: ProducerId,
}
