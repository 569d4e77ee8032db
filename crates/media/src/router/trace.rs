//! What is traced at Producers and Consumers: noted where it is dumped from, and where packets come by.

use mafalda_api::consumer::ConsumerTraceEventType;
use mafalda_api::id::{ConsumerId, ProducerId};
use mafalda_api::producer::ProducerTraceEventType;
use mafalda_api::waist::Failure;

use super::{Router, TransportKey};
use crate::trace::Traced;

impl Router {
    pub(crate) fn trace_producer(
        &mut self,
        id: ProducerId,
        traced: Traced<ProducerTraceEventType>,
    ) -> Result<(), Failure> {
        let producer = self.producers.get_mut(&id).ok_or_else(|| Failure::not_found(id))?;
        producer.traced = traced;
        for key in &producer.streams {
            if let Some(stream) = self.streams.get_mut(*key) {
                stream.traced = traced;
            }
        }
        Ok(())
    }

    pub(crate) fn trace_consumer(
        &mut self,
        key: TransportKey,
        id: ConsumerId,
        traced: Traced<ConsumerTraceEventType>,
    ) -> Result<(), Failure> {
        let consumer = self.transports.get_mut(key).and_then(|it| it.consumers.get_mut(&id));
        let consumer = consumer.ok_or_else(|| Failure::not_found(id))?;
        consumer.traced = traced;
        for encoding in 0..consumer.places.as_slice().len() {
            if let Some(row) = Self::row_of(&mut self.streams, consumer, encoding) {
                row.traced = traced;
            }
        }
        Ok(())
    }
}
