//! Our engine in this process: Workers, a Router per room, WebRtcTransports on loopback.

use std::num::{NonZeroU8, NonZeroU32};

use hashbrown::HashMap;
use mafalda_core::consumer::{Consumer, ConsumerOptions};
use mafalda_core::id::{ConsumerId, ProducerId};
use mafalda_core::producer::{Producer, ProducerOptions};
use mafalda_core::router::{Router, RouterOptions};
use mafalda_core::transport::Transport;
use mafalda_core::types::data_structures::{DtlsParameters, ListenInfo, Protocol};
use mafalda_core::types::rtp_parameters::{
    MediaKind, MimeTypeAudio, MimeTypeVideo, RtpCapabilities, RtpCapabilitiesFinalized, RtpCodecCapability,
    RtpCodecParametersParameters, RtpParameters,
};
use mafalda_core::webrtc_transport::{
    WebRtcTransport, WebRtcTransportListenInfos, WebRtcTransportOptions, WebRtcTransportRemoteParameters,
};
use mafalda_core::worker::{Worker, WorkerSettings};
use mafalda_core::worker_manager::WorkerManager;

use super::{Consumed, Direction, Offer, TargetError};

/// Most Workers: more than any machine has CPUs that could run them beside the load.
pub const WORKERS_MAX: usize = 256;

/// How the names of Workers' threads begin, as the kernel keeps them: cut at 15 bytes.
pub(crate) const WORKER_THREAD_PREFIX: &str = "mafalda-worker-";

const OPUS_CLOCK: NonZeroU32 = NonZeroU32::new(48_000).expect("not zero");
const VIDEO_CLOCK: NonZeroU32 = NonZeroU32::new(90_000).expect("not zero");
const STEREO: NonZeroU8 = NonZeroU8::new(2).expect("not zero");

/// The engine.
#[derive(Debug)]
pub struct EngineTarget {
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
        Ok(Self { workers: started, rooms: HashMap::new(), _manager: manager })
    }

    pub(super) fn workers(&self) -> usize {
        self.workers.len()
    }

    pub(super) fn name(&self) -> String {
        format!("the engine in this process, {} Worker(s)", self.workers.len())
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
    router: Router,
    capabilities: RtpCapabilitiesFinalized,
    send: Option<WebRtcTransport>,
    receive: Option<WebRtcTransport>,
    /// Kept, because a Producer ends with its last handle.
    producers: Vec<Producer>,
    consumers: HashMap<ConsumerId, Consumer>,
}

impl Seat {
    pub(super) fn router_capabilities(&self) -> &RtpCapabilitiesFinalized {
        &self.capabilities
    }

    pub(super) async fn open(&mut self, direction: Direction) -> Result<Offer, TargetError> {
        let info = ListenInfo { ip: [127, 0, 0, 1].into(), ..ListenInfo::of_place(Protocol::Udp) };
        let options = WebRtcTransportOptions::new(WebRtcTransportListenInfos::new(info));
        let transport = self.router.create_webrtc_transport(options).await;
        let transport = transport.map_err(refused("create a transport"))?;
        let offer = Offer {
            ice: transport.ice_parameters(),
            candidates: transport.ice_candidates(),
            dtls: transport.dtls_parameters(),
        };
        match direction {
            Direction::Send => self.send = Some(transport),
            Direction::Receive => self.receive = Some(transport),
        }
        Ok(offer)
    }

    fn transport(&self, direction: Direction) -> Result<&WebRtcTransport, TargetError> {
        let transport = match direction {
            Direction::Send => &self.send,
            Direction::Receive => &self.receive,
        };
        transport.as_ref().ok_or(TargetError::NoTransport)
    }

    pub(super) async fn connect(
        &self,
        direction: Direction,
        dtls_parameters: DtlsParameters,
    ) -> Result<(), TargetError> {
        let remote = WebRtcTransportRemoteParameters { dtls_parameters };
        self.transport(direction)?.connect(remote).await.map_err(refused("connect a transport"))
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
