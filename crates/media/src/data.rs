//! DataProducers and DataConsumers in the machine: cold all of it, for messages are few beside packets.

use std::collections::BTreeSet;
use std::sync::Arc;

use mafalda_api::data_consumer::{DataConsumerDump, DataConsumerStat, DataConsumerType};
use mafalda_api::data_producer::{DataProducerDump, DataProducerStat, DataProducerType};
use mafalda_api::id::{DataConsumerId, DataProducerId, TransportId};
use mafalda_api::waist::{ChannelNames, DataConsumerState, DataProducerState, Origin};

use crate::router::TransportKey;

/// What a Transport that carries data holds of it.
#[derive(Debug)]
pub(crate) struct DataEnds {
    pub(crate) producers: Vec<DataProducerId>,
    pub(crate) consumers: Vec<DataConsumerId>,
    pub(crate) max_send_message_size: usize,
    pub(crate) max_receive_message_size: usize,
}

/// Where messages come from.
#[derive(Debug)]
pub(crate) struct DataProducer {
    pub(crate) id: DataProducerId,
    pub(crate) origin: Origin,
    pub(crate) transport: TransportKey,
    pub(crate) names: Arc<ChannelNames>,
    pub(crate) paused: bool,
    /// Who gets them, in the order in which they came.
    pub(crate) consumers: Vec<DataConsumerId>,
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
}

/// Where messages go.
#[derive(Debug)]
pub(crate) struct DataConsumer {
    pub(crate) id: DataConsumerId,
    pub(crate) origin: Origin,
    pub(crate) transport: TransportKey,
    pub(crate) producer: DataProducerId,
    pub(crate) names: Arc<ChannelNames>,
    /// Bounded by what there are: 65536.
    pub(crate) subchannels: BTreeSet<u16>,
    pub(crate) paused: bool,
    pub(crate) producer_paused: bool,
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
    pub(crate) lost: u64,
}

impl DataEnds {
    pub(crate) fn new(max_send_message_size: u32, max_receive_message_size: u32) -> Self {
        Self {
            producers: Vec::new(),
            consumers: Vec::new(),
            max_send_message_size: max_send_message_size as usize,
            max_receive_message_size: max_receive_message_size as usize,
        }
    }
}

impl DataProducer {
    /// What others know of it.
    pub(crate) fn state(&self, transport: TransportId) -> DataProducerState {
        DataProducerState {
            id: self.id,
            origin: self.origin.clone(),
            transport,
            r#type: DataProducerType::Direct,
            names: self.names.clone(),
            paused: self.paused,
        }
    }

    pub(crate) fn dump(&self) -> DataProducerDump {
        DataProducerDump {
            id: self.id,
            r#type: DataProducerType::Direct,
            label: self.names.label.clone(),
            protocol: self.names.protocol.clone(),
            paused: self.paused,
        }
    }

    pub(crate) fn stat(&self, timestamp: u64) -> DataProducerStat {
        DataProducerStat {
            timestamp,
            label: self.names.label.clone(),
            protocol: self.names.protocol.clone(),
            messages_received: self.messages,
            bytes_received: self.bytes,
        }
    }
}

impl DataConsumer {
    /// What others know of it.
    pub(crate) fn state(&self, transport: TransportId) -> DataConsumerState {
        DataConsumerState {
            id: self.id,
            origin: self.origin.clone(),
            transport,
            data_producer: self.producer,
            r#type: DataConsumerType::Direct,
            names: self.names.clone(),
            subchannels: self.subscribed(),
            paused: self.paused,
            data_producer_paused: self.producer_paused,
        }
    }

    /// What it has subscribed to, in order.
    pub(crate) fn subscribed(&self) -> Arc<[u16]> {
        self.subchannels.iter().copied().collect()
    }

    pub(crate) fn is_active(&self) -> bool {
        !self.paused && !self.producer_paused
    }

    pub(crate) fn dump(&self) -> DataConsumerDump {
        DataConsumerDump {
            id: self.id,
            data_producer_id: self.producer,
            r#type: DataConsumerType::Direct,
            label: self.names.label.clone(),
            protocol: self.names.protocol.clone(),
            buffered_amount: 0,
            buffered_amount_low_threshold: 0,
            paused: self.paused,
            subchannels: self.subchannels.iter().copied().collect(),
            data_producer_paused: self.producer_paused,
        }
    }

    pub(crate) fn stat(&self, timestamp: u64) -> DataConsumerStat {
        DataConsumerStat {
            timestamp,
            label: self.names.label.clone(),
            protocol: self.names.protocol.clone(),
            messages_sent: self.messages,
            bytes_sent: self.bytes,
            buffered_amount: 0,
            messages_lost: self.lost,
        }
    }
}
