//! Synthetic media: frames in the sizes and bursts of real encoders, cut into packets as a browser cuts them, each packet with
//! a [`Marker`] that tells whose it is, when it left and what its bytes must be.
//!
//! No decoder would show anything of it. What is true is what an SFU looks at: beginnings and ends of frames, key frames,
//! picture ids, sizes. There are no RTP headers in here, and no clock.

mod codec;
pub use codec::{Codec, UnknownCodec};

mod marker;
pub use marker::{Broken, Marker};

mod shape;
pub use shape::{BITRATE_MAX, FPS_MAX, PACKETS_PER_FRAME_MAX, PAYLOAD_MAX, Shape, ShapeError};

mod source;
pub(crate) use source::{PacketPlan, Source};
