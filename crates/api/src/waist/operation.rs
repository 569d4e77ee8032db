//! The operations: one struct each, with its reply and its error, and the closed enums that they travel in.
//!
//! To add one: write its struct in the file of its object, and its row in the table at the end of this one. The compiler then names
//! the places that must carry it out.

mod any;
mod consumer;
mod data_consumer;
mod data_producer;
mod direct_transport;
mod pipe_transport;
mod plain_transport;
mod producer;
mod router;
mod rtp_observer;
mod transport;
mod webrtc_server;
mod webrtc_transport;
mod worker;

use super::Failure;
use crate::consumer::{ConsumerDump, ConsumerRtpStreamStat};
use crate::data_consumer::{DataConsumerDump, DataConsumerStat};
use crate::data_producer::{DataProducerDump, DataProducerStat};
use crate::direct_transport::{DirectTransportDump, DirectTransportStat};
use crate::error::{
    ConsumeDataError, ConsumeError, CreateRouterError, CreateWebRtcServerError, ProduceDataError,
    ProduceError, RequestError,
};
use crate::pipe_transport::{PipeTransportDump, PipeTransportStat};
use crate::plain_transport::{PlainTransportDump, PlainTransportStat};
use crate::producer::{ProducerDump, ProducerStat};
use crate::router::{RouterDump, UpdateMediaCodecsError};
use crate::types::data_structures::IceParameters;
use crate::webrtc_server::WebRtcServerDump;
use crate::webrtc_transport::{WebRtcTransportDump, WebRtcTransportStat};
use crate::worker::{CreateWorkerError, WorkerDump, WorkerResourceUsage};

pub use any::*;
pub use consumer::*;
pub use data_consumer::*;
pub use data_producer::*;
pub use direct_transport::*;
pub use pipe_transport::*;
pub use plain_transport::*;
pub use producer::*;
pub use router::*;
pub use rtp_observer::*;
pub use transport::*;
pub use webrtc_server::*;
pub use webrtc_transport::*;
pub use worker::*;

/// One thing that can be asked of a backend.
pub trait Operation: Into<Command> + Send {
    /// What it answers.
    type Reply: TryFrom<Reply> + Send;
    /// How it fails.
    type Error: From<Failure> + Send;
}

/// The reply of an operation whose outcome is in the mirror.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Done;

macro_rules! replies {
    ($($variant:ident($reply:ty),)+) => {
        /// What an operation answers, one variant per type of reply.
        #[derive(Clone, Debug)]
        #[expect(missing_docs, reason = "each variant is the type that it holds")]
        pub enum Reply { $($variant($reply),)+ }
        $(
            impl From<$reply> for Reply {
                fn from(it: $reply) -> Self { Self::$variant(it) }
            }
            impl TryFrom<Reply> for $reply {
                type Error = Reply;
                fn try_from(it: Reply) -> Result<Self, Reply> {
                    match it { Reply::$variant(it) => Ok(it), other => Err(other) }
                }
            }
        )+
    };
}

macro_rules! operations {
    ($($operation:ident => $reply:ty, $error:ty;)+) => {
        /// Any operation.
        #[derive(Clone, Debug)]
        #[expect(missing_docs, reason = "each variant is the struct that it holds")]
        pub enum Command { $($operation($operation),)+ }
        $(
            impl From<$operation> for Command {
                fn from(it: $operation) -> Self { Self::$operation(it) }
            }
            impl Operation for $operation {
                type Reply = $reply;
                type Error = $error;
            }
        )+
    };
}

replies! {
    Done(Done),
    WorkerDump(WorkerDump),
    WorkerResourceUsage(WorkerResourceUsage),
    WebRtcServerDump(WebRtcServerDump),
    RouterDump(Box<RouterDump>),
    TransportDump(Box<WebRtcTransportDump>),
    TransportStats(Vec<WebRtcTransportStat>),
    PlainTransportDump(Box<PlainTransportDump>),
    PlainTransportStats(Vec<PlainTransportStat>),
    DirectTransportDump(Box<DirectTransportDump>),
    DirectTransportStats(Vec<DirectTransportStat>),
    PipeTransportDump(Box<PipeTransportDump>),
    PipeTransportStats(Vec<PipeTransportStat>),
    DataProducerDump(DataProducerDump),
    DataProducerStats(Vec<DataProducerStat>),
    DataConsumerDump(DataConsumerDump),
    DataConsumerStats(Vec<DataConsumerStat>),
    BufferedAmount(BufferedAmount),
    IceParameters(IceParameters),
    ProducerDump(Box<ProducerDump>),
    ProducerStats(Vec<ProducerStat>),
    ConsumerDump(Box<ConsumerDump>),
    ConsumerStats(Vec<ConsumerRtpStreamStat>),
}

