//! What a receiver report says about one SSRC, media or RTX.

use super::loss::LossCounter;
use crate::{
    Now,
    stream::{
        jitter::Jitter,
        report::{ReportBlock, compact, middle},
        sequence::{RecvDrop, SequenceTracker, Tracked},
    },
};

/// Sequence, loss and jitter of one SSRC, and the last sender report.
#[derive(Clone, Debug)]
pub(in crate::stream) struct Reception {
    ssrc: u32,
    sequence: SequenceTracker,
    loss: LossCounter,
    jitter: Jitter,
    sender_report: Option<(u64, u32, Now)>,
    discarded: u64,
    duplicates: u64,
}

impl Reception {
    pub(in crate::stream) fn new(ssrc: u32, clock_rate: u32) -> Self {
        Self {
            ssrc,
            sequence: SequenceTracker::new(),
            loss: LossCounter::default(),
            jitter: Jitter::new(clock_rate),
            sender_report: None,
            discarded: 0,
            duplicates: 0,
        }
    }

    /// Judges a packet. One that came under another SSRC (`repaired`) stays lost in the reports: they tell the sender of the path.
    pub(in crate::stream) fn receive(
        &mut self,
        now: Now,
        sequence: u16,
        timestamp: u32,
        repaired: bool,
    ) -> Result<Tracked, RecvDrop> {
        let verdict = self.sequence.track(sequence, repaired);
        match verdict {
            Ok(tracked) if tracked.newest => self.loss.on_newest(tracked.index, tracked.restarted),
            Ok(tracked) if !repaired => self.loss.on_late(tracked.index),
            Ok(_) => {}
            Err(RecvDrop::Duplicate) => self.duplicates += 1,
            Err(RecvDrop::TooOld | RecvDrop::BadSequence) => self.discarded += 1,
        }
        if !repaired && matches!(verdict, Ok(_) | Err(RecvDrop::Duplicate)) {
            self.loss.on_received();
        }
        if !repaired && verdict.is_ok() {
            self.jitter.on_packet(now, timestamp);
        }
        verdict
    }

    pub(in crate::stream) fn on_sender_report(&mut self, now: Now, ntp: u64, rtp_timestamp: u32) {
        self.sender_report = Some((ntp, rtp_timestamp, now));
    }

    pub(in crate::stream) fn report(&mut self, now: Now) -> Option<ReportBlock> {
        let highest = self.loss.highest()?;
        let sender = self.sender_report;
        Some(ReportBlock {
            ssrc: self.ssrc,
            fraction_lost: self.loss.end_interval(),
            cumulative_lost: self.loss.cumulative(),
            // Indices begin one cycle up.
            extended_highest: highest.wrapping_sub(1 << 16) as u32,
            jitter: self.jitter.value(),
            last_sr: sender.map_or(0, |(ntp, ..)| middle(ntp)),
            delay_since_last_sr: sender
                .map_or(0, |(.., at)| compact(now.at.saturating_duration_since(at.at))),
        })
    }

    pub(in crate::stream) fn sender_report(&self) -> Option<(u64, u32, Now)> {
        self.sender_report
    }

    pub(in crate::stream) fn expected(&self) -> u64 {
        self.loss.expected()
    }

    pub(in crate::stream) fn lost(&self) -> i64 {
        self.loss.lost()
    }

    pub(in crate::stream) fn cumulative_lost(&self) -> i32 {
        self.loss.cumulative()
    }

    pub(in crate::stream) fn fraction_lost(&self) -> u8 {
        self.loss.fraction()
    }

    pub(in crate::stream) fn jitter(&self) -> u32 {
        self.jitter.value()
    }

    pub(in crate::stream) fn discarded(&self) -> u64 {
        self.discarded
    }

    pub(in crate::stream) fn duplicates(&self) -> u64 {
        self.duplicates
    }
}
