//! Messages on their way from a DataProducer to its DataConsumers, and how these come, change and go.

use std::collections::BTreeSet;
use std::sync::Arc;

use hashbrown::HashMap;
use mafalda_api::id::{DataConsumerId, DataProducerId};
use mafalda_api::waist::{
    Audience, ChannelNames, CloseCause, ConsumeData, DataMessage, ErrorCode, Event, Failure, Origin,
    ProduceData,
};

use super::media::has_room;
use super::{Router, TransportKey};
use crate::SocketId;
use crate::data::{DataConsumer, DataEnds, DataProducer};
use crate::transport::Transport;
use crate::worker::Turn;
use crate::worker::drops::DropReason;
use crate::worker::turn::OutMessage;

/// Bytes of a label, and of a protocol: what 16 bits can count (RFC 8832 §5.1).
const NAME_BYTES_MAX: usize = u16::MAX as usize;

/// The tables of a Router. Each entry belongs to a Transport, which bounds them.
#[derive(Debug, Default)]
pub(crate) struct Data {
    pub(crate) producers: HashMap<DataProducerId, DataProducer>,
    pub(crate) consumers: HashMap<DataConsumerId, DataConsumer>,
}

impl Router {
    /// Creates a DataProducer.
    pub(crate) fn produce_data(
        &mut self,
        turn: &mut Turn,
        key: TransportKey,
        command: ProduceData,
        origin: Origin,
    ) -> Result<(), Failure> {
        let transport = self.transports.get_mut(key).ok_or_else(|| Failure::not_found(command.transport))?;
        has_room(transport)?;
        let ends = data_ends(transport)?;
        let names = ChannelNames { label: command.label, protocol: command.protocol };
        if names.label.len() > NAME_BYTES_MAX || names.protocol.len() > NAME_BYTES_MAX {
            let detail = format!("label and protocol have at most {NAME_BYTES_MAX} bytes each");
            return Err(Failure::new(ErrorCode::InvalidArgument, detail));
        }
        ends.producers.push(command.id);
        let producer = DataProducer {
            id: command.id,
            origin,
            transport: key,
            names: Arc::new(names),
            paused: command.paused,
            consumers: Vec::new(),
            messages: 0,
            bytes: 0,
        };
        turn.effects.tell(Event::Appeared(producer.state(command.transport).into()));
        self.data.producers.insert(command.id, producer);
        Ok(())
    }

    /// Creates a DataConsumer.
    pub(crate) fn consume_data(
        &mut self,
        turn: &mut Turn,
        key: TransportKey,
        command: &ConsumeData,
        origin: Origin,
    ) -> Result<(), Failure> {
        let producer = self.data.producers.get_mut(&command.data_producer);
        let producer = producer.ok_or_else(|| Failure::not_found(command.data_producer))?;
        let transport = self.transports.get_mut(key).ok_or_else(|| Failure::not_found(command.transport))?;
        has_room(transport)?;
        data_ends(transport)?.consumers.push(command.id);
        producer.consumers.push(command.id);
        let consumer = DataConsumer {
            id: command.id,
            origin,
            transport: key,
            producer: command.data_producer,
            names: producer.names.clone(),
            subchannels: command.subchannels.iter().copied().collect(),
            paused: command.paused,
            producer_paused: producer.paused,
            messages: 0,
            bytes: 0,
            lost: 0,
        };
        turn.effects.tell(Event::Appeared(consumer.state(command.transport).into()));
        self.data.consumers.insert(command.id, consumer);
        Ok(())
    }

    /// Closes a DataProducer and all its DataConsumers.
    pub(crate) fn close_data_producer(&mut self, turn: &mut Turn, id: DataProducerId, cause: CloseCause) {
        let Some(producer) = self.data.producers.remove(&id) else { return };
        turn.effects.tell(Event::Closed { id: id.into(), cause });
        for consumer in producer.consumers {
            self.close_data_consumer(turn, consumer, CloseCause::DataProducerClosed);
        }
        if let Some(ends) = self.ends_mut(producer.transport) {
            ends.producers.retain(|other| *other != id);
        }
    }

    /// Closes a DataConsumer.
    pub(crate) fn close_data_consumer(&mut self, turn: &mut Turn, id: DataConsumerId, cause: CloseCause) {
        let Some(consumer) = self.data.consumers.remove(&id) else { return };
        turn.effects.tell(Event::Closed { id: id.into(), cause });
        if let Some(producer) = self.data.producers.get_mut(&consumer.producer) {
            producer.consumers.retain(|other| *other != id);
        }
        if let Some(ends) = self.ends_mut(consumer.transport) {
            ends.consumers.retain(|other| *other != id);
        }
    }

    /// Closes all of a Transport's, which goes.
    pub(super) fn close_data_of(&mut self, turn: &mut Turn, key: TransportKey) {
        let Some(ends) = self.ends_mut(key) else { return };
        let (producers, consumers) = (ends.producers.clone(), ends.consumers.clone());
        for producer in producers {
            self.close_data_producer(turn, producer, CloseCause::TransportClosed);
        }
        for consumer in consumers {
            self.close_data_consumer(turn, consumer, CloseCause::TransportClosed);
        }
    }

