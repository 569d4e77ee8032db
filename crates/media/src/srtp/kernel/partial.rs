//! Blocks that memory has a part of, without touching what lies behind it.
//!
//! A part is read in two pieces of fixed size that overlap, instead of byte by byte or by a call.

/// Up to 16 bytes as a little-endian number; what is behind them counts as zero. More bytes than that are not looked at.
#[inline]
pub(super) fn load(bytes: &[u8]) -> u128 {
    if let Some(bytes) = bytes.first_chunk() {
        return u128::from_le_bytes(*bytes);
    }
    let (first, last, piece) = if let Some(pieces) = bytes.first_chunk().zip(bytes.last_chunk()) {
        (u64::from_le_bytes(*pieces.0), u64::from_le_bytes(*pieces.1), 8)
    } else if let Some(pieces) = bytes.first_chunk().zip(bytes.last_chunk()) {
        (u32::from_le_bytes(*pieces.0).into(), u32::from_le_bytes(*pieces.1).into(), 4)
    } else if let Some(pieces) = bytes.first_chunk().zip(bytes.last_chunk()) {
        (u16::from_le_bytes(*pieces.0).into(), u16::from_le_bytes(*pieces.1).into(), 2)
    } else {
        return bytes.first().copied().unwrap_or(0).into();
    };
    u128::from(first) | u128::from(last) << (8 * (bytes.len() - piece))
}

/// Writes the low bytes of a little-endian number, as many as there is room for; 16 at most.
#[inline]
pub(super) fn store(bytes: &mut [u8], number: u128) {
    let len = bytes.len();
    let behind = |piece: usize| number >> (8 * (len - piece));
    if let Some(bytes) = bytes.first_chunk_mut() {
        *bytes = number.to_le_bytes();
    } else if len >= 8 {
        write(bytes, (number as u64).to_le_bytes(), (behind(8) as u64).to_le_bytes());
    } else if len >= 4 {
        write(bytes, (number as u32).to_le_bytes(), (behind(4) as u32).to_le_bytes());
    } else if len >= 2 {
        write(bytes, (number as u16).to_le_bytes(), (behind(2) as u16).to_le_bytes());
    } else if let Some(byte) = bytes.first_mut() {
        *byte = number as u8;
    }
}

/// Writes the first and the last piece.
#[inline]
fn write<const N: usize>(bytes: &mut [u8], first: [u8; N], last: [u8; N]) {
    if let Some(start) = bytes.first_chunk_mut() {
        *start = first;
    }
    if let Some(end) = bytes.last_chunk_mut() {
        *end = last;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_and_written_and_nothing_else() {
        let bytes: [u8; 16] = std::array::from_fn(|at| at as u8 + 1);
        for len in 0..=16 {
            let mut padded = [0; 16];
            padded[..len].copy_from_slice(&bytes[..len]);
            assert_eq!(load(&bytes[..len]).to_le_bytes(), padded, "{len}");

            let mut written = [0xee; 18];
            store(&mut written[1..=len], u128::from_le_bytes(bytes));
            assert_eq!(written[1..=len], bytes[..len]);
            assert_eq!((written[0], &written[len + 1..]), (0xee, &[0xee; 17][len..]), "{len}");
        }
    }
}
