//! A Worker's mailbox: calls from the control thread, news of DirectTransports' ports, and a file descriptor that wakes the thread's event
//! loop.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};

use mafalda_api::waist::Call;
use mafalda_media::SocketId;
use nix::sys::eventfd::{EfdFlags, EventFd};

use super::direct::Opened;

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

/// What the Worker hears of its DirectTransports' ports.
#[derive(Debug)]
pub(super) enum News {
    /// One was opened.
    Opened(Opened),
    /// Something was sent from an end that had been empty.
    Sent(SocketId),
}

/// What a port tells its Worker with.
#[derive(Clone, Debug)]
pub(super) struct Bell(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    bell: EventFd,
    stop: AtomicBool,
    /// One entry for each port that is opened, and one whenever something is put into a queue that was empty. The thread takes a bounded
    /// number of packets a turn out of all queues, and all entries, so there are no more of these than of packets and ports.
    news: Mutex<Vec<News>>,
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
        news: Mutex::default(),
        #[cfg(test)]
        panic: AtomicBool::new(false),
    });
    Ok((Poster { calls: sender, shared: shared.clone() }, Mailbox { calls: receiver, shared }))
}

impl Poster {
    /// `false` when it is full. A call to a thread that has just ended is answered when the end is reported.
    pub(super) fn post(&self, request: u64, call: Call) -> bool {
        let posted = self.calls.try_send((request, Box::new(call)));
        self.shared.ring();
        !matches!(posted, Err(TrySendError::Full(_)))
    }

    pub(super) fn open(&self, opened: Opened) {
        self.shared.tell(News::Opened(opened));
    }

    pub(super) fn stop(&self) {
        self.shared.stop.store(true, Ordering::Release);
        self.shared.ring();
    }

    #[cfg(test)]
    pub(super) fn panic(&self) {
        self.shared.panic.store(true, Ordering::Release);
        self.shared.ring();
    }
}

impl Bell {
    /// Something was sent from an end that had been empty.
    pub(super) fn tell_sent(&self, socket: SocketId) {
        self.0.tell(News::Sent(socket));
    }
}

impl Shared {
    fn tell(&self, news: News) {
        self.news.lock().expect("no holder panics").push(news);
        self.ring();
    }

    fn ring(&self) {
        // It fails only when the counter is at its end, and then the bell has been rung.
        let _ = self.bell.write(1);
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
        self.shared.ring();
    }

    /// What ports are to tell with.
    pub(super) fn bell_for_ports(&self) -> Bell {
        Bell(Arc::clone(&self.shared))
    }

    /// Adds what ports have told.
    pub(super) fn take_news(&self, into: &mut Vec<News>) {
        into.append(&mut self.shared.news.lock().expect("no holder panics"));
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

#[cfg(test)]
mod tests {
    use mafalda_api::id::SessionId;
    use mafalda_api::labels::Labels;
    use mafalda_api::waist::Close;

    use super::*;

    fn call() -> Call {
        let command = Close { ids: Vec::new() }.into();
        Call { owner: SessionId::new(), labels: Labels::default(), tags: Vec::new(), command }
    }

    #[test]
    fn calls_come_in_order_and_no_more_than_may_wait() {
        let (poster, mailbox) = mailbox().unwrap();
        let posted = (0..MAILBOX_MAX as u64 + 3).filter(|request| poster.post(*request, call())).count();
        assert_eq!(posted, MAILBOX_MAX);
        let taken = std::iter::from_fn(|| mailbox.take()).map(|(request, _)| request);
        assert!(taken.eq(0..MAILBOX_MAX as u64));
        assert!(poster.post(7, call()), "there is room again");
    }

    #[test]
    fn a_call_to_an_end_that_is_gone_is_not_refused() {
        let (poster, mailbox) = mailbox().unwrap();
        drop(mailbox);
        assert!(poster.post(1, call()), "who was there answers by its end");
    }
}
