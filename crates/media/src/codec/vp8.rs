//! VP8 (RFC 7741).

/// Whether a key frame begins: start of the first partition, whose header says so.
pub(super) fn is_key_frame(payload: &[u8]) -> bool {
    is_key_frame_start(payload).unwrap_or(false)
}

fn is_key_frame_start(payload: &[u8]) -> Option<bool> {
    // RFC 7741 §4.2: X R N S R PID(3).
    let (&first, rest) = payload.split_first()?;
    let starts_frame = first & 0x10 != 0 && first & 0x07 == 0;
    let header = if first & 0x80 != 0 { behind_extension(rest)? } else { rest };
    // RFC 7741 §4.3: the lowest bit of the payload header is P, "inverse key frame".
    Some(starts_frame && header.first()? & 0x01 == 0)
}

/// What follows the extension of the descriptor and the fields that it announces.
fn behind_extension(data: &[u8]) -> Option<&[u8]> {
    // I L T K: picture id, TL0PICIDX, and one byte that TID and KEYIDX share.
    let (&flags, rest) = data.split_first()?;
    let picture_id_len = match (flags & 0x80 != 0, rest.first()) {
        (false, _) => 0,
        (true, first) => 1 + usize::from(first? >> 7),
    };
    let tl0_picture_index_len = usize::from(flags >> 6 & 1);
    let layer_len = usize::from(flags & 0x30 != 0);
    rest.get(picture_id_len + tl0_picture_index_len + layer_len..)
}
