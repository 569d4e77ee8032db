//! A Worker: on this machine a thread that carries the media of any number of Routers.

mod handle;
mod log;

use std::fmt;
use std::io;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use self::handle::{WeakWorker, Worker};
pub use self::log::{WorkerLogLevel, WorkerLogTag};
pub use crate::error::{CreateRouterError, CreateWebRtcServerError, NotificationError, RequestError};
pub use crate::id::WorkerId;
use crate::id::{RouterId, WebRtcServerId};
use crate::labels::Labels;
use crate::types::data_structures::AppData;
use crate::waist::{ErrorCode, Failure};

/// Certificate and key that a Worker shows to its peers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WorkerDtlsFiles {
    /// Path of the certificate, PEM.
    pub certificate: PathBuf,
    /// Path of its private key, PEM.
    pub private_key: PathBuf,
}

/// How a Worker is made. Start from the default.
#[derive(Clone)]
#[non_exhaustive]
pub struct WorkerSettings {
    /// How much the Worker tells of itself through `tracing`, at most. Default `Debug`.
    pub log_level: WorkerLogLevel,
    /// What it tells about at the level `Debug`. Default: everything.
    pub log_tags: Vec<WorkerLogTag>,
    /// Ports of Transports and WebRtcServers whose `ListenInfo` names none. Default 10000 to 59999.
    pub rtc_port_range: RangeInclusive<u16>,
    /// Certificate and key; `None`, the default, makes a self-signed certificate.
    pub dtls_files: Option<WorkerDtlsFiles>,
    /// Runs on the Worker's thread before anything else; for example to pin it to a CPU.
    pub thread_initializer: Option<Arc<dyn Fn() + Send + Sync>>,
    /// What travels with the Worker and shows wherever it shows.
    pub labels: Labels,
    /// What stays with the Worker in this process.
    pub app_data: AppData,
}

impl Default for WorkerSettings {
    fn default() -> Self {
        Self {
            log_level: WorkerLogLevel::default(),
            log_tags: WorkerLogTag::ALL.into(),
            rtc_port_range: 10000..=59999,
            dtls_files: None,
            thread_initializer: None,
            labels: Labels::default(),
            app_data: AppData::default(),
        }
    }
}

impl fmt::Debug for WorkerSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerSettings")
            .field("log_level", &self.log_level)
            .field("log_tags", &self.log_tags)
            .field("rtc_port_range", &self.rtc_port_range)
            .field("dtls_files", &self.dtls_files)
            .field("thread_initializer", &self.thread_initializer.is_some())
            .field("labels", &self.labels)
            .finish_non_exhaustive()
    }
}

/// What of a Worker's settings can be changed while it runs. What is `None` stays.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct WorkerUpdateSettings {
    /// See [`WorkerSettings::log_level`].
    pub log_level: Option<WorkerLogLevel>,
    /// See [`WorkerSettings::log_tags`].
    pub log_tags: Option<Vec<WorkerLogTag>>,
}

/// What a Worker holds.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkerDump {
    /// Its Routers.
    pub router_ids: Vec<RouterId>,
    /// Its WebRtcServers.
    pub webrtc_server_ids: Vec<WebRtcServerId>,
}

/// Why a Worker could not be created: what the `io::Error` of `create_worker` holds.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum CreateWorkerError {
    /// The request failed.
    #[error("worker not created: {0}")]
    Request(#[from] RequestError),
}

impl CreateWorkerError {
    /// The stable kind of the failure.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Request(error) => error.code(),
        }
    }
}

impl From<Failure> for CreateWorkerError {
    fn from(failure: Failure) -> Self {
        Self::Request(failure.into())
    }
}

impl From<CreateWorkerError> for io::Error {
    fn from(error: CreateWorkerError) -> Self {
        let kind = match error.code() {
            ErrorCode::InvalidArgument => io::ErrorKind::InvalidInput,
            ErrorCode::AlreadyExists => io::ErrorKind::AlreadyExists,
            ErrorCode::NotFound => io::ErrorKind::NotFound,
            ErrorCode::Unsupported => io::ErrorKind::Unsupported,
            ErrorCode::AddressUnavailable => io::ErrorKind::AddrNotAvailable,
            ErrorCode::NoPort => io::ErrorKind::AddrInUse,
            ErrorCode::Overloaded => io::ErrorKind::ResourceBusy,
            ErrorCode::Disconnected => io::ErrorKind::NotConnected,
            ErrorCode::Negotiation | ErrorCode::WrongState | ErrorCode::System | ErrorCode::Unknown => {
                io::ErrorKind::Other
            }
        };
        Self::new(kind, error)
    }
}

/// Why a Worker ended by itself.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum ExitError {
    /// Its thread panicked: a bug. Its siblings go on.
    #[error("Worker exited unexpectedly: {reason}")]
    Unexpected {
        /// What the backend says about it.
        reason: String,
    },
}
