//! The root of all handles: creates Workers, and finds whatever its session owns.

use std::io;
use std::sync::Arc;

use event_listener_primitives::HandlerId;

use crate::active_speaker_observer::ActiveSpeakerObserver;
use crate::audio_level_observer::AudioLevelObserver;
use crate::callbacks::Notice;
use crate::consumer::Consumer;
use crate::data_consumer::DataConsumer;
use crate::data_producer::DataProducer;
use crate::direct_transport::DirectTransport;
use crate::error::RequestError;
use crate::id::{
    ConsumerId, DataConsumerId, DataProducerId, ObjectId, ProducerId, RouterId, RtpObserverId, SessionId,
    TransportId, WebRtcServerId, WorkerId,
};
use crate::link::Link;
use crate::pipe_transport::PipeTransport;
use crate::plain_transport::PlainTransport;
use crate::producer::Producer;
use crate::router::Router;
use crate::subscription::Subscription;
use crate::waist::{Backend, BoxFuture, CreateWorker, ThreadInitializer};
use crate::webrtc_server::WebRtcServer;
use crate::webrtc_transport::WebRtcTransport;
use crate::worker::{CreateWorkerError, Worker, WorkerSettings};

/// A session at a backend. Clones are the same session; it ends with the last clone and the last handle of any object.
#[derive(Clone, Debug)]
pub struct WorkerManager {
    link: Arc<Link>,
}

impl WorkerManager {
    /// A session at this backend, and the two futures that must run beside it: one keeps what handles know, the other runs
    /// callbacks. They need to be polled independently of each other, so that a callback that blocks holds up callbacks
    /// alone. Both end when the last handle is gone or the backend ends.
    #[must_use]
    pub fn from_backend(backend: Arc<dyn Backend>) -> (Self, [BoxFuture<'static, ()>; 2]) {
        let (link, futures) = Link::open(backend);
        (Self { link }, futures)
    }

    pub(crate) fn of(link: &Arc<Link>) -> Self {
        Self { link: Arc::clone(link) }
    }

    /// The session that owns what is created here.
    #[must_use]
    pub fn session(&self) -> SessionId {
        self.link.session()
    }

    /// Creates a Worker. Dropping the future closes what it made.
    ///
    /// # Errors
    ///
    /// The `io::Error` holds a [`CreateWorkerError`]. An empty port range is `InvalidInput`.
    pub async fn create_worker(&self, worker_settings: WorkerSettings) -> io::Result<Worker> {
        let WorkerSettings {
            log_level,
            log_tags,
            rtc_port_range,
            dtls_files,
            thread_initializer,
            labels,
            app_data,
        } = worker_settings;
        if rtc_port_range.is_empty() {
            let detail = format!("port range {rtc_port_range:?} is empty");
            return Err(CreateWorkerError::from(RequestError::InvalidArgument { detail }).into());
        }
        let id = WorkerId::new();
        let operation = CreateWorker {
            id,
            log_level,
            log_tags,
            rtc_port_range: rtc_port_range.into_inner(),
            dtls_files,
            thread_initializer: thread_initializer.map(ThreadInitializer),
        };
        Ok(Worker::from_handle(self.link.create(id, labels, app_data, operation).await?))
    }

    /// Finds a Worker.
    #[must_use]
    pub fn find_worker(&self, id: WorkerId) -> Option<Worker> {
        Some(Worker::of(&self.link, &self.link.mirror.find(id)?))
    }

    /// All Workers.
    #[must_use]
    pub fn workers(&self) -> Vec<Worker> {
        let workers = self.link.mirror.ids().into_iter().filter_map(|id| match id {
            ObjectId::Worker(id) => self.find_worker(id),
            _ => None,
        });
        workers.collect()
    }

    /// Finds a WebRtcServer.
    #[must_use]
    pub fn find_webrtc_server(&self, id: WebRtcServerId) -> Option<WebRtcServer> {
        WebRtcServer::of(&self.link, &self.link.mirror.find(id)?)
    }

    /// Finds a Router.
    #[must_use]
    pub fn find_router(&self, id: RouterId) -> Option<Router> {
        Router::of(&self.link, &self.link.mirror.find(id)?)
    }

    /// Finds a DirectTransport.
    #[must_use]
    pub fn find_direct_transport(&self, id: TransportId) -> Option<DirectTransport> {
        DirectTransport::of(&self.link, &self.link.mirror.find(id)?)
    }

    /// Finds a PlainTransport.
    #[must_use]
    pub fn find_plain_transport(&self, id: TransportId) -> Option<PlainTransport> {
        PlainTransport::of(&self.link, &self.link.mirror.find(id)?)
    }

    /// Finds a PipeTransport.
    #[must_use]
    pub fn find_pipe_transport(&self, id: TransportId) -> Option<PipeTransport> {
        PipeTransport::of(&self.link, &self.link.mirror.find(id)?)
    }

    /// Finds a WebRtcTransport.
    #[must_use]
    pub fn find_webrtc_transport(&self, id: TransportId) -> Option<WebRtcTransport> {
        WebRtcTransport::of(&self.link, &self.link.mirror.find(id)?)
    }

    /// Finds a Producer.
    #[must_use]
    pub fn find_producer(&self, id: ProducerId) -> Option<Producer> {
        Producer::of(&self.link, &self.link.mirror.find_known(id)?)
    }

    /// Finds a Consumer.
    #[must_use]
    pub fn find_consumer(&self, id: ConsumerId) -> Option<Consumer> {
        Consumer::of(&self.link, &self.link.mirror.find(id)?)
    }

    /// Finds an AudioLevelObserver.
    #[must_use]
    pub fn find_audio_level_observer(&self, id: RtpObserverId) -> Option<AudioLevelObserver> {
        AudioLevelObserver::of(&self.link, &self.link.mirror.find(id)?)
    }

    /// Finds an ActiveSpeakerObserver.
    #[must_use]
    pub fn find_active_speaker_observer(&self, id: RtpObserverId) -> Option<ActiveSpeakerObserver> {
        ActiveSpeakerObserver::of(&self.link, &self.link.mirror.find(id)?)
    }

    /// How many events that only pass by (traces, volumes) were left out so far, because they came faster than this process, or its
    /// connection, took them. Each other event gets through, merged perhaps with a later one of its kind.
    #[must_use]
    pub fn missed_events(&self) -> u64 {
        self.link.missed()
    }

    /// Finds a DataProducer.
    #[must_use]
    pub fn find_data_producer(&self, id: DataProducerId) -> Option<DataProducer> {
        DataProducer::of(&self.link, &self.link.mirror.find(id)?)
    }

    /// Finds a DataConsumer.
    #[must_use]
    pub fn find_data_consumer(&self, id: DataConsumerId) -> Option<DataConsumer> {
        DataConsumer::of(&self.link, &self.link.mirror.find(id)?)
    }

    /// All that happens in the session from now on, in order.
    pub fn events(&self) -> Subscription {
        self.link.subscribers.subscribe()
    }

    /// Calls back for each Worker that is created; before `create_worker` returns.
    pub fn on_new_worker<F: Fn(&Worker) + Send + Sync + 'static>(&self, callback: F) -> HandlerId {
        self.link.callbacks.add(move |notice| {
            if let Notice::NewWorker(worker) = notice {
                callback(worker);
            }
        })
    }
}
