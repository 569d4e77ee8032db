//! Operations on Consumers.

use crate::consumer::ConsumerTraceEventType;
use crate::id::{ConsumerId, ProducerId, TransportId};
use crate::types::rtp_parameters::RtpCapabilities;

/// Creates a Consumer.
#[derive(Clone, Debug)]
pub struct Consume {
    /// Drawn by the caller.
    pub id: ConsumerId,
    /// The Transport that it goes out through.
    pub transport: TransportId,
    /// What to consume.
    pub producer: ProducerId,
    /// What the endpoint can receive.
    pub rtp_capabilities: RtpCapabilities,
    /// Whether it starts paused.
    pub paused: bool,
    /// The MID to send; `None` takes the Transport's next number.
    pub mid: Option<String>,
    /// Whether lost packets are sent again as RFC 4588 has it; `None` means: for video.
    pub enable_rtx: Option<bool>,
    /// Whether packets of Opus that hold nothing but silence are left out.
    pub ignore_dtx: bool,
    /// Whether packets carry the endpoint's payload types and header extension ids in place of the Router's.
    pub remote_numbers: bool,
    /// Whether all of the Producer's streams are sent on as they are. Over a PipeTransport they always are.
    pub pipe: bool,
}

/// Pauses a Consumer.
#[derive(Clone, Debug)]
pub struct PauseConsumer {
    /// The Consumer.
    pub id: ConsumerId,
}

/// Resumes a Consumer.
#[derive(Clone, Debug)]
pub struct ResumeConsumer {
    /// The Consumer.
    pub id: ConsumerId,
}

/// Asks the Producer of a Consumer for a key frame.
#[derive(Clone, Debug)]
pub struct RequestKeyFrame {
    /// The Consumer.
    pub id: ConsumerId,
}

/// Tells what a Consumer is.
#[derive(Clone, Debug)]
pub struct DumpConsumer {
    /// The Consumer.
    pub id: ConsumerId,
}

/// Tells what went out through a Consumer.
#[derive(Clone, Debug)]
pub struct GetConsumerStats {
    /// The Consumer.
    pub id: ConsumerId,
}

/// Chooses what is traced at a Consumer: these kinds, and no others.
#[derive(Clone, Debug)]
pub struct EnableConsumerTraceEvents {
    /// The Consumer.
    pub id: ConsumerId,
    /// The kinds.
    pub types: Vec<ConsumerTraceEventType>,
}
