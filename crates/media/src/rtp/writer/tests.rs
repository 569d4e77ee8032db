use proptest::prelude::*;
use rtc_shared::marshal::Unmarshal;

use super::*;
use crate::rtp::RtpHeader;
use crate::rtp::extension::{
    AbsCaptureTime, AudioLevel, ExtensionIds, ExtensionKind, Extensions, Label, PlayoutDelay,
    VideoOrientation,
};

const HEADER: OutgoingHeader = OutgoingHeader {
    marker: true,
    payload_type: 111,
    sequence: 0xfffe,
    timestamp: 0x0102_0304,
    ssrc: 0xdead_beef,
    padded: false,
};

/// The longest values.
fn everything(label: &Label) -> OutgoingExtensions<'_> {
    OutgoingExtensions {
        mid: Some(label),
        rid: Some(label),
        repaired_rid: Some(label),
        abs_send_time: Some(0x12_3456),
        transport_cc: Some(0xfedc),
        audio_level: Some(AudioLevel { voice: true, attenuation_db: 127 }),
        video_orientation: Some(VideoOrientation(3)),
        abs_capture_time: Some(AbsCaptureTime { ntp: u64::MAX, clock_offset: Some(i64::MIN) }),
        playout_delay: Some(PlayoutDelay { min: 0xabc, max: 0xfff }),
    }
}

#[test]
fn writes_these_bytes() {
    let mid = Label::new(b"v0").unwrap();
    let extensions =
        OutgoingExtensions { mid: Some(&mid), transport_cc: Some(0x1234), ..OutgoingExtensions::default() };
    let mut out = [0xee; 32];
    let len = write_header(&mut out, &HEADER, &extensions, ExtensionMask::ALL).unwrap();
    let expected = [
        0x90, 0xef, 0xff, 0xfe, 1, 2, 3, 4, 0xde, 0xad, 0xbe, 0xef, // fixed header
        0xbe, 0xde, 0, 2, 0x11, b'v', b'0', 0x51, 0x12, 0x34, 0, 0,
    ];
    assert_eq!(out[..len], expected);
    assert!(out[len..].iter().all(|&byte| byte == 0xee), "nothing beyond the header is touched");
}

#[test]
fn without_extensions_there_is_no_block() {
    let label = Label::new(&[b'm'; 16]).unwrap();
    let mut out = [0; 12];
    let none = OutgoingExtensions::default();
    assert_eq!(write_header(&mut out, &HEADER, &none, ExtensionMask::ALL), Ok(12));
    assert_eq!(write_header(&mut out, &HEADER, &everything(&label), ExtensionMask::EMPTY), Ok(12));
    assert_eq!(out[0], 0x80);
    let padded = OutgoingHeader { padded: true, ..HEADER };
    assert_eq!(write_header(&mut out, &padded, &none, ExtensionMask::EMPTY), Ok(12));
    assert_eq!(out[0], 0xa0);
}

#[test]
fn the_bound_is_reached_and_nothing_shorter_will_do() {
    let label = Label::new(&[b'm'; 16]).unwrap();
    let masks = ExtensionKind::ALL.map(|kind| ExtensionMask::EMPTY.with(kind));
    for mask in masks.into_iter().chain([ExtensionMask::ALL, ExtensionMask::EMPTY]) {
        let bound = max_header_len(mask);
        assert!(bound <= HEADER_LEN_MAX);
        let mut out = [0; HEADER_LEN_MAX];
        assert_eq!(write_header(&mut out[..bound], &HEADER, &everything(&label), mask), Ok(bound));
        for len in 0..bound {
            let written = write_header(&mut out[..len], &HEADER, &everything(&label), mask);
            assert_eq!(written, Err(HeaderFull), "{len} of {bound}");
        }
    }
}

fn labels() -> impl Strategy<Value = Option<Label>> {
    prop::option::of(prop::collection::vec(1u8..=255, 1..=16).prop_map(|text| Label::new(&text).unwrap()))
}

