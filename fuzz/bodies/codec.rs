//! Payloads: whatever the bytes, the answer is found, and what follows in the packet doesn't take a key frame back.

use mafalda_media::codec::{Codec, is_dtx, is_key_frame};

/// How much of a payload is looked at byte by byte; descriptors are shorter.
const PREFIX_LEN_MAX: usize = 64;

/// Takes `data` for a payload of every codec.
pub fn run(data: &[u8]) {
    let codecs =
        [Codec::Opus, Codec::Red, Codec::Vp8, Codec::Vp9, Codec::H264, Codec::H265, Codec::Av1, Codec::Other];
    for codec in codecs {
        let whole = is_key_frame(codec, data);
        assert!(codec.knows_key_frames() || !whole);
        for len in 0..data.len().min(PREFIX_LEN_MAX) {
            assert!(whole || !is_key_frame(codec, &data[..len]), "{codec:?} at {len}");
        }
        assert!(!is_dtx(codec, data) || codec == Codec::Opus && (1..=2).contains(&data.len()));
    }
}
