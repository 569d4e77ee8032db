//! The packets of the bench: RTP with VP8 in it, and a mark by which the sink knows them again.

use mafalda_media::rtp::{FIXED_HEADER_LEN, RtpHeader};

/// The shortest payload: VP8's descriptor and start, then the mark.
pub(crate) const PAYLOAD_MIN: usize = MARK_AT + MARK_LEN;

/// Where the mark lies in the payload.
const MARK_AT: usize = 16;

/// Magic, number, time; each of eight bytes.
const MARK_LEN: usize = 24;

const MAGIC: [u8; 8] = *b"mafalda.";

/// The source's SSRC: what every subject is told to expect.
pub(crate) const SSRC: u32 = 1111;

/// The source's payload type.
pub(crate) const PAYLOAD_TYPE: u8 = 96;

/// One in so many frames is a key frame: at usual rates one in some seconds, as of a camera.
pub(crate) const KEY_FRAME_INTERVAL: u64 = 100;

/// What tells one packet from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outgoing {
    /// Which packet of the stream it is; its low half is the sequence number.
    pub(crate) number: u64,
    /// Which frame it is of.
    pub(crate) frame: u64,
    /// Whether it begins the frame.
    pub(crate) is_first: bool,
    /// Whether it ends the frame.
    pub(crate) is_last: bool,
    /// When it is sent, by the clock of [`crate::clock`].
    pub(crate) nanos: u64,
}

/// Writes the packet over `out`, whose bytes behind the mark stay as they are.
///
/// # Panics
/// When `out` is shorter than header and [`PAYLOAD_MIN`].
pub(crate) fn write(out: &mut [u8], packet: Outgoing) {
    let (header, payload) = out.split_at_mut(FIXED_HEADER_LEN);
    let timestamp = (packet.frame as u32).wrapping_mul(3000);
    header[0] = 0x80;
    header[1] = PAYLOAD_TYPE | u8::from(packet.is_last) << 7;
    header[2..4].copy_from_slice(&(packet.number as u16).to_be_bytes());
    header[4..8].copy_from_slice(&timestamp.to_be_bytes());
    header[8..12].copy_from_slice(&SSRC.to_be_bytes());
    // RFC 7741 §4.2: no extension, S on the first packet of the frame's only partition.
    payload[0] = u8::from(packet.is_first) << 4;
    if packet.is_first {
        let is_key = packet.frame.is_multiple_of(KEY_FRAME_INTERVAL);
        // RFC 7741 §4.3: P is 0 in a key frame, whose start code and size follow (RFC 6386 §9.1).
        payload[1] = 0x10 | u8::from(!is_key);
        payload[2..11].copy_from_slice(&[0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x01]);
    }
    let mark = &mut payload[MARK_AT..MARK_AT + MARK_LEN];
    mark[..8].copy_from_slice(&MAGIC);
    mark[8..16].copy_from_slice(&packet.number.to_be_bytes());
    mark[16..].copy_from_slice(&packet.nanos.to_be_bytes());
}

/// What the source wrote into a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Which packet of the stream it is.
    pub(crate) number: u64,
    /// When it was sent.
    pub(crate) nanos: u64,
}

/// Reads the mark of a plain packet; `None` when it isn't one of ours.
pub(crate) fn read(packet: &[u8]) -> Option<Mark> {
    let header = RtpHeader::parse(packet).ok()?;
    let mark = header.payload(packet).get(MARK_AT..)?.strip_prefix(&MAGIC)?;
    let number = u64::from_be_bytes(*mark.first_chunk()?);
    let nanos = u64::from_be_bytes(*mark.get(8..)?.first_chunk()?);
    Some(Mark { number, nanos })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: Outgoing =
        Outgoing { number: 70_000, frame: 200, is_first: true, is_last: false, nanos: 123 };

    fn written(packet: Outgoing) -> Vec<u8> {
        let mut bytes = vec![0; FIXED_HEADER_LEN + PAYLOAD_MIN];
        write(&mut bytes, packet);
        bytes
    }

    #[test]
    fn a_mark_is_read_as_it_was_written() {
        let bytes = written(PACKET);
        assert_eq!(read(&bytes), Some(Mark { number: 70_000, nanos: 123 }));
        let header = RtpHeader::parse(&bytes).unwrap();
        assert_eq!((header.sequence, header.ssrc, header.marker), (4464, SSRC, false));
        assert_eq!(read(&bytes[..bytes.len() - 1]), None);
        assert_eq!(read(&[]), None);
    }

    #[test]
    fn a_mark_that_was_tampered_with_is_none() {
        let mut bytes = written(PACKET);
        bytes[FIXED_HEADER_LEN + MARK_AT] ^= 1;
        assert_eq!(read(&bytes), None);
    }

    #[test]
    fn some_frames_are_key_frames() {
        let p_bit = |frame| written(Outgoing { frame, ..PACKET })[FIXED_HEADER_LEN + 1] & 1;
        assert_eq!([p_bit(0), p_bit(1), p_bit(99), p_bit(100)], [0, 1, 1, 0]);
        let last = written(Outgoing { is_first: false, is_last: true, ..PACKET });
        assert!(RtpHeader::parse(&last).unwrap().marker);
        assert_eq!(last[FIXED_HEADER_LEN], 0);
    }
}
