//! What the types let through and negotiation cannot work with.

use std::borrow::Cow;

use super::{RtpCapabilitiesError, RtpParametersError};
use crate::types::rtp_parameters::{
    RtpCapabilities, RtpCodecCapability, RtpCodecParametersParameters, RtpCodecParametersParametersValue,
    RtpParameters,
};

/// Largest payload type: packets have seven bits for it (RFC 3550 section 5.1).
pub(super) const PAYLOAD_TYPE_MAX: u8 = 127;

/// Checks RTP parameters on their own.
///
/// # Errors
/// When `apt` of a codec is not a number, or a payload type is beyond 127.
pub fn validate_rtp_parameters(rtp_parameters: &RtpParameters) -> Result<(), RtpParametersError> {
    for codec in &rtp_parameters.codecs {
        if let Some(apt) = textual_apt(codec.parameters()) {
            return Err(RtpParametersError::InvalidAptParameter(apt.clone()));
        }
        if codec.payload_type() > PAYLOAD_TYPE_MAX {
            return Err(RtpParametersError::InvalidPayloadType(codec.payload_type()));
        }
    }
    Ok(())
}

/// Checks RTP capabilities on their own.
///
/// # Errors
/// When `apt` of a codec is not a number.
pub fn validate_rtp_capabilities(capabilities: &RtpCapabilities) -> Result<(), RtpCapabilitiesError> {
    validate_codec_capabilities(&capabilities.codecs)
}

pub(super) fn validate_codec_capabilities(codecs: &[RtpCodecCapability]) -> Result<(), RtpCapabilitiesError> {
    match codecs.iter().find_map(|codec| textual_apt(codec.parameters())) {
        Some(apt) => Err(RtpCapabilitiesError::InvalidAptParameter(apt.clone())),
        None => Ok(()),
    }
}

fn textual_apt(parameters: &RtpCodecParametersParameters) -> Option<&Cow<'static, str>> {
    match parameters.get("apt") {
        Some(RtpCodecParametersParametersValue::String(apt)) => Some(apt),
        _ => None,
    }
}
