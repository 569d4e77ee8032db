//! A DataConsumer: one DataProducer's messages, sent on to one endpoint or to the application.

mod handle;

use serde::{Deserialize, Serialize};

pub use self::handle::{DataConsumer, DirectDataConsumer, WeakDataConsumer};
pub use crate::id::DataConsumerId;
use crate::id::DataProducerId;
use crate::labels::Labels;
use crate::types::data_structures::AppData;

/// How a DataConsumer is made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DataConsumerOptions {
    /// What to consume. It is a private field of mediasoup's.
    pub data_producer_id: DataProducerId,
    /// Whether it starts paused. Default false.
    pub paused: bool,
    /// What it subscribes to; `None`, the default, is nothing.
    pub subchannels: Option<Vec<u16>>,
    /// What travels with the DataConsumer and shows wherever it shows.
    pub labels: Labels,
    /// What stays with the DataConsumer in this process.
    pub app_data: AppData,
}

impl DataConsumerOptions {
    /// A DataConsumer of a DirectTransport.
    #[must_use]
    pub fn new_direct(data_producer_id: DataProducerId, subchannels: Option<Vec<u16>>) -> Self {
        Self {
            data_producer_id,
            paused: false,
            subchannels,
            labels: Labels::default(),
            app_data: AppData::default(),
        }
    }
}

/// How a DataConsumer's messages go out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum DataConsumerType {
    /// Over SCTP.
    Sctp,
    /// To the application.
    Direct,
}

/// What a DataConsumer is.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DataConsumerDump {
    /// Its id.
    pub id: DataConsumerId,
    /// What it consumes.
    pub data_producer_id: DataProducerId,
    /// How its messages go out.
    pub r#type: DataConsumerType,
    /// What tells it from other channels.
    pub label: String,
    /// What is spoken over it.
    pub protocol: String,
    /// Bytes that wait to be sent: 0, where the application gets them.
    pub buffered_amount: u32,
    /// At how many of them it is told that few are left: 0, where the application gets them.
    pub buffered_amount_low_threshold: u32,
    /// Whether it is paused itself.
    pub paused: bool,
    /// What it has subscribed to, in order.
    pub subchannels: Vec<u16>,
    /// Whether its DataProducer is paused.
    pub data_producer_paused: bool,
}

/// What went out through a DataConsumer.
#[derive(Clone, PartialEq, Eq, PartialOrd, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DataConsumerStat {
    /// When this was taken: milliseconds since the Unix epoch.
    pub timestamp: u64,
    /// What tells it from other channels.
    pub label: String,
    /// What is spoken over it.
    pub protocol: String,
    /// Messages sent.
    pub messages_sent: u64,
    /// Bytes of these.
    pub bytes_sent: u64,
    /// Bytes that wait to be sent: 0, where the application gets them.
    pub buffered_amount: u32,
    /// Messages that were lost: larger than its Transport sends, or more than the application took in time. mediasoup, whose queues
    /// have no bound, has no such field.
    pub messages_lost: u64,
}
