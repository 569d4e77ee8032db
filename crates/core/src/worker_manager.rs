//! Where an application begins: a manager whose Workers are threads of this process.

use std::io;
use std::ops::Deref;
use std::sync::Arc;

use async_executor::Executor;
use mafalda_api::waist::BoxFuture;
use mafalda_api::worker_manager::WorkerManager as ApiWorkerManager;

use crate::local::{Local, LocalOptions};

/// Creates Workers on this machine. Dropping the last handle of everything that came from it ends its Workers and waits for
/// their threads.
///
/// It is the api's `WorkerManager`, to which it dereferences, with the Backend of this process behind it.
#[derive(Clone, Debug)]
pub struct WorkerManager(ApiWorkerManager);

impl WorkerManager {
    /// A manager with two threads of its own: one keeps what handles know, one runs callbacks.
    ///
    /// # Panics
    /// When the operating system refuses its threads; [`WorkerManager::with_options`] gives that as an error.
    #[must_use]
    pub fn new() -> Self {
        Self::with_options(LocalOptions::default()).expect("the operating system gives three threads")
    }

    /// The same with options.
    ///
    /// # Errors
    /// When the operating system refuses a thread.
    pub fn with_options(options: LocalOptions) -> io::Result<Self> {
        let (manager, [feed, deliver]) = start(options)?;
        // Two threads, so that a callback that blocks holds up callbacks alone.
        run("mafalda-mirror", feed)?;
        run("mafalda-callbacks", deliver)?;
        Ok(manager)
    }

    /// A manager that runs its callbacks on the application's executor, which the application must keep running.
    ///
    /// # Panics
    /// When the operating system refuses a thread.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "mediasoup's signature")]
    pub fn with_executor(executor: Arc<Executor<'static>>) -> Self {
        let started = start(LocalOptions::default());
        let (manager, futures) = started.expect("the operating system gives a thread");
        for future in futures {
            executor.spawn(future).detach();
        }
        manager
    }
}

fn start(options: LocalOptions) -> io::Result<(WorkerManager, [BoxFuture<'static, ()>; 2])> {
    let (manager, futures) = ApiWorkerManager::from_backend(Arc::new(Local::new(options)?));
    Ok((WorkerManager(manager), futures))
}

/// Runs a future on a thread of its own. It ends when the last handle is gone.
fn run(name: &str, future: BoxFuture<'static, ()>) -> io::Result<()> {
    let run = move || futures_lite::future::block_on(future);
    std::thread::Builder::new().name(name.into()).spawn(run).map(drop)
}

impl Default for WorkerManager {
    fn default() -> Self {
        Self::new()
    }
}

impl Deref for WorkerManager {
    type Target = ApiWorkerManager;

    fn deref(&self) -> &ApiWorkerManager {
        &self.0
    }
}

#[cfg(test)]
mod tests;
