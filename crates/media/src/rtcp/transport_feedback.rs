//! Transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1): when each packet of
//! a Transport arrived, as deltas of 250 µs in 8 or 16 bits, behind chunks that say which packets have a delta.
//!
//! Here are the view and its iterator; `chunk` is the code of the chunks in both directions, `build` the writer.

mod build;
mod chunk;

pub use build::{Arrival, FeedbackInfo};

use super::packet::split_feedback;
use chunk::Chunk;

/// Unit of a delta, in µs.
pub(super) const DELTA_US: i32 = 250;

/// Unit of the reference time, in µs.
pub(super) const REFERENCE_US: u64 = 64_000;

/// Bytes in front of the chunks.
const FIXED_LEN: usize = 16;

/// When packets of a Transport arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransportFeedback<'a> {
    /// Who received them.
    pub sender_ssrc: u32,
    /// Any stream of the Transport.
    pub media_ssrc: u32,
    /// Transport-wide number of the first packet.
    pub base_sequence: u16,
    /// Number of packets that are reported on, received or not; at least 1.
    pub status_count: u16,
    /// Where the first delta counts from, on the receiver's clock: 24 bits, in units of 64 ms. It wraps.
    pub reference_time: u32,
    /// Number of this feedback. It wraps.
    pub feedback_count: u8,
    chunks: &'a [u8],
    deltas: &'a [u8],
}

impl<'a> TransportFeedback<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Option<Self> {
        let (sender_ssrc, media_ssrc, rest) = split_feedback(body)?;
        let (&[b0, b1, c0, c1, r0, r1, r2, feedback_count], rest) = rest.split_first_chunk()?;
        let status_count = u16::from_be_bytes([c0, c1]);
        let (chunks, deltas) = split_chunks(rest, status_count)?;
        Some(Self {
            sender_ssrc,
            media_ssrc,
            base_sequence: u16::from_be_bytes([b0, b1]),
            status_count,
            reference_time: u32::from_be_bytes([0, r0, r1, r2]),
            feedback_count,
            chunks,
            deltas,
        })
    }

    /// Where the first delta counts from, in µs. Wraps every 2^24 · 64 ms, which is twelve days.
    #[must_use]
    pub fn reference_time_us(&self) -> u64 {
        u64::from(self.reference_time) * REFERENCE_US
    }

    /// All packets reported on: see [`Statuses`].
    #[must_use]
    pub fn statuses(self) -> Statuses<'a> {
        Statuses {
            sequence: self.base_sequence,
            left: self.status_count,
            chunk: Chunk::default(),
            chunk_at: 0,
            chunks: self.chunks,
            deltas: self.deltas,
        }
    }
}

/// Cuts the chunks for `count` packets and their deltas from what follows the fixed part. `None` when one of them is cut off,
/// a symbol is the reserved one, or there is no packet.
fn split_chunks(data: &[u8], count: u16) -> Option<(&[u8], &[u8])> {
    let (mut left, mut rest, mut deltas_len) = (count, data, 0);
    while left > 0 {
        let (chunk, behind) = rest.split_first_chunk()?;
        let chunk = Chunk(u16::from_be_bytes(*chunk));
        // The last chunk may have room for more packets than there are.
        let covered = chunk.len().min(left);
        deltas_len += chunk.deltas_len(covered)?;
        left -= covered;
        rest = behind;
    }
    let (chunks, deltas) = data.split_at_checked(data.len() - rest.len())?;
    (count > 0).then_some((chunks, deltas.get(..deltas_len)?))
}

/// Iterator over the packets of a feedback, in ascending order of their number, at most 65535: pairs of number and, for those
/// that arrived, the time in µs since the packet before that arrived (for the first: since the reference time).
#[derive(Clone, Debug)]
pub struct Statuses<'a> {
    sequence: u16,
    left: u16,
    chunk: Chunk,
    /// Position in `chunk`.
    chunk_at: u16,
    chunks: &'a [u8],
    deltas: &'a [u8],
}

impl Iterator for Statuses<'_> {
    type Item = (u16, Option<i32>);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        while self.chunk_at == self.chunk.len() {
            let (chunk, rest) = self.chunks.split_first_chunk()?;
            (self.chunk, self.chunk_at, self.chunks) = (Chunk(u16::from_be_bytes(*chunk)), 0, rest);
        }
        let symbol = self.chunk.symbol(self.chunk_at);
        let (delta, rest) = self.deltas.split_at_checked(usize::from(symbol))?;
        let delta = match *delta {
            [] => None,
            [small] => Some(i32::from(small)),
            [high, low, ..] => Some(i32::from(i16::from_be_bytes([high, low]))),
        };
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        self.chunk_at += 1;
        self.deltas = rest;
        Some((sequence, delta.map(|ticks| ticks * DELTA_US)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::from(self.left), Some(usize::from(self.left)))
    }
}

#[cfg(test)]
mod tests;
