//! The values of those extensions that are more than a number.

use crate::Now;

/// How loud a packet of audio is (RFC 6464 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioLevel {
    /// Whether the sender believes that it is speech.
    pub voice: bool,
    /// Level below full scale in dB, 0..=127: 0 is the loudest, 127 silence.
    pub attenuation_db: u8,
}

impl AudioLevel {
    pub(super) const fn from_byte(byte: u8) -> Self {
        Self { voice: byte & 0x80 != 0, attenuation_db: byte & 0x7f }
    }

    pub(super) const fn to_byte(self) -> u8 {
        (self.voice as u8) << 7 | self.attenuation_db & 0x7f
    }
}

/// How a picture must be turned before it is shown (3GPP TS 26.114 §7.4.5): the byte `0000CFRR`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VideoOrientation(pub u8);

impl VideoOrientation {
    /// Whether it comes from a camera that faces away from the user.
    #[must_use]
    pub const fn back_camera(self) -> bool {
        self.0 & 0x08 != 0
    }

    /// Whether the picture is mirrored horizontally.
    #[must_use]
    pub const fn flipped(self) -> bool {
        self.0 & 0x04 != 0
    }

    /// Rotation in degrees: 0, 90, 180 or 270.
    #[must_use]
    pub const fn rotation(self) -> u16 {
        (self.0 & 0x03) as u16 * 90
    }
}

/// When the first sample of a frame was captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AbsCaptureTime {
    /// Time on the capturer's clock: 64-bit NTP (seconds since 1900 in the upper half).
    pub ntp: u64,
    /// What to add to `ntp` to have the time on the sender's clock, in 2^-32 s. The long form has it; in the short one it is
    /// left open.
    pub clock_offset: Option<i64>,
}

impl AbsCaptureTime {
    pub(super) fn from_value(value: &[u8]) -> Option<Self> {
        let (ntp, offset) = value.split_first_chunk::<8>()?;
        let clock_offset = match offset.split_first_chunk::<8>() {
            Some((offset, [])) => Some(i64::from_be_bytes(*offset)),
            None if offset.is_empty() => None,
            _ => return None,
        };
        Some(Self { ntp: u64::from_be_bytes(*ntp), clock_offset })
    }
}

/// Bounds for the time between capture and rendering, in steps of 10 ms, 0..=4095.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlayoutDelay {
    /// Least delay.
    pub min: u16,
    /// Greatest delay.
    pub max: u16,
}

impl PlayoutDelay {
    pub(super) const fn from_bytes([a, b, c]: [u8; 3]) -> Self {
        let [a, b, c] = [a as u16, b as u16, c as u16];
        Self { min: a << 4 | b >> 4, max: (b & 0x0f) << 8 | c }
    }

    pub(super) const fn to_bytes(self) -> [u8; 3] {
        [(self.min >> 4) as u8, (self.min << 4) as u8 | (self.max >> 8) as u8 & 0x0f, self.max as u8]
    }
}

/// The value of the extension abs-send-time: seconds in 6.18 fixed point, which wrap every 64 s.
#[inline]
#[must_use]
pub fn abs_send_time(now: Now) -> u32 {
    // Of the 64-bit NTP time the lower 6 bits of the seconds and the upper 18 of the fraction.
    (now.ntp() >> 14) as u32 & 0x00ff_ffff
}
