//! A Worker's thread: started, reached through a mailbox, told to stop, and waited for.
//!
//! The thread runs one [`driver::Driver`] around one machine. A panic in it ends this Worker alone: the control thread is
//! told, closes what lived in it and goes on.

mod address;
mod direct;
mod dispatch;
mod driver;
mod listen;
mod mailbox;
mod pace;
mod packet_io;
mod port;
mod socket;
mod tcp;
mod udp;
mod usage;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use mafalda_api::waist::{Call, CreateWorker, ErrorCode, Failure};
use mafalda_api::worker::WorkerLogLevel;
use mafalda_media::dtls::Certificate;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

use crate::local::{MediaAddress, Report, Reports};
pub(crate) use direct::{Opened, Port};
use driver::Driver;
use mailbox::{Mailbox, Poster, mailbox};

/// What a Worker's thread needs to begin.
#[derive(Debug)]
pub(crate) struct ThreadOptions {
    /// How the application wants it.
    pub(crate) command: CreateWorker,
    /// The number of that call.
    pub(crate) request: u64,
    /// What an unspecified listen address stands for.
    pub(crate) addresses: Vec<MediaAddress>,
}

/// A running Worker's thread.
#[derive(Debug)]
pub(crate) struct Thread {
    poster: Poster,
    handle: JoinHandle<()>,
}

impl Thread {
    /// Starts the thread. It reports `Started`, or the reason why it can't, and at last `Ended`.
    pub(crate) fn spawn(options: ThreadOptions, reports: Reports) -> std::io::Result<Self> {
        let (poster, mailbox) = mailbox()?;
        let name = format!("mafalda-worker-{}", &options.command.id.to_string()[..8]);
        let handle = std::thread::Builder::new().name(name).spawn(move || {
            let run = AssertUnwindSafe(|| run(options, mailbox, &reports));
            let panic = catch_unwind(run).err().map(|payload| panic_text(&*payload));
            reports.send(vec![Report::Ended { panic }]);
        })?;
        Ok(Self { poster, handle })
    }

    /// Hands a call over; `false` when the mailbox is full.
    pub(crate) fn post(&self, request: u64, call: Call) -> bool {
        self.poster.post(request, call)
    }

    /// Hands over a port of one of its DirectTransports.
    pub(crate) fn open(&self, opened: Opened) {
        self.poster.open(opened);
    }

    /// Tells the thread to end. It does so after the turn that it is in.
    pub(crate) fn stop(&self) {
        self.poster.stop();
    }

    /// Makes the thread panic in its next turn.
    #[cfg(test)]
    pub(crate) fn panic(&self) {
        self.poster.panic();
    }

    /// Waits until the thread is gone.
    pub(crate) fn join(self) {
        // A panic was caught inside and reported.
        let _ = self.handle.join();
    }
}

fn run(options: ThreadOptions, mailbox: Mailbox, reports: &Reports) {
    let ThreadOptions { command, request, addresses } = options;
    match &command.thread_initializer {
        Some(initializer) => (initializer.0)(),
        None => pin(command.log_level),
    }
    let driver = certificate(&command)
        .and_then(|certificate| Driver::new(&command, certificate, addresses, mailbox, reports.clone()));
    match driver {
        Ok(driver) => {
            reports.send(vec![Report::Started]);
            driver.run();
        }
        Err(failure) => reports.send(vec![Report::Reply { request, result: Err(failure) }]),
    }
}

fn certificate(command: &CreateWorker) -> Result<Certificate, Failure> {
    let Some(files) = &command.dtls_files else {
        return Certificate::generate().map_err(|error| Failure::new(ErrorCode::System, error.to_string()));
    };
    let read = |path: &std::path::Path| {
        std::fs::read_to_string(path).map_err(|error| {
            Failure::new(ErrorCode::InvalidArgument, format!("can't read {}: {error}", path.display()))
        })
    };
    Certificate::from_pem(&read(&files.certificate)?, &read(&files.private_key)?)
        .map_err(|error| Failure::new(ErrorCode::InvalidArgument, format!("unusable DTLS files: {error}")))
}

/// Pins the thread to one of the CPUs that this process may use, in turn, so that Workers don't move about and share one
/// while another is idle. Where the system refuses, the thread runs unpinned.
fn pin(log_level: WorkerLogLevel) {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let Ok(allowed) = sched_getaffinity(Pid::from_raw(0)) else { return };
    let cpus: Vec<usize> = (0..CpuSet::count()).filter(|cpu| allowed.is_set(*cpu).unwrap_or(false)).collect();
    let Some(cpu) = cpus.get(NEXT.fetch_add(1, Ordering::Relaxed) % cpus.len().max(1)) else { return };
    let mut one = CpuSet::new();
    if one.set(*cpu).and_then(|()| sched_setaffinity(Pid::from_raw(0), &one)).is_err()
        && log_level <= WorkerLogLevel::Warn
    {
        tracing::warn!(cpu, "can't pin a worker's thread");
    }
}

fn panic_text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "panic".into())
}
