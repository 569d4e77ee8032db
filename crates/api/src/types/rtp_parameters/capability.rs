//! What an endpoint or a Router can do with RTP.

use std::num::{NonZeroU8, NonZeroU32};

use serde::{Deserialize, Serialize};

use super::{
    MimeType, MimeTypeAudio, MimeTypeVideo, RtcpFeedback, RtpCodecParametersParameters, RtpHeaderExtension,
};

/// Codecs and header extensions of an endpoint, or the codecs that a Router is asked for.
#[derive(Debug, Default, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RtpCapabilities {
    /// Media and RTX codecs.
    #[serde(default)]
    pub codecs: Vec<RtpCodecCapability>,
    /// Header extensions.
    #[serde(default)]
    pub header_extensions: Vec<RtpHeaderExtension>,
}

/// Codecs and header extensions of a Router, whose payload types are settled.
#[derive(Debug, Default, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RtpCapabilitiesFinalized {
    /// Media and RTX codecs.
    pub codecs: Vec<RtpCodecCapabilityFinalized>,
    /// Header extensions.
    pub header_extensions: Vec<RtpHeaderExtension>,
}

/// A codec that an endpoint can do. Each combination of parameters that needs a payload type of its own (a profile of
/// H264, say) is a codec of its own.
#[derive(Debug, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum RtpCodecCapability {
    /// Audio codec.
    #[serde(rename_all = "camelCase")]
    Audio {
        /// Codec.
        mime_type: MimeTypeAudio,
        /// Payload type it would like; 0 to 127.
        #[serde(skip_serializing_if = "Option::is_none")]
        preferred_payload_type: Option<u8>,
        /// Clock rate, in hertz.
        clock_rate: NonZeroU32,
        /// Channels. Default 1.
        #[serde(default = "mono")]
        channels: NonZeroU8,
        /// Format-specific parameters.
        #[serde(default)]
        parameters: RtpCodecParametersParameters,
        /// Feedback it takes.
        #[serde(default)]
        rtcp_feedback: Vec<RtcpFeedback>,
    },
    /// Video codec.
    #[serde(rename_all = "camelCase")]
    Video {
        /// Codec.
        mime_type: MimeTypeVideo,
        /// Payload type it would like; 0 to 127.
        #[serde(skip_serializing_if = "Option::is_none")]
        preferred_payload_type: Option<u8>,
        /// Clock rate, in hertz.
        clock_rate: NonZeroU32,
        /// Format-specific parameters.
        #[serde(default)]
        parameters: RtpCodecParametersParameters,
        /// Feedback it takes.
        #[serde(default)]
        rtcp_feedback: Vec<RtcpFeedback>,
    },
}

/// What an absent `channels` means.
pub(super) fn mono() -> NonZeroU8 {
    NonZeroU8::MIN
}

impl RtpCodecCapability {
    /// Codec.
    pub fn mime_type(&self) -> MimeType {
        match self {
            Self::Audio { mime_type, .. } => MimeType::Audio(*mime_type),
            Self::Video { mime_type, .. } => MimeType::Video(*mime_type),
        }
    }

    /// Format-specific parameters.
    pub fn parameters(&self) -> &RtpCodecParametersParameters {
        let (Self::Audio { parameters, .. } | Self::Video { parameters, .. }) = self;
        parameters
    }

    /// Format-specific parameters, to be changed.
    pub fn parameters_mut(&mut self) -> &mut RtpCodecParametersParameters {
        let (Self::Audio { parameters, .. } | Self::Video { parameters, .. }) = self;
        parameters
    }

    /// Payload type it would like.
    pub fn preferred_payload_type(&self) -> Option<u8> {
        let (Self::Audio { preferred_payload_type, .. } | Self::Video { preferred_payload_type, .. }) = self;
        *preferred_payload_type
    }

    /// Feedback it takes.
    pub fn rtcp_feedback(&self) -> &Vec<RtcpFeedback> {
        let (Self::Audio { rtcp_feedback, .. } | Self::Video { rtcp_feedback, .. }) = self;
        rtcp_feedback
    }
}

/// A codec of a Router: [`RtpCodecCapability`] with its payload type settled.
#[derive(Debug, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum RtpCodecCapabilityFinalized {
    /// Audio codec.
    #[serde(rename_all = "camelCase")]
    Audio {
        /// Codec.
        mime_type: MimeTypeAudio,
        /// Payload type; 0 to 127.
        preferred_payload_type: u8,
        /// Clock rate, in hertz.
        clock_rate: NonZeroU32,
        /// Channels.
        channels: NonZeroU8,
        /// Format-specific parameters.
        parameters: RtpCodecParametersParameters,
        /// Feedback it takes.
        rtcp_feedback: Vec<RtcpFeedback>,
    },
    /// Video codec.
    #[serde(rename_all = "camelCase")]
    Video {
        /// Codec.
        mime_type: MimeTypeVideo,
        /// Payload type; 0 to 127.
        preferred_payload_type: u8,
        /// Clock rate, in hertz.
        clock_rate: NonZeroU32,
        /// Format-specific parameters.
        parameters: RtpCodecParametersParameters,
        /// Feedback it takes.
        rtcp_feedback: Vec<RtcpFeedback>,
    },
}

impl RtpCodecCapabilityFinalized {
    /// Whether it is RTX.
    pub fn is_rtx(&self) -> bool {
        self.mime_type().is_rtx()
    }

    /// Codec.
    pub fn mime_type(&self) -> MimeType {
        match self {
            Self::Audio { mime_type, .. } => MimeType::Audio(*mime_type),
            Self::Video { mime_type, .. } => MimeType::Video(*mime_type),
        }
    }

    /// Clock rate, in hertz.
    pub fn clock_rate(&self) -> NonZeroU32 {
        let (Self::Audio { clock_rate, .. } | Self::Video { clock_rate, .. }) = self;
        *clock_rate
    }

    /// Format-specific parameters.
    pub fn parameters(&self) -> &RtpCodecParametersParameters {
        let (Self::Audio { parameters, .. } | Self::Video { parameters, .. }) = self;
        parameters
    }

    /// Format-specific parameters, to be changed.
    pub fn parameters_mut(&mut self) -> &mut RtpCodecParametersParameters {
        let (Self::Audio { parameters, .. } | Self::Video { parameters, .. }) = self;
        parameters
    }

    /// Payload type.
    pub fn preferred_payload_type(&self) -> u8 {
        let (Self::Audio { preferred_payload_type, .. } | Self::Video { preferred_payload_type, .. }) = self;
        *preferred_payload_type
    }
}
