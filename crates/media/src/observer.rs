//! RtpObservers: they listen to Producers of a Router, by the audio levels in their packets (RFC 6464), and tell what they hear.
//!
//! [`RtpObserver`] is what all kinds have in common; what they make of the levels is in a machine each, without clock and
//! tables of the Router: [`AudioLevels`] (who is loud) and [`ActiveSpeaker`] (who speaks). Not here: which packets they hear. That is the Router's business
//! (`router::observe`), and what nobody listens to costs its packets one comparison.

mod active_speaker;
mod audio_level;

use std::time::{Duration, Instant};

use mafalda_api::id::{ProducerId, RouterId, RtpObserverId};
use mafalda_api::waist::{
    CreateActiveSpeakerObserver, CreateAudioLevelObserver, ErrorCode, Event, Failure, Origin,
    RtpObserverKind, RtpObserverState, Volume,
};

use crate::rtp::extension::AudioLevel;
use crate::worker::timers::Alarm;

use active_speaker::ActiveSpeaker;
use audio_level::AudioLevels;

/// An RtpObserver of any kind.
#[derive(Debug)]
pub(crate) struct RtpObserver {
    pub(crate) id: RtpObserverId,
    pub(crate) origin: Origin,
    pub(crate) paused: bool,
    interval: Duration,
    /// When it looks at what it has heard; `None` while it has nothing to look at.
    due: Option<Instant>,
    pub(crate) alarm: Alarm,
    machine: Machine,
}

/// What it makes of levels.
#[derive(Debug)]
enum Machine {
    AudioLevel(AudioLevels),
    ActiveSpeaker(ActiveSpeaker),
}

/// What there is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Heard {
    /// Who was loud, the loudest first.
    Volumes(Vec<Volume>),
    /// Nobody is loud any more.
    Silence,
    /// Who speaks now.
    DominantSpeaker(ProducerId),
}

impl RtpObserver {
    /// An AudioLevelObserver.
    ///
    /// # Errors
    /// When the threshold is louder than there is.
    pub(crate) fn audio_level(command: &CreateAudioLevelObserver, origin: Origin) -> Result<Self, Failure> {
        if command.threshold > 0 {
            let detail = format!("threshold {} is above 0 dBov", command.threshold);
            return Err(Failure::new(ErrorCode::InvalidArgument, detail));
        }
        let machine = Machine::AudioLevel(AudioLevels::new(command.max_entries, command.threshold));
        Ok(Self::new(command.id, origin, command.interval, machine))
    }

    /// An ActiveSpeakerObserver.
    pub(crate) fn active_speaker(command: &CreateActiveSpeakerObserver, origin: Origin) -> Self {
        let machine = Machine::ActiveSpeaker(ActiveSpeaker::default());
        Self::new(command.id, origin, command.interval, machine)
    }

    fn new(id: RtpObserverId, origin: Origin, interval: u16, machine: Machine) -> Self {
        let intervals = match machine {
            Machine::AudioLevel(_) => audio_level::INTERVALS,
            Machine::ActiveSpeaker(_) => active_speaker::INTERVALS,
        };
        let interval = interval.clamp(*intervals.start(), *intervals.end());
        Self {
            id,
            origin,
            paused: false,
            interval: Duration::from_millis(interval.into()),
            due: None,
            alarm: Alarm::default(),
            machine,
        }
    }

    /// What others know of it.
    pub(crate) fn state(&self, router: RouterId) -> RtpObserverState {
        let interval = self.interval.as_millis() as u16;
        let kind = match &self.machine {
            Machine::AudioLevel(levels) => RtpObserverKind::AudioLevel {
                max_entries: levels.max_entries(),
                threshold: levels.threshold(),
                interval,
            },
            Machine::ActiveSpeaker(speakers) => {
                RtpObserverKind::ActiveSpeaker { interval, dominant_speaker: speakers.dominant() }
            }
        };
        RtpObserverState {
            id: self.id,
            origin: self.origin.clone(),
            router,
            kind,
            paused: self.paused,
            producers: self.producers().collect(),
        }
    }

    /// Those that it listens to.
    pub(crate) fn producers(&self) -> impl Iterator<Item = ProducerId> {
        let (levels, speakers) = match &self.machine {
            Machine::AudioLevel(levels) => (Some(levels.producers()), None),
            Machine::ActiveSpeaker(speakers) => (None, Some(speakers.producers())),
        };
        levels.into_iter().flatten().chain(speakers.into_iter().flatten())
    }

