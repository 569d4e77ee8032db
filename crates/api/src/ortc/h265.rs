//! Matching of H265 by profile, tier and transmission mode (RFC 7798 section 7.2.2).
//!
//! Levels are left to the endpoints: a decoder says what it can take, and the sender's own parameters are passed on.

use super::codec_match::number_or;
use crate::types::rtp_parameters::{RtpCodecParametersParameters, RtpCodecParametersParametersValue};

/// Main profile and Main tier in the first profile space, if absent (RFC 7798 section 7.1).
const PROFILE: [(&str, u32); 3] = [("profile-space", 0), ("profile-id", 1), ("tier-flag", 0)];

/// Single RTP stream on a single transport, if absent (RFC 7798 section 7.1).
const TRANSMISSION_MODE_DEFAULT: &str = "SRST";

/// Whether a receiver of one can decode the other.
pub(super) fn is_compatible(a: &RtpCodecParametersParameters, b: &RtpCodecParametersParameters) -> bool {
    PROFILE.iter().all(|&(key, default)| number_or(default, a, key) == number_or(default, b, key))
        && transmission_mode(a).eq_ignore_ascii_case(transmission_mode(b))
}

fn transmission_mode(parameters: &RtpCodecParametersParameters) -> &str {
    match parameters.get("tx-mode") {
        Some(RtpCodecParametersParametersValue::String(mode)) => mode,
        _ => TRANSMISSION_MODE_DEFAULT,
    }
}
