//! The operations: one struct each, with its reply and its error, and the closed enums that they travel in.
//!
//! To add one: write its struct, and its row in the table at the end of this file. The compiler then names the places that
//! must carry it out.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use super::Failure;
use crate::consumer::{ConsumerDump, ConsumerRtpStreamStat};
use crate::error::{ConsumeError, CreateRouterError, CreateWebRtcServerError, ProduceError, RequestError};
use crate::id::{ConsumerId, ObjectId, ProducerId, RouterId, TransportId, WebRtcServerId, WorkerId};
use crate::plain_transport::{PlainTransportDump, PlainTransportStat};
use crate::producer::{ProducerDump, ProducerStat};
use crate::router::RouterDump;
use crate::types::data_structures::{DtlsParameters, IceParameters, ListenInfo};
use crate::types::rtp_parameters::{MediaKind, RtpCapabilities, RtpCodecCapability, RtpParameters};
use crate::types::srtp_parameters::{SrtpCryptoSuite, SrtpParameters};
use crate::webrtc_server::WebRtcServerDump;
use crate::webrtc_transport::{WebRtcTransportDump, WebRtcTransportStat};
use crate::worker::{CreateWorkerError, WorkerDtlsFiles, WorkerDump};

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

/// Runs on a Worker's thread before anything else; for example to pin it.
#[derive(Clone)]
pub struct ThreadInitializer(pub Arc<dyn Fn() + Send + Sync>);

impl fmt::Debug for ThreadInitializer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ThreadInitializer")
    }
}

/// Starts a Worker.
#[derive(Clone, Debug)]
pub struct CreateWorker {
    /// Drawn by the caller.
    pub id: WorkerId,
    /// Ports for Transports whose `ListenInfo` names none, first and last.
    pub rtc_port_range: (u16, u16),
    /// Certificate and key; `None` makes a self-signed certificate.
    pub dtls_files: Option<WorkerDtlsFiles>,
    /// Runs first on the Worker's thread.
    pub thread_initializer: Option<ThreadInitializer>,
}

/// Tells what a Worker holds.
#[derive(Clone, Debug)]
pub struct DumpWorker {
    /// The Worker.
    pub id: WorkerId,
}

/// Creates a WebRtcServer.
#[derive(Clone, Debug)]
pub struct CreateWebRtcServer {
    /// Drawn by the caller.
    pub id: WebRtcServerId,
    /// Where it shall live.
    pub worker: WorkerId,
    /// Where it listens, over UDP and TCP.
    pub listen_infos: Vec<ListenInfo>,
}

/// Tells what a WebRtcServer holds.
#[derive(Clone, Debug)]
pub struct DumpWebRtcServer {
    /// The WebRtcServer.
    pub id: WebRtcServerId,
}

/// Creates a Router.
#[derive(Clone, Debug)]
pub struct CreateRouter {
    /// Drawn by the caller.
    pub id: RouterId,
    /// Where it shall live.
    pub worker: WorkerId,
    /// The codecs that it shall carry.
    pub media_codecs: Vec<RtpCodecCapability>,
}

/// Tells what a Router holds.
#[derive(Clone, Debug)]
pub struct DumpRouter {
    /// The Router.
    pub id: RouterId,
}

/// Whose sockets a WebRtcTransport uses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Listen {
    /// Its own; one candidate per address, two where an internal address is exposed.
    Individual(Vec<ListenInfo>),
    /// Those of a WebRtcServer, which lives in the same Worker.
    Server(WebRtcServerId),
}

/// Creates a WebRtcTransport.
#[derive(Clone, Debug)]
pub struct CreateWebRtcTransport {
    /// Drawn by the caller.
    pub id: TransportId,
    /// The Router that it shall belong to.
    pub router: RouterId,
    /// Where to listen.
    pub listen: Listen,
    /// Whether UDP infos are used.
    pub enable_udp: bool,
    /// Whether TCP infos are used.
    pub enable_tcp: bool,
    /// Give UDP candidates the higher priority.
    pub prefer_udp: bool,
    /// Give TCP candidates the higher priority.
    pub prefer_tcp: bool,
    /// Seconds without a consent check until ICE is disconnected: 0 (never) or 10 to 60.
    pub ice_consent_timeout: u8,
    /// Most bits per second that the endpoint shall send, told by REMB; `None` is no limit.
    pub max_incoming_bitrate: Option<u64>,
}

/// Creates a PlainTransport with sockets of its own.
#[derive(Clone, Debug)]
pub struct CreatePlainTransport {
    /// Drawn by the caller.
    pub id: TransportId,
    /// The Router that it shall belong to.
    pub router: RouterId,
    /// Where to listen: for RTP, and without `rtcp_mux` behind it for RTCP.
    pub listen_infos: Vec<ListenInfo>,
    /// Whether RTP and RTCP share a port.
    pub rtcp_mux: bool,
    /// Whether the peer's address is that of its first valid packet.
    pub comedia: bool,
    /// The suite of SRTP; `None` leaves packets as they are.
    pub srtp_crypto_suite: Option<SrtpCryptoSuite>,
    /// Most bits per second that the peer shall send, told by REMB; `None` is no limit.
    pub max_incoming_bitrate: Option<u64>,
}

