//! Who of many speaks: decides, at regular intervals, whether another one than before.
//!
//! Somebody takes over who is more active than the dominant speaker on all three time scales of [`speaker`]: so neither a cough,
//! which is short, nor who talks on quietly in the background does, and a pause for breath loses nothing.

mod speaker;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Instant;

use mafalda_api::id::ProducerId;

use crate::rtp::extension::AudioLevel;

use speaker::{Activity, Speaker};

/// Milliseconds between decisions, as in mediasoup. More often, and levels have hardly changed; less often, and a short answer
/// is over before it is seen.
pub(super) const INTERVALS: RangeInclusive<u16> = 100..=5000;

/// How much more active one must be than the dominant speaker to take over: logarithms of the quotients of scores. The figures are
/// the paper's.
const TAKES_OVER: Activity = Activity { long: 0.0, medium: 2.0, immediate: 3.0 };

/// Those who may speak, and who does.
#[derive(Debug, Default)]
pub(super) struct ActiveSpeaker {
    /// Bounded by the Router's Producers. In the order of ids, so that equal ones are decided upon in the same way always.
    speakers: BTreeMap<ProducerId, Speaker>,
    dominant: Option<ProducerId>,
}

impl ActiveSpeaker {
    pub(super) fn producers(&self) -> impl Iterator<Item = ProducerId> {
        self.speakers.keys().copied()
    }

    pub(super) fn contains(&self, producer: ProducerId) -> bool {
        self.speakers.contains_key(&producer)
    }

    pub(super) fn dominant(&self) -> Option<ProducerId> {
        self.dominant
    }

    pub(super) fn is_empty(&self) -> bool {
        self.speakers.is_empty()
    }

    /// Whether it was not there yet.
    pub(super) fn add(&mut self, now: Instant, producer: ProducerId, paused: bool) -> bool {
        let known = self.speakers.len();
        self.speakers.entry(producer).or_insert_with(|| Speaker::new(now, paused));
        self.speakers.len() > known
    }

    /// Whether it was there.
    pub(super) fn remove(&mut self, producer: ProducerId) -> bool {
        if self.dominant == Some(producer) {
            self.dominant = None;
        }
        self.speakers.remove(&producer).is_some()
    }

    pub(super) fn on_level(&mut self, now: Instant, producer: ProducerId, level: AudioLevel) {
        if let Some(speaker) = self.speakers.get_mut(&producer) {
            // RFC 6464 §3: the level is below full scale.
            speaker.on_level(now, 127 - level.attenuation_db.min(127));
        }
    }

    /// Who is paused can't take over.
    pub(super) fn set_paused(&mut self, producer: ProducerId, paused: bool) {
        if let Some(speaker) = self.speakers.get_mut(&producer) {
            speaker.paused = paused;
        }
    }

    /// Who speaks from now on, if that is another one than before.
    pub(super) fn evaluate(&mut self, now: Instant) -> Option<ProducerId> {
        self.speakers.values_mut().for_each(|speaker| speaker.rest(now));
        let ruling = self.dominant.and_then(|dominant| self.speakers.get(&dominant)).map(Speaker::activity);
        let next = match ruling {
            Some(ruling) => self.challenger(ruling),
            None => self.most_active(),
        };
        if next.is_some() {
            self.dominant = next;
        }
        next
    }

    /// Who takes over: of several, the one who spoke most in the last moments.
    fn challenger(&self, ruling: Activity) -> Option<ProducerId> {
        let others = self.speakers.iter().filter(|(id, it)| !it.paused && Some(**id) != self.dominant);
        let mut next = None;
        let mut takes_over = TAKES_OVER;
        for (id, speaker) in others {
            let above = speaker.activity().above(ruling);
            if above.long > takes_over.long
                && above.medium > takes_over.medium
                && above.immediate > takes_over.immediate
            {
                takes_over.medium = above.medium;
                next = Some(*id);
            }
        }
        next
    }

    /// Who speaks most when nobody has ruled: somebody always does, even in silence.
    fn most_active(&self) -> Option<ProducerId> {
        // The first of equal ones is the last here.
        let speakers = self.speakers.iter().rev().map(|(id, it)| (!it.paused, it.activity(), *id));
        let most = speakers.max_by(|(here, one, _), (there, other, _)| {
            here.cmp(there).then(one.partial_cmp(other).unwrap_or(std::cmp::Ordering::Equal))
        });
        most.map(|(_, _, id)| id)
    }
}

#[cfg(test)]
mod tests;
