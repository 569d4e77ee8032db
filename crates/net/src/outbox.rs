//! Datagrams out: one `sendmmsg`, each message one datagram or a run of equal ones for one destination.

use std::net::SocketAddr;
use std::os::fd::BorrowedFd;

use crate::refusal::Refusal;
use crate::sys;

/// Most datagrams of one message: UDP_MAX_SEGMENTS of kernels before 6.9.
pub const SEGMENTS_MAX: usize = 64;

/// Messages of one call. The kernel takes 1,024 at the most; so many at a time are enough to forget the call's own cost.
const MESSAGES_MAX: usize = 256;

/// One thing to send.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Where to.
    pub remote: SocketAddr,
    /// The datagrams, one behind the other; 65,507 bytes at the most.
    pub bytes: &'a [u8],
    /// Bytes of each datagram but the last. What is not longer than this is one datagram.
    pub segment_size: u16,
}

impl Message<'_> {
    /// Whether it is to be cut apart.
    #[must_use]
    pub fn is_segmented(&self) -> bool {
        self.bytes.len() > usize::from(self.segment_size)
    }
}

/// How far the messages got.
#[derive(Debug)]
pub struct Sent {
    /// Messages that the kernel took, from the first.
    pub messages: usize,
    /// Why it did not take the next one; `None` when all went.
    pub refusal: Option<Refusal>,
}

/// The kernel's view of messages, made once and used again for every call.
#[derive(Debug)]
pub struct Outbox {
    messages: sys::Messages,
}

impl Outbox {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self { messages: sys::Messages::new(MESSAGES_MAX) }
    }

    /// Gives the messages to the kernel, with as few calls as go, until all are taken or one is refused. A short count is no
    /// refusal: it goes on behind the last message that was taken.
    ///
    /// The caller decides what becomes of a refused one, and calls again with those behind it.
    pub fn send<'a>(
        &mut self,
        socket: BorrowedFd<'_>,
        messages: &(impl ExactSizeIterator<Item = Message<'a>> + Clone),
    ) -> Sent {
        let total = messages.len();
        let mut taken = 0;
        while taken < total {
            match self.messages.send(socket, messages.clone().skip(taken)) {
                Ok(count) => taken += count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let segmented = messages.clone().nth(taken).is_some_and(|message| message.is_segmented());
                    return Sent { messages: taken, refusal: Some(Refusal::of(error, segmented)) };
                }
            }
        }
        Sent { messages: taken, refusal: None }
    }
}

impl Default for Outbox {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
