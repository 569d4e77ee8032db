//! How much a Worker tells of itself through `tracing`, and about what.
//!
//! These settings say what is told at most: what is written, and where to, is for the application's subscriber to say.

use serde::{Deserialize, Serialize};

/// How grave something must be to be told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WorkerLogLevel {
    /// Everything, also what is as it should be.
    #[default]
    Debug,
    /// What is not as it should be, and goes on.
    Warn,
    /// What has failed.
    Error,
    /// Nothing.
    None,
}

/// What something that is told at the level `Debug` is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WorkerLogTag {
    /// Beginnings, changes and ends of objects.
    Info,
    /// ICE.
    Ice,
    /// DTLS.
    Dtls,
    /// Where RTP comes from and goes to.
    Rtp,
    /// Keys and suites of SRTP.
    Srtp,
    /// Where RTCP comes from and goes to.
    Rtcp,
    /// Retransmissions.
    Rtx,
    /// Bandwidth estimation.
    Bwe,
    /// How well streams arrive.
    Score,
    /// Streams of Producers that have several.
    Simulcast,
    /// Layers within a stream.
    Svc,
    /// SCTP.
    Sctp,
    /// Messages of data channels.
    Message,
}

impl WorkerLogTag {
    /// All there are.
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
