//! Receiver estimated maximum bitrate (draft-alvestrand-rmcat-remb-03): how much a receiver can take.

use super::packet::split_feedback;
use super::{CompoundWriter, Full, packet_type};

/// What tells it from other application layer feedback.
const IDENTIFIER: [u8; 4] = *b"REMB";

/// Bytes in front of the list of streams.
const FIXED_LEN: usize = 16;

/// Bits of the bitrate's mantissa.
const MANTISSA_BITS: u32 = 18;

/// An estimate of the bitrate that a receiver can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remb<'a> {
    /// Who can take it.
    pub sender_ssrc: u32,
    /// Bits per second over all of the streams; `u64::MAX` when what was sent is more.
    pub bitrate: u64,
    ssrcs: &'a [[u8; 4]],
}

impl<'a> Remb<'a> {
    /// Whether the body of an application layer feedback is a REMB.
    pub(super) fn is_remb(body: &[u8]) -> bool {
        split_feedback(body).is_some_and(|(_, _, rest)| rest.starts_with(&IDENTIFIER))
    }

    pub(super) fn parse(body: &'a [u8]) -> Option<Self> {
        let (sender_ssrc, _, rest) = split_feedback(body)?;
        let rest = rest.strip_prefix(&IDENTIFIER)?;
        let (&[count, b0, b1, b2], ssrcs) = rest.split_first_chunk()?;
        let rate = u32::from_be_bytes([0, b0, b1, b2]);
        let (exponent, mantissa) = (rate >> MANTISSA_BITS, u64::from(rate & ((1 << MANTISSA_BITS) - 1)));
        let bitrate = if exponent > mantissa.leading_zeros() { u64::MAX } else { mantissa << exponent };
        Some(Self { sender_ssrc, bitrate, ssrcs: ssrcs.as_chunks().0.get(..usize::from(count))? })
    }

    /// The streams that share the bitrate.
    pub fn ssrcs(self) -> impl ExactSizeIterator<Item = u32> + Clone + 'a {
        self.ssrcs.iter().map(|ssrc| u32::from_be_bytes(*ssrc))
    }
}

impl CompoundWriter<'_> {
    /// Adds an estimate of `bitrate` bits per second, rounded down to 18 significant bits, over `ssrcs`; returns how many of
    /// them it took.
    ///
    /// # Errors
    /// When the estimate, with one stream if there are any, doesn't fit.
    pub fn remb(&mut self, sender_ssrc: u32, bitrate: u64, ssrcs: &[u32]) -> Result<usize, Full> {
        let count = self.fitting(FIXED_LEN, 4, ssrcs.len(), usize::from(u8::MAX))?;
        let exponent = (u64::BITS - bitrate.leading_zeros()).saturating_sub(MANTISSA_BITS);
        let mantissa = (bitrate >> exponent) as u32;
        let format = packet_type::FORMAT_APPLICATION;
        let mut body = self.packet(packet_type::PAYLOAD_FEEDBACK, format, FIXED_LEN + count * 4)?;
        body.put_u32(sender_ssrc);
        body.put_u32(0);
        body.put(&IDENTIFIER);
        body.put_u32((count as u32) << 24 | exponent << MANTISSA_BITS | mantissa);
        ssrcs.iter().take(count).for_each(|&ssrc| body.put_u32(ssrc));
        Ok(count)
    }
}
