//! Who is loud: averages over an interval.

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::ops::RangeInclusive;

use mafalda_api::id::ProducerId;
use mafalda_api::waist::Volume;

use super::Heard;
use crate::rtp::extension::AudioLevel;

/// Milliseconds over which is averaged, as in mediasoup. Shorter ones would not hold enough packets, longer ones tell of what is
/// long over.
pub(super) const INTERVALS: RangeInclusive<u16> = 250..=5000;

/// Packets that an average needs, as in mediasoup: 200 ms of speech. More would miss who has just begun, fewer would take a
/// click for somebody who speaks.
const SAMPLES_MIN: u32 = 10;

/// The levels of an interval.
#[derive(Debug)]
pub(super) struct AudioLevels {
    max_entries: NonZeroU16,
    threshold: i8,
    /// Bounded by the Router's Producers. In the order of ids, so that equal ones come in the same order always.
    producers: BTreeMap<ProducerId, Sum>,
    /// Whether nobody was loud in the last interval.
    silent: bool,
}

/// What one Producer's packets have said.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    attenuation_db: u32,
    samples: u32,
}

impl AudioLevels {
    pub(super) fn new(max_entries: NonZeroU16, threshold: i8) -> Self {
        Self { max_entries, threshold, producers: BTreeMap::new(), silent: true }
    }

    pub(super) fn max_entries(&self) -> NonZeroU16 {
        self.max_entries
    }

    pub(super) fn threshold(&self) -> i8 {
        self.threshold
    }

    pub(super) fn producers(&self) -> impl Iterator<Item = ProducerId> {
        self.producers.keys().copied()
    }

    pub(super) fn contains(&self, producer: ProducerId) -> bool {
        self.producers.contains_key(&producer)
    }

    /// Whether it was not there yet.
    pub(super) fn add(&mut self, producer: ProducerId) -> bool {
        let known = self.producers.len();
        self.producers.entry(producer).or_default();
        self.producers.len() > known
    }

    /// Whether it was there.
    pub(super) fn remove(&mut self, producer: ProducerId) -> bool {
        self.producers.remove(&producer).is_some()
    }

    pub(super) fn on_level(&mut self, producer: ProducerId, level: AudioLevel) {
        if let Some(sum) = self.producers.get_mut(&producer) {
            sum.attenuation_db = sum.attenuation_db.saturating_add(level.attenuation_db.into());
            sum.samples = sum.samples.saturating_add(1);
        }
    }

    /// What a Producer's packets have said doesn't count.
    pub(super) fn forget(&mut self, producer: ProducerId) {
        if let Some(sum) = self.producers.get_mut(&producer) {
            *sum = Sum::default();
        }
    }

    /// An interval is over.
    pub(super) fn evaluate(&mut self) -> Option<Heard> {
        let mut volumes: Vec<Volume> =
            self.producers.iter().filter_map(|(id, sum)| sum.volume(*id)).collect();
        volumes.retain(|it| it.volume >= self.threshold);
        self.reset();
        if volumes.is_empty() {
            return self.fall_silent();
        }
        self.silent = false;
        volumes.sort_by_key(|it| std::cmp::Reverse(it.volume));
        volumes.truncate(self.max_entries.get().into());
        Some(Heard::Volumes(volumes))
    }

    /// Nothing more is heard.
    pub(super) fn stop(&mut self) -> Option<Heard> {
        self.reset();
        self.fall_silent()
    }

    /// Whether the next interval can't bring anything.
    pub(super) fn is_idle(&self) -> bool {
        self.producers.is_empty() && self.silent
    }

    fn reset(&mut self) {
        self.producers.values_mut().for_each(|sum| *sum = Sum::default());
    }

    /// Silence is told once.
    fn fall_silent(&mut self) -> Option<Heard> {
        (!std::mem::replace(&mut self.silent, true)).then_some(Heard::Silence)
    }
}

impl Sum {
    /// The average of enough packets, in whole dB: fractions go to the loud side, as in mediasoup.
    fn volume(self, producer: ProducerId) -> Option<Volume> {
        if self.samples < SAMPLES_MIN {
            return None;
        }
        // RFC 6464 §3: 7 bits, so the average fits as well.
        let volume = -((self.attenuation_db / self.samples) as i8);
        Some(Volume { producer, volume })
    }
}

#[cfg(test)]
mod tests;
