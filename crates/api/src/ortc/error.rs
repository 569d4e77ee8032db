//! Why negotiation fails: one enum per question.

use std::borrow::Cow;

use thiserror::Error;

use crate::types::rtp_parameters::MimeType;

/// What is wrong with RTP parameters on their own.
#[derive(Debug, Error, Clone, Eq, PartialEq)]
#[non_exhaustive]
pub enum RtpParametersError {
    /// `apt` of a codec is not a number.
    #[error("Invalid codec apt parameter {0}")]
    InvalidAptParameter(Cow<'static, str>),
    /// A payload type doesn't fit the seven bits that packets have for it.
    #[error("Invalid payload type {0}")]
    InvalidPayloadType(u8),
}

/// What is wrong with RTP capabilities, or with the codecs that a Router is asked for.
#[derive(Debug, Error, Clone, Eq, PartialEq)]
#[non_exhaustive]
pub enum RtpCapabilitiesError {
    /// The server doesn't forward this codec.
    #[error("Media codec not supported [mime_type:{mime_type:?}")]
    UnsupportedCodec {
        /// The codec.
        mime_type: MimeType,
    },
    /// There are more codecs than dynamic payload types.
    #[error("Cannot allocate more dynamic codec payload types")]
    CannotAllocate,
    /// `apt` of a codec is not a number.
    #[error("Invalid codec apt parameter {0}")]
    InvalidAptParameter(Cow<'static, str>),
    /// Two codecs are given one payload type.
    #[error("Duplicated preferred payload type {0}")]
    DuplicatedPreferredPayloadType(u8),
    /// A payload type doesn't fit the seven bits that packets have for it.
    #[error("Invalid preferred payload type {0}")]
    InvalidPreferredPayloadType(u8),
    /// RED is wanted without the Opus that it holds.
    #[error("Missing Opus codec for RED")]
    MissingMediaCodecForRed,
}

/// Why a Producer's codecs can't be mapped to the Router's.
#[derive(Debug, Error, Clone, Eq, PartialEq)]
#[non_exhaustive]
pub enum RtpParametersMappingError {
    /// The Router doesn't have this codec.
    #[error("Unsupported codec [mime_type:{mime_type:?}, payloadType:{payload_type}]")]
    UnsupportedCodec {
        /// The codec.
        mime_type: MimeType,
        /// The Producer's payload type of it.
        payload_type: u8,
    },
    /// The Router has the media codec, but no RTX for it.
    #[error("No RTX codec for capability codec PT {preferred_payload_type}")]
    UnsupportedRtxCodec {
        /// The Router's payload type of the media codec.
        preferred_payload_type: u8,
    },
    /// `apt` of an RTX codec is missing or doesn't name a media codec of the Producer.
    #[error("Missing media codec found for RTX PT {payload_type}")]
    MissingMediaCodecForRtx {
        /// The Producer's payload type of the RTX codec.
        payload_type: u8,
    },
    /// What a RED codec says that it holds isn't a media codec of the Producer, or it doesn't say and there is no Opus.
    #[error("Missing media codec found for RED PT {payload_type}")]
    MissingMediaCodecForRed {
        /// The Producer's payload type of the RED codec.
        payload_type: u8,
    },
}

/// Why an endpoint can't consume a Producer.
#[derive(Debug, Error, Clone, Eq, PartialEq)]
#[non_exhaustive]
pub enum ConsumerRtpParametersError {
    /// Its capabilities are wrong in themselves.
    #[error("Invalid capabilities: {0}")]
    InvalidCapabilities(#[from] RtpCapabilitiesError),
    /// It has none of the Producer's codecs.
    #[error("No compatible media codecs")]
    NoCompatibleMediaCodecs,
}