    pub(crate) fn hears(&self, producer: ProducerId) -> bool {
        match &self.machine {
            Machine::AudioLevel(levels) => levels.contains(producer),
            Machine::ActiveSpeaker(speakers) => speakers.contains(producer),
        }
    }

    /// Listens to a Producer, which may be paused; whether it did not yet.
    pub(crate) fn add(&mut self, now: Instant, producer: ProducerId, paused: bool) -> bool {
        let added = match &mut self.machine {
            Machine::AudioLevel(levels) => levels.add(producer),
            Machine::ActiveSpeaker(speakers) => speakers.add(now, producer, paused),
        };
        self.schedule(now);
        added
    }

    /// No longer listens to a Producer; whether it did.
    pub(crate) fn remove(&mut self, producer: ProducerId) -> bool {
        match &mut self.machine {
            Machine::AudioLevel(levels) => levels.remove(producer),
            Machine::ActiveSpeaker(speakers) => speakers.remove(producer),
        }
    }

    /// A Producer was removed; what there is to be told of those that are left: if it was the one that spoke, who follows.
    pub(crate) fn on_removed(&mut self, now: Instant) -> Option<Event> {
        match &mut self.machine {
            Machine::ActiveSpeaker(speakers) if speakers.dominant().is_none() && !self.paused => {
                let next = speakers.evaluate(now)?;
                Some(self.event(Heard::DominantSpeaker(next)))
            }
            Machine::ActiveSpeaker(_) | Machine::AudioLevel(_) => None,
        }
    }

    /// A Producer's packet says how loud it is.
    pub(crate) fn on_level(&mut self, now: Instant, producer: ProducerId, level: AudioLevel) {
        if self.paused {
            return;
        }
        match &mut self.machine {
            Machine::AudioLevel(levels) => levels.on_level(producer, level),
            Machine::ActiveSpeaker(speakers) => speakers.on_level(now, producer, level),
        }
    }

    /// A Producer sends nothing for a while, or sends again.
    pub(crate) fn on_producer_paused(&mut self, producer: ProducerId, paused: bool) {
        match &mut self.machine {
            Machine::AudioLevel(levels) => levels.forget(producer),
            Machine::ActiveSpeaker(speakers) => speakers.set_paused(producer, paused),
        }
    }

    /// Stops listening; what there is to be told of that.
    pub(crate) fn pause(&mut self) -> Option<Event> {
        self.paused = true;
        self.due = None;
        let heard = match &mut self.machine {
            Machine::AudioLevel(levels) => levels.stop(),
            Machine::ActiveSpeaker(_) => None,
        };
        heard.map(|heard| self.event(heard))
    }

    /// Listens again.
    pub(crate) fn resume(&mut self, now: Instant) {
        self.paused = false;
        self.schedule(now);
    }

    /// Looks at what it has heard, if it is time; what there is to be told.
    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Option<Event> {
        let due = self.due.filter(|due| *due <= now)?;
        // The next is counted from the one before, so that they don't drift. A Worker that was late by more than that begins anew: an
        // interval that is cut short would seem silent.
        let next = due + self.interval;
        self.due = Some(if next > now { next } else { now + self.interval });
        let heard = match &mut self.machine {
            Machine::AudioLevel(levels) => levels.evaluate(),
            Machine::ActiveSpeaker(speakers) => speakers.evaluate(now).map(Heard::DominantSpeaker),
        };
        if self.is_idle() {
            self.due = None;
        }
        heard.map(|heard| self.event(heard))
    }

    pub(crate) fn timeout(&self) -> Option<Instant> {
        self.due
    }

    /// Begins an interval, if none has begun and there is something to listen to.
    fn schedule(&mut self, now: Instant) {
        if self.due.is_none() && !self.paused && !self.is_idle() {
            self.due = Some(now + self.interval);
        }
    }

    /// Whether the next look would find nothing.
    fn is_idle(&self) -> bool {
        match &self.machine {
            Machine::AudioLevel(levels) => levels.is_idle(),
            Machine::ActiveSpeaker(speakers) => speakers.is_empty(),
        }
    }

    fn event(&self, heard: Heard) -> Event {
        match heard {
            Heard::Volumes(volumes) => Event::Volumes { id: self.id, volumes },
            Heard::Silence => Event::Silence { id: self.id },
            Heard::DominantSpeaker(producer) => Event::DominantSpeaker { id: self.id, producer },
        }
    }
}

#[cfg(test)]
mod tests;
