//! A live Transport leaves a Router, or comes into one, with all that belongs to it: keys and their indices, Producers and their
//! streams, Consumers and their rows. Nobody outside notices but for the address that serves it.

use mafalda_api::id::{ConsumerId, ProducerId};

use crate::producer::{Producer, ProducerStream};
use crate::transport::Transport;
use crate::worker::Turn;
use crate::worker::timers::Alarm;

use super::{Router, TransportKey};

/// A Transport with all that lives in it, between two Routers.
///
/// No key is ever used twice: the SRTP contexts move with their indices (RFC 3711 §9.1).
#[derive(Debug)]
pub struct TransportState {
    pub(crate) transport: Box<Transport>,
    producers: Vec<(Producer, Vec<ProducerStream>)>,
}

impl TransportState {
    /// The ids by which its Producers are known, where those are not their own.
    pub(crate) fn aliases(&self) -> impl Iterator<Item = ProducerId> {
        self.producers.iter().filter_map(|(producer, _)| producer.alias)
    }
}

impl Router {
    /// Takes a Transport out. Consumers of its Producers that stay behind wait until the Producer is back.
    pub(crate) fn take(&mut self, key: TransportKey) -> Option<TransportState> {
        let consumers: Vec<ConsumerId> = self.transports.get(key)?.consumers.keys().copied().collect();
        for consumer in consumers {
            self.detach_rows(key, consumer);
        }
        let producers = self.transports.get(key)?.producers.clone();
        let producers = producers.into_iter().filter_map(|id| self.take_producer(id)).collect();
        let mut transport = self.transports.remove(key)?;
        transport.streams.clear();
        (transport.alarm, transport.round) = (Alarm::default(), Alarm::default());
        for consumer in transport.consumers.values() {
            self.forget_consumer_of(consumer.producer, consumer.id);
        }
        self.forget_streams();
        Some(TransportState { transport, producers })
    }

    fn take_producer(&mut self, id: ProducerId) -> Option<(Producer, Vec<ProducerStream>)> {
        for (transport, consumer) in self.consumers_of.get(&id).cloned().unwrap_or_default() {
            self.detach_rows(transport, consumer);
        }
        let mut producer = self.forget_producer(id)?;
        // Who listens to it stays, and keeps its id for when it is back.
        producer.observers.clear();
        let mut streams: Vec<_> =
            producer.streams.iter().filter_map(|key| self.streams.remove(*key)).collect();
        // What came in this turn is in a batch that stays here.
        for stream in &mut streams {
            stream.arrivals.clear();
            stream.observed = false;
        }
        Some((producer, streams))
    }

    /// Sets a Transport in. Rows of Consumers join their streams where both are here.
    pub(crate) fn put(&mut self, turn: &mut Turn, state: TransportState) -> TransportKey {
        let TransportState { transport, producers } = state;
        let consumers: Vec<_> = transport.consumers.values().map(|it| (it.producer, it.id)).collect();
        let key = self.transports.insert(transport);
        for (mut producer, streams) in producers {
            producer.transport = key;
            producer.streams.clear();
            for mut stream in streams {
                stream.transport = key;
                stream.alarm = Alarm::default();
                stream.scored = false;
                let stream = self.streams.insert(stream);
                producer.streams.push(stream);
                self.set_stream_alarm(turn, stream);
            }
            if let Some(transport) = self.transports.get_mut(key) {
                transport.streams.extend(&producer.streams);
            }
            let id = producer.id;
            self.aliases.extend(producer.alias.map(|alias| (alias, id)));
            self.producers.insert(id, producer);
            self.attach_all(turn, id);
            self.observe_again(id);
        }
        for (producer, consumer) in consumers {
            self.consumers_of.entry(producer).or_default().push((key, consumer));
            self.attach(turn, key, consumer);
        }
        self.set_transport_alarm(turn, key);
        key
    }
}
