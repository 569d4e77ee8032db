//! What the extensions of one received packet say.

use super::{
    AbsCaptureTime, AudioLevel, ExtensionIds, ExtensionKind, LabelRange, PlayoutDelay, VideoOrientation,
};
use crate::rtp::RtpHeader;

/// The values of a received packet's extensions. What is absent, has a wrong length, or an id without meaning is `None`.
///
/// When an extension comes twice, the last one counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extensions {
    /// Media section, for streams that are not known by SSRC yet.
    pub mid: Option<LabelRange>,
    /// Encoding of a simulcast.
    pub rid: Option<LabelRange>,
    /// Encoding that this RTX stream repairs.
    pub repaired_rid: Option<LabelRange>,
    /// Send time in 6.18 fixed-point seconds, 24 bits.
    pub abs_send_time: Option<u32>,
    /// Number over all packets of the Transport.
    pub transport_cc: Option<u16>,
    /// How loud it is.
    pub audio_level: Option<AudioLevel>,
    /// How to turn it.
    pub video_orientation: Option<VideoOrientation>,
    /// When it was captured.
    pub abs_capture_time: Option<AbsCaptureTime>,
    /// When it should be played.
    pub playout_delay: Option<PlayoutDelay>,
}

impl Extensions {
    /// Reads the extensions of `packet`, whose header is `header` and whose sender's ids are `ids`.
    #[must_use]
    pub fn parse(packet: &[u8], header: &RtpHeader, ids: &ExtensionIds) -> Self {
        let mut extensions = Self::default();
        let mut elements = header.elements(packet);
        while let Some((id, value, at)) = elements.next_at() {
            if let Some(kind) = ids.kind(id) {
                extensions.set(kind, value, at);
            }
        }
        extensions
    }

    /// Takes over one value, which lies at `at` in the packet.
    fn set(&mut self, kind: ExtensionKind, value: &[u8], at: usize) {
        // Offsets of a parsed header fit 16 bits (PACKET_LEN_MAX).
        let at = at as u16;
        match kind {
            ExtensionKind::Mid => self.mid = LabelRange::within(value, at),
            ExtensionKind::RtpStreamId => self.rid = LabelRange::within(value, at),
            ExtensionKind::RepairedRtpStreamId => self.repaired_rid = LabelRange::within(value, at),
            ExtensionKind::AbsSendTime => {
                self.abs_send_time = exactly(value).map(|[a, b, c]| u32::from_be_bytes([0, a, b, c]));
            }
            ExtensionKind::TransportCc => self.transport_cc = exactly(value).map(u16::from_be_bytes),
            ExtensionKind::AudioLevel => {
                self.audio_level = exactly(value).map(|[byte]| AudioLevel::from_byte(byte));
            }
            ExtensionKind::VideoOrientation => {
                self.video_orientation = exactly(value).map(|[byte]| VideoOrientation(byte));
            }
            ExtensionKind::AbsCaptureTime => self.abs_capture_time = AbsCaptureTime::from_value(value),
            ExtensionKind::PlayoutDelay => {
                self.playout_delay = exactly(value).map(PlayoutDelay::from_bytes);
            }
        }
    }
}

/// The value, when it has exactly `N` bytes.
fn exactly<const N: usize>(value: &[u8]) -> Option<[u8; N]> {
    value.try_into().ok()
}
