//! The media engine: what a packet means and where it goes.
//!
//! Everything in here is a machine without I/O: no clock, socket, thread, lock or async runtime. Time comes in as [`Now`],
//! randomness as a seed, datagrams as batches; packets, replies and events are polled out. Start with [`worker`], the root
//! machine; a packet's way leads from [`demux`] over [`srtp`] and [`rtp`] to the streams in [`stream`].
#![deny(unsafe_code)]

pub mod buffer;
pub mod codec;
pub mod demux;
pub mod dtls;
pub mod ice;
pub mod rtcp;
pub mod rtp;
pub mod srtp;
pub mod stream;
pub mod stun;
pub mod tcp;
pub mod worker;

mod consumer;
mod data;
mod log;
mod observer;
mod producer;
mod router;
mod server;
#[cfg_attr(
    target_arch = "x86_64",
    expect(unsafe_code, reason = "a hint to the CPU's caches, which has no safe form")
)]
mod sys;
mod trace;
mod transport;

mod now;
pub use now::Now;
pub use router::TransportState;

mod tuple;
pub use tuple::{SocketId, Tuple};
