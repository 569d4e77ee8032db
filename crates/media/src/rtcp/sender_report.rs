//! Sender report (RFC 3550 §6.4.1).

use super::report_block::{REPORT_BLOCK_LEN, REPORT_BLOCKS_MAX};
use super::{CompoundWriter, Full, ReportBlock, ReportBlocks, packet_type};

/// Bytes in front of the blocks.
const FIXED_LEN: usize = 24;

/// What a sender sent and what it received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderReport<'a> {
    /// What it sent.
    pub info: SenderInfo,
    /// What it received.
    pub blocks: ReportBlocks<'a>,
}

/// What a sender says about its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderInfo {
    /// The stream.
    pub ssrc: u32,
    /// The sender's clock: 64-bit NTP, seconds since 1900 in the upper half.
    pub ntp: u64,
    /// The same moment in units of the media timestamp.
    pub rtp_timestamp: u32,
    /// Packets sent since the beginning.
    pub packet_count: u32,
    /// Bytes of payload sent since the beginning.
    pub octet_count: u32,
}

impl<'a> SenderReport<'a> {
    pub(super) fn parse(body: &'a [u8], count: u8) -> Option<Self> {
        let (ssrc, rest) = body.split_first_chunk()?;
        let (ntp, rest) = rest.split_first_chunk()?;
        let (rtp_timestamp, rest) = rest.split_first_chunk()?;
        let (packet_count, rest) = rest.split_first_chunk()?;
        let (octet_count, rest) = rest.split_first_chunk()?;
        let info = SenderInfo {
            ssrc: u32::from_be_bytes(*ssrc),
            ntp: u64::from_be_bytes(*ntp),
            rtp_timestamp: u32::from_be_bytes(*rtp_timestamp),
            packet_count: u32::from_be_bytes(*packet_count),
            octet_count: u32::from_be_bytes(*octet_count),
        };
        Some(Self { info, blocks: ReportBlocks::parse(rest, count)? })
    }
}

impl CompoundWriter<'_> {
    /// Adds a sender report and returns how many of `blocks` it took.
    ///
    /// # Errors
    /// When the report, with one block if there are any, doesn't fit.
    pub fn sender_report(&mut self, info: &SenderInfo, blocks: &[ReportBlock]) -> Result<usize, Full> {
        let count = self.fitting(FIXED_LEN, REPORT_BLOCK_LEN, blocks.len(), REPORT_BLOCKS_MAX)?;
        let body_len = FIXED_LEN + count * REPORT_BLOCK_LEN;
        let mut body = self.packet(packet_type::SENDER_REPORT, count as u8, body_len)?;
        body.put_u32(info.ssrc);
        body.put_u64(info.ntp);
        body.put_u32(info.rtp_timestamp);
        body.put_u32(info.packet_count);
        body.put_u32(info.octet_count);
        blocks.iter().take(count).for_each(|block| block.write(&mut body));
        Ok(count)
    }
}
