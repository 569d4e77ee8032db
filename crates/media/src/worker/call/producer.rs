//! Operations on Producers.

use mafalda_api::id::ProducerId;
use mafalda_api::producer::{ProducerDump, ProducerStat};
use mafalda_api::waist::{Done, Failure, Origin, Produce};

use crate::router::Router;
use crate::worker::Worker;

impl Worker {
    pub(super) fn produce(&mut self, command: &Produce, origin: Origin) -> Result<Done, Failure> {
        if self.knows_producer(command.id) {
            return Err(Failure::already_exists(command.id));
        }
        if let Some(alias) = command.alias.filter(|alias| self.knows_producer(*alias)) {
            return Err(Failure::already_exists(alias));
        }
        let at = self.transport_at(command.transport)?;
        let (router, turn, _) = self.split(at).ok_or_else(|| Failure::not_found(command.transport))?;
        router.produce(turn, at.transport, command, origin)?;
        self.producers.insert(command.id, at.router);
        Ok(Done)
    }

    pub(super) fn set_producer_paused(&mut self, id: ProducerId, paused: bool) -> Result<Done, Failure> {
        let key = self.producers.get(&id).copied().ok_or_else(|| Failure::not_found(id))?;
        let router = self.routers.get_mut(key).ok_or_else(|| Failure::not_found(id))?;
        let turn = &mut self.turn;
        router.set_producer_paused(turn, id, paused).map(|()| Done)
    }

    pub(super) fn dump_producer(&self, id: ProducerId) -> Result<Box<ProducerDump>, Failure> {
        let dump = self.router_of_producer(id)?.dump_producer(id);
        dump.map(Box::new).ok_or_else(|| Failure::not_found(id))
    }

    pub(super) fn producer_stats(&self, id: ProducerId) -> Result<Vec<ProducerStat>, Failure> {
        let stats = self.router_of_producer(id)?.producer_stats(self.turn.now, id);
        stats.ok_or_else(|| Failure::not_found(id))
    }

    fn router_of_producer(&self, id: ProducerId) -> Result<&Router, Failure> {
        let key = self.producers.get(&id).ok_or_else(|| Failure::not_found(id))?;
        self.routers.get(*key).ok_or_else(|| Failure::not_found(id))
    }
}
