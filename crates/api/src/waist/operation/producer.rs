//! Operations on Producers.

use crate::id::{ProducerId, TransportId};
use crate::producer::ProducerTraceEventType;
use crate::types::rtp_parameters::{MediaKind, RtpParameters};

/// Creates a Producer.
#[derive(Clone, Debug)]
pub struct Produce {
    /// Drawn by the caller.
    pub id: ProducerId,
    /// The Transport that it comes in through.
    pub transport: TransportId,
    /// Audio or video.
    pub kind: MediaKind,
    /// What the endpoint sends.
    pub rtp_parameters: RtpParameters,
    /// Whether it starts paused.
    pub paused: bool,
    /// Milliseconds for which further key-frame requests are held back after one; 0 for none.
    pub key_frame_request_delay: u32,
    /// The id under which its Router knows it, where that is the id of another Router's Producer that it carries on; `None`: its own.
    /// Ids of objects are used once; this is how a Producer is consumed by the same id in several Routers.
    pub alias: Option<ProducerId>,
    /// The SSRCs that its streams have inside the Router, one for each encoding, where they are those of a Producer that it carries
    /// on; empty: the Router's next ones.
    pub mapped_ssrcs: Vec<u32>,
}

/// Pauses a Producer.
#[derive(Clone, Debug)]
pub struct PauseProducer {
    /// The Producer.
    pub id: ProducerId,
}

/// Resumes a Producer.
#[derive(Clone, Debug)]
pub struct ResumeProducer {
    /// The Producer.
    pub id: ProducerId,
}

/// Tells what a Producer is.
#[derive(Clone, Debug)]
pub struct DumpProducer {
    /// The Producer.
    pub id: ProducerId,
}

/// Tells what came in through a Producer.
#[derive(Clone, Debug)]
pub struct GetProducerStats {
    /// The Producer.
    pub id: ProducerId,
}

/// Chooses what is traced at a Producer: these kinds, and no others.
#[derive(Clone, Debug)]
pub struct EnableProducerTraceEvents {
    /// The Producer.
    pub id: ProducerId,
    /// The kinds.
    pub types: Vec<ProducerTraceEventType>,
}
