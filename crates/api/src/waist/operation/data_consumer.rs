//! Operations on DataConsumers.

use crate::id::{DataConsumerId, DataProducerId, TransportId};

/// Creates a DataConsumer.
#[derive(Clone, Debug)]
pub struct ConsumeData {
    /// Drawn by the caller.
    pub id: DataConsumerId,
    /// The Transport that it goes out through.
    pub transport: TransportId,
    /// What to consume.
    pub data_producer: DataProducerId,
    /// What it subscribes to.
    pub subchannels: Vec<u16>,
    /// Whether it starts paused.
    pub paused: bool,
}

/// Pauses a DataConsumer.
#[derive(Clone, Debug)]
pub struct PauseDataConsumer {
    /// The DataConsumer.
    pub id: DataConsumerId,
}

/// Resumes a DataConsumer.
#[derive(Clone, Debug)]
pub struct ResumeDataConsumer {
    /// The DataConsumer.
    pub id: DataConsumerId,
}

/// Subscribes to these subchannels in place of those from before.
#[derive(Clone, Debug)]
pub struct SetSubchannels {
    /// The DataConsumer.
    pub id: DataConsumerId,
    /// Each once or more often, in any order.
    pub subchannels: Vec<u16>,
}

/// Subscribes to a subchannel.
#[derive(Clone, Debug)]
pub struct AddSubchannel {
    /// The DataConsumer.
    pub id: DataConsumerId,
    /// The subchannel.
    pub subchannel: u16,
}

/// Subscribes to a subchannel no longer.
#[derive(Clone, Debug)]
pub struct RemoveSubchannel {
    /// The DataConsumer.
    pub id: DataConsumerId,
    /// The subchannel.
    pub subchannel: u16,
}

/// Asks how many bytes wait to be sent.
#[derive(Clone, Debug)]
pub struct GetBufferedAmount {
    /// The DataConsumer.
    pub id: DataConsumerId,
}

/// How many bytes wait to be sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BufferedAmount(pub u32);

/// Sets at how many bytes that wait it is told that few are left.
#[derive(Clone, Debug)]
pub struct SetBufferedAmountLowThreshold {
    /// The DataConsumer.
    pub id: DataConsumerId,
    /// Bytes.
    pub threshold: u32,
}

/// Tells what a DataConsumer is.
#[derive(Clone, Debug)]
pub struct DumpDataConsumer {
    /// The DataConsumer.
    pub id: DataConsumerId,
}

/// Tells what went out through a DataConsumer.
#[derive(Clone, Debug)]
pub struct GetDataConsumerStats {
    /// The DataConsumer.
    pub id: DataConsumerId,
}
