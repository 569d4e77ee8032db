//! How a Worker's datagrams pass the kernel's border: many at a time.
//!
//! [`PacketIo`] is what the event loop needs of it; [`Syscalls`] does it with one `recvmmsg` and one `sendmmsg`. Other ways, and
//! the refusals that tests want to see, come in through the same trait.

use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::os::fd::BorrowedFd;

use mafalda_net::{Message, Outbox, Received, Receiver, Sent};

/// Messages taken with one call: what a batch has slots for.
pub(super) const MESSAGES_PER_CALL: usize = 32;

/// A message to send: where its datagrams lie in the bytes that go with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) remote: SocketAddr,
    pub(super) range: Range<usize>,
    /// Bytes of each datagram but the last.
    pub(super) segment_size: u16,
}

/// Datagrams in and out of sockets, in batches.
pub(super) trait PacketIo {
    /// Takes what waits at a socket: message i at the i-th slot of [`mafalda_net::SLOT_LEN`] bytes.
    fn receive(&mut self, socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<&[Received]>;

    /// Sends pieces of `bytes`, until all are taken or one is refused.
    fn send(&mut self, socket: BorrowedFd<'_>, bytes: &[u8], pieces: &[Piece]) -> Sent;
}

/// The kernel's own calls.
#[derive(Debug)]
pub(super) struct Syscalls {
    receiver: Receiver,
    outbox: Outbox,
}

impl Syscalls {
    pub(super) fn new() -> Self {
        Self { receiver: Receiver::new(MESSAGES_PER_CALL), outbox: Outbox::new() }
    }
}

impl PacketIo for Syscalls {
    fn receive(&mut self, socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<&[Received]> {
        self.receiver.receive(socket, buffer)
    }

    fn send(&mut self, socket: BorrowedFd<'_>, bytes: &[u8], pieces: &[Piece]) -> Sent {
        let messages = pieces.iter().map(|piece| Message {
            remote: piece.remote,
            bytes: bytes.get(piece.range.clone()).unwrap_or_default(),
            segment_size: piece.segment_size,
        });
        self.outbox.send(socket, &messages)
    }
}
