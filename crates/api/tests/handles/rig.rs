//! A backend, its root handle and an executor; what every test starts with.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use futures_executor::LocalPool;
use futures_task::LocalSpawn;
use mafalda_api::prelude::*;
use mafalda_api::waist::BoxFuture;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::fake::Fake;

pub(crate) struct Rig {
    pool: LocalPool,
    pub(crate) fake: Fake,
    pub(crate) manager: WorkerManager,
    deliver: Option<BoxFuture<'static, ()>>,
    running: Rc<Cell<usize>>,
}

impl Rig {
    pub(crate) fn new() -> Self {
        let mut rig = Self::without_callbacks();
        rig.start_callbacks();
        rig
    }

    /// The future that runs callbacks is not running yet.
    pub(crate) fn without_callbacks() -> Self {
        let fake = Fake::default();
        let (manager, [feed, deliver]) = WorkerManager::from_backend(Arc::new(fake.clone()));
        let rig =
            Self { pool: LocalPool::new(), fake, manager, deliver: Some(deliver), running: Rc::default() };
        rig.spawn(feed);
        rig
    }

    pub(crate) fn start_callbacks(&mut self) {
        let deliver = self.deliver.take().unwrap();
        self.spawn(deliver);
    }

    fn spawn(&self, future: BoxFuture<'static, ()>) {
        let running = Rc::clone(&self.running);
        running.set(running.get() + 1);
        let task = async move {
            future.await;
            running.set(running.get() - 1);
        };
        self.pool.spawner().spawn_local_obj(Box::pin(task).into()).unwrap();
    }

    /// How many of the two futures have not ended.
    pub(crate) fn running(&self) -> usize {
        self.running.get()
    }

    pub(crate) fn run<T>(&mut self, future: impl Future<Output = T>) -> T {
        self.pool.run_until(future)
    }

    /// Whether a future is done after being polled once.
    pub(crate) fn poll_once<F: Future>(&mut self, mut future: Pin<&mut F>) -> bool {
        self.run(poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_ready())))
    }

    /// Runs until nothing can go on.
    pub(crate) fn settle(&mut self) {
        self.pool.run_until_stalled();
    }

    /// Drops the root handle and keeps the rest.
    pub(crate) fn without_manager(self) -> (LocalPool, Fake, Rc<Cell<usize>>) {
        (self.pool, self.fake, self.running)
    }

    pub(crate) fn worker(&mut self) -> Worker {
        let manager = self.manager.clone();
        self.run(manager.create_worker(WorkerSettings::default())).unwrap()
    }

    pub(crate) fn router(&mut self) -> Router {
        let worker = self.worker();
        self.run(worker.create_router(RouterOptions::new(vec![opus()]))).unwrap()
    }

    pub(crate) fn transport(&mut self) -> WebRtcTransport {
        let router = self.router();
        self.transport_on(&router)
    }

    pub(crate) fn transport_on(&mut self, router: &Router) -> WebRtcTransport {
        self.run(router.create_webrtc_transport(transport_options())).unwrap()
    }

    pub(crate) fn server_in(&mut self, worker: &Worker) -> WebRtcServer {
        let infos = WebRtcServerListenInfos::new(ListenInfo::of_place(Protocol::Udp));
        self.run(worker.create_webrtc_server(WebRtcServerOptions::new(infos))).unwrap()
    }

    pub(crate) fn transport_with(&mut self, router: &Router, server: &WebRtcServer) -> WebRtcTransport {
        let options = WebRtcTransportOptions::new_with_server(server.clone());
        self.run(router.create_webrtc_transport(options)).unwrap()
    }

    pub(crate) fn producer_on(&mut self, transport: &WebRtcTransport) -> Producer {
        self.run(transport.produce(producer_options())).unwrap()
    }

    pub(crate) fn consumer_of(&mut self, producer: &Producer, transport: &WebRtcTransport) -> Consumer {
        self.run(transport.consume(ConsumerOptions::new(producer.id(), capabilities()))).unwrap()
    }
}

/// Lines that callbacks write.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    pub(crate) fn add(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    /// A callback that writes a line.
    pub(crate) fn adder(&self, line: &str) -> impl Fn() + Send + Sync + Clone + 'static {
        let (lines, line) = (self.clone(), line.to_owned());
        move || lines.add(&line)
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

fn parsed<T: DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).unwrap()
}

pub(crate) fn opus() -> RtpCodecCapability {
    parsed(json!({ "kind": "audio", "mimeType": "audio/opus", "clockRate": 48000, "channels": 2,
        "preferredPayloadType": 100, "parameters": {}, "rtcpFeedback": [] }))
}

pub(crate) fn pcma() -> RtpCodecCapability {
    parsed(json!({ "kind": "audio", "mimeType": "audio/PCMA", "clockRate": 8000 }))
}

pub(crate) fn capabilities() -> RtpCapabilities {
    RtpCapabilities { codecs: vec![opus()], header_extensions: Vec::new() }
}

pub(crate) fn transport_options() -> WebRtcTransportOptions {
    WebRtcTransportOptions::new(WebRtcTransportListenInfos::new(ListenInfo::of_place(Protocol::Udp)))
}

pub(crate) fn producer_options() -> ProducerOptions {
    let rtp_parameters = parsed(json!({
        "mid": "0",
        "codecs": [{ "mimeType": "audio/opus", "payloadType": 100, "clockRate": 48000, "channels": 2,
            "parameters": {}, "rtcpFeedback": [] }],
        "headerExtensions": [],
        "encodings": [{ "ssrc": 11_111_111 }],
        "rtcp": { "cname": "mic", "reducedSize": true },
    }));
    ProducerOptions::new(MediaKind::Audio, rtp_parameters)
}
