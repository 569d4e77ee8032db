//! Operations on DataProducers and DataConsumers.

use std::collections::BTreeSet;

use mafalda_api::data_consumer::{DataConsumerDump, DataConsumerStat};
use mafalda_api::data_producer::{DataProducerDump, DataProducerStat};
use mafalda_api::id::{DataConsumerId, DataProducerId};
use mafalda_api::waist::{BufferedAmount, ConsumeData, Done, ErrorCode, Failure, Origin, ProduceData};

use crate::data::{DataConsumer, DataProducer};
use crate::router::RouterKey;
use crate::worker::Worker;

impl Worker {
    pub(super) fn produce_data(&mut self, command: ProduceData, origin: Origin) -> Result<Done, Failure> {
        let (id, transport) = (command.id, command.transport);
        if self.data_producers.contains_key(&id) {
            return Err(Failure::already_exists(id));
        }
        let at = self.transport_at(transport)?;
        let (router, turn, _) = self.split(at).ok_or_else(|| Failure::not_found(transport))?;
        router.produce_data(turn, at.transport, command, origin)?;
        self.data_producers.insert(id, at.router);
        Ok(Done)
    }

    pub(super) fn consume_data(&mut self, command: &ConsumeData, origin: Origin) -> Result<Done, Failure> {
        if self.data_consumers.contains_key(&command.id) {
            return Err(Failure::already_exists(command.id));
        }
        let at = self.transport_at(command.transport)?;
        let (router, turn, _) = self.split(at).ok_or_else(|| Failure::not_found(command.transport))?;
        router.consume_data(turn, at.transport, command, origin)?;
        self.data_consumers.insert(command.id, at.router);
        Ok(Done)
    }

    pub(super) fn set_data_producer_paused(
        &mut self,
        id: DataProducerId,
        paused: bool,
    ) -> Result<Done, Failure> {
        let key = self.data_producers.get(&id).copied().ok_or_else(|| Failure::not_found(id))?;
        let router = self.routers.get_mut(key).ok_or_else(|| Failure::not_found(id))?;
        router.set_data_producer_paused(&mut self.turn, id, paused).map(|()| Done)
    }

    pub(super) fn set_data_consumer_paused(
        &mut self,
        id: DataConsumerId,
        paused: bool,
    ) -> Result<Done, Failure> {
        let key = self.router_of_data_consumer(id)?;
        let router = self.routers.get_mut(key).ok_or_else(|| Failure::not_found(id))?;
        router.set_data_consumer_paused(&mut self.turn, id, paused).map(|()| Done)
    }

    pub(super) fn subscribe(
        &mut self,
        id: DataConsumerId,
        change: impl FnOnce(&mut BTreeSet<u16>),
    ) -> Result<Done, Failure> {
        let key = self.router_of_data_consumer(id)?;
        let router = self.routers.get_mut(key).ok_or_else(|| Failure::not_found(id))?;
        router.subscribe(&mut self.turn, id, change).map(|()| Done)
    }

    /// What goes to an application waits in its port, and nowhere here.
    pub(super) fn buffered_amount(&self, id: DataConsumerId) -> Result<BufferedAmount, Failure> {
        self.data_consumer(id)?;
        Err(no_buffer())
    }

    pub(super) fn set_low_threshold(&self, id: DataConsumerId) -> Result<Done, Failure> {
        self.data_consumer(id)?;
        Err(no_buffer())
    }

    pub(super) fn dump_data_producer(&self, id: DataProducerId) -> Result<DataProducerDump, Failure> {
        self.data_producer(id).map(DataProducer::dump)
    }

    pub(super) fn data_producer_stats(&self, id: DataProducerId) -> Result<Vec<DataProducerStat>, Failure> {
        let timestamp = self.turn.now.unix.as_millis() as u64;
        self.data_producer(id).map(|producer| vec![producer.stat(timestamp)])
    }

    pub(super) fn dump_data_consumer(&self, id: DataConsumerId) -> Result<DataConsumerDump, Failure> {
        self.data_consumer(id).map(DataConsumer::dump)
    }

    pub(super) fn data_consumer_stats(&self, id: DataConsumerId) -> Result<Vec<DataConsumerStat>, Failure> {
        let timestamp = self.turn.now.unix.as_millis() as u64;
        self.data_consumer(id).map(|consumer| vec![consumer.stat(timestamp)])
    }

    fn data_producer(&self, id: DataProducerId) -> Result<&DataProducer, Failure> {
        let key = self.data_producers.get(&id).ok_or_else(|| Failure::not_found(id))?;
        let router = self.routers.get(*key);
        router.and_then(|router| router.data.producers.get(&id)).ok_or_else(|| Failure::not_found(id))
    }

    fn data_consumer(&self, id: DataConsumerId) -> Result<&DataConsumer, Failure> {
        let router = self.routers.get(self.router_of_data_consumer(id)?);
        router.and_then(|router| router.data.consumers.get(&id)).ok_or_else(|| Failure::not_found(id))
    }

    fn router_of_data_consumer(&self, id: DataConsumerId) -> Result<RouterKey, Failure> {
        self.data_consumers.get(&id).copied().ok_or_else(|| Failure::not_found(id))
    }
}

fn no_buffer() -> Failure {
    Failure::new(
        ErrorCode::Unsupported,
        "the messages of this data consumer go to the application, not over SCTP",
    )
}
