//! The header of an outgoing packet, written in one pass.

use super::extension::{BlockWriter, EXTENSIONS_LEN_MAX, ExtensionMask, OutgoingExtensions, max_block_len};
use super::header::FIXED_HEADER_LEN;

/// Most bytes that [`write_header`] writes, whatever the extensions.
pub const HEADER_LEN_MAX: usize = FIXED_HEADER_LEN + EXTENSIONS_LEN_MAX;

/// The fixed fields of an outgoing packet. There are no contributing sources: nothing is mixed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutgoingHeader {
    /// Marker bit.
    pub marker: bool,
    /// Payload type, 0..=127; of a greater number the lower seven bits are written.
    pub payload_type: u8,
    /// Sequence number.
    pub sequence: u16,
    /// Media timestamp.
    pub timestamp: u32,
    /// The stream that the packet belongs to.
    pub ssrc: u32,
    /// Whether padding will follow the payload (P bit), its last byte being its length.
    pub padded: bool,
}

/// The buffer ends within the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no room for the RTP header")]
pub struct HeaderFull;

/// Most bytes of a header for a receiver that negotiated `mask`.
#[must_use]
pub const fn max_header_len(mask: ExtensionMask) -> usize {
    FIXED_HEADER_LEN + max_block_len(mask)
}

/// Writes a header to the beginning of `out` and returns its length.
///
/// Of `extensions` those in `mask` are written, under the Router's ids. With `out` of [`max_header_len`] bytes it always fits.
///
/// # Errors
/// When `out` is too short; it then holds a part of the header.
#[inline]
pub fn write_header(
    out: &mut [u8],
    header: &OutgoingHeader,
    extensions: &OutgoingExtensions<'_>,
    mask: ExtensionMask,
) -> Result<usize, HeaderFull> {
    let (fixed, rest) = out.split_first_chunk_mut::<FIXED_HEADER_LEN>().ok_or(HeaderFull)?;
    let block_len = BlockWriter::new(rest, mask).write(extensions).ok_or(HeaderFull)?;
    // RFC 3550 §5.1: version 2, P, X when there is a block, no CSRCs; M and payload type.
    let first = 0x80 | u8::from(header.padded) << 5 | u8::from(block_len != 0) << 4;
    let second = u8::from(header.marker) << 7 | header.payload_type & 0x7f;
    let [s0, s1] = header.sequence.to_be_bytes();
    let [t0, t1, t2, t3] = header.timestamp.to_be_bytes();
    let [i0, i1, i2, i3] = header.ssrc.to_be_bytes();
    *fixed = [first, second, s0, s1, t0, t1, t2, t3, i0, i1, i2, i3];
    Ok(FIXED_HEADER_LEN + block_len)
}

#[cfg(test)]
mod tests;
