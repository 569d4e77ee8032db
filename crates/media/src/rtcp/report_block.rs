//! The report block that sender and receiver reports share (RFC 3550 §6.4.1).

use super::writer::Body;

/// Most blocks in one report: their count has five bits.
pub(super) const REPORT_BLOCKS_MAX: usize = 31;

/// Bytes of one block.
pub(super) const REPORT_BLOCK_LEN: usize = 24;

/// What a receiver says about one stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReportBlock {
    /// The stream.
    pub ssrc: u32,
    /// Share of packets lost since the last report, in 1/256.
    pub fraction_lost: u8,
    /// Packets lost since the beginning, less duplicates: 24 bits with sign, and written as the nearest such number.
    pub cumulative_lost: i32,
    /// Highest sequence number received, extended by the number of cycles.
    pub highest_sequence: u32,
    /// Interarrival jitter, in units of the media timestamp.
    pub jitter: u32,
    /// Middle 32 bits of the NTP time in the last sender report; 0 when there was none.
    pub last_sr: u32,
    /// Time since that report arrived, in 1/65536 s.
    pub delay_since_last_sr: u32,
}

impl ReportBlock {
    fn from_bytes(bytes: &[u8; REPORT_BLOCK_LEN]) -> Self {
        let (words, _) = bytes.as_chunks::<4>();
        let word = |index: usize| words.get(index).map_or(0, |word| u32::from_be_bytes(*word));
        let loss = word(1);
        Self {
            ssrc: word(0),
            fraction_lost: (loss >> 24) as u8,
            // Shifted up and down again to extend the sign of the 24-bit number.
            cumulative_lost: (loss << 8).cast_signed() >> 8,
            highest_sequence: word(2),
            jitter: word(3),
            last_sr: word(4),
            delay_since_last_sr: word(5),
        }
    }

    pub(super) fn write(&self, body: &mut Body<'_>) {
        let lost = self.cumulative_lost.clamp(-0x80_0000, 0x7f_ffff).cast_unsigned() & 0xff_ffff;
        body.put_u32(self.ssrc);
        body.put_u32(u32::from(self.fraction_lost) << 24 | lost);
        body.put_u32(self.highest_sequence);
        body.put_u32(self.jitter);
        body.put_u32(self.last_sr);
        body.put_u32(self.delay_since_last_sr);
    }
}

/// The blocks of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportBlocks<'a>(&'a [[u8; REPORT_BLOCK_LEN]]);

impl<'a> ReportBlocks<'a> {
    /// The first `count` blocks of `data`. What follows them is an extension of some profile, and ignored.
    pub(super) fn parse(data: &'a [u8], count: u8) -> Option<Self> {
        data.as_chunks().0.get(..usize::from(count)).map(Self)
    }

    /// Iterates over the blocks.
    pub fn iter(self) -> impl ExactSizeIterator<Item = ReportBlock> + Clone + 'a {
        self.0.iter().map(ReportBlock::from_bytes)
    }
}
