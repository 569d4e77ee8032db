//! H.265 (RFC 7798), without decoding order numbers (`sprop-max-don-diff` 0), which is what WebRTC uses.

use super::nal;

/// First and last type of slices that a decoder can begin with: BLA, IDR and CRA.
const RANDOM_ACCESS: std::ops::RangeInclusive<u8> = 16..=21;
/// First and last type of parameter sets: of the video, the sequence, the picture.
const PARAMETER_SETS: std::ops::RangeInclusive<u8> = 32..=34;
const AGGREGATION: u8 = 48;
const FRAGMENTATION: u8 = 49;

/// Whether a key frame begins: a parameter set or the first bytes of a random access slice, alone, aggregated or fragmented.
pub(super) fn is_key_frame(payload: &[u8]) -> bool {
    // RFC 7798 §1.1.4: the header of a unit has two bytes, F Type(6) LayerId(6) TID(3).
    let Some((header, rest)) = payload.split_first_chunk::<2>() else { return false };
    match unit_type(header[0]) {
        AGGREGATION => {
            nal::aggregated(rest).filter_map(<[u8]>::first).any(|&head| begins_key_frame(unit_type(head)))
        }
        // RFC 7798 §4.4.3: S E and the type of the unit that is fragmented.
        FRAGMENTATION => rest.first().is_some_and(|head| head & 0x80 != 0 && begins_key_frame(head & 0x3f)),
        unit_type => begins_key_frame(unit_type),
    }
}

const fn unit_type(head: u8) -> u8 {
    head >> 1 & 0x3f
}

fn begins_key_frame(unit_type: u8) -> bool {
    RANDOM_ACCESS.contains(&unit_type) || PARAMETER_SETS.contains(&unit_type)
}
