//! The codecs that can be pretended, and what stands before the marker in their payloads.

use std::fmt;
use std::str::FromStr;

use mafalda_api::types::rtp_parameters::{MediaKind, MimeType, MimeTypeAudio, MimeTypeVideo};

/// A codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// RFC 7587.
    Opus,
    /// RFC 7741.
    Vp8,
    /// RFC 9628.
    Vp9,
    /// RFC 6184, packetization mode 1.
    H264,
}

/// Where a packet is in its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The frame's number.
    pub(crate) frame: u32,
    /// Whether it is a key frame's.
    pub(crate) key: bool,
    /// Whether the frame begins with it.
    pub(crate) first: bool,
    /// Whether the frame ends with it.
    pub(crate) last: bool,
}

/// The longest of all payload headers, in bytes: a key frame's first packet of H.264, with its parameter sets.
pub(super) const PAYLOAD_HEADER_MAX: usize = 18;

/// A sequence parameter set (constrained baseline, level 3.1) and a picture parameter set, just long enough to be found.
const SPS: [u8; 6] = [0x67, 0x42, 0xe0, 0x1f, 0xda, 0x01];
const PPS: [u8; 4] = [0x68, 0xce, 0x3c, 0x80];

impl Codec {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Opus, Self::Vp8, Self::Vp9, Self::H264];

    /// Audio or video.
    #[must_use]
    pub const fn kind(self) -> MediaKind {
        if matches!(self, Self::Opus) { MediaKind::Audio } else { MediaKind::Video }
    }

    /// Its name in RTP parameters.
    #[must_use]
    pub const fn mime_type(self) -> MimeType {
        match self {
            Self::Opus => MimeType::Audio(MimeTypeAudio::Opus),
            Self::Vp8 => MimeType::Video(MimeTypeVideo::Vp8),
            Self::Vp9 => MimeType::Video(MimeTypeVideo::Vp9),
            Self::H264 => MimeType::Video(MimeTypeVideo::H264),
        }
    }

    /// Ticks of its RTP clock per second.
    #[must_use]
    pub const fn clock_rate(self) -> u32 {
        if matches!(self, Self::Opus) { 48_000 } else { 90_000 }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Opus => "opus",
            Self::Vp8 => "vp8",
            Self::Vp9 => "vp9",
            Self::H264 => "h264",
        }
    }

    /// Writes what comes before the marker to the beginning of a payload, which has its whole length, and says how long that is.
    pub(super) fn write_header(self, place: Place, payload: &mut [u8]) -> usize {
        let mut header = Header { payload, len: 0 };
        match self {
            // TOC: CELT, fullband, 20 ms, stereo, one frame (RFC 6716 §3.1).
            Self::Opus => header.put(&[0xfc]),
            Self::Vp8 => header.vp8(place),
            Self::Vp9 => header.vp9(place),
            Self::H264 => header.h264(place),
        }
        header.len
    }
}

/// A payload's beginning under construction. What has no room is left out: payloads are planned long enough.
struct Header<'a> {
    payload: &'a mut [u8],
    len: usize,
}