    /// Pauses or resumes a DataProducer.
    pub(crate) fn set_data_producer_paused(
        &mut self,
        turn: &mut Turn,
        id: DataProducerId,
        paused: bool,
    ) -> Result<(), Failure> {
        let producer = self.data.producers.get_mut(&id).ok_or_else(|| Failure::not_found(id))?;
        if std::mem::replace(&mut producer.paused, paused) == paused {
            return Ok(());
        }
        turn.effects.tell(match paused {
            true => Event::DataProducerPaused { id },
            false => Event::DataProducerResumed { id },
        });
        for id in &producer.consumers {
            let Some(consumer) = self.data.consumers.get_mut(id) else { continue };
            consumer.producer_paused = paused;
            let id = *id;
            turn.effects.tell(match paused {
                true => Event::DataConsumerDataProducerPaused { id },
                false => Event::DataConsumerDataProducerResumed { id },
            });
        }
        Ok(())
    }

    /// Pauses or resumes a DataConsumer.
    pub(crate) fn set_data_consumer_paused(
        &mut self,
        turn: &mut Turn,
        id: DataConsumerId,
        paused: bool,
    ) -> Result<(), Failure> {
        let consumer = self.data.consumers.get_mut(&id).ok_or_else(|| Failure::not_found(id))?;
        if std::mem::replace(&mut consumer.paused, paused) != paused {
            turn.effects.tell(match paused {
                true => Event::DataConsumerPaused { id },
                false => Event::DataConsumerResumed { id },
            });
        }
        Ok(())
    }

    /// Changes what a DataConsumer has subscribed to.
    pub(crate) fn subscribe(
        &mut self,
        turn: &mut Turn,
        id: DataConsumerId,
        change: impl FnOnce(&mut BTreeSet<u16>),
    ) -> Result<(), Failure> {
        let consumer = self.data.consumers.get_mut(&id).ok_or_else(|| Failure::not_found(id))?;
        change(&mut consumer.subchannels);
        turn.effects.tell(Event::SubchannelsChanged { id, subchannels: consumer.subscribed() });
        Ok(())
    }

    /// Takes in a message from a Transport, and sends it to whom it is for.
    pub(crate) fn on_message(
        &mut self,
        turn: &mut Turn,
        key: TransportKey,
        id: DataProducerId,
        message: &DataMessage,
        audience: &Audience,
    ) -> Result<(), DropReason> {
        let len = message.payload.len();
        let Data { producers, consumers } = &mut self.data;
        let producer = producers.get_mut(&id).filter(|producer| producer.transport == key);
        let producer = producer.ok_or(DropReason::UnknownSource)?;
        let transport = self.transports.get_mut(key).ok_or(DropReason::UnknownSource)?;
        transport.traffic.received.count(turn.now, len);
        if transport.data.as_ref().is_none_or(|ends| len > ends.max_receive_message_size) {
            return Err(DropReason::MessageTooLarge);
        }
        producer.messages += 1;
        producer.bytes += len as u64;
        if producer.paused {
            return Ok(());
        }
        for id in &producer.consumers {
            let Some(consumer) = consumers.get_mut(id) else { continue };
            if !consumer.is_active() || !audience.includes(&consumer.subchannels) {
                continue;
            }
            let Some(transport) = self.transports.get_mut(consumer.transport) else { continue };
            match send(turn, transport, *id, message) {
                Ok(()) => {
                    transport.traffic.sent.count(turn.now, len);
                    consumer.messages += 1;
                    consumer.bytes += len as u64;
                }
                Err(reason) => {
                    turn.effects.drops.count(reason);
                    consumer.lost += 1;
                }
            }
        }
        Ok(())
    }

    /// The application didn't take a message in time.
    pub(crate) fn on_message_lost(&mut self, id: DataConsumerId, bytes: usize) {
        if let Some(consumer) = self.data.consumers.get_mut(&id) {
            consumer.lost += 1;
            consumer.messages = consumer.messages.saturating_sub(1);
            consumer.bytes = consumer.bytes.saturating_sub(bytes as u64);
        }
    }

    fn ends_mut(&mut self, key: TransportKey) -> Option<&mut DataEnds> {
        self.transports.get_mut(key)?.data.as_deref_mut()
    }
}

/// Sends a message out of a Transport.
fn send(
    turn: &mut Turn,
    transport: &Transport,
    consumer: DataConsumerId,
    message: &DataMessage,
) -> Result<(), DropReason> {
    let max = transport.data.as_ref().map_or(0, |ends| ends.max_send_message_size);
    if message.payload.len() > max {
        return Err(DropReason::MessageTooLarge);
    }
    let socket: SocketId = transport.as_direct().ok_or(DropReason::UnknownSource)?.socket();
    let sent = turn.effects.send_message(OutMessage { socket, consumer, message: message.clone() });
    if sent { Ok(()) } else { Err(DropReason::MessagesFull) }
}

/// What a Transport holds of data; the failure of one that carries none.
fn data_ends(transport: &mut Transport) -> Result<&mut DataEnds, Failure> {
    let id = transport.id;
    let none = || Failure::new(ErrorCode::Unsupported, "this transport carries no data").about(id);
    transport.data.as_deref_mut().ok_or_else(none)
}
