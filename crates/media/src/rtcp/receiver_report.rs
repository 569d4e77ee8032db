//! Receiver report (RFC 3550 §6.4.2).

use super::report_block::{REPORT_BLOCK_LEN, REPORT_BLOCKS_MAX};
use super::{CompoundWriter, Full, ReportBlock, ReportBlocks, packet_type};

/// What a receiver received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiverReport<'a> {
    /// Who reports.
    pub ssrc: u32,
    /// One block per stream; there may be none.
    pub blocks: ReportBlocks<'a>,
}

impl<'a> ReceiverReport<'a> {
    pub(super) fn parse(body: &'a [u8], count: u8) -> Option<Self> {
        let (ssrc, rest) = body.split_first_chunk()?;
        Some(Self { ssrc: u32::from_be_bytes(*ssrc), blocks: ReportBlocks::parse(rest, count)? })
    }
}

impl CompoundWriter<'_> {
    /// Adds a receiver report from `ssrc` and returns how many of `blocks` it took.
    ///
    /// # Errors
    /// When the report, with one block if there are any, doesn't fit.
    pub fn receiver_report(&mut self, ssrc: u32, blocks: &[ReportBlock]) -> Result<usize, Full> {
        let count = self.fitting(4, REPORT_BLOCK_LEN, blocks.len(), REPORT_BLOCKS_MAX)?;
        let mut body =
            self.packet(packet_type::RECEIVER_REPORT, count as u8, 4 + count * REPORT_BLOCK_LEN)?;
        body.put_u32(ssrc);
        blocks.iter().take(count).for_each(|block| block.write(&mut body));
        Ok(count)
    }
}
