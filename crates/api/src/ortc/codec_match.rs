//! When two codecs are one.
//!
//! Everything about codecs that decides a match is compared here and nowhere else, whether they are capabilities or
//! parameters.

use std::num::{NonZeroU8, NonZeroU32};

use super::{h264, h265};
use crate::types::rtp_parameters::{
    MimeType, MimeTypeAudio, MimeTypeVideo, RtpCodecCapability, RtpCodecCapabilityFinalized,
    RtpCodecParameters, RtpCodecParametersParameters, RtpCodecParametersParametersValue,
};

/// What of a codec decides a match.
#[derive(Debug, Clone, Copy)]
pub(super) struct CodecToMatch<'a> {
    mime_type: MimeType,
    clock_rate: NonZeroU32,
    /// Absent for video.
    channels: Option<NonZeroU8>,
    parameters: &'a RtpCodecParametersParameters,
}

/// Whether both are the same codec, in whatever profile: decides what a Router may be asked for.
pub(super) fn is_same_codec<'a>(a: impl Into<CodecToMatch<'a>>, b: impl Into<CodecToMatch<'a>>) -> bool {
    let (a, b) = (a.into(), b.into());
    !a.mime_type.is_unsupported()
        && a.mime_type == b.mime_type
        && a.clock_rate == b.clock_rate
        && a.channels == b.channels
        && (a.mime_type != MimeType::Audio(MimeTypeAudio::MultiChannelOpus)
            || has_same_opus_streams(a.parameters, b.parameters))
}

/// Whether a receiver of one can decode the other: the same codec in the same profile.
pub(super) fn is_compatible<'a>(a: impl Into<CodecToMatch<'a>>, b: impl Into<CodecToMatch<'a>>) -> bool {
    let (a, b) = (a.into(), b.into());
    is_same_codec(a, b)
        && match a.mime_type {
            MimeType::Video(MimeTypeVideo::H264) => h264::is_compatible(a.parameters, b.parameters),
            // RFC 9628 section 6.1: profile 0 if absent.
            MimeType::Video(MimeTypeVideo::Vp9) => {
                number(a.parameters, "profile-id") == number(b.parameters, "profile-id")
            }
            MimeType::Video(MimeTypeVideo::H265) => h265::is_compatible(a.parameters, b.parameters),
            _ => true,
        }
}

/// A number among codec parameters, also if it was written as text; 0 if it is absent or anything else.
pub(super) fn number(parameters: &RtpCodecParametersParameters, key: &str) -> u32 {
    number_or(0, parameters, key)
}

/// Like [`number`], for parameters that mean something else when they are absent.
pub(super) fn number_or(absent: u32, parameters: &RtpCodecParametersParameters, key: &str) -> u32 {
    match parameters.get(key) {
        Some(RtpCodecParametersParametersValue::Number(number)) => *number,
        Some(RtpCodecParametersParametersValue::String(text)) => text.parse().unwrap_or_default(),
        None => absent,
    }
}

/// The payload type that an RTX codec is for: `apt` (RFC 4588 section 8.1).
pub(super) fn associated_payload_type(rtx_parameters: &RtpCodecParametersParameters) -> Option<u8> {
    match rtx_parameters.get("apt")? {
        RtpCodecParametersParametersValue::Number(number) => u8::try_from(*number).ok(),
        RtpCodecParametersParametersValue::String(_) => None,
    }
}

fn has_same_opus_streams(a: &RtpCodecParametersParameters, b: &RtpCodecParametersParameters) -> bool {
    ["num_streams", "coupled_streams"].iter().all(|key| number(a, key) == number(b, key))
}

impl<'a> From<&'a RtpCodecCapability> for CodecToMatch<'a> {
    fn from(codec: &'a RtpCodecCapability) -> Self {
        match codec {
            RtpCodecCapability::Audio { mime_type, clock_rate, channels, parameters, .. } => Self {
                mime_type: MimeType::Audio(*mime_type),
                clock_rate: *clock_rate,
                channels: Some(*channels),
                parameters,
            },
            RtpCodecCapability::Video { mime_type, clock_rate, parameters, .. } => Self {
                mime_type: MimeType::Video(*mime_type),
                clock_rate: *clock_rate,
                channels: None,
                parameters,
            },
        }
    }
}

impl<'a> From<&'a RtpCodecCapabilityFinalized> for CodecToMatch<'a> {
    fn from(codec: &'a RtpCodecCapabilityFinalized) -> Self {
        let channels = match codec {
            RtpCodecCapabilityFinalized::Audio { channels, .. } => Some(*channels),
            RtpCodecCapabilityFinalized::Video { .. } => None,
        };
        Self {
            mime_type: codec.mime_type(),
            clock_rate: codec.clock_rate(),
            channels,
            parameters: codec.parameters(),
        }
    }
}

impl<'a> From<&'a RtpCodecParameters> for CodecToMatch<'a> {
    fn from(codec: &'a RtpCodecParameters) -> Self {
        let channels = match codec {
            RtpCodecParameters::Audio { channels, .. } => Some(*channels),
            RtpCodecParameters::Video { .. } => None,
        };
        Self {
            mime_type: codec.mime_type(),
            clock_rate: codec.clock_rate(),
            channels,
            parameters: codec.parameters(),
        }
    }
}
