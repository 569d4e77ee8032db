//! Goodbye (RFC 3550 §6.6).

use super::{CompoundWriter, Full, packet_type};

/// Most sources in one packet: their count has five bits.
const SOURCES_MAX: usize = 31;

/// Sources that leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bye<'a> {
    ssrcs: &'a [[u8; 4]],
    reason: Option<&'a [u8]>,
}

impl<'a> Bye<'a> {
    pub(super) fn parse(body: &'a [u8], count: u8) -> Option<Self> {
        let (sources, reason) = body.split_at_checked(usize::from(count) * 4)?;
        let reason = match reason.split_first() {
            Some((&len, text)) => Some(text.get(..usize::from(len))?),
            None => None,
        };
        Some(Self { ssrcs: sources.as_chunks().0, reason })
    }

    /// The sources.
    pub fn ssrcs(self) -> impl ExactSizeIterator<Item = u32> + Clone + 'a {
        self.ssrcs.iter().map(|ssrc| u32::from_be_bytes(*ssrc))
    }

    /// Why they leave, as text.
    #[must_use]
    pub const fn reason(self) -> Option<&'a [u8]> {
        self.reason
    }
}

impl CompoundWriter<'_> {
    /// Adds a goodbye without reason and returns how many of `ssrcs` it took.
    ///
    /// # Errors
    /// When not even one source fits.
    pub fn bye(&mut self, ssrcs: &[u32]) -> Result<usize, Full> {
        let count = self.fitting(0, 4, ssrcs.len(), SOURCES_MAX)?;
        let mut body = self.packet(packet_type::BYE, count as u8, count * 4)?;
        ssrcs.iter().take(count).for_each(|&ssrc| body.put_u32(ssrc));
        Ok(count)
    }
}
