//! The RTP header of a received packet (RFC 3550 §5.1), read in place.
//!
//! A packet under SRTP has its header in the clear, but the count of its padding is the last byte of the ciphertext (RFC
//! 3711 §3.1). So reading comes in two steps: [`RtpHeader::parse_encrypted`] before, [`RtpHeader::finish`] after decryption;
//! [`RtpHeader::parse`] is both for a packet that was never encrypted.

use std::ops::Range;

use super::extension::Elements;

/// Bytes of the header before CSRCs and extensions (RFC 3550 §5.1).
pub const FIXED_HEADER_LEN: usize = 12;

/// Longest packet that is looked at, in bytes.
///
/// What a UDP length field or the framing of RFC 4571 can say, so nothing legal is lost, and every offset fits 16 bits.
pub const PACKET_LEN_MAX: usize = u16::MAX as usize;

/// What is found in the header of an RTP packet, and where.
///
/// Offsets count from the packet's first byte. They are right for the packet that was parsed only; the accessors that take
/// a packet give an empty slice when it is another, shorter one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtpHeader {
    /// Marker bit: the last packet of a video frame, the first of a talk spurt.
    pub marker: bool,
    /// Payload type, 0..=127.
    pub payload_type: u8,
    /// Sequence number.
    pub sequence: u16,
    /// Media timestamp, in units of the codec's clock.
    pub timestamp: u32,
    /// The stream that the packet belongs to.
    pub ssrc: u32,
    /// Number of contributing sources, 0..=15.
    pub csrc_count: u8,
    /// The header extension block, if there is one.
    pub extension: Option<ExtensionBlock>,
    /// Length of the whole header: where the payload begins.
    pub payload_offset: u16,
    /// Length of the payload. Without padding, except after [`RtpHeader::parse_encrypted`], where it is all that follows the
    /// header: payload, padding and authentication tag.
    pub payload_len: u16,
    /// Whether the P bit is set: the last byte of the plain packet counts the padding.
    pub padded: bool,
    /// Bytes of padding behind the payload, with their count; 0 after [`RtpHeader::parse_encrypted`].
    pub padding: u8,
}

/// The header extension block of a packet (RFC 3550 §5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtensionBlock {
    /// What the sender defined the block to be; 0xBEDE and 0x1000..=0x100F are those of RFC 8285.
    pub profile: u16,
    /// Where the elements begin, behind profile and length.
    pub start: u16,
    /// Where the elements end.
    pub end: u16,
}

impl ExtensionBlock {
    /// The elements' place in the packet.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        usize::from(self.start)..usize::from(self.end)
    }
}

/// Why a packet is no RTP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RtpError {
    /// The packet ends within its header.
    #[error("packet ends within its RTP header")]
    TooShort,
    /// The packet is longer than [`PACKET_LEN_MAX`].
    #[error("packet is longer than any RTP packet")]
    TooLong,
    /// The version isn't 2.
    #[error("RTP version is not 2")]
    Version,
    /// The P bit is set, but the count of padding is 0 or reaches into the header.
    #[error("count of RTP padding is wrong")]
    Padding,
}

impl RtpHeader {
    /// Reads the header of a packet in plain text.
    ///
    /// # Errors
    /// When the packet isn't version 2, ends within its header, or has a wrong count of padding.
    #[inline]
    pub fn parse(packet: &[u8]) -> Result<Self, RtpError> {
        Self::parse_encrypted(packet)?.finish(packet)
    }

