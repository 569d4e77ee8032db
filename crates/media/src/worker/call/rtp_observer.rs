//! Operations on RtpObservers.

use mafalda_api::id::{RouterId, RtpObserverId};
use mafalda_api::waist::{
    AddObservedProducer, CreateActiveSpeakerObserver, CreateAudioLevelObserver, Done, Failure, Origin,
    RemoveObservedProducer,
};

use crate::observer::RtpObserver;
use crate::router::{ObserverKey, Router};
use crate::worker::{Turn, Worker};

impl Worker {
    pub(super) fn create_audio_level_observer(
        &mut self,
        command: &CreateAudioLevelObserver,
        origin: Origin,
    ) -> Result<Done, Failure> {
        let observer = RtpObserver::audio_level(command, origin)?;
        self.create_observer(command.router, observer)
    }

    pub(super) fn create_active_speaker_observer(
        &mut self,
        command: &CreateActiveSpeakerObserver,
        origin: Origin,
    ) -> Result<Done, Failure> {
        self.create_observer(command.router, RtpObserver::active_speaker(command, origin))
    }

    fn create_observer(&mut self, router: RouterId, observer: RtpObserver) -> Result<Done, Failure> {
        let id = observer.id;
        if self.observers.contains_key(&id) {
            return Err(Failure::already_exists(id));
        }
        let key = self.router_key(router)?;
        let router = self.routers.get_mut(key).ok_or_else(|| Failure::not_found(router))?;
        let observer = router.add_observer(&mut self.turn, observer);
        self.observers.insert(id, (key, observer));
        Ok(Done)
    }

    pub(super) fn set_observer_paused(&mut self, id: RtpObserverId, paused: bool) -> Result<Done, Failure> {
        let (router, turn, key) = self.observer(id)?;
        router.set_observer_paused(turn, key, paused);
        Ok(Done)
    }

    pub(super) fn add_observed(&mut self, command: &AddObservedProducer) -> Result<Done, Failure> {
        let (router, turn, key) = self.observer(command.id)?;
        let producer = router.own_id(command.producer);
        router.observe(turn, key, producer)?;
        Ok(Done)
    }

    pub(super) fn remove_observed(&mut self, command: &RemoveObservedProducer) -> Result<Done, Failure> {
        let (router, turn, key) = self.observer(command.id)?;
        let producer = router.own_id(command.producer);
        router.stop_observing(turn, key, producer);
        Ok(Done)
    }

    /// An RtpObserver goes.
    pub(super) fn close_observer(&mut self, id: RtpObserverId) {
        let Some((router, key)) = self.observers.remove(&id) else { return };
        if let Some(router) = self.routers.get_mut(router) {
            router.close_observer(&mut self.turn, key);
        }
    }

    /// An RtpObserver's Router and its place there.
    fn observer(&mut self, id: RtpObserverId) -> Result<(&mut Router, &mut Turn, ObserverKey), Failure> {
        let (router, key) = self.observers.get(&id).copied().ok_or_else(|| Failure::not_found(id))?;
        let router = self.routers.get_mut(router).ok_or_else(|| Failure::not_found(id))?;
        Ok((router, &mut self.turn, key))
    }
}
