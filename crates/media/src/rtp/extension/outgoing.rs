//! The extensions of an outgoing packet.

use super::{
    AbsCaptureTime, AudioLevel, ExtensionKind, ExtensionMask, Label, PlayoutDelay, VideoOrientation, elements,
};

/// Most bytes that an extension block takes, with profile, length and padding.
pub const EXTENSIONS_LEN_MAX: usize = max_block_len(ExtensionMask::ALL);

/// The values for an outgoing packet's extensions. Of those that are set, the ones in the receiver's mask are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutgoingExtensions<'a> {
    /// Media section of the receiver.
    pub mid: Option<&'a Label>,
    /// Encoding of a simulcast. Routers don't send it, publishers do.
    pub rid: Option<&'a Label>,
    /// Encoding that an RTX stream repairs. Routers don't send it, publishers do.
    pub repaired_rid: Option<&'a Label>,
    /// Send time in 6.18 fixed-point seconds: [`super::abs_send_time`].
    pub abs_send_time: Option<u32>,
    /// Number over all packets of the Transport.
    pub transport_cc: Option<u16>,
    /// How loud it is.
    pub audio_level: Option<AudioLevel>,
    /// How to turn it.
    pub video_orientation: Option<VideoOrientation>,
    /// When it was captured. Takes 16 bytes when it has an offset, else 8.
    pub abs_capture_time: Option<AbsCaptureTime>,
    /// When it should be played.
    pub playout_delay: Option<PlayoutDelay>,
}

/// Most bytes of a block with the extensions in `mask`; 0 for an empty one.
pub(crate) const fn max_block_len(mask: ExtensionMask) -> usize {
    let mut len = 0usize;
    let mut index = 0;
    while index < ExtensionKind::ALL.len() {
        let kind = ExtensionKind::ALL[index];
        if mask.contains(kind) {
            len += 1 + kind.value_len_max();
        }
        index += 1;
    }
    if len == 0 { 0 } else { 4 + len.next_multiple_of(4) }
}

/// Writes the elements of a block in the one-byte form (RFC 8285 §4.2).
#[derive(Debug)]
pub(crate) struct BlockWriter<'b> {
    out: &'b mut [u8],
    /// Bytes of the block so far; 0 until the first element.
    len: usize,
    mask: ExtensionMask,
}

impl<'b> BlockWriter<'b> {
    /// Starts a block at the beginning of `out`, for a receiver that negotiated `mask`.
    pub(crate) const fn new(out: &'b mut [u8], mask: ExtensionMask) -> Self {
        Self { out, len: 0, mask }
    }

    /// Writes the whole block; its length, 0 when there was nothing to write, or `None` when it doesn't fit.
    pub(crate) fn write(mut self, extensions: &OutgoingExtensions<'_>) -> Option<usize> {
        if self.mask.is_empty() {
            return Some(0);
        }
        self.label(ExtensionKind::Mid, extensions.mid)?;
        self.label(ExtensionKind::RtpStreamId, extensions.rid)?;
        self.label(ExtensionKind::RepairedRtpStreamId, extensions.repaired_rid)?;
        let abs_send_time = extensions.abs_send_time.map(|time| {
            let [_, a, b, c] = time.to_be_bytes();
            [a, b, c]
        });
        self.value(ExtensionKind::AbsSendTime, abs_send_time)?;
        self.value(ExtensionKind::TransportCc, extensions.transport_cc.map(u16::to_be_bytes))?;
        self.value(ExtensionKind::AudioLevel, extensions.audio_level.map(|level| [level.to_byte()]))?;
        self.value(ExtensionKind::VideoOrientation, extensions.video_orientation.map(|turn| [turn.0]))?;
        self.capture_time(extensions.abs_capture_time)?;
        self.value(ExtensionKind::PlayoutDelay, extensions.playout_delay.map(PlayoutDelay::to_bytes))?;
        self.close()
    }

    fn label(&mut self, kind: ExtensionKind, label: Option<&Label>) -> Option<()> {
        label.map_or(Some(()), |label| self.element(kind, label.as_bytes()))
    }

    fn value<const N: usize>(&mut self, kind: ExtensionKind, value: Option<[u8; N]>) -> Option<()> {
        value.map_or(Some(()), |value| self.element(kind, &value))
    }

    fn capture_time(&mut self, time: Option<AbsCaptureTime>) -> Option<()> {
        let Some(time) = time else { return Some(()) };
        let Some(offset) = time.clock_offset else {
            return self.element(ExtensionKind::AbsCaptureTime, &time.ntp.to_be_bytes());
        };
        let long = u128::from(time.ntp) << 64 | u128::from(offset.cast_unsigned());
        self.element(ExtensionKind::AbsCaptureTime, &long.to_be_bytes())
    }

    /// Adds one element of 1..=16 bytes, if the receiver negotiated it.
    #[inline]
    fn element(&mut self, kind: ExtensionKind, value: &[u8]) -> Option<()> {
        if !self.mask.contains(kind) {
            return Some(());
        }
        // The first element comes behind profile and length, which are written last.
        let at = if self.len == 0 { 4 } else { self.len };
        let end = at + 1 + value.len();
        let (head, body) = self.out.get_mut(at..end)?.split_first_mut()?;
        *head = kind.router_id() << 4 | (value.len() - 1) as u8;
        body.copy_from_slice(value);
        self.len = end;
        Some(())
    }

    /// Pads the block to 32 bits and writes profile and length.
    fn close(self) -> Option<usize> {
        if self.len == 0 {
            return Some(0);
        }
        let end = self.len.next_multiple_of(4);
        self.out.get_mut(self.len..end)?.fill(0);
        let [p0, p1] = elements::ONE_BYTE_PROFILE.to_be_bytes();
        let [w0, w1] = ((end / 4 - 1) as u16).to_be_bytes();
        self.out.get_mut(..4)?.copy_from_slice(&[p0, p1, w0, w1]);
        Some(end)
    }
}
