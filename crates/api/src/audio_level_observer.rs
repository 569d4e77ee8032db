//! An AudioLevelObserver: tells who of many is loud, at regular intervals.

mod handle;

use std::num::NonZeroU16;

pub use self::handle::{AudioLevelObserver, WeakAudioLevelObserver};
use crate::labels::Labels;
use crate::producer::Producer;
use crate::types::data_structures::AppData;

/// How an AudioLevelObserver is made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AudioLevelObserverOptions {
    /// How many Producers it tells of at most, the loudest. Default 1.
    pub max_entries: NonZeroU16,
    /// Average below which a Producer isn't heard, in dBov: -127 to 0. Default -80.
    pub threshold: i8,
    /// Milliseconds over which it listens, then tells: 250 to 5000, others are brought into that. Default 1000.
    pub interval: u16,
    /// What travels with the AudioLevelObserver and shows wherever it shows.
    pub labels: Labels,
    /// What stays with the AudioLevelObserver in this process.
    pub app_data: AppData,
}

impl Default for AudioLevelObserverOptions {
    fn default() -> Self {
        Self {
            max_entries: NonZeroU16::MIN,
            threshold: -80,
            interval: 1000,
            labels: Labels::default(),
            app_data: AppData::default(),
        }
    }
}

/// A Producer that was heard.
#[derive(Clone, Debug)]
pub struct AudioLevelObserverVolume {
    /// The Producer.
    pub producer: Producer,
    /// How loud it was on average, in dBov: -127 (silence) to 0 (as loud as can be).
    pub volume: i8,
}
