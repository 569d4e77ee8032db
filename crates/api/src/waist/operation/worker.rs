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
    /// How much it tells of itself.
    pub log_level: WorkerLogLevel,
    /// What it tells about at the level `Debug`.
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

/// Changes what a Worker tells of itself. Carried out by whoever runs the Worker's thread.
#[derive(Clone, Debug)]
pub struct UpdateWorkerSettings {
    /// The Worker.
    pub id: WorkerId,
    /// How much it tells from now on.
    pub log_level: Option<WorkerLogLevel>,
    /// What it tells about from now on.
    pub log_tags: Option<Vec<WorkerLogTag>>,
}
