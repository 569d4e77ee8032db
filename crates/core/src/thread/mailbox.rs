//! A Worker's mailbox: calls from the control thread, and a file descriptor that wakes the thread's event loop.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use mafalda_api::waist::Call;
use nix::sys::eventfd::{EfdFlags, EventFd};

/// Calls that wait for a Worker. At a few microseconds each this is some ten milliseconds of work; more is refused.
const MAILBOX_MAX: usize = 4096;

/// The control thread's end.
#[derive(Debug)]
pub(super) struct Poster {
    calls: SyncSender<(u64, Box<Call>)>,
    shared: Arc<Shared>,
}

/// The Worker's end.
#[derive(Debug)]
pub(super) struct Mailbox {
    calls: Receiver<(u64, Box<Call>)>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    bell: EventFd,
    stop: AtomicBool,
    /// A test wants to see the thread panic.
    #[cfg(test)]
    panic: AtomicBool,
}

pub(super) fn mailbox() -> std::io::Result<(Poster, Mailbox)> {
    let (sender, receiver) = sync_channel(MAILBOX_MAX);
    let bell = EventFd::from_flags(EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC)?;
    let shared = Arc::new(Shared {
        bell,
        stop: AtomicBool::new(false),
        #[cfg(test)]
        panic: AtomicBool::new(false),
    });
    Ok((Poster { calls: sender, shared: shared.clone() }, Mailbox { calls: receiver, shared }))
}

impl Poster {
    pub(super) fn post(&self, request: u64, call: Call) -> bool {
        let posted = self.calls.try_send((request, Box::new(call))).is_ok();
        self.ring();
        posted
    }

    pub(super) fn stop(&self) {
        self.shared.stop.store(true, Ordering::Release);
        self.ring();
    }

    #[cfg(test)]
    pub(super) fn panic(&self) {
        self.shared.panic.store(true, Ordering::Release);
        self.ring();
    }

    fn ring(&self) {
        // It fails only when the counter is at its end, and then the bell has been rung.
        let _ = self.shared.bell.write(1);
    }
}

impl Mailbox {
    /// Readable when there may be something new.
    pub(super) fn bell(&self) -> BorrowedFd<'_> {
        self.shared.bell.as_fd()
    }

    /// Makes the bell unreadable until it is rung again. Call it before looking, so that nothing is missed.
    pub(super) fn hush(&self) {
        let _ = self.shared.bell.read();
    }

    /// Makes the bell readable again: there is more than a turn's work.
    pub(super) fn ring_again(&self) {
        let _ = self.shared.bell.write(1);
    }

    pub(super) fn is_stopped(&self) -> bool {
        #[cfg(test)]
        assert!(!self.shared.panic.load(Ordering::Acquire), "on purpose");
        self.shared.stop.load(Ordering::Acquire)
    }

    pub(super) fn take(&self) -> Option<(u64, Call)> {
        self.calls.try_recv().ok().map(|(request, call)| (request, *call))
    }
}
