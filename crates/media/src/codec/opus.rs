//! Opus (RFC 6716 §3).

/// Whether no frame in the packet has any data: what an encoder sends for silence under discontinuous transmission.
pub(super) fn is_dtx(payload: &[u8]) -> bool {
    let Some((&toc, rest)) = payload.split_first() else { return false };
    match (toc & 0x03, rest) {
        // RFC 6716 §3.2.2, §3.2.3: one frame, or two of the same length, that fill the rest.
        (0 | 1, []) => true,
        // §3.2.4: two frames; the first has length 0, the second the rest.
        (2, [0]) => true,
        // §3.2.5: any number of the same length that fill the rest, neither VBR nor padding flagged.
        (3, [count]) => count & 0xc0 == 0 && *count != 0,
        _ => false,
    }
}