/// Tells a PlainTransport who its peer is.
#[derive(Clone, Debug)]
pub struct ConnectPlainTransport {
    /// The Transport.
    pub id: TransportId,
    /// The peer's IP, unless comedia learns it.
    pub ip: Option<IpAddr>,
    /// Its port.
    pub port: Option<u16>,
    /// Its port for RTCP, where that has one of its own.
    pub rtcp_port: Option<u16>,
    /// The key of what it sends, where SRTP is enabled.
    pub srtp_parameters: Option<SrtpParameters>,
}

/// Tells what a PlainTransport holds.
#[derive(Clone, Debug)]
pub struct DumpPlainTransport {
    /// The Transport.
    pub id: TransportId,
}

/// Tells what went over a PlainTransport.
#[derive(Clone, Debug)]
pub struct GetPlainTransportStats {
    /// The Transport.
    pub id: TransportId,
}

/// Gives a WebRtcTransport its peer's DTLS parameters.
#[derive(Clone, Debug)]
pub struct ConnectWebRtcTransport {
    /// The Transport.
    pub id: TransportId,
    /// The peer's role and fingerprints.
    pub dtls_parameters: DtlsParameters,
}

/// Gives a WebRtcTransport new ICE credentials.
#[derive(Clone, Debug)]
pub struct RestartIce {
    /// The Transport.
    pub id: TransportId,
}

/// Limits what the endpoint sends.
#[derive(Clone, Debug)]
pub struct SetMaxIncomingBitrate {
    /// The Transport.
    pub id: TransportId,
    /// Bits per second; 0 removes the limit.
    pub bitrate: u64,
}

/// Tells what a WebRtcTransport holds.
#[derive(Clone, Debug)]
pub struct DumpTransport {
    /// The Transport.
    pub id: TransportId,
}

/// Tells what went over a WebRtcTransport.
#[derive(Clone, Debug)]
pub struct GetTransportStats {
    /// The Transport.
    pub id: TransportId,
}

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

/// Closes objects and all that live in them. Ids that don't exist (any more) are passed over.
#[derive(Clone, Debug)]
pub struct Close {
    /// Which ones.
    pub ids: Vec<ObjectId>,
}

/// Leaves objects running without an owner. Ids that don't exist (any more) are passed over.
#[derive(Clone, Debug)]
pub struct Detach {
    /// Which ones.
    pub ids: Vec<ObjectId>,
}

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
    WebRtcServerDump(WebRtcServerDump),
    RouterDump(RouterDump),
    TransportDump(Box<WebRtcTransportDump>),
    TransportStats(Vec<WebRtcTransportStat>),
    PlainTransportDump(Box<PlainTransportDump>),
    PlainTransportStats(Vec<PlainTransportStat>),
    IceParameters(IceParameters),
    ProducerDump(Box<ProducerDump>),
    ProducerStats(Vec<ProducerStat>),
    ConsumerDump(Box<ConsumerDump>),
    ConsumerStats(Vec<ConsumerRtpStreamStat>),
}

operations! {
    CreateWorker => Done, CreateWorkerError;
    DumpWorker => WorkerDump, RequestError;
    CreateWebRtcServer => Done, CreateWebRtcServerError;
    DumpWebRtcServer => WebRtcServerDump, RequestError;
    CreateRouter => Done, CreateRouterError;
    DumpRouter => RouterDump, RequestError;
    CreateWebRtcTransport => Done, RequestError;
    ConnectWebRtcTransport => Done, RequestError;
    CreatePlainTransport => Done, RequestError;
    ConnectPlainTransport => Done, RequestError;
    DumpPlainTransport => Box<PlainTransportDump>, RequestError;
    GetPlainTransportStats => Vec<PlainTransportStat>, RequestError;
    RestartIce => IceParameters, RequestError;
    SetMaxIncomingBitrate => Done, RequestError;
    DumpTransport => Box<WebRtcTransportDump>, RequestError;
    GetTransportStats => Vec<WebRtcTransportStat>, RequestError;
    Produce => Done, ProduceError;
    PauseProducer => Done, RequestError;
    ResumeProducer => Done, RequestError;
    DumpProducer => Box<ProducerDump>, RequestError;
    GetProducerStats => Vec<ProducerStat>, RequestError;
    Consume => Done, ConsumeError;
    PauseConsumer => Done, RequestError;
    ResumeConsumer => Done, RequestError;
    RequestKeyFrame => Done, RequestError;
    DumpConsumer => Box<ConsumerDump>, RequestError;
    GetConsumerStats => Vec<ConsumerRtpStreamStat>, RequestError;
    Close => Done, RequestError;
    Detach => Done, RequestError;
}
