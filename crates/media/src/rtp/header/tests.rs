use proptest::prelude::*;
use rtc_rtp::header::{Extension, Header};
use rtc_shared::marshal::{Marshal, Unmarshal};

use super::*;

/// One CSRC, a one-byte extension block of one word, five bytes of payload of which two are padding.
const PACKET: [u8; 29] = [
    0xb1, 0xe0, 0x12, 0x34, 0, 0, 0, 9, 0xaa, 0xbb, 0xcc, 0xdd, // fixed header
    0, 0, 0, 7, // CSRC
    0xbe, 0xde, 0, 1, 0x51, 0x03, 0x04, 0, // extension block
    1, 2, 3, 0, 2,
];

#[test]
fn reads_every_field() {
    let header = RtpHeader::parse(&PACKET).unwrap();
    let expected = RtpHeader {
        marker: true,
        payload_type: 96,
        sequence: 0x1234,
        timestamp: 9,
        ssrc: 0xaabb_ccdd,
        csrc_count: 1,
        extension: Some(ExtensionBlock { profile: 0xbede, start: 20, end: 24 }),
        payload_offset: 24,
        payload_len: 3,
        padded: true,
        padding: 2,
    };
    assert_eq!(header, expected);
    assert_eq!(header.payload(&PACKET), [1, 2, 3]);
    assert_eq!(header.csrcs(&PACKET).collect::<Vec<_>>(), [7]);
    assert_eq!(header.elements(&PACKET).collect::<Vec<_>>(), [(5, &[3, 4][..])]);
}

#[test]
fn an_encrypted_packet_is_read_without_its_padding() {
    let mut packet = PACKET;
    packet[28] = 0xff;
    let header = RtpHeader::parse_encrypted(&packet).unwrap();
    assert_eq!((header.payload_len, header.padding, header.padded), (5, 0, true));
    assert_eq!(header.finish(&packet), Err(RtpError::Padding));
    assert_eq!(header.finish(&PACKET), RtpHeader::parse(&PACKET));
}

#[test]
fn cut_off_anywhere_in_the_header_is_too_short() {
    for len in 0..24 {
        assert_eq!(RtpHeader::parse_encrypted(&PACKET[..len]), Err(RtpError::TooShort), "{len}");
    }
    let header = RtpHeader::parse_encrypted(&PACKET).unwrap();
    assert_eq!(header.finish(&PACKET[..23]), Err(RtpError::TooShort));
    assert_eq!(header.payload(&PACKET[..23]), [0; 0]);
}

#[test]
fn refuses_what_is_no_rtp() {
    for version in [0x00, 0x40, 0xc0] {
        let mut packet = PACKET;
        packet[0] = version | packet[0] & 0x3f;
        assert_eq!(RtpHeader::parse(&packet), Err(RtpError::Version));
    }
    for count in [0, 6, 255] {
        let mut packet = PACKET;
        packet[28] = count;
        assert_eq!(RtpHeader::parse(&packet), Err(RtpError::Padding), "{count}");
    }
    assert_eq!(RtpHeader::parse(&PACKET[..24]), Err(RtpError::Padding), "no byte to count it");
    assert_eq!(RtpHeader::parse(&vec![0x80; PACKET_LEN_MAX + 1]), Err(RtpError::TooLong));
}

#[test]
fn a_packet_may_be_all_padding() {
    let mut packet = PACKET;
    packet[28] = 5;
    let header = RtpHeader::parse(&packet).unwrap();
    assert_eq!((header.payload_len, header.padding), (0, 5));
}

/// Headers as another implementation has them.
fn headers() -> impl Strategy<Value = Header> {
    let one_byte = prop::collection::vec((1u8..15, prop::collection::vec(any::<u8>(), 1..=16)), 1..6)
        .prop_map(|elements| (0xbede, elements));
    let two_byte = prop::collection::vec((1u8..=255, prop::collection::vec(any::<u8>(), 0..40)), 1..6)
        .prop_map(|elements| (0x1000, elements));
    let extension = prop::option::of(prop_oneof![one_byte, two_byte]);
    let fields = (any::<bool>(), 0u8..128, any::<u16>(), any::<u32>(), any::<u32>(), any::<bool>());
    (fields, prop::collection::vec(any::<u32>(), 0..16), extension).prop_map(|(fields, csrc, extension)| {
        let (marker, payload_type, sequence_number, timestamp, ssrc, padding) = fields;
        let (extension_profile, elements) = extension.clone().unwrap_or_default();
        let extensions =
            elements.into_iter().map(|(id, value)| Extension { id, payload: value.into() }).collect();
        Header {
            version: 2,
            padding,
            extension: extension.is_some(),
            marker,
            payload_type,
            sequence_number,
            timestamp,
            ssrc,
            csrc,
            extension_profile,
            extensions,
            extensions_padding: 0,
        }
    })
}

proptest! {
    #[test]
    fn reads_what_another_implementation_wrote(theirs in headers(), payload: Vec<u8>) {
        let packet = rtc_rtp::Packet { header: theirs.clone(), payload: payload.clone().into() };
        let bytes = packet.marshal().unwrap();
        let ours = RtpHeader::parse(&bytes).unwrap();
        prop_assert_eq!(ours.marker, theirs.marker);
        prop_assert_eq!(ours.payload_type, theirs.payload_type);
        prop_assert_eq!(ours.sequence, theirs.sequence_number);
        prop_assert_eq!(ours.timestamp, theirs.timestamp);
        prop_assert_eq!(ours.ssrc, theirs.ssrc);
        prop_assert_eq!(ours.padded, theirs.padding);
        prop_assert_eq!(ours.csrcs(&bytes).collect::<Vec<_>>(), theirs.csrc);
        prop_assert_eq!(ours.payload(&bytes), payload);
        prop_assert_eq!(ours.extension.map_or(0, |block| block.profile), theirs.extension_profile);
        let elements: Vec<_> = theirs.extensions.iter().map(|it| (it.id, &it.payload[..])).collect();
        prop_assert_eq!(ours.elements(&bytes).collect::<Vec<_>>(), elements);
    }

    #[test]
    fn agrees_with_another_implementation_on_noise(first in 0x80u8..0xc0, mut data: Vec<u8>) {
        data.insert(0, first);
        let ours = RtpHeader::parse(&data);
        // Theirs takes a count of padding of 0, and refuses a whole packet for a broken element.
        if let (Ok(ours), Ok(theirs)) = (ours, rtc_rtp::Packet::unmarshal(&mut &data[..])) {
            prop_assert_eq!(ours.payload(&data), &theirs.payload[..]);
            prop_assert_eq!(ours.ssrc, theirs.header.ssrc);
        }
        if ours.is_ok() && first & 0x10 == 0 {
            prop_assert!(rtc_rtp::Packet::unmarshal(&mut &data[..]).is_ok());
        }
    }

    #[test]
    fn offsets_stay_within_the_packet(first in 0x80u8..0xc0, mut data in prop::collection::vec(0u8..20, 0..200)) {
        data.insert(0, first);
        if let Ok(header) = RtpHeader::parse(&data) {
            let end = header.payload_range().end + usize::from(header.padding);
            prop_assert_eq!(end, data.len());
            prop_assert_eq!(header.csrcs(&data).count(), usize::from(header.csrc_count));
            if let Some(block) = header.extension {
                prop_assert!(data.get(block.range()).is_some());
                prop_assert_eq!(block.end, header.payload_offset);
            }
        }
    }
}
