//! STUN messages (RFC 8489), as far as ICE connectivity checks need them: a reader, a writer, and the two checksums.
//!
//! Reading borrows from the datagram and writing fills the caller's buffer, so nothing allocates. Short-term credentials
//! with SHA-1 only, which is all that ICE uses (RFC 8445 §7); no TURN, no long-term credentials, no retransmission. Which
//! request is answered how is the business of [`ice`](crate::ice).

mod address;
mod attribute;
mod checksum;
mod header;
mod message;
mod response;
mod writer;

pub use attribute::{AttributeType, UNKNOWN_ATTRIBUTES_MAX};
pub use header::{BINDING, Class, TransactionId};
pub use message::{Message, ParseError};
pub use response::{ErrorCode, RESPONSE_LEN_MAX};
pub use writer::{NoRoom, Writer};

#[cfg(test)]
mod tests;
