//! Datagrams in: one `recvmmsg`, each message whole or joined by the kernel.

use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::os::fd::BorrowedFd;

use crate::sys;

/// Room for one message: the most that the kernel joins, and UDP's own limit.
pub const SLOT_LEN: usize = 65_536;

/// A message: one datagram, or several of one sender and one size behind each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// Who sent it.
    pub remote: SocketAddr,
    /// Where it begins in the buffer.
    pub start: usize,
    /// Its bytes.
    pub len: usize,
    /// Bytes of each datagram in it but the last, which may be shorter.
    pub segment_size: usize,
}

impl Received {
    /// Where each datagram lies in the buffer; an empty one has no place, and there is nothing in it to miss.
    pub fn datagrams(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let end = self.start + self.len;
        let size = self.segment_size.max(1);
        (self.start..end).step_by(size).map(move |start| start..(start + size).min(end))
    }
}

/// The kernel's view of some buffers, made once and used again for every call.
#[derive(Debug)]
pub struct Receiver {
    slots: sys::Slots,
    received: Vec<Received>,
}

impl Receiver {
    /// One that takes at most that many messages per call, and at least one.
    #[must_use]
    pub fn new(messages: usize) -> Self {
        let messages = messages.max(1);
        Self { slots: sys::Slots::new(messages), received: Vec::with_capacity(messages) }
    }

    /// Takes what waits at the socket, without waiting for more: one message for each whole [`SLOT_LEN`] of the buffer, up to
    /// the number that this was made for. Message i lies at slot i.
    ///
    /// Errors of earlier sends, which the kernel reports on the next call whatever it is (ICMP's answers), are passed over.
    ///
    /// # Errors
    /// `WouldBlock` when nothing waits; what else is wrong with the socket.
    pub fn receive(&mut self, socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<&[Received]> {
        self.received.clear();
        let count = loop {
            match self.slots.receive(socket, buffer) {
                Ok(count) => break count,
                Err(error) if is_about_a_peer(&error) => {}
                Err(error) => return Err(error),
            }
        };
        self.received.extend((0..count).filter_map(|index| {
            let message = self.slots.message(index)?;
            let len = message.len.min(SLOT_LEN);
            let segment_size = message.segment_size.filter(|size| *size > 0).unwrap_or(len);
            Some(Received { remote: message.remote?, start: index * SLOT_LEN, len, segment_size })
        }));
        Ok(&self.received)
    }

    /// Most messages of one call.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.slots.len()
    }
}

/// An ICMP answer to an earlier datagram, or a signal: not a state of the socket.
fn is_about_a_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, HostUnreachable, Interrupted, NetworkUnreachable};
    matches!(error.kind(), ConnectionRefused | HostUnreachable | NetworkUnreachable | Interrupted)
}

#[cfg(test)]
mod tests;
