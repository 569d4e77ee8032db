//! Backends under test, and how a body runs on one.

use std::ops::AsyncFnOnce;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use futures_lite::future::block_on;
use mafalda_api::worker_manager::WorkerManager;

/// How long a body may take, and a callback until it comes. A body takes some 10 ms; this is for machines that are very busy.
const PATIENCE: Duration = Duration::from_secs(30);

/// A backend under test.
pub(crate) trait Fixture {
    /// Starts it.
    fn start() -> Self;
    /// A session at it.
    fn manager(&self) -> &WorkerManager;
}

/// Workers of this process.
#[derive(Debug)]
pub(crate) struct Local(mafalda_core::worker_manager::WorkerManager);

impl Fixture for Local {
    fn start() -> Self {
        Self(mafalda_core::worker_manager::WorkerManager::new())
    }

    fn manager(&self) -> &WorkerManager {
        &self.0
    }
}

/// Makes a test of each body on each backend.
macro_rules! on_each_backend {
    ($($(#[$attribute:meta])* $body:ident,)+) => {$(
        mod $body {
            #[test]
            $(#[$attribute])*
            fn local() { crate::fixture::run::<crate::fixture::Local>(super::$body); }
        }
    )+};
}
pub(crate) use on_each_backend;

/// Runs a body, but not for ever.
pub(crate) fn run<F: Fixture>(body: impl AsyncFnOnce(&WorkerManager) + Send + 'static) {
    let (done, is_done) = sync_channel(1);
    let running = thread::spawn(move || {
        let backend = F::start();
        block_on(body(backend.manager()));
        drop(backend);
        done.send(()).expect("the test waits");
    });
    match is_done.recv_timeout(PATIENCE) {
        Err(std::sync::mpsc::RecvTimeoutError::Timeout) => panic!("not done after {PATIENCE:?}"),
        _ => running.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
    }
}

/// What a callback was called with, to be waited for.
#[derive(Debug)]
pub(crate) struct Calls<T>(Receiver<T>);

/// Waits until an object is closed.
macro_rules! closed {
    ($handle:expr) => {{
        let (send, closed) = crate::fixture::calls();
        $handle.on_close(Box::new(move || send.send(()).expect("the body waits"))).detach();
        closed.next();
        assert!($handle.closed());
    }};
}
pub(crate) use closed;

/// A sender for a callback, and what it sends.
pub(crate) fn calls<T>() -> (SyncSender<T>, Calls<T>) {
    let (sender, receiver) = sync_channel(16);
    (sender, Calls(receiver))
}

impl<T> Calls<T> {
    /// The next call.
    pub(crate) fn next(&self) -> T {
        self.0.recv_timeout(PATIENCE).expect("the callback is called")
    }

    /// A call that has come already.
    pub(crate) fn waiting(&self) -> Option<T> {
        self.0.try_recv().ok()
    }

    /// Whether there is one that has not been looked at.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.try_recv().is_err()
    }
}