    /// Reads the header of a packet whose payload is still encrypted; padding isn't looked at.
    ///
    /// # Errors
    /// When the packet isn't version 2 or ends within its header.
    pub fn parse_encrypted(packet: &[u8]) -> Result<Self, RtpError> {
        let packet_len = u16::try_from(packet.len()).map_err(|_| RtpError::TooLong)?;
        let Some((fixed, rest)) = packet.split_first_chunk::<FIXED_HEADER_LEN>() else {
            return Err(RtpError::TooShort);
        };
        let [first, second, s0, s1, t0, t1, t2, t3, i0, i1, i2, i3] = *fixed;
        if first >> 6 != 2 {
            return Err(RtpError::Version);
        }
        let csrc_count = first & 0x0f;
        let csrc_len = usize::from(csrc_count) * 4;
        let behind_csrcs = rest.get(csrc_len..).ok_or(RtpError::TooShort)?;
        let csrc_end = FIXED_HEADER_LEN + csrc_len;
        let extension = if first & 0x10 != 0 { Some(extension_block(behind_csrcs, csrc_end)?) } else { None };
        let payload_offset = extension.map_or(csrc_end as u16, |block| block.end);
        Ok(Self {
            marker: second & 0x80 != 0,
            payload_type: second & 0x7f,
            sequence: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([i0, i1, i2, i3]),
            csrc_count,
            extension,
            payload_offset,
            payload_len: packet_len - payload_offset,
            padded: first & 0x20 != 0,
            padding: 0,
        })
    }

    /// Completes what [`RtpHeader::parse_encrypted`] read, from the packet after decryption: its authentication tag cut off,
    /// its payload in plain text.
    ///
    /// # Errors
    /// When the packet ends within its header, or has a wrong count of padding.
    pub fn finish(self, packet: &[u8]) -> Result<Self, RtpError> {
        let packet_len = u16::try_from(packet.len()).map_err(|_| RtpError::TooLong)?;
        let body_len = packet_len.checked_sub(self.payload_offset).ok_or(RtpError::TooShort)?;
        if !self.padded {
            return Ok(Self { payload_len: body_len, padding: 0, ..self });
        }
        // RFC 3550 §5.1: the last byte counts the padding, itself included, so 0 is as wrong as more than there is.
        let padding = packet.last().copied().unwrap_or(0);
        match body_len.checked_sub(u16::from(padding)) {
            Some(payload_len) if padding != 0 => Ok(Self { payload_len, padding, ..self }),
            _ => Err(RtpError::Padding),
        }
    }

    /// The payload's place in the packet.
    #[must_use]
    pub fn payload_range(&self) -> Range<usize> {
        let start = usize::from(self.payload_offset);
        start..start + usize::from(self.payload_len)
    }

    /// The payload, without padding.
    #[must_use]
    pub fn payload<'a>(&self, packet: &'a [u8]) -> &'a [u8] {
        packet.get(self.payload_range()).unwrap_or_default()
    }

    /// The contributing sources (RFC 3550 §5.1).
    pub fn csrcs(&self, packet: &[u8]) -> impl Iterator<Item = u32> {
        let end = FIXED_HEADER_LEN + usize::from(self.csrc_count) * 4;
        let list = packet.get(FIXED_HEADER_LEN..end).unwrap_or_default();
        list.as_chunks::<4>().0.iter().map(|csrc| u32::from_be_bytes(*csrc))
    }

    /// The header extension elements, as pairs of id and value, in the order of the packet.
    #[must_use]
    pub fn elements<'a>(&self, packet: &'a [u8]) -> Elements<'a> {
        self.extension.map_or_else(Elements::default, |block| Elements::new(packet, block))
    }
}

/// Reads profile and length of the extension block that begins at `at`.
fn extension_block(data: &[u8], at: usize) -> Result<ExtensionBlock, RtpError> {
    let Some(([p0, p1, w0, w1], elements)) = data.split_first_chunk::<4>() else {
        return Err(RtpError::TooShort);
    };
    let len = usize::from(u16::from_be_bytes([*w0, *w1])) * 4;
    if elements.len() < len {
        return Err(RtpError::TooShort);
    }
    let start = at + 4;
    // The packet was checked to be no longer than PACKET_LEN_MAX, so both offsets fit.
    Ok(ExtensionBlock {
        profile: u16::from_be_bytes([*p0, *p1]),
        start: start as u16,
        end: (start + len) as u16,
    })
}

#[cfg(test)]
mod tests;
