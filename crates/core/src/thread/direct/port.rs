//! The way between an application and one DirectTransport: two bounded queues.
//!
//! Both ends hold a queue's lock for the moment in which something is put in or taken out, and wake each other outside of it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use mafalda_api::id::TransportId;
use mafalda_api::waist::{Egress, Ingress, MediaError, MediaPort};
use mafalda_media::SocketId;

use crate::thread::mailbox::Bell;

/// What may wait in one direction: packets that were sent one by one, or runs of packets that came out. The Worker takes a hundred in a
/// turn, so this is a fraction of a second for the fastest sender. More would be late, fewer would be lost in a stall of the application.
pub(super) const WAITING_MAX: usize = 4096;
/// Bytes of all that waits in one direction; one that is larger waits alone. Sixteen seconds of video at 8 Mbit/s.
pub(super) const WAITING_BYTES_MAX: usize = 16 << 20;

/// What a Worker finds at a port.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    Sent(Ingress),
    /// The application had more to send that often.
    Refused(u64),
}

/// One way. The application holds it, the Worker knows it while it does.
#[derive(Debug, Default)]
pub(crate) struct Port {
    inward: Mutex<Inward>,
    outward: Mutex<Outward>,
}

/// A port on its way to its Worker. One that doesn't get there ends.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) transport: TransportId,
    pub(crate) port: Arc<Port>,
}

/// From the application to the Worker.
#[derive(Debug, Default)]
struct Inward {
    queue: Bounded<Ingress>,
    refused: u64,
    /// Whom to tell that there is something.
    worker: Option<(SocketId, Bell)>,
    ended: bool,
}

/// From the Worker to the application.
#[derive(Debug, Default)]
struct Outward {
    queue: Bounded<Egress>,
    waker: Option<Waker>,
    ended: bool,
}

#[derive(Debug)]
struct Bounded<T> {
    waiting: VecDeque<T>,
    bytes: usize,
}

impl Port {
    /// The Worker has it from now on.
    pub(super) fn connect(&self, socket: SocketId, bell: Bell) {
        let mut inward = self.inward.lock().expect("no holder panics");
        let inward = &mut *inward;
        let (_, bell) = inward.worker.insert((socket, bell));
        if !inward.queue.waiting.is_empty() {
            bell.tell_sent(socket);
        }
    }

    fn is_connected(&self) -> bool {
        self.inward.lock().expect("no holder panics").worker.is_some()
    }

    /// The Transport is gone. What has come out is still to be had.
    pub(super) fn end(&self) {
        let mut inward = self.inward.lock().expect("no holder panics");
        (inward.ended, inward.queue) = (true, Bounded::default());
        drop(inward);
        let mut outward = self.outward.lock().expect("no holder panics");
        outward.ended = true;
        let waker = outward.waker.take();
        drop(outward);
        waker.into_iter().for_each(Waker::wake);
    }

    /// The next of what the application sent.
    pub(super) fn take(&self) -> Option<Taken> {
        let mut inward = self.inward.lock().expect("no holder panics");
        let refused = std::mem::take(&mut inward.refused);
        if refused > 0 {
            return Some(Taken::Refused(refused));
        }
        inward.queue.pop(Ingress::bytes).map(Taken::Sent)
    }

    /// Puts something where the application finds it; `false` when there is no room.
    pub(super) fn put(&self, egress: Egress) -> bool {
        let mut outward = self.outward.lock().expect("no holder panics");
        let put = outward.queue.push(egress, Egress::bytes);
        let waker = outward.waker.take();
        drop(outward);
        waker.into_iter().for_each(Waker::wake);
        put
    }
}

impl MediaPort for Port {
    fn try_send(&self, ingress: Ingress) -> Result<(), MediaError> {
        let mut inward = self.inward.lock().expect("no holder panics");
        if inward.ended {
            return Err(MediaError::Ended);
        }
        let first = inward.queue.waiting.is_empty();
        if !inward.queue.push(ingress, Ingress::bytes) {
            inward.refused += 1;
            return Err(MediaError::Full);
        }
        // The Worker looks on until it has found nothing.
        let worker = inward.worker.clone().filter(|_| first);
        drop(inward);
        if let Some((socket, bell)) = worker {
            bell.tell_sent(socket);
        }
        Ok(())
    }

    fn poll_receive(&self, context: &mut Context<'_>) -> Poll<Option<Egress>> {
        let mut outward = self.outward.lock().expect("no holder panics");
        match outward.queue.pop(Egress::bytes) {
            Some(egress) => Poll::Ready(Some(egress)),
            None if outward.ended => Poll::Ready(None),
            None => {
                let before = outward.waker.replace(context.waker().clone());
                drop(outward);
                drop(before);
                Poll::Pending
            }
        }
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        if !self.port.is_connected() {
            self.port.end();
        }
    }
}

impl<T> Default for Bounded<T> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), bytes: 0 }
    }
}

impl<T> Bounded<T> {
    /// `false` when there is no room.
    fn push(&mut self, item: T, bytes_of: impl Fn(&T) -> usize) -> bool {
        let bytes = self.bytes + bytes_of(&item);
        let fits = self.waiting.len() < WAITING_MAX && bytes <= WAITING_BYTES_MAX;
        if fits || self.waiting.is_empty() {
            self.waiting.push_back(item);
            self.bytes = bytes;
            return true;
        }
        false
    }

    fn pop(&mut self, bytes_of: impl Fn(&T) -> usize) -> Option<T> {
        let item = self.waiting.pop_front()?;
        self.bytes -= bytes_of(&item);
        if self.waiting.is_empty() {
            // A burst's memory is not kept for ever.
            self.waiting.shrink_to(64);
        }
        Some(item)
    }
}
