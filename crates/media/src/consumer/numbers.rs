//! The numbers of an endpoint that has its own, in place of the Router's.
//!
//! All inside the Router, the row too, goes by the Router's payload types and header extension ids; this changes them in a
//! header that is written, on its way out.

use std::num::NonZeroU8;

use mafalda_api::types::rtp_parameters::RtpParameters;

use crate::rtp::FIXED_HEADER_LEN;
use crate::rtp::extension::{ExtensionIds, ExtensionKind, ExtensionMask};

/// Payload types that there are: seven bits.
const PAYLOAD_TYPES: usize = 128;

/// Ids in the one-byte form of header extensions: four bits.
const EXTENSION_IDS: usize = 16;

/// From the Router's numbers to an endpoint's.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Numbers {
    payload_types: [u8; PAYLOAD_TYPES],
    extension_ids: [u8; EXTENSION_IDS],
}

impl Numbers {
    /// Both parameters have the same codecs and header extensions in the same order. What is in neither keeps its number.
    pub(crate) fn new(router: &RtpParameters, remote: &RtpParameters) -> Self {
        let mut numbers = Self {
            payload_types: std::array::from_fn(|number| number as u8),
            extension_ids: std::array::from_fn(|number| number as u8),
        };
        for (ours, theirs) in router.codecs.iter().zip(&remote.codecs) {
            let ours = usize::from(ours.payload_type());
            if let Some(number) = numbers.payload_types.get_mut(ours) {
                *number = theirs.payload_type() & 0x7f;
            }
        }
        for (ours, theirs) in router.header_extensions.iter().zip(&remote.header_extensions) {
            if let Some(number) = numbers.extension_ids.get_mut(usize::from(ours.id)) {
                *number = (theirs.id & 0x0f) as u8;
            }
        }
        numbers
    }

    /// The endpoint's payload type.
    pub(crate) fn payload_type(&self, ours: u8) -> u8 {
        self.payload_types[usize::from(ours & 0x7f)]
    }

    /// What the endpoint's ids of these extensions mean.
    pub(crate) fn meanings(&self, mask: ExtensionMask) -> ExtensionIds {
        let mut ids = ExtensionIds::new();
        for kind in ExtensionKind::ALL.into_iter().filter(|kind| mask.contains(*kind)) {
            let id = self.extension_ids.get(usize::from(kind.router_id())).copied();
            if let Some(id) = id.and_then(NonZeroU8::new) {
                ids.insert(id, kind);
            }
        }
        ids
    }

    /// Changes the numbers of a header as [`write_header`](crate::rtp::write_header) makes it: without contributing sources,
    /// its extensions in the one-byte form.
    pub(crate) fn apply(&self, header: &mut [u8]) {
        if let Some(second) = header.get_mut(1) {
            *second = *second & 0x80 | self.payload_type(*second);
        }
        // RFC 8285 §4.2: behind profile and length come elements of an id, a length and that much and one more.
        let mut at = FIXED_HEADER_LEN + 4;
        while let Some(element) = header.get_mut(at) {
            let (id, len) = (*element >> 4, usize::from(*element & 0x0f) + 1);
            if id == 0 {
                break;
            }
            *element = self.extension_ids[usize::from(id)] << 4 | *element & 0x0f;
            at += 1 + len;
        }
    }
}

#[cfg(test)]
mod tests {
    use mafalda_api::types::rtp_parameters::{
        RtpCodecParameters, RtpHeaderExtensionParameters, RtpHeaderExtensionUri,
    };

    use super::*;
    use crate::rtp::extension::{AudioLevel, Extensions, Label, OutgoingExtensions};
    use crate::rtp::{HEADER_LEN_MAX, OutgoingHeader, RtpHeader, write_header};

    fn parameters(payload_type: u8, mid: u16, level: u16) -> RtpParameters {
        let codec = format!(
            r#"{{"mimeType": "audio/opus", "payloadType": {payload_type}, "clockRate": 48000, "channels": 2}}"#
        );
        let codec: RtpCodecParameters = serde_json::from_str(&codec).unwrap();
        let ids = [(RtpHeaderExtensionUri::Mid, mid), (RtpHeaderExtensionUri::SsrcAudioLevel, level)];
        let header_extensions =
            ids.map(|(uri, id)| RtpHeaderExtensionParameters { uri, id, encrypt: false }).into();
        RtpParameters { codecs: vec![codec], header_extensions, ..RtpParameters::default() }
    }

    /// What a receiver with these ids reads from a header: payload type, MID and audio level.
    fn read(header: &[u8], mid: u8, level: u8) -> (u8, Option<Vec<u8>>, Option<AudioLevel>) {
        let packet = [header, b"media"].concat();
        let parsed = RtpHeader::parse(&packet).unwrap();
        let mut ids = ExtensionIds::new();
        ids.insert(NonZeroU8::new(mid).unwrap(), ExtensionKind::Mid);
        ids.insert(NonZeroU8::new(level).unwrap(), ExtensionKind::AudioLevel);
        let extensions = Extensions::parse(&packet, &parsed, &ids);
        let mid = extensions.mid.map(|mid| packet[mid.range()].to_vec());
        (parsed.payload_type, mid, extensions.audio_level)
    }

    #[test]
    fn a_header_takes_the_endpoints_numbers_and_keeps_its_values() {
        let numbers = Numbers::new(&parameters(100, 1, 6), &parameters(111, 14, 1));
        let mid = Label::new(b"0").unwrap();
        for marker in [false, true] {
            let header = OutgoingHeader {
                marker,
                payload_type: 100,
                sequence: 7,
                timestamp: 8,
                ssrc: 9,
                padded: false,
            };
            let level = AudioLevel { voice: true, attenuation_db: 30 };
            let extensions = OutgoingExtensions {
                mid: Some(&mid),
                audio_level: Some(level),
                ..OutgoingExtensions::default()
            };
            let mut head = [0; HEADER_LEN_MAX];
            let len = write_header(&mut head, &header, &extensions, ExtensionMask::ALL).unwrap();
            numbers.apply(&mut head[..len]);
            assert_eq!(head[1] & 0x80 != 0, marker);
            assert_eq!(read(&head[..len], 14, 1), (111, Some(b"0".to_vec()), Some(level)));
        }
    }

    #[test]
    fn a_header_without_extensions_changes_its_payload_type_alone() {
        let numbers = Numbers::new(&parameters(100, 1, 6), &parameters(111, 14, 1));
        let mut header = [0x80, 100, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        numbers.apply(&mut header);
        assert_eq!(header, [0x80, 111, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3]);
        let mut unknown = [0x80, 35];
        numbers.apply(&mut unknown);
        assert_eq!(unknown, [0x80, 35], "what nobody renamed keeps its number");
    }

    #[test]
    fn what_the_endpoints_ids_mean_is_known() {
        let numbers = Numbers::new(&parameters(100, 1, 6), &parameters(96, 4, 2));
        let ids = numbers.meanings([ExtensionKind::Mid, ExtensionKind::AudioLevel].into_iter().collect());
        let known: Vec<_> = (0..=255).filter_map(|id| ids.kind(id).map(|kind| (id, kind))).collect();
        assert_eq!(known, [(2, ExtensionKind::AudioLevel), (4, ExtensionKind::Mid)]);
    }
}
