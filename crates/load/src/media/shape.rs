//! How large frames are, and how they are cut into packets.

use rand::RngExt;
use rand::rngs::StdRng;

use super::Codec;
use super::codec::PAYLOAD_HEADER_MAX;
use super::marker::Marker;

/// Most bytes of a payload. With its RTP header, the extensions of a browser and SRTP's tag a packet stays within 1,200 bytes, which is
/// what libwebrtc aims at.
pub const PAYLOAD_MAX: usize = 1150;

/// Least bytes of a payload: a marker behind the longest header.
const PAYLOAD_MIN: usize = PAYLOAD_HEADER_MAX + Marker::LEN;

/// Most packets of a frame: a key frame of 20 Mbit/s at 30 frames per second has 108 in the mean.
pub const PACKETS_PER_FRAME_MAX: usize = 160;

/// Most bits per second of one stream. Beyond it a key frame would have more packets than may be.
pub const BITRATE_MAX: u32 = 20_000_000;

/// Most frames per second: what no camera passes.
pub const FPS_MAX: u32 = 120;

/// Opus frames of 20 ms, as browsers send them.
const AUDIO_FPS: u32 = 50;

/// A key frame's size in mean frames. Encoders in conferences give it four to ten, and hold the rate back afterwards.
const KEY_FRAME_FACTOR: usize = 6;

/// How far sizes stray from the mean, to each side, in percent.
const VIDEO_SPREAD: usize = 30;
const AUDIO_SPREAD: usize = 15;

/// How much a publisher sends of one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    codec: Codec,
    fps: u32,
    mean: usize,
}

/// Why there can't be such a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// More than [`BITRATE_MAX`], or too much for so few frames.
    #[error("{bitrate} bits per second are more than the {max} that {fps} frames per second can carry")]
    TooMuch {
        /// What was asked for.
        bitrate: u32,
        /// Frames per second.
        fps: u32,
        /// What goes.
        max: u32,
    },
    /// A packet would have no room for its marker.
    #[error("{bitrate} bits per second are less than the {min} that {fps} frames per second take")]
    TooLittle {
        /// What was asked for.
        bitrate: u32,
        /// Frames per second.
        fps: u32,
        /// What goes.
        min: u32,
    },
    /// No frames, or more than [`FPS_MAX`] per second.
    #[error("{0} frames per second are none, or more than {FPS_MAX}")]
    Fps(u32),
}

impl Shape {
    /// A stream of so many bits per second, key frames and headers not counted; `fps` is for video, audio has its own 20 ms.
    ///
    /// # Errors
    /// [`ShapeError`] for numbers that no stream has.
    pub fn new(codec: Codec, bitrate: u32, fps: u32) -> Result<Self, ShapeError> {
        let fps = if codec == Codec::Opus { AUDIO_FPS } else { fps };
        if fps == 0 || fps > FPS_MAX {
            return Err(ShapeError::Fps(fps));
        }
        let bits = |bytes: usize| u32::try_from(bytes * 8).unwrap_or(u32::MAX).saturating_mul(fps);
        let (min, max) = (bits(PAYLOAD_MIN), bits(mean_max(codec)).min(BITRATE_MAX));
        if bitrate < min {
            return Err(ShapeError::TooLittle { bitrate, fps, min });
        }
        if bitrate > max {
            return Err(ShapeError::TooMuch { bitrate, fps, max });
        }
        Ok(Self { codec, fps, mean: (bitrate / 8 / fps) as usize })
    }

    /// What is sent.
    #[must_use]
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// Frames per second.
    #[must_use]
    pub fn fps(&self) -> u32 {
        self.fps
    }

    /// The next frame's packets.
    pub(super) fn frame(&self, key: bool, rng: &mut StdRng) -> Split {
        let spread = if self.codec == Codec::Opus { AUDIO_SPREAD } else { VIDEO_SPREAD };
        let percent = rng.random_range(100 - spread..=100 + spread);
        let factor = if key { KEY_FRAME_FACTOR } else { 1 };
        let most = if self.codec == Codec::Opus { PAYLOAD_MAX } else { PAYLOAD_MAX * PACKETS_PER_FRAME_MAX };
        Split::of((self.mean * factor * percent / 100).clamp(PAYLOAD_MIN, most))
    }
}