prop_compose! {
    fn extensions()(
        labels in (labels(), labels(), labels()),
        abs_send_time in prop::option::of(0u32..1 << 24),
        transport_cc: Option<u16>,
        audio_level in prop::option::of((any::<bool>(), 0u8..128)),
        video_orientation: Option<u8>,
        capture in prop::option::of((any::<u64>(), any::<Option<i64>>())),
        playout in prop::option::of((0u16..4096, 0u16..4096)),
    ) -> ([Option<Label>; 3], OutgoingExtensions<'static>) {
        let extensions = OutgoingExtensions {
            abs_send_time,
            transport_cc,
            audio_level: audio_level.map(|(voice, attenuation_db)| AudioLevel { voice, attenuation_db }),
            video_orientation: video_orientation.map(VideoOrientation),
            abs_capture_time: capture.map(|(ntp, clock_offset)| AbsCaptureTime { ntp, clock_offset }),
            playout_delay: playout.map(|(min, max)| PlayoutDelay { min, max }),
            ..OutgoingExtensions::default()
        };
        (labels.into(), extensions)
    }
}

proptest! {
    #[test]
    fn is_read_back_by_us_and_by_another(
        (labels, values) in extensions(),
        members in prop::collection::vec(any::<bool>(), ExtensionKind::ALL.len()),
        sequence: u16,
        ssrc: u32,
    ) {
        let [mid, rid, repaired_rid] = &labels;
        let sent = OutgoingExtensions {
            mid: mid.as_ref(), rid: rid.as_ref(), repaired_rid: repaired_rid.as_ref(), ..values
        };
        let kinds = ExtensionKind::ALL.into_iter().zip(members).filter(|(_, member)| *member);
        let mask: ExtensionMask = kinds.map(|(kind, _)| kind).collect();
        let header = OutgoingHeader { sequence, ssrc, ..HEADER };
        let mut out = [0; HEADER_LEN_MAX];
        let len = write_header(&mut out, &header, &sent, mask).unwrap();
        let packet = &out[..len];
        prop_assert!(len <= max_header_len(mask) && len.is_multiple_of(4));

        let read = RtpHeader::parse(packet).unwrap();
        prop_assert_eq!((read.sequence, read.ssrc, read.timestamp), (sequence, ssrc, HEADER.timestamp));
        prop_assert_eq!((read.payload_type, read.marker, read.payload_len), (111, true, 0));
        let got = Extensions::parse(packet, &read, &ExtensionIds::router());
        let has = |kind| mask.contains(kind);
        let label_of = |range: Option<crate::rtp::extension::LabelRange>| range.and_then(|it| it.label(packet));
        prop_assert_eq!(label_of(got.mid), mid.filter(|_| has(ExtensionKind::Mid)));
        prop_assert_eq!(label_of(got.rid), rid.filter(|_| has(ExtensionKind::RtpStreamId)));
        prop_assert_eq!(label_of(got.repaired_rid), repaired_rid.filter(|_| has(ExtensionKind::RepairedRtpStreamId)));
        prop_assert_eq!(got.abs_send_time, sent.abs_send_time.filter(|_| has(ExtensionKind::AbsSendTime)));
        prop_assert_eq!(got.transport_cc, sent.transport_cc.filter(|_| has(ExtensionKind::TransportCc)));
        prop_assert_eq!(got.audio_level, sent.audio_level.filter(|_| has(ExtensionKind::AudioLevel)));
        prop_assert_eq!(got.video_orientation, sent.video_orientation.filter(|_| has(ExtensionKind::VideoOrientation)));
        prop_assert_eq!(got.abs_capture_time, sent.abs_capture_time.filter(|_| has(ExtensionKind::AbsCaptureTime)));
        prop_assert_eq!(got.playout_delay, sent.playout_delay.filter(|_| has(ExtensionKind::PlayoutDelay)));

        let theirs = rtc_rtp::Header::unmarshal(&mut &*packet).unwrap();
        let elements: Vec<_> = theirs.extensions.iter().map(|it| (it.id, &it.payload[..])).collect();
        prop_assert_eq!(read.elements(packet).collect::<Vec<_>>(), elements);
    }
}
