//! Objects that most bodies begin with.

use mafalda_api::consumer::Consumer;
use mafalda_api::prelude::*;
use mafalda_api::producer::Producer;
use mafalda_api::router::Router;
use mafalda_api::transport::Transport;
use mafalda_api::webrtc_transport::WebRtcTransport;
use mafalda_api::worker::Worker;
use mafalda_api::worker_manager::WorkerManager;

use crate::parameters;

/// A Router with two Transports.
pub(crate) struct Scene {
    pub(crate) worker: Worker,
    pub(crate) router: Router,
    pub(crate) first: WebRtcTransport,
    pub(crate) second: WebRtcTransport,
}

impl Scene {
    pub(crate) async fn new(manager: &WorkerManager) -> Self {
        let worker = worker(manager).await;
        let router = router(&worker).await;
        let first = transport(&router).await;
        let second = transport(&router).await;
        Self { worker, router, first, second }
    }

    /// The first Transport's endpoint sends sound.
    pub(crate) async fn audio(&self) -> Producer {
        produce(&self.first, MediaKind::Audio, parameters::audio()).await
    }

    /// The first Transport's endpoint sends picture.
    pub(crate) async fn video(&self) -> Producer {
        produce(&self.first, MediaKind::Video, parameters::video()).await
    }

    /// The second Transport's endpoint gets it.
    pub(crate) async fn consume(&self, producer: &Producer) -> Consumer {
        let options = ConsumerOptions::new(producer.id(), parameters::client_capabilities());
        self.second.consume(options).await.expect("a Consumer")
    }
}

pub(crate) async fn worker(manager: &WorkerManager) -> Worker {
    manager.create_worker(WorkerSettings::default()).await.expect("a Worker")
}

pub(crate) async fn router(worker: &Worker) -> Router {
    worker.create_router(RouterOptions::new(parameters::media_codecs())).await.expect("a Router")
}

/// Listening on loopback, on a port of the Worker's range.
pub(crate) fn listen_info(protocol: Protocol) -> ListenInfo {
    ListenInfo { ip: [127, 0, 0, 1].into(), ..ListenInfo::of_place(protocol) }
}

pub(crate) fn options(listen_info: ListenInfo) -> WebRtcTransportOptions {
    WebRtcTransportOptions::new(WebRtcTransportListenInfos::new(listen_info))
}

pub(crate) async fn transport(router: &Router) -> WebRtcTransport {
    router.create_webrtc_transport(options(listen_info(Protocol::Udp))).await.expect("a WebRtcTransport")
}

pub(crate) async fn produce(
    transport: &WebRtcTransport,
    kind: MediaKind,
    rtp_parameters: RtpParameters,
) -> Producer {
    transport.produce(ProducerOptions::new(kind, rtp_parameters)).await.expect("a Producer")
}
