//! The packet index that a 16-bit sequence number stands for (RFC 3711 §3.3.1 and appendix A).

use super::SrtpError;

/// The highest index of a stream: 32 bits of rollover counter, 16 of sequence number.
pub(super) const RTP_INDEX_MAX: u64 = (1 << 48) - 1;

const HALF: u16 = 1 << 15;

/// The index nearest to the `highest` authenticated one that ends in `sequence`.
///
/// # Errors
/// [`SrtpError::TooOld`] when it would lie before the stream's first rollover counter, [`SrtpError::IndexExhausted`] when it
/// would lie behind the last.
pub(super) fn estimate(highest: u64, sequence: u16) -> Result<u64, SrtpError> {
    let last = (highest & 0xffff) as u16;
    let rollover = highest >> 16;
    let rollover = if last < HALF && sequence > last + HALF {
        rollover.checked_sub(1).ok_or(SrtpError::TooOld)?
    } else if last >= HALF && sequence < last - HALF {
        rollover + 1
    } else {
        rollover
    };
    let index = rollover << 16 | u64::from(sequence);
    if index > RTP_INDEX_MAX { Err(SrtpError::IndexExhausted) } else { Ok(index) }
}
