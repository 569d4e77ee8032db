//! How much a Worker says of itself, and about what.

use serde::{Deserialize, Serialize};

/// From which weight on a Worker logs. Each level has those behind it in it.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WorkerLogLevel {
    /// What happens to its objects, of the subjects that are chosen.
    #[default]
    Debug,
    /// What should not happen, of the subjects that are chosen.
    Warn,
    /// What must not happen, of any subject.
    Error,
    /// Nothing.
    None,
}

/// What a line of a Worker's log is about: the target `mafalda::` and the tag's name.
///
/// Simulcast, SVC, SCTP, its messages and bandwidth estimation are accepted, and have nothing to say until they are there.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WorkerLogTag {
    /// Objects that come, change and go, and calls.
    Info,
    /// Connectivity.
    Ice,
    /// Handshakes.
    Dtls,
    /// Streams that begin.
    Rtp,
    /// Keys.
    Srtp,
    /// Key frames that are asked for.
    Rtcp,
    /// Losses that retransmission doesn't make good.
    Rtx,
    /// Bandwidth estimation.
    Bwe,
    /// Scores.
    Score,
    /// Simulcast.
    Simulcast,
    /// Layers of one stream.
    Svc,
    /// Data channels.
    Sctp,
    /// Messages of data channels.
    Message,
}

impl WorkerLogTag {
    /// All of them, in the order of the enum.
    pub const ALL: [Self; 13] = [
        Self::Info,
        Self::Ice,
        Self::Dtls,
        Self::Rtp,
        Self::Srtp,
        Self::Rtcp,
        Self::Rtx,
        Self::Bwe,
        Self::Score,
        Self::Simulcast,
        Self::Svc,
        Self::Sctp,
        Self::Message,
    ];
}

const _: () = {
    let mut at = 0;
    while at < WorkerLogTag::ALL.len() {
        assert!(WorkerLogTag::ALL[at] as usize == at, "in the order of the enum");
        at += 1;
    }
};
