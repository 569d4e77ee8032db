//! Our engine in this process: Workers, a Router per room, Transports on loopback.

use std::net::Ipv4Addr;
use std::num::{NonZeroU8, NonZeroU32};

use hashbrown::HashMap;
use mafalda_core::consumer::{Consumer, ConsumerOptions};
use mafalda_core::id::{ConsumerId, ProducerId};
use mafalda_core::plain_transport::{PlainTransport, PlainTransportOptions, PlainTransportRemoteParameters};
use mafalda_core::producer::{Producer, ProducerOptions};
use mafalda_core::router::{Router, RouterOptions};
use mafalda_core::transport::Transport;
use mafalda_core::types::data_structures::{ListenInfo, Protocol};
use mafalda_core::types::rtp_parameters::{
    MediaKind, MimeTypeAudio, MimeTypeVideo, RtpCapabilities, RtpCapabilitiesFinalized, RtpCodecCapability,
    RtpCodecParametersParameters, RtpParameters,
};
use mafalda_core::types::srtp_parameters::SrtpCryptoSuite;
use mafalda_core::webrtc_transport::{
    WebRtcTransport, WebRtcTransportListenInfos, WebRtcTransportOptions, WebRtcTransportRemoteParameters,
};
use mafalda_core::worker::{Worker, WorkerSettings};
use mafalda_core::worker_manager::WorkerManager;

use super::{Consumed, Direction, Introduction, Offer, PlainOffer, TargetError, WebRtcOffer};

/// Most Workers: more than any machine has CPUs that could run them beside the load.
pub const WORKERS_MAX: usize = 256;

/// How the names of Workers' threads begin, as the kernel keeps them: cut at 15 bytes.
pub(crate) const WORKER_THREAD_PREFIX: &str = "mafalda-worker-";

const LOOPBACK: Ipv4Addr = Ipv4Addr::LOCALHOST;
const OPUS_CLOCK: NonZeroU32 = NonZeroU32::new(48_000).expect("not zero");
const VIDEO_CLOCK: NonZeroU32 = NonZeroU32::new(90_000).expect("not zero");
const STEREO: NonZeroU8 = NonZeroU8::new(2).expect("not zero");

/// How clients reach the engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EngineTransport {
    /// As browsers do.
    #[default]
    WebRtc,
    /// Without ICE and DTLS: over PlainTransports that learn the client's address, with SRTP of that suite or without.
    Plain(Option<SrtpCryptoSuite>),
}

/// The engine.
#[derive(Debug)]
pub struct EngineTarget {
    transport: EngineTransport,
    workers: Vec<Worker>,
    rooms: HashMap<usize, Router>,
    _manager: WorkerManager,
}

impl EngineTarget {
    /// Starts the engine with so many Workers, at least one and at most [`WORKERS_MAX`].
    ///
    /// # Errors
    /// [`TargetError::Engine`] when a Worker doesn't start.
    pub async fn start(workers: usize) -> Result<Self, TargetError> {
        let manager = WorkerManager::new();
        let mut started = Vec::new();
        for _ in 0..workers.clamp(1, WORKERS_MAX) {
            let worker = manager.create_worker(WorkerSettings::default()).await;
            started.push(worker.map_err(refused("start a Worker"))?);
        }
        Ok(Self {
            transport: EngineTransport::default(),
            workers: started,
            rooms: HashMap::new(),
            _manager: manager,
        })
    }

    /// The same, reached in another way.
    #[must_use]
    pub fn with_transport(self, transport: EngineTransport) -> Self {
        Self { transport, ..self }
    }

    pub(super) fn workers(&self) -> usize {
        self.workers.len()
    }

    pub(super) fn name(&self) -> String {
        let way = match self.transport {
            EngineTransport::WebRtc => String::new(),
            EngineTransport::Plain(suite) => {
                format!(", PlainTransports with {}", suite.map_or("no SRTP", name_of))
            }
        };
        format!("the engine in this process, {} Worker(s){way}", self.workers.len())
    }

