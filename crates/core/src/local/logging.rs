//! What happens to a Worker's objects, told through `tracing` as far as its settings go. Not the event log, which is `log`.

use mafalda_api::id::WorkerId;
use mafalda_api::waist::{CreateWorker, Event, UpdateWorkerSettings};
use mafalda_api::worker::{WorkerLogLevel, WorkerLogTag};

/// What one Worker tells.
#[derive(Debug)]
pub(super) struct Logging {
    level: WorkerLogLevel,
    tags: Vec<WorkerLogTag>,
}

impl Logging {
    pub(super) fn new(command: &CreateWorker) -> Self {
        Self { level: command.log_level, tags: command.log_tags.clone() }
    }

    pub(super) fn update(&mut self, command: &UpdateWorkerSettings) {
        self.level = command.log_level.unwrap_or(self.level);
        if let Some(tags) = &command.log_tags {
            self.tags.clone_from(tags);
        }
    }

    pub(super) fn event(&self, worker: WorkerId, event: &Event) {
        if self.tells_of(event) {
            tracing::debug!(%worker, ?event);
        }
    }

    pub(super) fn panic(&self, worker: WorkerId, text: &str) {
        if self.level <= WorkerLogLevel::Error {
            tracing::error!(%worker, text, "a worker has panicked");
        }
    }

    fn tells_of(&self, event: &Event) -> bool {
        self.level == WorkerLogLevel::Debug && tag(event).is_some_and(|tag| self.tags.contains(&tag))
    }
}

/// What an event is about; nothing for what is long and known to who asked for it.
fn tag(event: &Event) -> Option<WorkerLogTag> {
    Some(match event {
        Event::Appeared(_) => return None,
        Event::IceStateChanged { .. }
        | Event::IceSelectedTupleChanged { .. }
        | Event::IceParametersChanged { .. } => WorkerLogTag::Ice,
        Event::DtlsParametersChanged { .. } | Event::DtlsStateChanged { .. } => WorkerLogTag::Dtls,
        Event::TupleChanged { .. } => WorkerLogTag::Rtp,
        Event::RtcpTupleChanged { .. } => WorkerLogTag::Rtcp,
        Event::ProducerScoreChanged { .. } | Event::ConsumerScoreChanged { .. } => WorkerLogTag::Score,
        _ => WorkerLogTag::Info,
    })
}

#[cfg(test)]
mod tests {
    use mafalda_api::id::{ProducerId, TransportId};
    use mafalda_api::types::data_structures::IceState;

    use super::*;

    fn logging(level: WorkerLogLevel, tags: &[WorkerLogTag]) -> Logging {
        Logging { level, tags: tags.into() }
    }

    #[test]
    fn events_are_told_by_their_tags_and_at_the_level_debug_alone() {
        let ice = Event::IceStateChanged { id: TransportId::new(), state: IceState::Completed };
        let score = Event::ProducerScoreChanged { id: ProducerId::new(), score: Vec::new() };
        let pause = Event::ProducerPaused { id: ProducerId::new() };
        let told = |level, tags| {
            let logging = logging(level, tags);
            [&ice, &score, &pause].map(|event| logging.tells_of(event))
        };
        assert_eq!(told(WorkerLogLevel::Debug, &WorkerLogTag::ALL), [true; 3]);
        assert_eq!(told(WorkerLogLevel::Debug, &[WorkerLogTag::Ice]), [true, false, false]);
        assert_eq!(
            told(WorkerLogLevel::Debug, &[WorkerLogTag::Score, WorkerLogTag::Info]),
            [false, true, true]
        );
        assert_eq!(told(WorkerLogLevel::Debug, &[]), [false; 3]);
        for level in [WorkerLogLevel::Warn, WorkerLogLevel::Error, WorkerLogLevel::None] {
            assert_eq!(told(level, &WorkerLogTag::ALL), [false; 3]);
        }
    }

    #[test]
    fn what_is_not_updated_stays() {
        let mut logging = logging(WorkerLogLevel::Debug, &[WorkerLogTag::Ice]);
        let id = WorkerId::new();
        logging.update(&UpdateWorkerSettings { id, log_level: Some(WorkerLogLevel::Warn), log_tags: None });
        assert_eq!((logging.level, &*logging.tags), (WorkerLogLevel::Warn, &[WorkerLogTag::Ice][..]));
        logging.update(&UpdateWorkerSettings {
            id,
            log_level: None,
            log_tags: Some(vec![WorkerLogTag::Bwe]),
        });
        assert_eq!((logging.level, &*logging.tags), (WorkerLogLevel::Warn, &[WorkerLogTag::Bwe][..]));
    }
}
