use std::time::{Duration, Instant};

use super::*;
use crate::Now;
use crate::rtp::{ExtensionBlock, RtpHeader};

/// The elements of a block with these bytes.
fn elements(profile: u16, block: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let block_end = block.len() as u16;
    let elements = Elements::new(block, ExtensionBlock { profile, start: 0, end: block_end });
    elements.map(|(id, value)| (id, value.to_vec())).collect()
}

/// A packet without payload whose extension block has these bytes.
fn packet(profile: u16, block: &[u8]) -> Vec<u8> {
    assert!(block.len().is_multiple_of(4));
    let mut packet = vec![0x90, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
    packet.extend(profile.to_be_bytes());
    packet.extend((block.len() as u16 / 4).to_be_bytes());
    packet.extend(block);
    packet
}

fn parse(packet: &[u8]) -> Extensions {
    let header = RtpHeader::parse(packet).unwrap();
    Extensions::parse(packet, &header, &ExtensionIds::router())
}

#[test]
fn one_byte_elements_with_padding_between() {
    // The layout of the figure in RFC 8285 §4.2: lengths 1, 2, two of padding, 4.
    let block = [0x10, 1, 0x21, 2, 3, 0, 0, 0x33, 4, 5, 6, 7];
    assert_eq!(elements(0xbede, &block), [(1, vec![1]), (2, vec![2, 3]), (3, vec![4, 5, 6, 7])]);
}

#[test]
fn two_byte_elements_with_padding_between() {
    // The layout of the figure in RFC 8285 §4.3: lengths 0, 1, one of padding, 4.
    let block = [1, 0, 2, 1, 9, 0, 3, 4, 5, 6, 7, 8];
    for appbits in 0..16 {
        let read = elements(0x1000 | appbits, &block);
        assert_eq!(read, [(1, vec![]), (2, vec![9]), (3, vec![5, 6, 7, 8])]);
    }
    assert_eq!(elements(0x1000, &[15, 1, 9]), [(15, vec![9])], "15 is an ordinary id here");
}

#[test]
fn reserved_one_byte_ids_end_the_block() {
    assert_eq!(elements(0xbede, &[0x10, 1, 0xf0, 2, 0x20, 3]), [(1, vec![1])]);
    assert_eq!(elements(0xbede, &[0x10, 1, 0x01, 2, 0x20, 3]), [(1, vec![1])]);
}

#[test]
fn cut_off_elements_end_the_block() {
    assert_eq!(elements(0xbede, &[0x10, 1, 0x21, 2]), [(1, vec![1])]);
    assert_eq!(elements(0x1000, &[1, 1, 7, 2]), [(1, vec![7])]);
    assert_eq!(elements(0x1000, &[1, 1, 7, 2, 2, 0]), [(1, vec![7])]);
}

#[test]
fn other_profiles_have_no_elements() {
    for profile in [0, 0xbedf, 0x1010, 0x0fff] {
        assert_eq!(elements(profile, &[0x10, 1, 0x10, 2]), []);
    }
}

#[test]
fn ranges_point_at_labels_in_both_forms() {
    let one_byte = packet(0xbede, &[0, 0x12, b'a', b'b', b'c', 0x20, b'q', 0]);
    let two_byte = packet(0x1000, &[0, 1, 3, b'a', b'b', b'c', 2, 1, b'q', 0, 0, 0]);
    for packet in [one_byte, two_byte] {
        let extensions = parse(&packet);
        assert_eq!(extensions.mid.unwrap().bytes(&packet), b"abc");
        assert_eq!(extensions.rid.unwrap().label(&packet), Label::new(b"q"));
        assert_eq!(extensions.repaired_rid, None);
    }
}

#[test]
fn labels_end_at_a_zero_and_have_a_bound() {
    let padded = packet(0xbede, &[0x12, b'a', 0, 0]);
    assert_eq!(parse(&padded).mid.unwrap().bytes(&padded), b"a");
    assert_eq!(parse(&packet(0xbede, &[0x12, 0, b'a', 0])).mid, None);
    let mut block = [b'm'; 20];
    block[..2].copy_from_slice(&[1, 17]);
    block[19] = 0;
    assert_eq!(parse(&packet(0x1000, &block)).mid, None, "longer than LABEL_MAX");
    assert_eq!(Label::new(b""), None);
    assert_eq!(Label::new(&[b'm'; LABEL_MAX + 1]), None);
    let longest = Label::new(&[b'm'; LABEL_MAX]).unwrap();
    assert_eq!(longest.as_bytes(), [b'm'; LABEL_MAX]);
    assert_eq!(format!("{} {longest:?}", Label::new(b"a\n").unwrap()), "a\\n Label(mmmmmmmmmmmmmmmm)");
}

#[test]
fn values_of_every_kind() {
    let block = [
        0x42,
        0xa1,
        0xb2,
        0xc3, // abs-send-time
        0x51,
        0x12,
        0x34, // transport-cc
        0x60,
        0x80 | 35, // audio level
        0x80,
        0x0e, // video orientation
        0x97,
        0,
        0,
        0,
        1,
        0x80,
        0,
        0,
        0, // abs-capture-time
        0xa2,
        0x12,
        0x34,
        0x56, // playout delay
    ];
    let extensions = parse(&packet(0xbede, &block));
    assert_eq!(extensions.abs_send_time, Some(0xa1_b2c3));
    assert_eq!(extensions.transport_cc, Some(0x1234));
    assert_eq!(extensions.audio_level, Some(AudioLevel { voice: true, attenuation_db: 35 }));
    let orientation = extensions.video_orientation.unwrap();
    assert!(orientation.back_camera() && orientation.flipped());
    assert_eq!(orientation.rotation(), 180);
    let capture = AbsCaptureTime { ntp: 0x1_8000_0000, clock_offset: None };
    assert_eq!(extensions.abs_capture_time, Some(capture));
    assert_eq!(extensions.playout_delay, Some(PlayoutDelay { min: 0x123, max: 0x456 }));
}

#[test]
fn capture_time_with_an_offset() {
    let mut block = [0; 20];
    block[..2].copy_from_slice(&[9, 16]);
    block[9] = 5;
    block[10..18].copy_from_slice(&(-2i64).to_be_bytes());
    let capture = parse(&packet(0x1000, &block)).abs_capture_time;
    assert_eq!(capture, Some(AbsCaptureTime { ntp: 5, clock_offset: Some(-2) }));
}

#[test]
fn values_of_a_wrong_length_are_absent() {
    for id in 4..=10u8 {
        let block = [id, 4, 1, 2, 3, 4, 0, 0];
        assert_eq!(parse(&packet(0x1000, &block)), Extensions::default(), "{id}");
    }
    // A time of capture is as long as one number or two, and nothing between (abs-capture-time §3).
    let mut block = vec![9, 12];
    block.extend([1; 14]);
    assert_eq!(parse(&packet(0x1000, &block)), Extensions::default());
}

#[test]
fn ids_are_the_senders() {
    let packet = packet(0xbede, &[0x30, 0x81, 0x60, 0x05]);
    let header = RtpHeader::parse(&packet).unwrap();
    let mut ids = ExtensionIds::new();
    assert_eq!(Extensions::parse(&packet, &header, &ids), Extensions::default());
    ids.insert(3.try_into().unwrap(), ExtensionKind::AudioLevel);
    ids.insert(255.try_into().unwrap(), ExtensionKind::Mid);
    let extensions = Extensions::parse(&packet, &header, &ids);
    assert_eq!(extensions.audio_level, Some(AudioLevel { voice: true, attenuation_db: 1 }));
    assert_eq!(ids.kind(255), Some(ExtensionKind::Mid));
    assert_eq!(ids.kind(1), None);
}

#[test]
fn masks_are_sets() {
    let mask: ExtensionMask = [ExtensionKind::Mid, ExtensionKind::PlayoutDelay].into_iter().collect();
    let members: Vec<_> = ExtensionKind::ALL.into_iter().filter(|kind| mask.contains(*kind)).collect();
    assert_eq!(members, [ExtensionKind::Mid, ExtensionKind::PlayoutDelay]);
    assert!(ExtensionMask::EMPTY.is_empty() && !mask.is_empty());
    assert!(ExtensionKind::ALL.into_iter().all(|kind| ExtensionMask::ALL.contains(kind)));
}

#[test]
fn send_time_is_seconds_in_fixed_point() {
    #[expect(clippy::disallowed_methods, reason = "a test needs some instant")]
    let start = Now { at: Instant::now(), unix: Duration::from_secs(1_000_000) };
    let quarter = |now: Now| abs_send_time(now.after(Duration::from_millis(250)));
    assert_eq!(quarter(start).wrapping_sub(abs_send_time(start)) & 0xff_ffff, 1 << 16);
    let later = start.after(Duration::from_secs(64));
    assert_eq!(abs_send_time(later), abs_send_time(start), "wraps after 64 s");
    // 1900 to 1970 is 2,208,988,800 s, a multiple of 64, as is 1,000,000.
    assert_eq!(abs_send_time(start), 0);
}