impl Header<'_> {
    fn put(&mut self, bytes: &[u8]) {
        if let Some(room) = self.payload.get_mut(self.len..self.len + bytes.len()) {
            room.copy_from_slice(bytes);
            self.len += bytes.len();
        }
    }

    /// X, S; I, L, T; PictureID, TL0PICIDX, TID of the only layer (RFC 7741 §4.2), then the frame tag (RFC 6386 §9.1).
    fn vp8(&mut self, place: Place) {
        let [high, low] = picture_id(place.frame);
        self.put(&[0x80 | u8::from(place.first) << 4, 0xe0, high, low, place.frame as u8, 0]);
        if place.first {
            self.put(&[0x10 | u8::from(!place.key), 0x02, 0x00]);
        }
        if place.first && place.key {
            // Start code, then 640 by 360.
            self.put(&[0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01]);
        }
    }

    /// I, P, B, E, V; PictureID; at the begin of a key frame the scalability structure of one layer, 640 by 360 (RFC 9628 §4.2).
    fn vp9(&mut self, place: Place) {
        let structure = place.key && place.first;
        let flags = [(!place.key, 0x40), (place.first, 0x08), (place.last, 0x04), (structure, 0x02)];
        let flags = flags.into_iter().filter(|(set, _)| *set).fold(0x80, |byte, (_, bit)| byte | bit);
        let [high, low] = picture_id(place.frame);
        self.put(&[flags, high, low]);
        if structure {
            self.put(&[0x10, 0x02, 0x80, 0x01, 0x68]);
        }
    }

    /// A key frame begins with its parameter sets, in a STAP-A whose last unit is the rest of the payload; what follows is in
    /// FU-As. A frame of one packet is one unit (RFC 6184 §5.6, §5.7.1, §5.8).
    fn h264(&mut self, place: Place) {
        let unit = if place.key { 5 } else { 1 };
        if place.key && place.first {
            self.put(&[0x78, 0, SPS.len() as u8]);
            self.put(&SPS);
            self.put(&[0, PPS.len() as u8]);
            self.put(&PPS);
            let rest = self.payload.len().saturating_sub(self.len + 2);
            self.put(&u16::try_from(rest).unwrap_or(u16::MAX).to_be_bytes());
            self.put(&[0x60 | unit]);
        } else if place.first && place.last {
            self.put(&[0x60 | unit]);
        } else {
            self.put(&[0x60 | 28, u8::from(place.first) << 7 | u8::from(place.last) << 6 | unit]);
        }
    }
}

/// The frame's number as a picture id of 15 bits, in its long form.
fn picture_id(frame: u32) -> [u8; 2] {
    let [_, _, high, low] = frame.to_be_bytes();
    [0x80 | high, low]
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// No codec has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is none of opus, vp8, vp9, h264")]
pub struct UnknownCodec(String);

impl FromStr for Codec {
    type Err = UnknownCodec;

    fn from_str(name: &str) -> Result<Self, UnknownCodec> {
        let known = Self::ALL.into_iter().find(|codec| codec.name().eq_ignore_ascii_case(name));
        known.ok_or_else(|| UnknownCodec(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use mafalda_media::codec;

    use super::*;

    fn payload(codec: Codec, place: Place) -> Vec<u8> {
        let mut payload = vec![0xaa; 200];
        let len = codec.write_header(place, &mut payload);
        assert!(len <= PAYLOAD_HEADER_MAX, "{codec}: {len}");
        payload
    }

    #[test]
    fn names_are_read_in_any_case() {
        for codec in Codec::ALL {
            assert_eq!(codec.to_string().to_uppercase().parse(), Ok(codec));
        }
        assert!("h265".parse::<Codec>().unwrap_err().to_string().contains("h265"));
    }

    #[test]
    fn an_sfu_sees_key_frames_where_they_begin_and_nowhere_else() {
        let known = [
            (Codec::Vp8, codec::Codec::Vp8),
            (Codec::Vp9, codec::Codec::Vp9),
            (Codec::H264, codec::Codec::H264),
        ];
        for (ours, theirs) in known {
            for (key, first, last) in
                [(true, true, false), (true, false, true), (false, true, false), (false, true, true)]
            {
                let payload = payload(ours, Place { frame: 300, key, first, last });
                assert_eq!(
                    codec::is_key_frame(theirs, &payload),
                    key && first,
                    "{ours} {key} {first} {last}"
                );
            }
        }
    }

    #[test]
    fn the_last_unit_of_an_aggregation_fills_the_payload() {
        let payload = payload(Codec::H264, Place { frame: 0, key: true, first: true, last: false });
        let at = 1 + 2 + SPS.len() + 2 + PPS.len();
        let len = usize::from(u16::from_be_bytes([payload[at], payload[at + 1]]));
        assert_eq!(at + 2 + len, payload.len());
    }
}