/// The largest mean whose key frames stay within their bound.
const fn mean_max(codec: Codec) -> usize {
    if matches!(codec, Codec::Opus) {
        PAYLOAD_MAX * 100 / (100 + AUDIO_SPREAD)
    } else {
        PAYLOAD_MAX * PACKETS_PER_FRAME_MAX * 100 / (100 + VIDEO_SPREAD) / KEY_FRAME_FACTOR
    }
}

/// A frame cut into packets of about equal size, as libwebrtc cuts it: sizes differ by one byte at the most, the smaller ones first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Split {
    pub(crate) count: usize,
    smaller: usize,
    /// How many of the last are a byte longer.
    larger_count: usize,
}

impl Split {
    fn of(frame: usize) -> Self {
        let count = frame.div_ceil(PAYLOAD_MAX).max(1);
        Self { count, smaller: frame / count, larger_count: frame % count }
    }

    /// Bytes of the packet at `index`.
    pub(crate) fn len(&self, index: usize) -> usize {
        self.smaller + usize::from(index >= self.count - self.larger_count)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn packets_of_a_frame_differ_by_one_byte_and_fill_it() {
        for frame in [44, 1149, 1150, 1151, 2300, 2301, 4667, 100_003] {
            let split = Split::of(frame);
            let sizes: Vec<usize> = (0..split.count).map(|index| split.len(index)).collect();
            assert_eq!(sizes.iter().sum::<usize>(), frame);
            assert!(sizes.is_sorted() && sizes[split.count - 1] - sizes[0] <= 1, "{sizes:?}");
            assert!(sizes[split.count - 1] <= PAYLOAD_MAX);
            assert_eq!(split.count, frame.div_ceil(PAYLOAD_MAX), "as few as go");
        }
    }

    #[test]
    fn frames_have_the_mean_that_was_asked_for_and_key_frames_are_larger() {
        let mut rng = StdRng::seed_from_u64(3);
        for (codec, bitrate, fps) in
            [(Codec::Vp8, 1_000_000, 30), (Codec::H264, 3_500_000, 60), (Codec::Opus, 32_000, 0)]
        {
            let shape = Shape::new(codec, bitrate, fps).unwrap();
            let bytes = |split: Split| (0..split.count).map(|index| split.len(index)).sum::<usize>();
            let sum: usize = (0..1000).map(|_| bytes(shape.frame(false, &mut rng))).sum();
            let rate = sum * 8 * shape.fps() as usize / 1000;
            assert!(rate.abs_diff(bitrate as usize) < bitrate as usize / 50, "{codec} {rate}");
        }
        let shape = Shape::new(Codec::Vp8, 1_000_000, 30).unwrap();
        assert!(shape.frame(true, &mut rng).count >= 3 * shape.frame(false, &mut rng).count);
    }

    #[test]
    fn the_largest_and_smallest_streams_stay_within_their_bounds() {
        let mut rng = StdRng::seed_from_u64(4);
        for (codec, fps) in [(Codec::Vp9, 30), (Codec::Vp9, 5), (Codec::Vp9, 120), (Codec::Opus, 0)] {
            let Err(ShapeError::TooMuch { max, .. }) = Shape::new(codec, u32::MAX, fps) else { panic!() };
            let Err(ShapeError::TooLittle { min, .. }) = Shape::new(codec, 0, fps) else { panic!() };
            for bitrate in [min, max] {
                let shape = Shape::new(codec, bitrate, fps).unwrap();
                for _ in 0..500 {
                    let split = shape.frame(codec != Codec::Opus, &mut rng);
                    assert!(split.count <= PACKETS_PER_FRAME_MAX);
                    assert!(split.len(0) >= PAYLOAD_MIN && split.len(split.count - 1) <= PAYLOAD_MAX);
                }
            }
        }
        assert_eq!(Shape::new(Codec::Vp8, 1, 0), Err(ShapeError::Fps(0)));
        assert_eq!(Shape::new(Codec::Vp8, 1, 121), Err(ShapeError::Fps(121)));
    }
}
