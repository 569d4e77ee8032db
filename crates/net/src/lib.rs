//! UDP in batches: many datagrams in and out with one system call.
//!
//! A call into the kernel's UDP stack costs two to three microseconds whatever it carries, so what counts is how much one
//! call carries. [`Receiver`] takes what waits at a socket with one `recvmmsg`, each message up to 64 datagrams of one sender
//! that the kernel has joined (UDP_GRO). [`Outbox`] gives messages to the kernel with one `sendmmsg`, each up to 64 equal
//! datagrams for one destination that the kernel, or the network card, cuts apart (UDP_SEGMENT).
//!
//! Not in here: when to read and to write, whose a datagram is, and what happens to one that could not be sent. The socket
//! itself is the standard library's; this crate lends its number for the time of a call.
#![deny(unsafe_code)]

mod address;
mod outbox;
mod receiver;
mod refusal;
mod socket;
#[expect(unsafe_code, reason = "the system calls, and what is read and written through pointers for them")]
mod sys;

pub use outbox::{Message, Outbox, SEGMENTS_MAX, Sent};
pub use receiver::{Received, Receiver, SLOT_LEN};
pub use refusal::Refusal;
pub use socket::{join_received, let_fragment};
