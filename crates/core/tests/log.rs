//! What a Worker says of itself, as its settings have it.
#![expect(clippy::unwrap_used, reason = "a test's helpers may fail the test")]

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};

use futures_lite::future::block_on;
use mafalda_core::prelude::*;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// A line: its target, weight and fields.
type Line = (String, Level, String);

/// Keeps the lines of Workers.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<Line>>>);

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{field}={value:?} ").expect("a string takes all");
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("mafalda::")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields(String::new());
        event.record(&mut fields);
        let line = (event.metadata().target().to_owned(), *event.metadata().level(), fields.0);
        self.0.lock().unwrap().push(line);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

impl Lines {
    /// What a Worker has said since this was asked last: subjects with weights, each once.
    fn of(&self, worker: &Worker) -> Vec<(String, Level)> {
        let own = format!("worker={}", worker.id());
        let lines = std::mem::take(&mut *self.0.lock().unwrap());
        let own = lines.into_iter().filter(|(.., fields)| fields.contains(&own));
        let mut told: Vec<_> =
            own.map(|(target, level, _)| (target["mafalda::".len()..].to_owned(), level)).collect();
        told.sort();
        told.dedup();
        told
    }
}

fn line(subject: &str, level: Level) -> (String, Level) {
    (subject.to_owned(), level)
}

/// Creates and changes things of several subjects, and asks for something that is refused.
async fn act(worker: &Worker) {
    let router = worker.create_router(RouterOptions::default()).await.unwrap();
    let infos = WebRtcTransportListenInfos::new(ListenInfo::of_place(Protocol::Udp));
    let transport = router.create_webrtc_transport(WebRtcTransportOptions::new(infos)).await.unwrap();
    transport.restart_ice().await.unwrap();
    transport.close();
    transport.restart_ice().await.unwrap_err();
    let infos = WebRtcTransportListenInfos::new(ListenInfo::of_place(Protocol::Udp));
    let mut options = WebRtcTransportOptions::new(infos);
    options.enable_udp = false;
    options.enable_tcp = false;
    router.create_webrtc_transport(options).await.unwrap_err();
}

#[test]
fn a_worker_says_what_its_settings_want() {
    let lines = Lines::default();
    tracing::subscriber::set_global_default(lines.clone()).unwrap();
    block_on(async {
        let manager = WorkerManager::new();
        let worker = manager.create_worker(WorkerSettings::default()).await.unwrap();
        act(&worker).await;
        let all = lines.of(&worker);
        for subject in ["info", "ice"] {
            assert!(all.contains(&line(subject, Level::DEBUG)), "{subject} in {all:?}");
        }

        let mut settings = WorkerUpdateSettings::default();
        settings.log_tags = Some(vec![WorkerLogTag::Ice, WorkerLogTag::Sctp]);
        worker.update_settings(settings).await.unwrap();
        lines.of(&worker);
        act(&worker).await;
        assert_eq!(lines.of(&worker), [line("ice", Level::DEBUG)]);

        let mut settings = WorkerUpdateSettings::default();
        settings.log_level = Some(WorkerLogLevel::Warn);
        worker.update_settings(settings).await.unwrap();
        act(&worker).await;
        assert_eq!(lines.of(&worker), [], "nothing went wrong with ICE");

        let mut settings = WorkerSettings::default();
        settings.log_level = WorkerLogLevel::None;
        let silent = manager.create_worker(settings).await.unwrap();
        lines.of(&silent);
        act(&silent).await;
        assert_eq!(lines.of(&silent), []);

        let mut settings = WorkerUpdateSettings::default();
        settings.log_level = Some(WorkerLogLevel::Warn);
        silent.update_settings(settings).await.unwrap();
        let router = silent.create_router(RouterOptions::default()).await.unwrap();
        let nobody = ConsumerOptions::new(ProducerId::new(), RtpCapabilities::default());
        let infos = WebRtcTransportListenInfos::new(ListenInfo::of_place(Protocol::Udp));
        let transport = router.create_webrtc_transport(WebRtcTransportOptions::new(infos)).await.unwrap();
        use mafalda_core::transport::Transport as _;
        transport.consume(nobody).await.unwrap_err();
        assert_eq!(lines.of(&silent), [line("info", Level::WARN)]);
    });
}
