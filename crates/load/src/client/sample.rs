//! Which packets of a stream are looked into, and what was found.

use crate::media::{Broken, Marker};

/// What is wrong with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Verdict {
    /// It was not protected with the server's key, or damaged.
    #[error("a packet is not authentic")]
    Forged,
    /// Its payload is not what a publisher made.
    #[error("a payload is not what was sent: {0}")]
    Broken(Broken),
    /// It is a packet of another stream.
    #[error("a packet of stream {is} came in stream {should}")]
    Misdelivered {
        /// Whose it is.
        is: u32,
        /// Where it came.
        should: u32,
    },
    /// Its number goes back against what came before it.
    #[error("packet {number} came under a number that follows a later one's")]
    Misordered {
        /// Its number in its stream.
        number: u64,
    },
}

/// Draws packets by chance, so that no pattern of frames hides from it, and holds what they say against each other.
#[derive(Debug)]
pub(super) struct Sampler {
    every: u32,
    /// Packets until the next one.
    left: u32,
    verified: u64,
    broken: u64,
    complaint: Option<Verdict>,
    anchor: Option<Anchor>,
    left_out: u64,
}

/// From this index on, a packet's index less its number is `offset`.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    index: u64,
    offset: i64,
}

impl Sampler {
    /// One that takes the first packet, and one in `every` in the mean.
    pub(super) fn new(every: u32) -> Self {
        Self {
            every: every.max(1),
            left: 0,
            verified: 0,
            broken: 0,
            complaint: None,
            anchor: None,
            left_out: 0,
        }
    }

    /// Whether this packet is to be looked into; `random` decides which will be the next.
    pub(super) fn is_due(&mut self, random: u32) -> bool {
        if let Some(left) = self.left.checked_sub(1) {
            self.left = left;
            return false;
        }
        // From 0 to twice the mean, so that the next packet may be one too.
        self.left = ((u64::from(random) * u64::from(2 * self.every - 1)) >> 32) as u32;
        true
    }

    /// Takes what a packet says, or why it says nothing.
    pub(super) fn judge(&mut self, stream: u32, index: u64, marker: Result<Marker, Verdict>) {
        self.verified += 1;
        let judged = marker.and_then(|marker| {
            if marker.stream == stream {
                self.place(index, marker.number)
            } else {
                Err(Verdict::Misdelivered { is: marker.stream, should: stream })
            }
        });
        if let Err(verdict) = judged {
            self.broken += 1;
            self.complaint.get_or_insert(verdict);
        }
    }

    /// A server numbers packets anew and may leave some out, but never puts one before another.
    fn place(&mut self, index: u64, number: u64) -> Result<(), Verdict> {
        let offset = index.cast_signed().wrapping_sub(number.cast_signed());
        let anchor = *self.anchor.get_or_insert(Anchor { index, offset });
        let left_out = anchor.offset.saturating_sub(offset);
        // Before the last change fewer were left out, never more; after it more, never fewer.
        let misordered = if index < anchor.index { left_out > 0 } else { left_out < 0 };
        if misordered {
            return Err(Verdict::Misordered { number });
        }
        if left_out > 0 {
            self.left_out += left_out.unsigned_abs();
            self.anchor = Some(Anchor { index, offset });
        }
        Ok(())
    }

    /// The index of the packet of that number.
    pub(super) fn index_of(&self, number: u64) -> Option<u64> {
        self.anchor.and_then(|anchor| number.checked_add_signed(anchor.offset))
    }

    pub(super) fn verified(&self) -> u64 {
        self.verified
    }

    pub(super) fn broken(&self) -> u64 {
        self.broken
    }

    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }

    pub(super) fn complaint(&self) -> Option<Verdict> {
        self.complaint
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    use super::*;

    fn marker(number: u64) -> Result<Marker, Verdict> {
        Ok(Marker { stream: 1, number, sent_ns: 0 })
    }

    #[test]
    fn one_in_so_many_is_drawn_and_always_the_first() {
        for every in [1, 2, 64] {
            let mut rng = StdRng::seed_from_u64(1);
            let mut sampler = Sampler::new(every);
            let drawn: Vec<bool> = (0..64_000).map(|_| sampler.is_due(rng.random())).collect();
            let count = drawn.iter().filter(|drawn| **drawn).count();
            let expected = 64_000 / every as usize;
            assert!(drawn[0] && count.abs_diff(expected) <= expected / 10, "{count} of one in {every}");
        }
    }

    #[test]
    fn a_stream_renumbered_and_with_packets_left_out_is_good() {
        let mut sampler = Sampler::new(1);
        // Numbers may be far ahead of indices: a receiver comes when its publisher has sent for hours.
        let base = 1 << 40;
        for (index, number) in [(70_000, 100), (70_001, 101), (70_004, 104), (70_003, 103), (70_005, 115)] {
            sampler.judge(1, index, marker(base + number));
        }
        sampler.judge(1, 70_002, marker(base + 102));
        assert_eq!((sampler.verified(), sampler.broken(), sampler.left_out()), (6, 0, 10));
        assert_eq!(sampler.index_of(base + 116), Some(70_006));
    }

    #[test]
    fn what_is_wrong_is_told() {
        let judged = |index, said: Result<Marker, Verdict>| {
            let mut sampler = Sampler::new(1);
            sampler.judge(1, 70_000, marker(100));
            sampler.judge(1, index, said);
            assert_eq!(sampler.broken(), u64::from(sampler.complaint().is_some()));
            sampler.complaint()
        };
        assert_eq!(judged(70_001, marker(101)), None);
        assert_eq!(judged(70_001, marker(100)), Some(Verdict::Misordered { number: 100 }));
        assert_eq!(judged(69_999, marker(101)), Some(Verdict::Misordered { number: 101 }));
        let other = Ok(Marker { stream: 2, number: 101, sent_ns: 0 });
        assert_eq!(judged(70_001, other), Some(Verdict::Misdelivered { is: 2, should: 1 }));
        assert_eq!(judged(70_001, Err(Verdict::Forged)), Some(Verdict::Forged));
    }
}
