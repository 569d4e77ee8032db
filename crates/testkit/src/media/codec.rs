//! The codecs that can be pretended, and what comes before the content in their payloads.

use std::time::Duration;

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
    /// AOMedia's "RTP Payload Format For AV1".
    Av1,
}

/// Where a packet is in its media.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The frame's number.
    pub(super) frame: u32,
    /// Whether it is a key frame's.
    pub(super) key: bool,
    /// Whether the frame begins with it.
    pub(super) first: bool,
    /// Whether the frame ends with it.
    pub(super) last: bool,
}

impl Codec {
    /// The video codecs.
    pub const VIDEO: [Self; 4] = [Self::Vp8, Self::Vp9, Self::H264, Self::Av1];

    /// Audio or video.
    #[must_use]
    pub fn kind(self) -> MediaKind {
        if self == Self::Opus { MediaKind::Audio } else { MediaKind::Video }
    }

    /// Its name in RTP parameters.
    #[must_use]
    pub fn mime_type(self) -> MimeType {
        match self {
            Self::Opus => MimeType::Audio(MimeTypeAudio::Opus),
            Self::Vp8 => MimeType::Video(MimeTypeVideo::Vp8),
            Self::Vp9 => MimeType::Video(MimeTypeVideo::Vp9),
            Self::H264 => MimeType::Video(MimeTypeVideo::H264),
            Self::Av1 => MimeType::Video(MimeTypeVideo::AV1),
        }
    }

    /// Ticks of its RTP clock per second.
    #[must_use]
    pub fn clock_rate(self) -> u32 {
        if self == Self::Opus { 48_000 } else { 90_000 }
    }

    /// That time in ticks of its RTP clock.
    #[must_use]
    pub fn ticks(self, time: Duration) -> u64 {
        u64::try_from(time.as_micros()).unwrap_or(u64::MAX) * u64::from(self.clock_rate()) / 1_000_000
    }

    /// Appends what comes before the content: payload descriptor and the beginnings of the codec's own headers.
    pub(super) fn write_header(self, place: Place, payload: &mut Vec<u8>) {
        match self {
            // TOC: CELT, fullband, 20 ms, stereo, one frame (RFC 6716 §3.1).
            Self::Opus => payload.push(0xfc),
            Self::Vp8 => write_vp8(place, payload),
            Self::Vp9 => write_vp9(place, payload),
            Self::H264 => write_h264(place, payload),
            Self::Av1 => write_av1(place, payload),
        }
    }
}

/// The frame's number as a picture id of 15 bits, in its long form.
fn picture_id(frame: u32) -> [u8; 2] {
    let [_, _, high, low] = frame.to_be_bytes();
    [0x80 | high, low]
}

/// X, S; I, L, T; PictureID, TL0PICIDX, TID of the only layer (RFC 7741 §4.2), then the frame header (RFC 6386 §9.1).
fn write_vp8(place: Place, payload: &mut Vec<u8>) {
    payload.extend([0x80 | u8::from(place.first) << 4, 0xe0]);
    payload.extend(picture_id(place.frame));
    payload.extend([place.frame.to_be_bytes()[3], 0]);
    if place.first {
        payload.extend([0x10 | u8::from(!place.key), 0x02, 0x00]);
        if place.key {
            // Start code, then 320 by 240.
            payload.extend([0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00]);
        }
    }
}

/// I, P, B, E, V; PictureID; at the begin of a key frame the scalability structure of one layer, 320 by 240 (RFC 9628 §4.2).
fn write_vp9(place: Place, payload: &mut Vec<u8>) {
    let structure = place.key && place.first;
    let flags = [(!place.key, 0x40), (place.first, 0x08), (place.last, 0x04), (structure, 0x02)];
    payload.push(flags.into_iter().filter(|(set, _)| *set).fold(0x80, |byte, (_, bit)| byte | bit));
    payload.extend(picture_id(place.frame));
    if structure {
        payload.extend([0x10, 0x01, 0x40, 0x00, 0xf0]);
    }
}

/// A key frame begins with SPS and PPS in a STAP-A whose last unit holds the content, which must be the payload's rest:
/// so its length is not known here, and the picture itself follows in FU-As (RFC 6184 §5.7.1, §5.8).
fn write_h264(place: Place, payload: &mut Vec<u8>) {
    const SPS: [u8; 6] = [0x67, 0x42, 0xe0, 0x1f, 0xda, 0x01];
    const PPS: [u8; 4] = [0x68, 0xce, 0x3c, 0x80];
    let unit = if place.key { 5 } else { 1 };
    if place.key && place.first {
        payload.push(0x78);
        payload.extend([0, SPS.len() as u8]);
        payload.extend(SPS);
        payload.extend([0, PPS.len() as u8]);
        payload.extend(PPS);
        payload.extend((super::content::BYTES + 1).to_be_bytes());
        payload.push(0x60 | unit);
    } else if place.first && place.last {
        payload.push(0x60 | unit);
    } else {
        payload.extend([0x60 | 28, u8::from(place.first) << 7 | u8::from(place.last) << 6 | unit]);
    }
}

/// Z, Y, W, N; a key frame begins with a sequence header, the frame is one OBU over all its packets (§4.4 of the format).
fn write_av1(place: Place, payload: &mut Vec<u8>) {
    const SEQUENCE_HEADER: [u8; 4] = [1 << 3, 0x00, 0x00, 0x00];
    let begins = place.key && place.first;
    let count = if begins { 2 } else { 1 };
    payload
        .push(u8::from(!place.first) << 7 | u8::from(!place.last) << 6 | count << 4 | u8::from(begins) << 3);
    if begins {
        payload.push(SEQUENCE_HEADER.len() as u8);
        payload.extend(SEQUENCE_HEADER);
    }
    if place.first {
        payload.push(6 << 3);
    }
}
