//! What the engine sees of a payload: whether a decoder can begin at it, and whether there is sound in it.
//!
//! Each codec has a file that reads the first bytes of its RTP payload format. Nothing is decoded or kept: every packet is
//! judged alone. Layers within a stream (VP9 SVC, temporal layers) and the rewriting of descriptors are not here.

mod av1;
mod h264;
mod h265;
mod nal;
mod opus;
mod vp8;
mod vp9;

/// A codec, as far as the engine treats it differently from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// Opus, and multiopus, whose packets begin like those of Opus (RFC 7587).
    Opus,
    /// Redundant audio (RFC 2198): frames of other codecs, see [`crate::rtp::red`].
    Red,
    /// VP8 (RFC 7741).
    Vp8,
    /// VP9 (RFC 9628).
    Vp9,
    /// H.264 (RFC 6184), non-interleaved.
    H264,
    /// H.265 (RFC 7798), without decoding order numbers.
    H265,
    /// AV1 (RTP Payload Format for AV1 v1.0).
    Av1,
    /// Any other: its packets are opaque.
    Other,
}

impl Codec {
    /// The codec that a media type (`video/VP8`) names, in upper or lower case.
    #[must_use]
    pub fn from_mime_type(mime_type: &str) -> Self {
        /// Media types and what they are.
        const KNOWN: [(&str, Codec); 8] = [
            ("audio/opus", Codec::Opus),
            ("audio/multiopus", Codec::Opus),
            ("audio/red", Codec::Red),
            ("video/VP8", Codec::Vp8),
            ("video/VP9", Codec::Vp9),
            ("video/H264", Codec::H264),
            ("video/H265", Codec::H265),
            ("video/AV1", Codec::Av1),
        ];
        let known = KNOWN.iter().find(|(name, _)| name.eq_ignore_ascii_case(mime_type));
        known.map_or(Self::Other, |(_, codec)| *codec)
    }

    /// Whether [`is_key_frame`] can tell. Where it can't, a stream must not be held back until a key frame comes.
    #[must_use]
    pub const fn knows_key_frames(self) -> bool {
        match self {
            Self::Vp8 | Self::Vp9 | Self::H264 | Self::H265 | Self::Av1 => true,
            Self::Opus | Self::Red | Self::Other => false,
        }
    }
}

/// Whether a key frame begins in this payload, so that a decoder can begin with this packet.
///
/// False for the later packets of a key frame, and for codecs that don't [know](Codec::knows_key_frames).
#[must_use]
pub fn is_key_frame(codec: Codec, payload: &[u8]) -> bool {
    match codec {
        Codec::Vp8 => vp8::is_key_frame(payload),
        Codec::Vp9 => vp9::is_key_frame(payload),
        Codec::H264 => h264::is_key_frame(payload),
        Codec::H265 => h265::is_key_frame(payload),
        Codec::Av1 => av1::is_key_frame(payload),
        Codec::Opus | Codec::Red | Codec::Other => false,
    }
}

/// Whether this payload stands for silence (discontinuous transmission); false for codecs where that isn't known.
#[must_use]
pub fn is_dtx(codec: Codec, payload: &[u8]) -> bool {
    codec == Codec::Opus && opus::is_dtx(payload)
}

#[cfg(test)]
mod tests;
