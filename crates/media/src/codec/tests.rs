use super::*;

/// Payloads of one codec, and whether a key frame begins in them.
fn check(codec: Codec, cases: &[(&[u8], bool, &str)]) {
    assert!(codec.knows_key_frames());
    assert!(!is_key_frame(codec, &[]));
    for (payload, expected, name) in cases {
        assert_eq!(is_key_frame(codec, payload), *expected, "{codec:?}: {name}");
    }
}

#[test]
fn vp8() {
    // 0x9d 0x01 0x2a starts a key frame's picture header; the byte before the last of the tag has P in its lowest bit.
    check(
        Codec::Vp8,
        &[
            (&[0x10, 0x50, 0x8d, 0x00, 0x9d, 0x01, 0x2a], true, "no extension"),
            (&[0x10, 0x51, 0x8d, 0x00], false, "inter frame"),
            (&[0x00, 0x50, 0x8d, 0x00], false, "not the start of a partition"),
            (&[0x11, 0x50, 0x8d, 0x00], false, "second partition"),
            (&[0x90, 0x00, 0x50], true, "empty extension"),
            (&[0x90, 0x80, 0x11, 0x50], true, "picture id of 7 bits"),
            (&[0x90, 0x80, 0x81, 0x11, 0x50], true, "picture id of 15 bits"),
            (&[0x90, 0xe0, 0x81, 0x11, 0x22, 0x41, 0x50], true, "TL0PICIDX and TID"),
            (&[0x90, 0xf0, 0x81, 0x11, 0x22, 0x41, 0x51], false, "all fields, inter frame"),
            (&[0x90, 0x10, 0x41, 0x50], true, "KEYIDX alone"),
            (&[0x90, 0xf0, 0x81, 0x11, 0x22, 0x41], false, "nothing behind the descriptor"),
            (&[0x90, 0x80], false, "cut off in the picture id"),
            (&[0x90], false, "cut off in the extension"),
            (&[0x10], false, "cut off behind the first byte"),
        ],
    );
}

#[test]
fn vp9() {
    check(
        Codec::Vp9,
        &[
            (&[0x08, 1], true, "no fields"),
            (&[0x8c, 0x11, 1], true, "picture id, end of frame"),
            (&[0x48], false, "predicted"),
            (&[0x04], false, "not the start of a frame"),
            (&[0xa8, 0x11, 0x00, 0], true, "spatial layer 0"),
            (&[0xa8, 0x81, 0x11, 0x00, 0], true, "spatial layer 0 behind a long picture id"),
            (&[0xa8, 0x81, 0x11, 0x03, 0], false, "spatial layer 1"),
            (&[0x28, 0xf1, 0], true, "temporal layer and inter-layer flag don't matter"),
            (&[0x28, 0x02, 0], false, "spatial layer 1 without picture id"),
            (&[0xa8, 0x81, 0x11], false, "cut off"),
            (&[0xa8], false, "cut off"),
        ],
    );
}

#[test]
fn h264() {
    check(
        Codec::H264,
        &[
            (&[0x67, 0x42], true, "SPS"),
            (&[0x65, 0x88], true, "IDR slice"),
            (&[0x68, 0xce], false, "PPS"),
            (&[0x41, 0x9a], false, "slice"),
            (&[0x06, 0x05], false, "SEI"),
            (&[0x78, 0, 2, 0x67, 0x42, 0, 1, 0x68], true, "STAP-A with SPS first"),
            (&[0x78, 0, 2, 0x68, 0xce, 0, 1, 0x65], true, "STAP-A with an IDR slice second"),
            (&[0x78, 0, 2, 0x41, 0x67, 0, 1, 0x41], false, "STAP-A of slices"),
            (&[0x78, 0, 3, 0x67, 0x42], false, "STAP-A that is cut off"),
            (&[0x78, 0, 0, 0, 1, 0x67], true, "STAP-A with an empty unit"),
            (&[0x7c, 0x85, 1], true, "FU-A, start of an IDR slice"),
            (&[0x7c, 0x87, 1], true, "FU-A, start of SPS"),
            (&[0x7c, 0x05, 1], false, "FU-A, middle of an IDR slice"),
            (&[0x7c, 0x45, 1], false, "FU-A, end of an IDR slice"),
            (&[0x7c, 0x81, 1], false, "FU-A, start of a slice"),
            (&[0x7c], false, "FU-A that is cut off"),
        ],
    );
}

