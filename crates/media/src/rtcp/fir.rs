//! Full intra request (RFC 5104 §4.3.1): somebody needs a key frame, such as one who just joined.

use super::packet::split_feedback;
use super::{CompoundWriter, Full, packet_type};

/// Bytes of one entry.
const ENTRY_LEN: usize = 8;

/// Requests for key frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fir<'a> {
    /// Who asks.
    pub sender_ssrc: u32,
    entries: &'a [[u8; ENTRY_LEN]],
}

/// A request for a key frame of one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirEntry {
    /// The stream.
    pub ssrc: u32,
    /// Number of the request: a repetition of one request has the same.
    pub sequence: u8,
}

impl<'a> Fir<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Option<Self> {
        // RFC 5104 §4.3.1.2: the media source in the common part is unused, the entries name the streams.
        let (sender_ssrc, _, entries) = split_feedback(body)?;
        Some(Self { sender_ssrc, entries: entries.as_chunks().0 })
    }

    /// The streams whose key frame is asked for.
    pub fn entries(self) -> impl ExactSizeIterator<Item = FirEntry> + Clone + 'a {
        self.entries.iter().map(|&[s0, s1, s2, s3, sequence, ..]| FirEntry {
            ssrc: u32::from_be_bytes([s0, s1, s2, s3]),
            sequence,
        })
    }
}

impl CompoundWriter<'_> {
    /// Adds requests for key frames and returns how many of `entries` it took.
    ///
    /// # Errors
    /// When not even one entry fits.
    pub fn fir(&mut self, sender_ssrc: u32, entries: &[FirEntry]) -> Result<usize, Full> {
        let count = self.fitting(8, ENTRY_LEN, entries.len(), usize::MAX)?;
        let format = packet_type::FORMAT_FIR;
        let mut body = self.packet(packet_type::PAYLOAD_FEEDBACK, format, 8 + count * ENTRY_LEN)?;
        body.put_u32(sender_ssrc);
        body.put_u32(0);
        for entry in entries.iter().take(count) {
            body.put_u32(entry.ssrc);
            body.put_u32(u32::from(entry.sequence) << 24);
        }
        Ok(count)
    }
}
