//! Redundant audio (RFC 2198): a packet that holds the newest frame, and in front of it some that were sent before.
//!
//! Nothing is taken apart or put together here. The payload types of the frames are exchanged where they are, and the newest is
//! found, so that it can be sent alone to who doesn't know RED: it goes to the end of the payload.

/// Frames in front of the newest that a packet may have: as many as libwebrtc reads. More would be looked at for nothing.
pub const REDUNDANT_MAX: usize = 31;

/// Bytes in front of a redundant frame: F(1) payload type(7) timestamp offset(14) length(10).
const REDUNDANT_HEADER_LEN: usize = 4;

/// The newest frame of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Primary {
    /// Its payload type, exchanged already.
    pub payload_type: u8,
    /// Where in the payload it begins. It ends with it.
    pub start: u16,
}

/// The payload can't be read, or holds a payload type that is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed redundant audio")]
pub struct MalformedRed;

/// Exchanges the payload type of each frame in `payload` for what `mapped` says, and finds the newest.
///
/// # Errors
/// When the payload is cut off, has more than [`REDUNDANT_MAX`] redundant frames, or one whose payload type `mapped` doesn't know.
/// Part of the payload is changed then.
pub fn translate(payload: &mut [u8], mapped: impl Fn(u8) -> Option<u8>) -> Result<Primary, MalformedRed> {
    let (mut at, mut redundant_len) = (0, 0);
    for _ in 0..=REDUNDANT_MAX {
        let head = payload.get_mut(at).ok_or(MalformedRed)?;
        let payload_type = mapped(*head & 0x7f).filter(|mapped| *mapped < 0x80).ok_or(MalformedRed)?;
        // RFC 2198 §3: F is set on all headers but the last.
        let is_redundant = *head & 0x80 != 0;
        *head = *head & 0x80 | payload_type;
        if !is_redundant {
            let start = at + 1 + redundant_len;
            let fits = start <= payload.len();
            return u16::try_from(start)
                .ok()
                .filter(|_| fits)
                .map(|start| Primary { payload_type, start })
                .ok_or(MalformedRed);
        }
        let header = payload.get(at..at + REDUNDANT_HEADER_LEN).ok_or(MalformedRed)?;
        redundant_len += usize::from(header[2] & 0x03) << 8 | usize::from(header[3]);
        at += REDUNDANT_HEADER_LEN;
    }
    Err(MalformedRed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames of these payload types and lengths, the last of them the newest.
    fn packet(frames: &[(u8, usize)]) -> Vec<u8> {
        let Some(((newest, newest_len), redundant)) = frames.split_last() else { return Vec::new() };
        let mut packet = Vec::new();
        for (age, (payload_type, len)) in redundant.iter().rev().enumerate().rev() {
            let offset = (age as u16 + 1) * 960;
            let word = 0x8000_0000 | u32::from(*payload_type) << 24 | u32::from(offset) << 10 | *len as u32;
            packet.extend(word.to_be_bytes());
        }
        packet.push(*newest);
        for (place, (_, len)) in redundant.iter().enumerate() {
            packet.extend(vec![place as u8 + 1; *len]);
        }
        packet.extend(vec![0xfc; *newest_len]);
        packet
    }

    fn known(payload_type: u8) -> Option<u8> {
        match payload_type {
            111 => Some(100),
            13 => Some(13),
            _ => None,
        }
    }

    #[test]
    fn payload_types_are_exchanged_and_nothing_else() {
        for frames in [&[(111, 80)][..], &[(111, 70), (111, 80)], &[(13, 1), (111, 1023), (111, 0)]] {
            let mut payload = packet(frames);
            let exchanged: Vec<_> = frames.iter().map(|(kind, len)| (known(*kind).unwrap(), *len)).collect();
            let primary = translate(&mut payload, known).unwrap();
            assert_eq!(payload, packet(&exchanged));
            let newest = exchanged.last().unwrap();
            assert_eq!((primary.payload_type, payload.len() - usize::from(primary.start)), *newest);
        }
    }

    #[test]
    fn what_is_cut_off_is_malformed() {
        let whole = packet(&[(111, 30), (111, 0)]);
        for len in 0..whole.len() {
            assert_eq!(translate(&mut whole[..len].to_vec(), known), Err(MalformedRed), "{len}");
        }
        let mut whole = whole;
        assert!(translate(&mut whole, known).is_ok());
    }

    #[test]
    fn each_frame_must_be_known() {
        assert_eq!(translate(&mut packet(&[(63, 10), (111, 10)]), known), Err(MalformedRed));
        assert_eq!(translate(&mut packet(&[(111, 10), (63, 10)]), known), Err(MalformedRed));
        assert_eq!(translate(&mut packet(&[(111, 10)]), |_| Some(128)), Err(MalformedRed));
    }

    #[test]
    fn redundant_frames_have_a_bound() {
        let most = vec![(111, 1); REDUNDANT_MAX + 1];
        assert!(translate(&mut packet(&most), known).is_ok());
        let too_many = vec![(111, 1); REDUNDANT_MAX + 2];
        assert_eq!(translate(&mut packet(&too_many), known), Err(MalformedRed));
    }
}
