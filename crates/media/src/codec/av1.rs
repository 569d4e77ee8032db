//! AV1 (RTP Payload Format for AV1 v1.0, of the Alliance for Open Media).

const SEQUENCE_HEADER: u8 = 1;

/// Most bytes of a number in LEB128 (AV1 specification §4.10.5).
const LEB128_LEN_MAX: usize = 8;

/// Whether a key frame begins: the first packet of a coded video sequence, or a sequence header.
pub(super) fn is_key_frame(payload: &[u8]) -> bool {
    // §4.4: Z Y W(2) N. N is set on the first packet of a coded video sequence.
    let Some((&aggregation, elements)) = payload.split_first() else { return false };
    aggregation & 0x08 != 0 || has_sequence_header(aggregation, elements)
}

/// Whether one of the packet's elements is the beginning of a sequence header.
fn has_sequence_header(aggregation: u8, elements: &[u8]) -> bool {
    let continues = aggregation & 0x80 != 0;
    Elements { rest: elements, left: aggregation >> 4 & 3 }
        .skip(usize::from(continues))
        .filter_map(<[u8]>::first)
        // AV1 specification §5.3.2: a zero bit, the type in four, flags.
        .any(|head| head >> 3 & 0x0f == SEQUENCE_HEADER)
}

/// Iterator over the OBU elements of a packet (§4.3), up to one that is cut off.
struct Elements<'a> {
    rest: &'a [u8],
    /// W: number of elements that are left, of which the last has no length; 0 when all have one.
    left: u8,
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        if self.left == 1 {
            return Some(std::mem::take(&mut self.rest));
        }
        self.left = self.left.saturating_sub(1);
        let (len, behind) = split_leb128(self.rest)?;
        let (element, behind) = behind.split_at_checked(len)?;
        self.rest = behind;
        Some(element)
    }
}

/// Reads a number in LEB128: seven bits in each byte, the lowest first, the top bit set on all but the last.
fn split_leb128(data: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0u64;
    for (index, byte) in data.iter().take(LEB128_LEN_MAX).enumerate() {
        value |= u64::from(byte & 0x7f) << (index * 7);
        if byte & 0x80 == 0 {
            return Some((usize::try_from(value).ok()?, data.get(index + 1..)?));
        }
    }
    None
}
