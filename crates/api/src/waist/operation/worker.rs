//! Operations on Workers.

use std::fmt;
use std::sync::Arc;

use crate::id::WorkerId;
use crate::worker::{WorkerDtlsFiles, WorkerLogLevel, WorkerLogTag};

/// Runs on a Worker's thread before anything else; for example to pin it.
#[derive(Clone)]
pub struct ThreadInitializer(pub Arc<dyn Fn() + Send + Sync>);

impl fmt::Debug for ThreadInitializer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ThreadInitializer")
    }
}

/// Starts a Worker.
#[derive(Clone, Debug)]
pub struct CreateWorker {
    /// Drawn by the caller.
    pub id: WorkerId,
    /// From which weight on it logs.
    pub log_level: WorkerLogLevel,
    /// What it logs about.
    pub log_tags: Vec<WorkerLogTag>,
    /// Ports for Transports whose `ListenInfo` names none, first and last.
    pub rtc_port_range: (u16, u16),
    /// Certificate and key; `None` makes a self-signed certificate.
    pub dtls_files: Option<WorkerDtlsFiles>,
    /// Runs first on the Worker's thread.
    pub thread_initializer: Option<ThreadInitializer>,
}

/// Tells what a Worker holds.
#[derive(Clone, Debug)]
pub struct DumpWorker {
    /// The Worker.
    pub id: WorkerId,
}

/// Changes what a Worker logs.
#[derive(Clone, Debug)]
pub struct UpdateWorkerSettings {
    /// The Worker.
    pub id: WorkerId,
    /// From which weight on; `None` leaves that.
    pub log_level: Option<WorkerLogLevel>,
    /// What about; `None` leaves that.
    pub log_tags: Option<Vec<WorkerLogTag>>,
}

/// Tells what a Worker's thread has taken of the machine.
#[derive(Clone, Debug)]
pub struct GetWorkerResourceUsage {
    /// The Worker.
    pub id: WorkerId,
}
