//! Local: a Backend whose Workers are threads of this process.
//!
//! Calls go to one control thread, which hands them to the Workers' mailboxes and folds what the Workers report into one
//! event log. The control thread needs no CPU of its own: it sleeps but for a few microseconds per call.

mod control;
mod log;
mod options;
mod watch;

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use mafalda_api::id::{TransportId, WorkerId};
use mafalda_api::waist::{
    Answer, Backend, BoxFuture, BoxStream, Call, ErrorCode, Event, Failure, MediaPort, Position, Reply,
    Scope, Update,
};
use tokio::sync::oneshot;

use crate::thread::{Opened, Port};
use control::Control;
pub use options::{LocalOptions, MediaAddress};
use watch::{WatchStream, Watcher, watch};

/// Messages that wait for the control thread. It takes a few microseconds for each, so a full inbox is a few tens of
/// milliseconds of work: callers are refused (`Overloaded`) rather than made to wait longer.
const INBOX_MAX: usize = 16_384;

/// What reaches the control thread.
#[derive(Debug)]
enum Message {
    Call {
        call: Box<Call>,
        reply: oneshot::Sender<Result<Answer, Failure>>,
    },
    Watch {
        from: Option<Position>,
        watcher: Watcher,
    },
    Report {
        worker: WorkerId,
        reports: Vec<Report>,
    },
    /// A DirectTransport's port was opened.
    Media(Opened),
    Stop,
    /// A test wants to see this Worker's thread panic.
    #[cfg(test)]
    Panic(WorkerId),
}

/// What a Worker's thread tells.
#[derive(Debug)]
pub(crate) enum Report {
    /// The thread runs.
    Started,
    /// A call's outcome.
    Reply { request: u64, result: Result<Reply, Failure> },
    /// Something happened.
    Event(Event),
    /// So many events that only pass by were left out.
    Missed(u64),
    /// The thread is about to end: after a panic with its text, or because it was told to.
    Ended { panic: Option<String> },
}

/// Where a Worker's thread sends its reports.
#[derive(Clone, Debug)]
pub(crate) struct Reports {
    worker: WorkerId,
    inbox: SyncSender<Message>,
}

impl Reports {
    /// Hands reports to the control thread. Waits while its inbox is full, which can't last: the control thread never waits
    /// for a Worker.
    pub(crate) fn send(&self, reports: Vec<Report>) {
        if !reports.is_empty() {
            // An error means that the control thread has ended, and with it everybody who could want to know.
            let _ = self.inbox.send(Message::Report { worker: self.worker, reports });
        }
    }
}

/// The Backend of this process. Dropping it ends all its Workers and waits for their threads.
#[derive(Debug)]
pub struct Local {
    inbox: SyncSender<Message>,
    control: Option<JoinHandle<()>>,
}

impl Local {
    /// Starts the control thread; Workers start with `CreateWorker`.
    ///
    /// # Errors
    /// When the operating system refuses the thread.
    pub fn new(options: LocalOptions) -> std::io::Result<Self> {
        let (inbox, messages) = sync_channel(INBOX_MAX);
        let control = Control::new(options, inbox.clone());
        let thread = std::thread::Builder::new()
            .name("mafalda-control".into())
            .spawn(move || control.run(&messages))?;
        Ok(Self { inbox, control: Some(thread) })
    }
}

impl Backend for Local {
    fn call(&self, call: Call) -> BoxFuture<'static, Result<Answer, Failure>> {
        let (reply, answer) = oneshot::channel();
        let accepted = self.inbox.try_send(Message::Call { call: Box::new(call), reply });
        Box::pin(async move {
            match accepted {
                Ok(()) => answer.await.unwrap_or_else(|_| Err(ended())),
                Err(TrySendError::Full(_)) => Err(overloaded()),
                Err(TrySendError::Disconnected(_)) => Err(ended()),
            }
        })
    }

    fn watch(&self, scope: Scope, from: Option<Position>) -> BoxStream<'static, Update> {
        let (watcher, stream): (_, WatchStream) = watch(scope);
        // Where this fails the watcher is dropped with the message, and the stream ends at once.
        let _ = self.inbox.send(Message::Watch { from, watcher });
        Box::pin(stream)
    }

    fn media(&self, transport: TransportId) -> Arc<dyn MediaPort> {
        let port = Arc::new(Port::default());
        // Where this fails the port ends.
        let _ = self.inbox.send(Message::Media(Opened { transport, port: Arc::clone(&port) }));
        port
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        let _ = self.inbox.send(Message::Stop);
        if let Some(control) = self.control.take() {
            // An error would be a panic of the control thread, which its own hook has printed.
            let _ = control.join();
        }
    }
}

fn ended() -> Failure {
    Failure::new(ErrorCode::Disconnected, "the backend has ended")
}

fn overloaded() -> Failure {
    Failure::new(ErrorCode::Overloaded, "more calls are waiting than the backend takes; try again later")
}

#[cfg(test)]
mod tests;
