//! Extended report (RFC 3611), of which the two blocks are known that give round-trip time to those who don't send media:
//! receiver reference time (§4.4) goes out, delay since it (DLRR, §4.5) comes back.

use super::{CompoundWriter, Full, packet_type};

const RECEIVER_REFERENCE_TIME: u8 = 4;
const DLRR: u8 = 5;

/// Bytes of one report in a DLRR block.
const DLRR_REPORT_LEN: usize = 12;

/// Blocks of extended reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtendedReport<'a> {
    /// Who reports.
    pub ssrc: u32,
    blocks: &'a [u8],
}

/// A block of an extended report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XrBlock<'a> {
    /// The reporter's clock: 64-bit NTP, seconds since 1900 in the upper half.
    ReceiverReferenceTime(u64),
    /// Answers to such.
    Dlrr(DlrrReports<'a>),
    /// Another block type.
    Unknown(u8),
}

/// The reports of a DLRR block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DlrrReports<'a>(&'a [[u8; DLRR_REPORT_LEN]]);

/// The answer to one receiver's reference time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DlrrReport {
    /// The receiver.
    pub ssrc: u32,
    /// Middle 32 bits of its last reference time; 0 when there was none.
    pub last_rr: u32,
    /// Time since that arrived, in 1/65536 s.
    pub delay: u32,
}

impl<'a> DlrrReports<'a> {
    /// Iterates over the reports.
    pub fn iter(self) -> impl ExactSizeIterator<Item = DlrrReport> + Clone + 'a {
        self.0.iter().map(|&[s0, s1, s2, s3, r0, r1, r2, r3, d0, d1, d2, d3]| DlrrReport {
            ssrc: u32::from_be_bytes([s0, s1, s2, s3]),
            last_rr: u32::from_be_bytes([r0, r1, r2, r3]),
            delay: u32::from_be_bytes([d0, d1, d2, d3]),
        })
    }
}

impl<'a> ExtendedReport<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Option<Self> {
        let (ssrc, blocks) = body.split_first_chunk()?;
        let mut rest = blocks;
        while !rest.is_empty() {
            (_, rest) = split_block(rest)?;
        }
        Some(Self { ssrc: u32::from_be_bytes(*ssrc), blocks })
    }

    /// Iterates over the blocks.
    pub fn blocks(self) -> impl Iterator<Item = XrBlock<'a>> + Clone {
        let mut rest = self.blocks;
        std::iter::from_fn(move || {
            let (block, behind) = split_block(rest)?;
            rest = behind;
            Some(block)
        })
    }
}

/// Cuts the first block from `data` (RFC 3611 §3).
fn split_block(data: &[u8]) -> Option<(XrBlock<'_>, &[u8])> {
    let (&[block_type, _, w0, w1], rest) = data.split_first_chunk()?;
    let (body, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([w0, w1])) * 4)?;
    let block = match block_type {
        RECEIVER_REFERENCE_TIME => XrBlock::ReceiverReferenceTime(u64::from_be_bytes(*body.first_chunk()?)),
        DLRR => XrBlock::Dlrr(DlrrReports(body.as_chunks().0)),
        _ => XrBlock::Unknown(block_type),
    };
    Some((block, rest))
}

impl CompoundWriter<'_> {
    /// Adds the clock of the receiver `ssrc`, as 64-bit NTP.
    ///
    /// # Errors
    /// When it doesn't fit.
    pub fn receiver_reference_time(&mut self, ssrc: u32, ntp: u64) -> Result<(), Full> {
        let mut body = self.packet(packet_type::EXTENDED_REPORT, 0, 16)?;
        body.put_u32(ssrc);
        body.put(&[RECEIVER_REFERENCE_TIME, 0, 0, 2]);
        body.put_u64(ntp);
        Ok(())
    }

    /// Adds answers to reference times and returns how many of `reports` it took.
    ///
    /// # Errors
    /// When not even one report fits.
    pub fn dlrr(&mut self, ssrc: u32, reports: &[DlrrReport]) -> Result<usize, Full> {
        let count = self.fitting(8, DLRR_REPORT_LEN, reports.len(), usize::MAX)?;
        let mut body = self.packet(packet_type::EXTENDED_REPORT, 0, 8 + count * DLRR_REPORT_LEN)?;
        body.put_u32(ssrc);
        body.put(&[DLRR, 0]);
        body.put_u16((count * DLRR_REPORT_LEN / 4) as u16);
        for report in reports.iter().take(count) {
            body.put_u32(report.ssrc);
            body.put_u32(report.last_rr);
            body.put_u32(report.delay);
        }
        Ok(count)
    }
}
