//! What H.264 and H.265 share: NAL units put together in one packet, each behind its length in 16 bits.

/// Iterates over the NAL units of an aggregation (RFC 6184 §5.7.1, RFC 7798 §4.4.2), up to one that is cut off.
pub(super) fn aggregated(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = data;
    std::iter::from_fn(move || {
        let (len, behind) = rest.split_first_chunk()?;
        let (unit, behind) = behind.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
        rest = behind;
        Some(unit)
    })
}
