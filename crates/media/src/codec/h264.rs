//! H.264 (RFC 6184) in the packetization modes 0 and 1, which is what WebRTC uses.

use super::nal;

const IDR_SLICE: u8 = 5;
const SEQUENCE_PARAMETER_SET: u8 = 7;
const STAP_A: u8 = 24;
const FU_A: u8 = 28;

/// Whether a key frame begins: a sequence parameter set or the first bytes of an IDR slice, alone, aggregated or fragmented.
///
/// Encoders send the parameter sets right in front of each IDR picture, so these count, as in mediasoup. The slice counts too,
/// because some send its parameter sets in SDP only.
pub(super) fn is_key_frame(payload: &[u8]) -> bool {
    let Some((&first, rest)) = payload.split_first() else { return false };
    match first & 0x1f {
        STAP_A => nal::aggregated(rest).filter_map(<[u8]>::first).any(|head| begins_key_frame(head & 0x1f)),
        // RFC 6184 §5.8: S E R and the type of the unit that is fragmented.
        FU_A => rest.first().is_some_and(|head| head & 0x80 != 0 && begins_key_frame(head & 0x1f)),
        unit_type => begins_key_frame(unit_type),
    }
}

const fn begins_key_frame(unit_type: u8) -> bool {
    matches!(unit_type, IDR_SLICE | SEQUENCE_PARAMETER_SET)
}
