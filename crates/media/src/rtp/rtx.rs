//! The retransmission payload format (RFC 4588): a stream of its own whose payload begins with the sequence number that
//! the packet had first.

use super::RtpHeader;

/// Bytes of the original sequence number (OSN) in front of the media (RFC 4588 §4).
pub const OSN_LEN: usize = 2;

/// The original sequence number, and the media payload behind it.
///
/// `None` when the payload is too short to have one: such packets are padding, sent to probe for bandwidth.
#[must_use]
pub fn split(payload: &[u8]) -> Option<(u16, &[u8])> {
    let (osn, media) = payload.split_first_chunk::<OSN_LEN>()?;
    Some((u16::from_be_bytes(*osn), media))
}

/// The header that the packet had before it was wrapped (RFC 4588 §4): original sequence number, and the SSRC and payload
/// type of the media stream, which the caller knows from the negotiation.
///
/// Nothing is moved: the payload's offset steps over the OSN. `None` as for [`split`].
#[must_use]
pub fn restore(header: &RtpHeader, packet: &[u8], ssrc: u32, payload_type: u8) -> Option<RtpHeader> {
    let (sequence, _) = split(header.payload(packet))?;
    Some(RtpHeader {
        sequence,
        ssrc,
        payload_type,
        payload_offset: header.payload_offset + OSN_LEN as u16,
        payload_len: header.payload_len - OSN_LEN as u16,
        ..*header
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PT 97, sequence 7, with OSN 0x1234 and three bytes of media, two of padding.
    const PACKET: [u8; 19] = [
        0xa0, 0xe1, 0, 7, 0, 0, 0, 9, 0, 0, 0, 0xbb, // fixed header
        0x12, 0x34, 1, 2, 3, 0, 2,
    ];

    #[test]
    fn restores_the_packet_as_it_was_sent_first() {
        let header = RtpHeader::parse(&PACKET).unwrap();
        let media = restore(&header, &PACKET, 0xaa, 96).unwrap();
        assert_eq!((media.sequence, media.ssrc, media.payload_type), (0x1234, 0xaa, 96));
        assert_eq!((media.timestamp, media.marker), (9, true));
        assert_eq!(media.payload(&PACKET), [1, 2, 3]);
    }

    #[test]
    fn a_payload_without_sequence_number_is_padding() {
        assert_eq!(split(&[]), None);
        assert_eq!(split(&[1]), None);
        assert_eq!(split(&[1, 2]), Some((0x0102, &[][..])));
        let header = RtpHeader { payload_len: 1, ..RtpHeader::parse(&PACKET).unwrap() };
        assert_eq!(restore(&header, &PACKET, 0xaa, 96), None);
    }
}
