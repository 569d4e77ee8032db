//! Matching of H264 by packetization mode and profile, and the level that both sides agree on (RFC 6184 sections 8.1
//! and 8.2.2).

use std::borrow::Cow;

use super::codec_match::number;
use crate::types::rtp_parameters::{RtpCodecParametersParameters, RtpCodecParametersParametersValue};

/// What an absent `profile-level-id` means: Constrained Baseline, level 3.1. RFC 6184 section 8.1 says Baseline, level
/// 1, but browsers and mediasoup take this one.
const PROFILE_LEVEL_ID_DEFAULT: &str = "42e01f";

/// Bit of `profile-iop` that turns level 1.1 into 1b in the profiles that have it (`constraint_set3_flag`).
const CONSTRAINT_SET3: u8 = 0b0001_0000;

/// Whether a receiver of one can decode the other.
pub(super) fn is_compatible(a: &RtpCodecParametersParameters, b: &RtpCodecParametersParameters) -> bool {
    // RFC 6184 section 8.1: packetization mode 0 if absent.
    number(a, "packetization-mode") == number(b, "packetization-mode")
        && match (ProfileLevelId::of(a), ProfileLevelId::of(b)) {
            (Some(a), Some(b)) => a.profile == b.profile,
            _ => false,
        }
}

/// The `profile-level-id` that holds between a sender and a receiver: the sender's own if both allow asymmetric levels,
/// else that of the lower level. `None` if neither names one, or one names nonsense.
pub(super) fn negotiated_profile_level_id(
    sender: &RtpCodecParametersParameters,
    receiver: &RtpCodecParametersParameters,
) -> Option<String> {
    if sender.get("profile-level-id").is_none() && receiver.get("profile-level-id").is_none() {
        return None;
    }
    let (sender_level, receiver_level) =
        (ProfileLevelId::of(sender)?.level, ProfileLevelId::of(receiver)?.level);
    let is_asymmetric =
        [sender, receiver].iter().all(|parameters| number(parameters, "level-asymmetry-allowed") == 1);
    let negotiated = if is_asymmetric || sender_level <= receiver_level { sender } else { receiver };
    Some(profile_level_id_text(negotiated).into_owned())
}

/// `profile-level-id` taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ProfileLevelId {
    profile: Profile,
    level: Level,
}

/// What decoder a stream needs. `profile-level-id` has several spellings of some (RFC 6184 section 8.1, table 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Profile {
    ConstrainedBaseline,
    Baseline,
    Main,
    Extended,
    ConstrainedHigh,
    High,
    High10,
    High422,
    High444Predictive,
    High10Intra,
    High422Intra,
    High444Intra,
    Cavlc444Intra,
}

/// A level in an order of its own: twice `level_idc`, which leaves room for 1b between 1 and 1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Level(u8);

impl ProfileLevelId {
    fn of(parameters: &RtpCodecParametersParameters) -> Option<Self> {
        Self::parse(&profile_level_id_text(parameters))
    }

    /// Three bytes in hexadecimal: `profile_idc`, `profile-iop`, `level_idc`.
    fn parse(text: &str) -> Option<Self> {
        if text.len() != 6 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let [_, profile_idc, profile_iop, level_idc] = u32::from_str_radix(text, 16).ok()?.to_be_bytes();
        let profile = Profile::from_bytes(profile_idc, profile_iop)?;
        Some(Self { profile, level: Level::from_bytes(profile, profile_iop, level_idc)? })
    }
}

impl Profile {
    /// RFC 6184 section 8.1, table 5; Constrained High is from H.264 annex A.2.4.2.
    fn from_bytes(profile_idc: u8, profile_iop: u8) -> Option<Self> {
        let has = |mask: u8, bits: u8| profile_iop & mask == bits;
        let profile = match profile_idc {
            0x42 if has(0b0100_1111, 0b0100_0000) => Self::ConstrainedBaseline,
            0x4d if has(0b1000_1111, 0b1000_0000) => Self::ConstrainedBaseline,
            0x58 if has(0b1100_1111, 0b1100_0000) => Self::ConstrainedBaseline,
            0x42 if has(0b0100_1111, 0) => Self::Baseline,
            0x58 if has(0b1100_1111, 0b1000_0000) => Self::Baseline,
            0x4d if has(0b1010_1111, 0) => Self::Main,
            0x58 if has(0b1100_1111, 0) => Self::Extended,
            0x64 if profile_iop == 0 => Self::High,
            0x64 if profile_iop == 0b0000_1100 => Self::ConstrainedHigh,
            0x6e if profile_iop == 0 => Self::High10,
            0x7a if profile_iop == 0 => Self::High422,
            0xf4 if profile_iop == 0 => Self::High444Predictive,
            0x6e if profile_iop == CONSTRAINT_SET3 => Self::High10Intra,
            0x7a if profile_iop == CONSTRAINT_SET3 => Self::High422Intra,
            0xf4 if profile_iop == CONSTRAINT_SET3 => Self::High444Intra,
            0x2c if profile_iop == CONSTRAINT_SET3 => Self::Cavlc444Intra,
            _ => return None,
        };
        Some(profile)
    }

    /// Whether level 1b is written as level 1.1 with a flag (H.264 annex A.3.4), instead of as `level_idc` 9.
    fn flags_level_1b(self) -> bool {
        matches!(self, Self::ConstrainedBaseline | Self::Baseline | Self::Main | Self::Extended)
    }
}

impl Level {
    const ONE_B: Self = Self(21);

    fn from_bytes(profile: Profile, profile_iop: u8, level_idc: u8) -> Option<Self> {
        match level_idc {
            11 if profile.flags_level_1b() && profile_iop & CONSTRAINT_SET3 != 0 => Some(Self::ONE_B),
            9 if !profile.flags_level_1b() => Some(Self::ONE_B),
            10..=13 | 20..=22 | 30..=32 | 40..=42 | 50..=52 | 60..=62 => Some(Self(level_idc * 2)),
            _ => None,
        }
    }
}

/// The parameter as text. One whose six digits are all decimal, such as `640032`, comes out of SDP parsers as a number.
fn profile_level_id_text(parameters: &RtpCodecParametersParameters) -> Cow<'_, str> {
    match parameters.get("profile-level-id") {
        Some(RtpCodecParametersParametersValue::String(text)) => Cow::Borrowed(text),
        Some(RtpCodecParametersParametersValue::Number(number)) => Cow::Owned(number.to_string()),
        None => Cow::Borrowed(PROFILE_LEVEL_ID_DEFAULT),
    }
}

#[cfg(test)]
mod tests;
