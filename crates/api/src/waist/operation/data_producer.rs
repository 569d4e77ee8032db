//! Operations on DataProducers.

use crate::id::{DataProducerId, TransportId};

/// Creates a DataProducer.
#[derive(Clone, Debug)]
pub struct ProduceData {
    /// Drawn by the caller.
    pub id: DataProducerId,
    /// The Transport that it comes in through.
    pub transport: TransportId,
    /// What the channel is called.
    pub label: String,
    /// What is spoken over it.
    pub protocol: String,
    /// Whether it starts paused.
    pub paused: bool,
}

/// Pauses a DataProducer.
#[derive(Clone, Debug)]
pub struct PauseDataProducer {
    /// The DataProducer.
    pub id: DataProducerId,
}

/// Resumes a DataProducer.
#[derive(Clone, Debug)]
pub struct ResumeDataProducer {
    /// The DataProducer.
    pub id: DataProducerId,
}

/// Tells what a DataProducer is.
#[derive(Clone, Debug)]
pub struct DumpDataProducer {
    /// The DataProducer.
    pub id: DataProducerId,
}

/// Tells what came in through a DataProducer.
#[derive(Clone, Debug)]
pub struct GetDataProducerStats {
    /// The DataProducer.
    pub id: DataProducerId,
}
