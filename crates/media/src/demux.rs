//! Which protocol a datagram belongs to, told by its first bytes (RFC 7983, RFC 5761 §4).
//!
//! A look at one or two bytes and no more: whether the datagram is a good one of its kind is for that protocol's parser
//! to say.

use thiserror::Error;

/// The protocol of a datagram on a port that all of them share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An ICE connectivity check: [`stun`](crate::stun).
    Stun,
    /// A DTLS record: handshake, or data channels.
    Dtls,
    /// A media packet, mostly SRTP.
    Rtp,
    /// A control packet, mostly SRTCP.
    Rtcp,
}

/// Why a datagram is of no [`Kind`] that is served here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum DemuxDrop {
    /// No first byte, or a version 2 RTP byte without the payload type behind it.
    #[error("too short to tell the protocol")]
    TooShort,
    /// First byte 16 to 19, ZRTP.
    #[error("ZRTP is not spoken here")]
    Zrtp,
    /// First byte 64 to 79, TURN channel data: meant for a TURN server.
    #[error("TURN channel data without a TURN server")]
    TurnChannel,
    /// Any other first byte; 80 to 127 and 192 to 255 are QUIC (RFC 9443 §3), the rest is not assigned.
    #[error("first byte of no known protocol")]
    Unassigned,
}

impl Kind {
    /// Tells the protocol of `datagram`.
    ///
    /// # Errors
    /// [`DemuxDrop`] if it is none that is served here.
    #[inline]
    pub fn of(datagram: &[u8]) -> Result<Self, DemuxDrop> {
        // RFC 7983 §7, with the ranges that RFC 9443 §3 gives to QUIC left out.
        match *datagram.first().ok_or(DemuxDrop::TooShort)? {
            0..=3 => Ok(Self::Stun),
            16..=19 => Err(DemuxDrop::Zrtp),
            20..=63 => Ok(Self::Dtls),
            64..=79 => Err(DemuxDrop::TurnChannel),
            128..=191 => Self::of_version_2(*datagram.get(1).ok_or(DemuxDrop::TooShort)?),
            _ => Err(DemuxDrop::Unassigned),
        }
    }

    /// RFC 5761 §4: RTCP packet types lie in 192 to 223; for RTP that would be a marker bit with payload type 64 to 95,
    /// which must not be used on a shared port.
    fn of_version_2(second: u8) -> Result<Self, DemuxDrop> {
        Ok(if matches!(second, 192..=223) { Self::Rtcp } else { Self::Rtp })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The ranges of RFC 7983 §7 as RFC 9443 §3 redraws them, written down a second time as a table.
    const RANGES: [(std::ops::RangeInclusive<u8>, Result<Kind, DemuxDrop>); 9] = [
        (0..=3, Ok(Kind::Stun)),
        (4..=15, Err(DemuxDrop::Unassigned)),
        (16..=19, Err(DemuxDrop::Zrtp)),
        (20..=63, Ok(Kind::Dtls)),
        (64..=79, Err(DemuxDrop::TurnChannel)),
        (80..=127, Err(DemuxDrop::Unassigned)),
        (128..=191, Ok(Kind::Rtp)),
        (192..=254, Err(DemuxDrop::Unassigned)),
        (255..=255, Err(DemuxDrop::Unassigned)),
    ];

    #[test]
    fn every_first_byte_has_its_range() {
        let mut seen = 0;
        for (range, expected) in RANGES {
            for first in range {
                assert_eq!(Kind::of(&[first, 96]), expected, "first byte {first}");
                seen += 1;
            }
        }
        assert_eq!(seen, 256);
    }

    #[test]
    fn control_packets_are_told_by_their_type() {
        for second in 0..=u8::MAX {
            let expected = if (64..=95).contains(&(second & 0x7f)) && second & 0x80 != 0 {
                Kind::Rtcp
            } else {
                Kind::Rtp
            };
            assert_eq!(Kind::of(&[0x80, second]), Ok(expected), "second byte {second}");
        }
    }

    #[test]
    fn the_types_in_use_are_control_packets() {
        // SR, RR, SDES, BYE, APP, RTPFB, PSFB, XR.
        for packet_type in 200..=207 {
            assert_eq!(Kind::of(&[0x81, packet_type]), Ok(Kind::Rtcp));
        }
        assert_eq!(Kind::of(&[0x80, 0x80 | 111]), Ok(Kind::Rtp), "opus with a marker");
    }

    #[test]
    fn what_is_too_short_to_tell_is_dropped() {
        assert_eq!(Kind::of(&[]), Err(DemuxDrop::TooShort));
        assert_eq!(Kind::of(&[0x80]), Err(DemuxDrop::TooShort));
        assert_eq!(Kind::of(&[0]), Ok(Kind::Stun), "one byte is enough for the others");
    }
}
