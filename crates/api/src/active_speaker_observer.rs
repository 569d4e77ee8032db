//! An ActiveSpeakerObserver: tells who of many speaks, whenever that changes.

mod handle;

pub use self::handle::{ActiveSpeakerObserver, WeakActiveSpeakerObserver};
use crate::labels::Labels;
use crate::producer::Producer;
use crate::types::data_structures::AppData;

/// How an ActiveSpeakerObserver is made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ActiveSpeakerObserverOptions {
    /// Milliseconds between its decisions: 100 to 5000, others are brought into that. Default 300.
    pub interval: u16,
    /// What travels with the ActiveSpeakerObserver and shows wherever it shows.
    pub labels: Labels,
    /// What stays with the ActiveSpeakerObserver in this process.
    pub app_data: AppData,
}

impl Default for ActiveSpeakerObserverOptions {
    fn default() -> Self {
        Self { interval: 300, labels: Labels::default(), app_data: AppData::default() }
    }
}

/// The Producer that speaks.
#[derive(Clone, Debug)]
pub struct ActiveSpeakerObserverDominantSpeaker {
    /// The Producer.
    pub producer: Producer,
}
