//! A DataProducer: messages that an endpoint, or the application, sends into a Router.

mod handle;

use serde::{Deserialize, Serialize};

pub use self::handle::{DataProducer, DirectDataProducer, WeakDataProducer};
pub use crate::id::DataProducerId;
use crate::labels::Labels;
use crate::types::data_structures::AppData;

/// How a DataProducer is made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DataProducerOptions {
    /// What tells it from other channels, for the application. Default "". At most 65535 bytes (RFC 8832 §5.1).
    pub label: String,
    /// What is spoken over it, for the application. Default "". At most 65535 bytes (RFC 8832 §5.1).
    pub protocol: String,
    /// Whether it starts paused. Default false.
    pub paused: bool,
    /// What travels with the DataProducer and shows wherever it shows.
    pub labels: Labels,
    /// What stays with the DataProducer in this process.
    pub app_data: AppData,
}

impl DataProducerOptions {
    /// A DataProducer of a DirectTransport.
    #[must_use]
    pub fn new_direct() -> Self {
        Self {
            label: String::new(),
            protocol: String::new(),
            paused: false,
            labels: Labels::default(),
            app_data: AppData::default(),
        }
    }
}

/// How a DataProducer's messages come in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum DataProducerType {
    /// Over SCTP.
    Sctp,
    /// From the application.
    Direct,
}

/// What a DataProducer is.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DataProducerDump {
    /// Its id.
    pub id: DataProducerId,
    /// How its messages come in.
    pub r#type: DataProducerType,
    /// What tells it from other channels.
    pub label: String,
    /// What is spoken over it.
    pub protocol: String,
    /// Whether it is paused.
    pub paused: bool,
}

/// What came in through a DataProducer.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DataProducerStat {
    /// When this was taken: milliseconds since the Unix epoch.
    pub timestamp: u64,
    /// What tells it from other channels.
    pub label: String,
    /// What is spoken over it.
    pub protocol: String,
    /// Messages received.
    pub messages_received: u64,
    /// Bytes of these.
    pub bytes_received: u64,
}