    pub(super) async fn enter(&mut self, room: usize) -> Result<Seat, TargetError> {
        let router = match self.rooms.get(&room) {
            Some(router) => router.clone(),
            None => {
                let worker = self.workers.get(room % self.workers.len()).ok_or(TargetError::NoTransport)?;
                let router = worker.create_router(RouterOptions::new(router_codecs())).await;
                let router = router.map_err(refused("create a Router"))?;
                self.rooms.insert(room, router.clone());
                router
            }
        };
        Ok(Seat {
            kind: self.transport,
            capabilities: router.rtp_capabilities(),
            router,
            send: None,
            receive: None,
            producers: Vec::new(),
            consumers: HashMap::new(),
        })
    }
}

fn refused<E: std::fmt::Display>(doing: &'static str) -> impl Fn(E) -> TargetError {
    move |error| TargetError::Engine { doing, reason: error.to_string() }
}

/// One participant.
#[derive(Debug)]
pub(crate) struct Seat {
    kind: EngineTransport,
    router: Router,
    capabilities: RtpCapabilitiesFinalized,
    send: Option<Access>,
    receive: Option<Access>,
    /// Kept, because a Producer ends with its last handle.
    producers: Vec<Producer>,
    consumers: HashMap<ConsumerId, Consumer>,
}

impl Seat {
    pub(super) fn router_capabilities(&self) -> &RtpCapabilitiesFinalized {
        &self.capabilities
    }

    pub(super) async fn open(&mut self, direction: Direction) -> Result<Offer, TargetError> {
        let (access, offer) = match self.kind {
            EngineTransport::WebRtc => open_webrtc(&self.router).await?,
            EngineTransport::Plain(suite) => open_plain(&self.router, suite).await?,
        };
        match direction {
            Direction::Send => self.send = Some(access),
            Direction::Receive => self.receive = Some(access),
        }
        Ok(offer)
    }

    fn access(&self, direction: Direction) -> Result<&Access, TargetError> {
        let access = match direction {
            Direction::Send => &self.send,
            Direction::Receive => &self.receive,
        };
        access.as_ref().ok_or(TargetError::NoTransport)
    }

    fn transport(&self, direction: Direction) -> Result<&dyn Transport, TargetError> {
        self.access(direction).map(|access| match access {
            Access::WebRtc(transport) => transport as &dyn Transport,
            Access::Plain(transport) => transport,
        })
    }

    pub(super) async fn connect(
        &self,
        direction: Direction,
        introduction: Introduction,
    ) -> Result<(), TargetError> {
        let connected = match (self.access(direction)?, introduction) {
            (Access::WebRtc(transport), Introduction::WebRtc(dtls_parameters)) => {
                transport.connect(WebRtcTransportRemoteParameters { dtls_parameters }).await
            }
            (Access::Plain(transport), Introduction::Plain(srtp_parameters)) => {
                let remote = PlainTransportRemoteParameters { srtp_parameters, ..Default::default() };
                transport.connect(remote).await
            }
            _ => return Err(TargetError::NoTransport),
        };
        connected.map_err(refused("connect a transport"))
    }

    pub(super) async fn produce(
        &mut self,
        kind: MediaKind,
        parameters: RtpParameters,
    ) -> Result<ProducerId, TargetError> {
        let options = ProducerOptions::new(kind, parameters);
        let producer = self.transport(Direction::Send)?.produce(options).await.map_err(refused("produce"))?;
        let id = producer.id();
        self.producers.push(producer);
        Ok(id)
    }

