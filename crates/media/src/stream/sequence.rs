//! Which sequence numbers belong to a stream, and which of them came already.
//!
//! Validation follows RFC 3550 Appendix A.1: a small step forward is the next packet, a small step back is reordering, anything else
//! is suspicious until two such packets follow each other. Duplicates are known by a bitmap of the last indices, through whichever
//! SSRC (original or retransmission) a packet came first.

use super::index::extend;

/// A step forward of this many packets or more is no loss but another numbering (RFC 3550 A.1's MAX_DROPOUT).
const DROPOUT_MAX: u16 = 3000;
/// A step back of this many packets or more is no reordering but another numbering. RFC 3550 A.1 says 100; mediasoup's 1500 bears
/// senders that repeat packets late under the same SSRC.
const MISORDER_MAX: u16 = 1500;
/// How many indices back a packet is known as a duplicate: a power of two above the age of 10 000 packets at which NACKs end, so that
/// each repair that was asked for is judged exactly. 2 KiB per stream.
const SEEN_WINDOW: u16 = 16_384;

const WORDS: usize = SEEN_WINDOW as usize / 64;

/// Why a packet was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecvDrop {
    /// The packet came before, as itself or as a retransmission.
    Duplicate,
    /// A retransmission so old that nobody knows whether its packet came.
    TooOld,
    /// Too far from what came before; two such packets in a row start a new numbering.
    BadSequence,
}

/// A packet that belongs to the stream and is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tracked {
    /// Its index. The first of a stream is its sequence number plus 65 536, so that reordered predecessors have one too; indices grow
    /// through restarts and always carry the sequence number in their low 16 bits.
    pub index: u64,
    /// Whether it is ahead of all before.
    pub newest: bool,
    /// Whether a new numbering begins with it; the step from the last index means nothing then.
    pub restarted: bool,
}

/// Validates sequence numbers and suppresses duplicates for one SSRC.
#[derive(Clone, Debug)]
pub struct SequenceTracker {
    highest: Option<u64>,
    /// The number that would confirm a new numbering.
    confirms_restart: Option<u16>,
    seen: Box<[u64]>,
}

impl SequenceTracker {
    /// A tracker that takes the first packet as it comes.
    #[must_use]
    pub fn new() -> Self {
        Self { highest: None, confirms_restart: None, seen: vec![0; WORDS].into_boxed_slice() }
    }

    /// The highest index accepted.
    #[must_use]
    pub fn highest(&self) -> Option<u64> {
        self.highest
    }

    /// Judges a packet by its sequence number; `repaired` says that it came as a retransmission under another SSRC, which may be
    /// older than an original but never starts a new numbering.
    ///
    /// # Errors
    /// The reason to drop it.
    pub fn track(&mut self, sequence: u16, repaired: bool) -> Result<Tracked, RecvDrop> {
        let Some(highest) = self.highest else {
            return Ok(self.advance((1 << 16) + u64::from(sequence), false));
        };
        let ahead = sequence.wrapping_sub(highest as u16);
        let behind = ahead.wrapping_neg();
        if (1..DROPOUT_MAX).contains(&ahead) {
            return Ok(self.advance(highest + u64::from(ahead), false));
        }
        if behind < if repaired { SEEN_WINDOW } else { MISORDER_MAX } {
            return self.late(extend(highest, sequence).ok_or(RecvDrop::TooOld)?);
        }
        if repaired {
            return Err(if behind <= 1 << 15 { RecvDrop::TooOld } else { RecvDrop::BadSequence });
        }
        if self.confirms_restart == Some(sequence) {
            return Ok(self.advance(highest + u64::from(ahead), true));
        }
        self.confirms_restart = Some(sequence.wrapping_add(1));
        Err(RecvDrop::BadSequence)
    }

    fn advance(&mut self, index: u64, restarted: bool) -> Tracked {
        match self.highest {
            Some(highest) if index - highest < SEEN_WINDOW.into() => self.forget(highest + 1, index),
            _ => self.seen.fill(0),
        }
        self.highest = Some(index);
        self.confirms_restart = None;
        *self.word(index) |= bit(index);
        Tracked { index, newest: true, restarted }
    }

    fn late(&mut self, index: u64) -> Result<Tracked, RecvDrop> {
        self.confirms_restart = None;
        let word = self.word(index);
        if *word & bit(index) != 0 {
            return Err(RecvDrop::Duplicate);
        }
        *word |= bit(index);
        Ok(Tracked { index, newest: false, restarted: false })
    }

    /// Clears the bits from `first` to `last`, by whole words where it can.
    fn forget(&mut self, first: u64, last: u64) {
        let mut index = first;
        while index <= last {
            if index.is_multiple_of(64) && last - index >= 63 {
                *self.word(index) = 0;
                index += 64;
            } else {
                *self.word(index) &= !bit(index);
                index += 1;
            }
        }
    }

    fn word(&mut self, index: u64) -> &mut u64 {
        &mut self.seen[(index / 64) as usize % WORDS]
    }
}

impl Default for SequenceTracker {
    fn default() -> Self {
        Self::new()
    }
}

fn bit(index: u64) -> u64 {
    1 << (index % 64)
}

#[cfg(test)]
mod tests;
