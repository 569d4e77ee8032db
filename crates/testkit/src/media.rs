//! Synthetic media: frames of packets with the payload headers of their codec, and in each packet a [`Content`] that says which
//! one it is, so that who receives it can check every byte.
//!
//! No decoder would show anything of it. What is true is what an SFU looks at: frame begin and end, key frames, picture ids.

mod codec;
pub use codec::Codec;

mod content;
pub use content::{Broken, Content};

mod inbox;
pub use inbox::{Arrival, Inbox};

mod source;
pub use source::{MediaPacket, Source, SourceSettings};
