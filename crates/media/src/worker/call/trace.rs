//! What is traced is chosen: the kinds that are named, and no others.

use mafalda_api::consumer::ConsumerTraceEventType;
use mafalda_api::id::{ConsumerId, ProducerId, TransportId};
use mafalda_api::producer::ProducerTraceEventType;
use mafalda_api::transport::TransportTraceEventType;
use mafalda_api::waist::{Done, Failure};

use crate::trace::Traced;
use crate::worker::Worker;

impl Worker {
    pub(super) fn trace_transport(
        &mut self,
        id: TransportId,
        types: &[TransportTraceEventType],
    ) -> Result<Done, Failure> {
        let at = self.transport_at(id)?;
        let router = self.routers.get_mut(at.router);
        let transport = router.and_then(|router| router.transports.get_mut(at.transport));
        transport.ok_or_else(|| Failure::not_found(id))?.traced = Traced::of(types);
        Ok(Done)
    }

    pub(super) fn trace_producer(
        &mut self,
        id: ProducerId,
        types: &[ProducerTraceEventType],
    ) -> Result<Done, Failure> {
        let key = self.producers.get(&id).ok_or_else(|| Failure::not_found(id))?;
        let router = self.routers.get_mut(*key).ok_or_else(|| Failure::not_found(id))?;
        router.trace_producer(id, Traced::of(types)).map(|()| Done)
    }

    pub(super) fn trace_consumer(
        &mut self,
        id: ConsumerId,
        types: &[ConsumerTraceEventType],
    ) -> Result<Done, Failure> {
        let at = self.consumer_at(id)?;
        let router = self.routers.get_mut(at.router).ok_or_else(|| Failure::not_found(id))?;
        router.trace_consumer(at.transport, id, Traced::of(types)).map(|()| Done)
    }
}