#[test]
fn h265() {
    let begins: Vec<u8> =
        (0..48).filter(|unit_type| is_key_frame(Codec::H265, &[unit_type << 1, 1])).collect();
    assert_eq!(begins, [16, 17, 18, 19, 20, 21, 32, 33, 34]);
    check(
        Codec::H265,
        &[
            (&[0x26], false, "half a header"),
            (&[0x60, 1, 0, 2, 0x40, 1, 0, 2, 0x42, 1], true, "aggregation of VPS and SPS"),
            (&[0x60, 1, 0, 2, 0x02, 1, 0, 2, 0x26, 1], true, "aggregation with IDR second"),
            (&[0x60, 1, 0, 2, 0x02, 1], false, "aggregation of a slice"),
            (&[0x60, 1, 0, 9, 0x26, 1], false, "aggregation that is cut off"),
            (&[0x62, 1, 0x80 | 19, 0], true, "fragment, start of IDR"),
            (&[0x62, 1, 19, 0], false, "fragment, middle of IDR"),
            (&[0x62, 1, 0x81, 0], false, "fragment, start of a slice"),
            (&[0x62, 1], false, "fragment that is cut off"),
            (&[0x64, 1, 0x26], false, "PACI"),
        ],
    );
}

#[test]
fn av1() {
    check(
        Codec::Av1,
        &[
            (&[0x18, 0x0a], true, "first packet of a coded video sequence"),
            (&[0x10, 0x0a, 1, 2], true, "one element: sequence header"),
            (&[0x10, 0x32, 1, 2], false, "one element: frame"),
            (&[0x90, 0x0a, 1, 2], false, "one element that continues"),
            (&[0x20, 2, 0x12, 0, 0x0a, 9], true, "two: temporal delimiter, sequence header"),
            (&[0xa0, 2, 0x0a, 0, 0x32, 9], false, "two, the first continues"),
            (&[0xa0, 2, 0x12, 0, 0x0a, 9], true, "two, the second is a sequence header"),
            (&[0x00, 1, 0x32, 0x81, 0x00, 0x0a], true, "lengths everywhere, one of two bytes"),
            (&[0x00, 1, 0x32, 5, 0x0a], false, "an element that is cut off"),
            (
                &[0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
                false,
                "a length that doesn't end",
            ),
            (&[0x00, 0, 1, 0x0a], true, "an empty element first"),
            (&[0x30, 1, 0x32, 1, 0x32, 0x0a], true, "three, the last without length"),
            (&[0x00], false, "no elements"),
        ],
    );
}

#[test]
fn opus() {
    let dtx = |payload: &[u8]| is_dtx(Codec::Opus, payload);
    assert!(dtx(&[0xf8]), "one empty frame");
    assert!(dtx(&[0xf9]), "two empty frames");
    assert!(dtx(&[0xfa, 0]), "two empty frames, lengths told");
    assert!(dtx(&[0xfb, 3]), "three empty frames");
    assert!(!dtx(&[]));
    assert!(!dtx(&[0xfa]), "malformed");
    assert!(!dtx(&[0xfb]), "malformed");
    assert!(!dtx(&[0xfb, 0]), "malformed");
    assert!(!dtx(&[0xf8, 0xff]), "one byte of sound");
    assert!(!dtx(&[0xfa, 1]), "malformed");
    assert!(!dtx(&[0xfb, 0x83]), "variable bitrate");
    assert!(!dtx(&[0xf8, 0xff, 0xfe]), "the usual silence without DTX");
    assert!(!is_dtx(Codec::Vp8, &[0xf8]));
}

#[test]
fn unknown_codecs_say_so() {
    for codec in [Codec::Opus, Codec::Other] {
        assert!(!codec.knows_key_frames());
        assert!(!is_key_frame(codec, &[0x10, 0x50]));
    }
}

#[test]
fn media_types() {
    assert_eq!(Codec::from_mime_type("video/vp8"), Codec::Vp8);
    assert_eq!(Codec::from_mime_type("VIDEO/H264"), Codec::H264);
    assert_eq!(Codec::from_mime_type("audio/multiopus"), Codec::Opus);
    assert_eq!(Codec::from_mime_type("audio/PCMU"), Codec::Other);
    assert_eq!(Codec::from_mime_type("video/rtx"), Codec::Other);
    assert_eq!(Codec::from_mime_type(""), Codec::Other);
}
