//! What a Worker says of itself: rare things, each about one subject, as far as its settings want them.
//!
//! A line costs a comparison where it isn't wanted, and none stands on the way of a packet. What becomes of it is up to the
//! subscriber of the process; its target is `mafalda::` and the subject's name.

use mafalda_api::id::WorkerId;
use mafalda_api::types::data_structures::DtlsState;
use mafalda_api::waist::{Event, Failure};
use mafalda_api::worker::{WorkerLogLevel, WorkerLogTag};

/// A Worker's log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Log {
    pub(crate) worker: WorkerId,
    level: WorkerLogLevel,
    /// One bit per subject.
    tags: u16,
}

impl Log {
    /// A log that says nothing.
    pub(crate) fn new(worker: WorkerId) -> Self {
        Self { worker, level: WorkerLogLevel::None, tags: 0 }
    }

    pub(crate) fn set_level(&mut self, level: WorkerLogLevel) {
        self.level = level;
    }

    pub(crate) fn set_tags(&mut self, tags: &[WorkerLogTag]) {
        self.tags = tags.iter().fold(0, |bits, tag| bits | 1 << *tag as u16);
    }

    /// Whether a line of that weight and about that is to be written.
    pub(crate) fn wants(self, level: WorkerLogLevel, tag: WorkerLogTag) -> bool {
        let chosen = level == WorkerLogLevel::Error || self.tags & 1 << tag as u16 != 0;
        chosen && self.level <= level
    }

    /// Tells of an event, once.
    pub(crate) fn event(self, event: &Event) {
        if event.is_passing() {
            return;
        }
        let object = event.subject();
        match event {
            // Its whole state would be too much.
            Event::Appeared(_) => note!(self, Debug, Info, %object, "created"),
            Event::IceStateChanged { .. } | Event::IceSelectedTupleChanged { .. } => {
                note!(self, Debug, Ice, ?event);
            }
            Event::IceParametersChanged { .. } => note!(self, Debug, Ice, %object, "ICE restarts"),
            Event::DtlsStateChanged { state: DtlsState::Failed, .. } => {
                note!(self, Warn, Dtls, %object, "DTLS has failed");
            }
            Event::DtlsStateChanged { state, .. } => note!(self, Debug, Dtls, %object, ?state),
            Event::DtlsParametersChanged { .. } => note!(self, Debug, Dtls, %object, "connecting"),
            // It has a key in it.
            Event::PlainTransportConnected { .. } => note!(self, Debug, Rtp, %object, "connected"),
            Event::TupleChanged { .. } | Event::RtcpTupleChanged { .. } => note!(self, Debug, Rtp, ?event),
            Event::ProducerScoreChanged { .. } | Event::ConsumerScoreChanged { .. } => {
                note!(self, Debug, Score, ?event);
            }
            _ => note!(self, Debug, Info, ?event),
        }
    }

    /// Tells of a call that could not be carried out.
    pub(crate) fn refusal(self, failure: &Failure) {
        note!(self, Warn, Info, code = ?failure.code, %failure, "call refused");
    }
}

/// The target of lines about a subject.
pub(crate) const fn target(tag: WorkerLogTag) -> &'static str {
    match tag {
        WorkerLogTag::Info => "mafalda::info",
        WorkerLogTag::Ice => "mafalda::ice",
        WorkerLogTag::Dtls => "mafalda::dtls",
        WorkerLogTag::Rtp => "mafalda::rtp",
        WorkerLogTag::Srtp => "mafalda::srtp",
        WorkerLogTag::Rtcp => "mafalda::rtcp",
        WorkerLogTag::Rtx => "mafalda::rtx",
        WorkerLogTag::Bwe => "mafalda::bwe",
        WorkerLogTag::Score => "mafalda::score",
        WorkerLogTag::Simulcast => "mafalda::simulcast",
        WorkerLogTag::Svc => "mafalda::svc",
        WorkerLogTag::Sctp => "mafalda::sctp",
        WorkerLogTag::Message => "mafalda::message",
    }
}

/// Writes a line into a Worker's log, if it is wanted there.
macro_rules! note {
    ($log:expr, $level:ident, $tag:ident, $($fields:tt)+) => {{
        use mafalda_api::worker::{WorkerLogLevel, WorkerLogTag};
        let log: $crate::log::Log = $log;
        if log.wants(WorkerLogLevel::$level, WorkerLogTag::$tag) {
            $crate::log::written!($level, $crate::log::target(WorkerLogTag::$tag), log.worker, $($fields)+);
        }
    }};
}

macro_rules! written {
    (Debug, $target:expr, $worker:expr, $($fields:tt)+) => {
        tracing::debug!(target: $target, worker = %$worker, $($fields)+)
    };
    (Warn, $target:expr, $worker:expr, $($fields:tt)+) => {
        tracing::warn!(target: $target, worker = %$worker, $($fields)+)
    };
}

pub(crate) use {note, written};

#[cfg(test)]
mod tests {
    use WorkerLogLevel::{Debug, Error, None, Warn};
    use WorkerLogTag::{Ice, Rtp, Sctp};

    use super::*;

    #[test]
    fn level_and_subject_must_both_be_wanted_but_errors_are_of_any_subject() {
        let mut log = Log::new(WorkerId::new());
        assert!(!log.wants(Error, Ice), "it begins silent");
        log.set_tags(&[Ice, Sctp]);
        for (level, wanted) in [
            (Debug, [true, true, true, false, false, true]),
            (Warn, [false, true, true, false, false, true]),
            (Error, [false, false, true, false, false, true]),
            (None, [false; 6]),
        ] {
            log.set_level(level);
            let got = [Ice, Rtp].map(|tag| [Debug, Warn, Error].map(|level| log.wants(level, tag)));
            assert_eq!(got.as_flattened(), wanted, "{level:?}");
        }
    }

    #[test]
    fn each_subject_has_a_target_of_its_name() {
        for tag in WorkerLogTag::ALL {
            assert_eq!(target(tag), format!("mafalda::{tag:?}").to_lowercase());
        }
    }
}
