//! Generic negative acknowledgement (RFC 4585 §6.2.1).

use super::packet::split_feedback;
use super::{CompoundWriter, Full, packet_type};

/// Most packets that one entry can name: the first, and one for each bit of its mask.
const ENTRY_SPAN: u16 = 17;

/// Packets of a stream that are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nack<'a> {
    /// Who misses them.
    pub sender_ssrc: u32,
    /// The stream.
    pub media_ssrc: u32,
    entries: &'a [[u8; 4]],
}

impl<'a> Nack<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Option<Self> {
        let (sender_ssrc, media_ssrc, entries) = split_feedback(body)?;
        Some(Self { sender_ssrc, media_ssrc, entries: entries.as_chunks().0 })
    }

    /// The missing sequence numbers: ascending within each entry, entries in the order of the packet.
    #[must_use]
    pub fn lost(self) -> Lost<'a> {
        Lost { entries: self.entries.iter(), first: 0, bits: 0 }
    }
}

/// Iterator over missing sequence numbers: see [`Nack::lost`].
#[derive(Clone, Debug)]
pub struct Lost<'a> {
    entries: std::slice::Iter<'a, [u8; 4]>,
    /// First number of the current entry.
    first: u16,
    /// What is left of the current entry: bit n stands for `first + n`.
    bits: u32,
}

impl Lost<'_> {
    /// Whether none is left.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.bits == 0 && self.entries.len() == 0
    }
}

impl Iterator for Lost<'_> {
    type Item = u16;

    fn next(&mut self) -> Option<u16> {
        if self.bits == 0 {
            let &[p0, p1, b0, b1] = self.entries.next()?;
            self.first = u16::from_be_bytes([p0, p1]);
            self.bits = u32::from(u16::from_be_bytes([b0, b1])) << 1 | 1;
        }
        let offset = self.bits.trailing_zeros() as u16;
        self.bits &= self.bits - 1;
        Some(self.first.wrapping_add(offset))
    }

    /// Without a look at each number: whoever asks for much is counted as fast as others.
    fn count(self) -> usize {
        let masks = self.entries.map(|[_, _, b0, b1]| 1 + b0.count_ones() + b1.count_ones());
        (self.bits.count_ones() + masks.sum::<u32>()) as usize
    }
}

/// An entry of a packet: first number and mask of those that follow it.
#[derive(Clone, Copy, Debug)]
struct Entry {
    first: u16,
    mask: u16,
}

/// Packs the beginning of `lost` into one entry, and says how many numbers went in.
fn pack(lost: &[u16]) -> Option<(Entry, usize)> {
    let (&first, following) = lost.split_first()?;
    let mut entry = Entry { first, mask: 0 };
    let mut taken = 1;
    for sequence in following {
        let distance = sequence.wrapping_sub(first);
        if !(1..ENTRY_SPAN).contains(&distance) {
            break;
        }
        entry.mask |= 1 << (distance - 1);
        taken += 1;
    }
    Some((entry, taken))
}

impl CompoundWriter<'_> {
    /// Adds a request for missing packets and returns how many of `lost` it took. Packs best when `lost` is ascending.
    ///
    /// # Errors
    /// When not even one number fits.
    pub fn nack(&mut self, sender_ssrc: u32, media_ssrc: u32, lost: &[u16]) -> Result<usize, Full> {
        let entries_max = self.fitting(8, 4, lost.len(), usize::MAX)?;
        let (mut taken, mut entries) = (0, 0);
        while entries < entries_max
            && let Some((_, count)) = pack(lost.get(taken..).unwrap_or_default())
        {
            taken += count;
            entries += 1;
        }
        let format = packet_type::FORMAT_NACK;
        let mut body = self.packet(packet_type::TRANSPORT_FEEDBACK, format, 8 + entries * 4)?;
        body.put_u32(sender_ssrc);
        body.put_u32(media_ssrc);
        let mut rest = lost.get(..taken).unwrap_or_default();
        while let Some((entry, count)) = pack(rest) {
            body.put_u16(entry.first);
            body.put_u16(entry.mask);
            rest = rest.get(count..).unwrap_or_default();
        }
        Ok(taken)
    }
}
