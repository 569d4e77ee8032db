//! How a Producer's payload types and SSRCs become the Router's.

use serde::{Deserialize, Serialize};

use super::codec_match::{associated_payload_type, is_compatible};
use super::{RtpParametersMappingError, red};
use crate::types::rtp_parameters::{
    RtpCapabilitiesFinalized, RtpCodecCapabilityFinalized, RtpCodecParameters, RtpEncodingParameters,
    RtpParameters,
};

/// One payload type.
#[derive(Debug, Default, Copy, Clone, Ord, PartialOrd, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RtpMappingCodec {
    /// The Producer's.
    pub payload_type: u8,
    /// The Router's.
    pub mapped_payload_type: u8,
}

/// One RTP stream.
#[derive(Debug, Default, Clone, Ord, PartialOrd, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RtpMappingEncoding {
    /// The Producer's SSRC, if it is known ahead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssrc: Option<u32>,
    /// The Producer's RID, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rid: Option<String>,
    /// The SSRC that the stream has inside the Router.
    pub mapped_ssrc: u32,
}

/// From a Producer's payload types and streams to the Router's.
#[derive(Debug, Default, Clone, Ord, PartialOrd, Eq, PartialEq, Deserialize, Serialize)]
pub struct RtpMapping {
    /// Payload types, media codecs first.
    pub codecs: Vec<RtpMappingCodec>,
    /// Streams, in the order of the Producer's encodings.
    pub encodings: Vec<RtpMappingEncoding>,
}

impl RtpMapping {
    /// The Router's payload type for one of the Producer's.
    pub(super) fn payload_type(&self, payload_type: u8) -> Option<u8> {
        let codec = self.codecs.iter().find(|codec| codec.payload_type == payload_type)?;
        Some(codec.mapped_payload_type)
    }
}

/// Maps a Producer's codecs and encodings to the Router.
///
/// Mapped SSRCs count up from `first_mapped_ssrc`, which the caller draws so that they are free.
///
/// # Errors
/// When the Router lacks a codec, or RTX for a codec, or an RTX or RED codec names no media codec.
pub fn get_producer_rtp_parameters_mapping(
    rtp_parameters: &RtpParameters,
    capabilities: &RtpCapabilitiesFinalized,
    first_mapped_ssrc: u32,
) -> Result<RtpMapping, RtpParametersMappingError> {
    let (rtx, media): (Vec<_>, Vec<_>) = rtp_parameters.codecs.iter().partition(|codec| codec.is_rtx());
    let mut codecs = Vec::with_capacity(rtp_parameters.codecs.len());
    for codec in media {
        codecs.push(map_media_codec(codec, capabilities)?);
    }
    for codec in rtp_parameters.codecs.iter().filter(|codec| red::is_red(codec.mime_type())) {
        let payload_type = codec.payload_type();
        red::frames_of(codec, &rtp_parameters.codecs)
            .ok_or(RtpParametersMappingError::MissingMediaCodecForRed { payload_type })?;
    }
    let mut mapping = RtpMapping { codecs, encodings: Vec::new() };
    for codec in rtx {
        let mapped = map_rtx_codec(codec, rtp_parameters, capabilities, &mapping)?;
        mapping.codecs.push(mapped);
    }
    mapping.encodings = map_encodings(&rtp_parameters.encodings, first_mapped_ssrc);
    Ok(mapping)
}

fn map_media_codec(
    codec: &RtpCodecParameters,
    capabilities: &RtpCapabilitiesFinalized,
) -> Result<RtpMappingCodec, RtpParametersMappingError> {
    let payload_type = codec.payload_type();
    let unsupported =
        RtpParametersMappingError::UnsupportedCodec { mime_type: codec.mime_type(), payload_type };
    let capability =
        capabilities.codecs.iter().find(|capability| is_compatible(codec, *capability)).ok_or(unsupported)?;
    Ok(RtpMappingCodec { payload_type, mapped_payload_type: capability.preferred_payload_type() })
}

fn map_rtx_codec(
    codec: &RtpCodecParameters,
    rtp_parameters: &RtpParameters,
    capabilities: &RtpCapabilitiesFinalized,
    media: &RtpMapping,
) -> Result<RtpMappingCodec, RtpParametersMappingError> {
    let payload_type = codec.payload_type();
    let media_payload_type = associated_payload_type(codec.parameters())
        .filter(|&apt| {
            rtp_parameters.codecs.iter().any(|media| media.payload_type() == apt && !media.is_rtx())
        })
        .and_then(|apt| media.payload_type(apt))
        .ok_or(RtpParametersMappingError::MissingMediaCodecForRtx { payload_type })?;
    let capability = rtx_capability(capabilities, media_payload_type).ok_or(
        RtpParametersMappingError::UnsupportedRtxCodec { preferred_payload_type: media_payload_type },
    )?;
    Ok(RtpMappingCodec { payload_type, mapped_payload_type: capability.preferred_payload_type() })
}

/// The Router's RTX codec for one of its media codecs.
pub(super) fn rtx_capability(
    capabilities: &RtpCapabilitiesFinalized,
    media_payload_type: u8,
) -> Option<&RtpCodecCapabilityFinalized> {
    capabilities.codecs.iter().find(|capability| {
        capability.is_rtx() && associated_payload_type(capability.parameters()) == Some(media_payload_type)
    })
}

fn map_encodings(encodings: &[RtpEncodingParameters], first_mapped_ssrc: u32) -> Vec<RtpMappingEncoding> {
    let mapped_ssrcs = std::iter::successors(Some(first_mapped_ssrc), |ssrc| Some(ssrc.wrapping_add(1)));
    encodings
        .iter()
        .zip(mapped_ssrcs)
        .map(|(encoding, mapped_ssrc)| RtpMappingEncoding {
            ssrc: encoding.ssrc,
            rid: encoding.rid.clone(),
            mapped_ssrc,
        })
        .collect()
}
