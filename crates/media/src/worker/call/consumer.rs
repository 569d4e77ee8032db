//! Operations on Consumers.

use mafalda_api::consumer::{ConsumerDump, ConsumerRtpStreamStat};
use mafalda_api::id::ConsumerId;
use mafalda_api::ortc;
use mafalda_api::waist::{Consume, Done, Failure, Origin};

use crate::worker::{TransportAt, Worker};

impl Worker {
    pub(super) fn consume(&mut self, command: &Consume, origin: Origin) -> Result<Done, Failure> {
        if self.consumers.contains_key(&command.id) {
            return Err(Failure::already_exists(command.id));
        }
        // Before the Producer is looked for, as mediasoup does: this is wrong whichever it is.
        ortc::validate_rtp_capabilities(&command.rtp_capabilities)?;
        let at = self.transport_at(command.transport)?;
        let (router, turn, _) = self.split(at).ok_or_else(|| Failure::not_found(command.transport))?;
        router.consume(turn, at.transport, command, origin)?;
        self.consumers.insert(command.id, at);
        Ok(Done)
    }

    pub(super) fn set_consumer_paused(&mut self, id: ConsumerId, paused: bool) -> Result<Done, Failure> {
        let at = self.consumer_at(id)?;
        let (router, turn, _) = self.split(at).ok_or_else(|| Failure::not_found(id))?;
        router.set_consumer_paused(turn, at.transport, id, paused).map(|()| Done)
    }

    pub(super) fn request_key_frame(&mut self, id: ConsumerId) -> Result<Done, Failure> {
        let at = self.consumer_at(id)?;
        let (router, turn, _) = self.split(at).ok_or_else(|| Failure::not_found(id))?;
        router.request_key_frame_for(turn, at.transport, id).map(|()| Done)
    }

    pub(super) fn dump_consumer(&self, id: ConsumerId) -> Result<Box<ConsumerDump>, Failure> {
        let at = self.consumer_at(id)?;
        let router = self.routers.get(at.router);
        let dump = router.and_then(|router| router.dump_consumer(at.transport, id));
        dump.map(Box::new).ok_or_else(|| Failure::not_found(id))
    }

    pub(super) fn consumer_stats(&self, id: ConsumerId) -> Result<Vec<ConsumerRtpStreamStat>, Failure> {
        let at = self.consumer_at(id)?;
        let router = self.routers.get(at.router);
        let stats = router.and_then(|router| router.consumer_stats(self.turn.now, at.transport, id));
        stats.ok_or_else(|| Failure::not_found(id))
    }

    pub(super) fn consumer_at(&self, id: ConsumerId) -> Result<TransportAt, Failure> {
        self.consumers.get(&id).copied().ok_or_else(|| Failure::not_found(id))
    }
}
