//! Commands for a thread, and a file descriptor that wakes it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use nix::sys::eventfd::{EfdFlags, EventFd};

use super::Command;

/// Commands that wait. Whoever has more to say waits itself, as long as the thread lives.
const COMMANDS_MAX: usize = 256;

/// The sender's end.
#[derive(Debug)]
pub(crate) struct Poster {
    commands: SyncSender<Command>,
    bell: Arc<EventFd>,
}

/// The thread's end.
#[derive(Debug)]
pub(crate) struct Mailbox {
    commands: Receiver<Command>,
    bell: Arc<EventFd>,
}

pub(crate) fn mailbox() -> io::Result<(Poster, Mailbox)> {
    let (sender, receiver) = sync_channel(COMMANDS_MAX);
    let bell = Arc::new(EventFd::from_flags(EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC)?);
    Ok((Poster { commands: sender, bell: Arc::clone(&bell) }, Mailbox { commands: receiver, bell }))
}

impl Poster {
    /// Hands a command over; `false` when the thread has ended.
    pub(crate) fn post(&self, command: Command) -> bool {
        let posted = self.commands.send(command).is_ok();
        // It fails only when the counter is at its end, and then the bell has been rung.
        let _ = self.bell.write(1);
        posted
    }
}

impl Mailbox {
    /// Readable when there may be something new.
    pub(super) fn bell(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }

    /// Makes the bell unreadable until it is rung again. Call it before looking, so that nothing is missed.
    pub(super) fn hush(&self) {
        let _ = self.bell.read();
    }

    /// Makes the bell readable again: there is more than a turn's work.
    pub(super) fn ring_again(&self) {
        let _ = self.bell.write(1);
    }

    pub(super) fn take(&self) -> Option<Command> {
        self.commands.try_recv().ok()
    }
}
