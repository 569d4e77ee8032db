//! Header extensions: small values that travel in the clear in front of the payload (RFC 8285).
//!
//! [`Elements`] walks both forms of the block. [`ExtensionIds`] says what each id of a sender means, [`Extensions`] holds what
//! one packet said. Outgoing packets carry [`OutgoingExtensions`], under the Router's ids ([`ExtensionKind::router_id`]) and
//! in the one-byte form always: what a receiver negotiated is an [`ExtensionMask`].

mod elements;
mod ids;
mod kind;
mod label;
mod mask;
mod outgoing;
mod received;
mod value;

pub use elements::Elements;
pub use ids::ExtensionIds;
pub use kind::ExtensionKind;
pub use label::{LABEL_MAX, Label, LabelRange};
pub use mask::ExtensionMask;
pub use outgoing::{EXTENSIONS_LEN_MAX, OutgoingExtensions};
pub use received::Extensions;
pub use value::{AbsCaptureTime, AudioLevel, PlayoutDelay, VideoOrientation, abs_send_time};

pub(super) use outgoing::{BlockWriter, max_block_len};

#[cfg(test)]
mod tests;
