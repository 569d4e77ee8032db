//! The packets of the bench: RTP with VP8 or what stands for Opus in it, and a mark by which the sink knows them again.

use clap::ValueEnum;
use mafalda_media::rtp::{FIXED_HEADER_LEN, RtpHeader};

/// The shortest payload: VP8's descriptor and start, then the mark.
pub(crate) const PAYLOAD_MIN: usize = MARK_AT + MARK_LEN;

/// Where the mark lies in the payload.
const MARK_AT: usize = 16;

/// Magic, number, time; each of eight bytes.
const MARK_LEN: usize = 24;

const MAGIC: [u8; 8] = *b"mafalda.";

/// What a publisher sends, once each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Stream {
    /// VP8.
    Video,
    /// Opus.
    Audio,
}

impl Stream {
    /// What every subject is told to expect.
    pub(crate) const fn ssrc(self) -> u32 {
        match self {
            Self::Video => 1111,
            Self::Audio => 2222,
        }
    }

    pub(crate) const fn payload_type(self) -> u8 {
        match self {
            Self::Video => 96,
            Self::Audio => 100,
        }
    }

    /// What a frame adds to the timestamp: a thirtieth of a second at 90 kHz, 20 ms at 48 kHz.
    const fn frame_ticks(self) -> u32 {
        match self {
            Self::Video => 3000,
            Self::Audio => 960,
        }
    }
}

/// One in so many frames is a key frame: at usual rates one in some seconds, as of a camera.
pub(crate) const KEY_FRAME_INTERVAL: u64 = 100;

/// What tells one packet from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outgoing {
    pub(crate) stream: Stream,
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
    let is_video = packet.stream == Stream::Video;
    let timestamp = (packet.frame as u32).wrapping_mul(packet.stream.frame_ticks());
    header[0] = 0x80;
    // RFC 7587 §4.2: in Opus the bit marks the first packet after silence, and there is none.
    header[1] = packet.stream.payload_type() | u8::from(packet.is_last && is_video) << 7;
    header[2..4].copy_from_slice(&(packet.number as u16).to_be_bytes());
    header[4..8].copy_from_slice(&timestamp.to_be_bytes());
    header[8..12].copy_from_slice(&packet.stream.ssrc().to_be_bytes());
    if is_video {
        describe_frame(payload, packet);
    } else {
        // RFC 6716 §3.1: a frame of 20 ms, full band, by the transform codec alone.
        payload[0] = 31 << 3;
    }
    let mark = &mut payload[MARK_AT..MARK_AT + MARK_LEN];
    mark[..8].copy_from_slice(&MAGIC);
    mark[8..16].copy_from_slice(&packet.number.to_be_bytes());
    mark[16..].copy_from_slice(&packet.nanos.to_be_bytes());
}

/// What stands before VP8's partitions.
fn describe_frame(payload: &mut [u8], packet: Outgoing) {
    // RFC 7741 §4.2: no extension, S on the first packet of the frame's only partition.
    payload[0] = u8::from(packet.is_first) << 4;
    if packet.is_first {
        let is_key = packet.frame.is_multiple_of(KEY_FRAME_INTERVAL);
        // RFC 7741 §4.3: P is 0 in a key frame, whose start code and size follow (RFC 6386 §9.1).
        payload[1] = 0x10 | u8::from(!is_key);
        payload[2..11].copy_from_slice(&[0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x01]);
    }
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

    const PACKET: Outgoing = Outgoing {
        stream: Stream::Video,
        number: 70_000,
        frame: 200,
        is_first: true,
        is_last: false,
        nanos: 123,
    };

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
        assert_eq!((header.sequence, header.ssrc, header.marker), (4464, 1111, false));
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

    #[test]
    fn audio_has_its_own_clock_and_no_marker() {
        let bytes = written(Outgoing { stream: Stream::Audio, frame: 3, is_last: true, ..PACKET });
        let header = RtpHeader::parse(&bytes).unwrap();
        assert_eq!(
            (header.timestamp, header.ssrc, header.payload_type, header.marker),
            (2880, 2222, 100, false)
        );
        assert_eq!(read(&bytes), Some(Mark { number: 70_000, nanos: 123 }));
    }
}
