//! Picture loss indication (RFC 4585 §6.3.1): a decoder can't go on without a key frame.

use super::packet::split_feedback;
use super::{CompoundWriter, Full, packet_type};

/// A request for a key frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pli {
    /// Who asks.
    pub sender_ssrc: u32,
    /// The stream.
    pub media_ssrc: u32,
}

impl Pli {
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let (sender_ssrc, media_ssrc, _) = split_feedback(body)?;
        Some(Self { sender_ssrc, media_ssrc })
    }
}

impl CompoundWriter<'_> {
    /// Adds a request for a key frame of `media_ssrc`.
    ///
    /// # Errors
    /// When it doesn't fit.
    pub fn pli(&mut self, sender_ssrc: u32, media_ssrc: u32) -> Result<(), Full> {
        let mut body = self.packet(packet_type::PAYLOAD_FEEDBACK, packet_type::FORMAT_PLI, 8)?;
        body.put_u32(sender_ssrc);
        body.put_u32(media_ssrc);
        Ok(())
    }
}