    pub(super) async fn consume(
        &mut self,
        producer: ProducerId,
        capabilities: RtpCapabilities,
    ) -> Result<Consumed, TargetError> {
        let mut options = ConsumerOptions::new(producer, capabilities);
        options.paused = true;
        let consumer = self.transport(Direction::Receive)?.consume(options).await;
        let consumer = consumer.map_err(refused("consume"))?;
        let consumed = Consumed { id: consumer.id(), rtp_parameters: consumer.rtp_parameters().clone() };
        self.consumers.insert(consumed.id, consumer);
        Ok(consumed)
    }

    pub(super) async fn resume(&self, consumer: ConsumerId) -> Result<(), TargetError> {
        let consumer = self.consumers.get(&consumer).ok_or(TargetError::NoTransport)?;
        consumer.resume().await.map_err(refused("resume a Consumer"))
    }
}

/// As the IANA registry has it.
fn name_of(suite: SrtpCryptoSuite) -> &'static str {
    match suite {
        SrtpCryptoSuite::AeadAes256Gcm => "AEAD_AES_256_GCM",
        SrtpCryptoSuite::AeadAes128Gcm => "AEAD_AES_128_GCM",
        SrtpCryptoSuite::AesCm128HmacSha180 => "AES_CM_128_HMAC_SHA1_80",
        SrtpCryptoSuite::AesCm128HmacSha132 => "AES_CM_128_HMAC_SHA1_32",
    }
}

/// A Transport of a participant.
#[derive(Debug)]
enum Access {
    WebRtc(WebRtcTransport),
    Plain(PlainTransport),
}

fn loopback() -> ListenInfo {
    ListenInfo { ip: LOOPBACK.into(), ..ListenInfo::of_place(Protocol::Udp) }
}

async fn open_webrtc(router: &Router) -> Result<(Access, Offer), TargetError> {
    let options = WebRtcTransportOptions::new(WebRtcTransportListenInfos::new(loopback()));
    let transport = router.create_webrtc_transport(options).await;
    let transport = transport.map_err(refused("create a transport"))?;
    let offer = WebRtcOffer {
        ice: transport.ice_parameters(),
        candidates: transport.ice_candidates(),
        dtls: transport.dtls_parameters(),
    };
    Ok((Access::WebRtc(transport), Offer::WebRtc(Box::new(offer))))
}

async fn open_plain(router: &Router, suite: Option<SrtpCryptoSuite>) -> Result<(Access, Offer), TargetError> {
    let mut options = PlainTransportOptions::new(loopback());
    options.comedia = true;
    options.enable_srtp = suite.is_some();
    options.srtp_crypto_suite = suite.unwrap_or_default();
    let transport = router.create_plain_transport(options).await;
    let transport = transport.map_err(refused("create a transport"))?;
    let remote = (LOOPBACK, transport.tuple().local_port()).into();
    let offer = PlainOffer { remote, srtp: transport.srtp_parameters() };
    Ok((Access::Plain(transport), Offer::Plain(offer)))
}

/// What rooms carry: all that can be pretended.
pub(crate) fn router_codecs() -> Vec<RtpCodecCapability> {
    let mut h264 = RtpCodecParametersParameters::default();
    h264.insert("packetization-mode", 1_u32);
    h264.insert("profile-level-id", "42e01f");
    h264.insert("level-asymmetry-allowed", 1_u32);
    let video = |mime_type, parameters| RtpCodecCapability::Video {
        mime_type,
        preferred_payload_type: None,
        clock_rate: VIDEO_CLOCK,
        parameters,
        rtcp_feedback: Vec::new(),
    };
    vec![
        RtpCodecCapability::Audio {
            mime_type: MimeTypeAudio::Opus,
            preferred_payload_type: None,
            clock_rate: OPUS_CLOCK,
            channels: STEREO,
            parameters: RtpCodecParametersParameters::default(),
            rtcp_feedback: Vec::new(),
        },
        video(MimeTypeVideo::Vp8, RtpCodecParametersParameters::default()),
        video(MimeTypeVideo::Vp9, RtpCodecParametersParameters::default()),
        video(MimeTypeVideo::H264, h264),
    ]
}
