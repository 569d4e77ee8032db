//! RTP packets (RFC 3550) as they lie in a buffer: views with offsets, and a writer of headers.
//!
//! [`RtpHeader`] is read from a packet without touching or copying it, [`extension::Extensions`] from its header extension
//! block (RFC 8285), and [`write_header`] makes a whole outgoing header in one pass. [`rtx`] undoes the wrapping of retransmissions (RFC 4588).
//!
//! Not here: who the packet belongs to, what has been received before, encryption, payload formats.

pub mod extension;
pub mod red;
pub mod rtx;

mod header;
pub use header::{ExtensionBlock, FIXED_HEADER_LEN, PACKET_LEN_MAX, RtpError, RtpHeader};

mod writer;
pub use writer::{HEADER_LEN_MAX, HeaderFull, OutgoingHeader, max_header_len, write_header};
