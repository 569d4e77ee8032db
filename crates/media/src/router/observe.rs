//! RtpObservers of a Router: they come, are paused and resumed, and go; and what of its Producers' packets they hear.
//!
//! An RtpObserver keeps the ids of the Producers that it listens to, also while a Producer is away with its Transport; a Producer
//! that is here keeps the keys of those who listen to it, and its streams know whether there are any.

use std::time::Instant;

use mafalda_api::id::ProducerId;
use mafalda_api::types::rtp_parameters::MediaKind;
use mafalda_api::waist::{CloseCause, ErrorCode, Event, Failure};

use super::{ObserverKey, Router, StreamKey};
use crate::observer::RtpObserver;
use crate::rtp::extension::AudioLevel;
use crate::worker::Turn;
use crate::worker::timers::Timer;

/// RtpObservers that listen to one Producer: each packet goes by all of them. A room has one of each kind; more let a mistake of the
/// application slow its media down.
pub(crate) const OBSERVERS_PER_PRODUCER_MAX: usize = 16;

impl Router {
    /// Takes an RtpObserver in.
    pub(crate) fn add_observer(&mut self, turn: &mut Turn, observer: RtpObserver) -> ObserverKey {
        turn.effects.tell(Event::Appeared(observer.state(self.id).into()));
        self.observers.insert(observer)
    }

    /// Closes an RtpObserver.
    pub(crate) fn close_observer(&mut self, turn: &mut Turn, key: ObserverKey) {
        let Some(observer) = self.observers.remove(key) else { return };
        for producer in observer.producers() {
            self.silence(key, producer);
        }
        turn.effects.tell(Event::Closed { id: observer.id.into(), cause: CloseCause::Requested });
    }

    /// Pauses or resumes an RtpObserver.
    pub(crate) fn set_observer_paused(&mut self, turn: &mut Turn, key: ObserverKey, paused: bool) {
        let Some(observer) = self.observers.get_mut(key).filter(|it| it.paused != paused) else { return };
        let id = observer.id;
        if paused {
            observer.pause().into_iter().for_each(|event| turn.effects.tell(event));
            turn.effects.tell(Event::RtpObserverPaused { id });
        } else {
            turn.effects.tell(Event::RtpObserverResumed { id });
            observer.resume(turn.now.at);
        }
        self.set_observer_alarm(turn, key);
    }

    /// An RtpObserver listens to a Producer from now on.
    pub(crate) fn observe(
        &mut self,
        turn: &mut Turn,
        key: ObserverKey,
        id: ProducerId,
    ) -> Result<(), Failure> {
        let Some(observer) = self.observers.get_mut(key) else { return Ok(()) };
        let producer = self.producers.get(&id).ok_or_else(|| Failure::not_found(id))?;
        if producer.kind != MediaKind::Audio {
            let detail = format!("producer {id} is not an audio Producer");
            return Err(Failure::new(ErrorCode::Unsupported, detail).about(id));
        }
        if observer.hears(id) {
            return Ok(());
        }
        if producer.observers.len() >= OBSERVERS_PER_PRODUCER_MAX {
            let detail = format!("{OBSERVERS_PER_PRODUCER_MAX} RtpObservers listen to producer {id} already");
            return Err(Failure::new(ErrorCode::Overloaded, detail).about(id));
        }
        observer.add(turn.now.at, id, producer.paused);
        turn.effects.tell(Event::RtpObserverProducerAdded { id: observer.id, producer: id });
        self.let_hear(key, id);
        self.set_observer_alarm(turn, key);
        Ok(())
    }

    /// An RtpObserver no longer listens to a Producer.
    pub(crate) fn stop_observing(&mut self, turn: &mut Turn, key: ObserverKey, id: ProducerId) {
        self.silence(key, id);
        self.remove_observed(turn, key, id);
    }

    /// A Producer has closed: nobody listens to it any more.
    pub(super) fn stop_observing_closed(
        &mut self,
        turn: &mut Turn,
        observers: &[ObserverKey],
        id: ProducerId,
    ) {
        for key in observers {
            self.remove_observed(turn, *key, id);
        }
    }

    fn remove_observed(&mut self, turn: &mut Turn, key: ObserverKey, id: ProducerId) {
        let Some(observer) = self.observers.get_mut(key) else { return };
        if observer.remove(id) {
            turn.effects.tell(Event::RtpObserverProducerRemoved { id: observer.id, producer: id });
            observer.on_removed(turn.now.at).into_iter().for_each(|event| turn.effects.tell(event));
        }
    }

    /// A Producer has come: those who listened to it before it went, or to one by the same id, go on.
    pub(super) fn observe_again(&mut self, id: ProducerId) {
        let keys: Vec<_> = self.observers.iter().filter(|(_, it)| it.hears(id)).map(|(key, _)| key).collect();
        keys.into_iter().for_each(|key| self.let_hear(key, id));
        self.tell_observers_of_pause(id);
    }

    /// A Producer's packets go by an RtpObserver from now on.
    fn let_hear(&mut self, key: ObserverKey, id: ProducerId) {
        let Some(producer) = self.producers.get_mut(&id) else { return };
        producer.observers.push(key);
        for stream in &producer.streams {
            if let Some(stream) = self.streams.get_mut(*stream) {
                stream.observed = true;
            }
        }
    }

    /// A Producer's packets no longer go by an RtpObserver.
    fn silence(&mut self, key: ObserverKey, id: ProducerId) {
        let Some(producer) = self.producers.get_mut(&id) else { return };
        producer.observers.retain(|other| *other != key);
        for stream in &producer.streams {
            if let Some(stream) = self.streams.get_mut(*stream) {
                stream.observed = !producer.observers.is_empty();
            }
        }
    }

    /// A packet of a stream that somebody listens to says how loud it is.
    pub(super) fn on_level(&mut self, now: Instant, key: StreamKey, level: AudioLevel) {
        let Some(stream) = self.streams.get(key) else { return };
        let Some(producer) = self.producers.get(&stream.producer) else { return };
        for observer in &producer.observers {
            if let Some(observer) = self.observers.get_mut(*observer) {
                observer.on_level(now, producer.id, level);
            }
        }
    }

    /// A Producer was paused or resumed.
    pub(super) fn tell_observers_of_pause(&mut self, id: ProducerId) {
        let Some(producer) = self.producers.get(&id) else { return };
        for observer in &producer.observers {
            if let Some(observer) = self.observers.get_mut(*observer) {
                observer.on_producer_paused(id, producer.paused);
            }
        }
    }

    /// An RtpObserver's alarm has gone off.
    pub(crate) fn on_observer_alarm(&mut self, turn: &mut Turn, key: ObserverKey, at: Instant) {
        let Some(observer) = self.observers.get_mut(key) else { return };
        if !observer.alarm.ring(at) {
            return;
        }
        observer.handle_timeout(turn.now.at).into_iter().for_each(|event| turn.effects.tell(event));
        self.set_observer_alarm(turn, key);
    }

    fn set_observer_alarm(&mut self, turn: &mut Turn, key: ObserverKey) {
        if let Some(observer) = self.observers.get_mut(key) {
            let at = observer.timeout();
            turn.wake(&mut observer.alarm, Timer::Observer(self.key, key), at);
        }
    }
}