operations! {
    CreateWorker => Done, CreateWorkerError;
    DumpWorker => WorkerDump, RequestError;
    UpdateWorkerSettings => Done, RequestError;
    GetWorkerResourceUsage => WorkerResourceUsage, RequestError;
    CreateWebRtcServer => Done, CreateWebRtcServerError;
    DumpWebRtcServer => WebRtcServerDump, RequestError;
    CreateRouter => Done, CreateRouterError;
    UpdateMediaCodecs => Done, UpdateMediaCodecsError;
    DumpRouter => Box<RouterDump>, RequestError;
    CreateWebRtcTransport => Done, RequestError;
    ConnectWebRtcTransport => Done, RequestError;
    CreatePlainTransport => Done, RequestError;
    ConnectPlainTransport => Done, RequestError;
    DumpPlainTransport => Box<PlainTransportDump>, RequestError;
    GetPlainTransportStats => Vec<PlainTransportStat>, RequestError;
    CreateDirectTransport => Done, RequestError;
    DumpDirectTransport => Box<DirectTransportDump>, RequestError;
    GetDirectTransportStats => Vec<DirectTransportStat>, RequestError;
    CreatePipeTransport => Done, RequestError;
    ConnectPipeTransport => Done, RequestError;
    DumpPipeTransport => Box<PipeTransportDump>, RequestError;
    GetPipeTransportStats => Vec<PipeTransportStat>, RequestError;
    RestartIce => IceParameters, RequestError;
    SetMaxIncomingBitrate => Done, RequestError;
    DumpTransport => Box<WebRtcTransportDump>, RequestError;
    GetTransportStats => Vec<WebRtcTransportStat>, RequestError;
    EnableTransportTraceEvents => Done, RequestError;
    Produce => Done, ProduceError;
    PauseProducer => Done, RequestError;
    ResumeProducer => Done, RequestError;
    EnableProducerTraceEvents => Done, RequestError;
    DumpProducer => Box<ProducerDump>, RequestError;
    GetProducerStats => Vec<ProducerStat>, RequestError;
    Consume => Done, ConsumeError;
    PauseConsumer => Done, RequestError;
    ResumeConsumer => Done, RequestError;
    RequestKeyFrame => Done, RequestError;
    EnableConsumerTraceEvents => Done, RequestError;
    DumpConsumer => Box<ConsumerDump>, RequestError;
    GetConsumerStats => Vec<ConsumerRtpStreamStat>, RequestError;
    CreateAudioLevelObserver => Done, RequestError;
    CreateActiveSpeakerObserver => Done, RequestError;
    PauseRtpObserver => Done, RequestError;
    ResumeRtpObserver => Done, RequestError;
    AddObservedProducer => Done, RequestError;
    RemoveObservedProducer => Done, RequestError;
    ProduceData => Done, ProduceDataError;
    PauseDataProducer => Done, RequestError;
    ResumeDataProducer => Done, RequestError;
    DumpDataProducer => DataProducerDump, RequestError;
    GetDataProducerStats => Vec<DataProducerStat>, RequestError;
    ConsumeData => Done, ConsumeDataError;
    PauseDataConsumer => Done, RequestError;
    ResumeDataConsumer => Done, RequestError;
    SetSubchannels => Done, RequestError;
    AddSubchannel => Done, RequestError;
    RemoveSubchannel => Done, RequestError;
    GetBufferedAmount => BufferedAmount, RequestError;
    SetBufferedAmountLowThreshold => Done, RequestError;
    DumpDataConsumer => DataConsumerDump, RequestError;
    GetDataConsumerStats => Vec<DataConsumerStat>, RequestError;
    Close => Done, RequestError;
    Detach => Done, RequestError;
}
