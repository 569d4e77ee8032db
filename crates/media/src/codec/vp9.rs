//! VP9 (RFC 9628).

/// Whether a key picture begins: a frame that starts here, isn't predicted from other pictures, and is the lowest layer.
pub(super) fn is_key_frame(payload: &[u8]) -> bool {
    is_key_frame_start(payload).unwrap_or(false)
}

fn is_key_frame_start(payload: &[u8]) -> Option<bool> {
    // RFC 9628 §4.2: I P L F B E V Z.
    let (&first, rest) = payload.split_first()?;
    let [has_picture_id, predicted, has_layer] = [0x80, 0x40, 0x20].map(|bit| first & bit != 0);
    let starts_frame = first & 0x08 != 0;
    if predicted || !starts_frame {
        return Some(false);
    }
    if !has_layer {
        return Some(true);
    }
    let layer_at = if has_picture_id { 1 + usize::from(rest.first()? >> 7) } else { 0 };
    // TID(3) U SID(3) D: higher spatial layers of a key picture are not predicted from other pictures either.
    Some(rest.get(layer_at)? & 0x0e == 0)
}
