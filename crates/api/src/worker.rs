//! A Worker: on this machine a thread that carries the media of any number of Routers.

mod handle;
mod log;
mod usage;

use std::fmt;
use std::io;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

pub use self::handle::{WeakWorker, Worker};
pub use self::log::{WorkerLogLevel, WorkerLogTag};
pub use self::usage::WorkerResourceUsage;
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
    /// From which weight on it logs. Default `Debug`, as in mediasoup: what becomes of that is up to the application's subscriber.
    pub log_level: WorkerLogLevel,
    /// What it logs about. Default all.
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

/// What of a Worker's settings can be changed. Start from the default, which changes nothing.
#[derive(Clone, Default, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct WorkerUpdateSettings {
    /// From which weight on it logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_level: Option<WorkerLogLevel>,
    /// What it logs about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_tags: Option<Vec<WorkerLogTag>>,
}

/// Who in a Worker can be spoken to.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChannelMessageHandlers {
    /// Those that calls can be for: all its objects.
    pub channel_request_handlers: Vec<Uuid>,
    /// Those that take messages without an answer: as in mediasoup, Transports, Producers and DataProducers of any kind.
    pub channel_notification_handlers: Vec<Uuid>,
}

/// What a Worker holds.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkerDump {
    /// Its Routers.
    pub router_ids: Vec<RouterId>,
    /// Its WebRtcServers.
    pub webrtc_server_ids: Vec<WebRtcServerId>,
    /// Who in it can be spoken to.
    pub channel_message_handlers: ChannelMessageHandlers,
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
