//! Frames on a byte stream (RFC 4571): each packet behind its length in two bytes, as ICE over TCP sends them (RFC 6544).
//!
//! Not a socket and not a connection: bytes go in as they were read, packets come out. Accepting, writing and closing
//! belong to the driver.

mod deframer;

pub use deframer::{Deframer, FRAME_MAX, FrameError};

/// The bytes in front of a packet of `len` bytes.
#[must_use]
pub const fn frame_header(len: u16) -> [u8; 2] {
    len.to_be_bytes()
}
