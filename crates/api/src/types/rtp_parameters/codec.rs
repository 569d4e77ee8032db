//! A codec in use.

use std::num::{NonZeroU8, NonZeroU32};

use serde::{Deserialize, Serialize};

use super::capability::mono;
use super::{MimeType, MimeTypeAudio, MimeTypeVideo, RtcpFeedback, RtpCodecParametersParameters};

/// A codec that a Producer sends or a Consumer receives.
#[derive(Debug, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Deserialize, Serialize)]
#[serde(untagged, rename_all = "lowercase")]
pub enum RtpCodecParameters {
    /// Audio codec.
    #[serde(rename_all = "camelCase")]
    Audio {
        /// Codec.
        mime_type: MimeTypeAudio,
        /// Payload type in the packets, unique among the codecs; 0 to 127.
        payload_type: u8,
        /// Clock rate, in hertz.
        clock_rate: NonZeroU32,
        /// Channels. Default 1.
        #[serde(default = "mono")]
        channels: NonZeroU8,
        /// Format-specific parameters.
        #[serde(default)]
        parameters: RtpCodecParametersParameters,
        /// Feedback that its receiver may send.
        #[serde(default)]
        rtcp_feedback: Vec<RtcpFeedback>,
    },
    /// Video codec.
    #[serde(rename_all = "camelCase")]
    Video {
        /// Codec.
        mime_type: MimeTypeVideo,
        /// Payload type in the packets, unique among the codecs; 0 to 127.
        payload_type: u8,
        /// Clock rate, in hertz.
        clock_rate: NonZeroU32,
        /// Format-specific parameters.
        #[serde(default)]
        parameters: RtpCodecParametersParameters,
        /// Feedback that its receiver may send.
        #[serde(default)]
        rtcp_feedback: Vec<RtcpFeedback>,
    },
}

impl RtpCodecParameters {
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

    /// Payload type.
    pub fn payload_type(&self) -> u8 {
        let (Self::Audio { payload_type, .. } | Self::Video { payload_type, .. }) = self;
        *payload_type
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

    /// Feedback that its receiver may send.
    pub fn rtcp_feedback(&self) -> &[RtcpFeedback] {
        let (Self::Audio { rtcp_feedback, .. } | Self::Video { rtcp_feedback, .. }) = self;
        rtcp_feedback
    }

    /// Feedback that its receiver may send, to be changed.
    pub fn rtcp_feedback_mut(&mut self) -> &mut Vec<RtcpFeedback> {
        let (Self::Audio { rtcp_feedback, .. } | Self::Video { rtcp_feedback, .. }) = self;
        rtcp_feedback
    }
}
