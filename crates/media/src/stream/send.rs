//! One RTP media stream of a Consumer: numbering, log of what was sent, and what its receiver reports.
//!
//! It doesn't hold payloads: a NACK is answered with the index of the packet in the Producer's ring and with what its header
//! extensions held the first time. Which packets go to this Consumer is decided by who calls [`SendStream::map`] and
//! [`SendStream::skip`].

use std::time::{Duration, Instant};

use super::{
    StreamParams,
    counters::FeedbackCounters,
    index::extend,
    rate::RateWindow,
    report::{DEFAULT_RTT, ReceivedReport, SenderInfo, round_trip, rtp_ticks},
    score::{Delivery, Score},
};
use crate::Now;
use allowance::Allowance;
pub use log::{Resend, SentLog, SentPacket};
pub use map::SequenceMap;
use path::PathLoss;

mod allowance;
mod log;
mod map;
mod path;

/// A stream that sent nothing for so long gets no sender report: it would extrapolate a clock that may have stopped.
const QUIET: Duration = Duration::from_secs(2);

/// The statistics of a stream that is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendStats {
    /// Packets sent, those sent again under the same SSRC included.
    pub packets: u64,
    /// Their bytes, headers included.
    pub bytes: u64,
    /// Bits per second over the last 2.5 s.
    pub bitrate: u64,
    /// Packets lost on the way from here to the receiver, before repair.
    pub packets_lost: u64,
    /// Share of them in the last report interval, in 1/256.
    pub fraction_lost: u8,
    /// Jitter that the receiver sees, in units of the clock.
    pub jitter: u32,
    /// Packets sent again, each time counted.
    pub retransmitted: u64,
    /// Packets sent again for the first time.
    pub repaired: u64,
    /// Feedback received.
    pub feedback: FeedbackCounters,
    /// Round trip to the receiver, if measured.
    pub round_trip: Option<Duration>,
    /// 0 to 10.
    pub score: u8,
}

/// One RTP media stream of a Consumer.
///
/// In this order: what every packet needs comes first, so that it takes few cache lines.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct SendStream {
    params: StreamParams,
    octets: u32,
    map: SequenceMap,
    log: SentLog,
    highest_sent: Option<u64>,
    /// Timestamp of the packet with the highest one, and when it was first sent.
    reference: Option<(u32, Instant)>,
    last_sent: Option<Instant>,
    packets: u64,
    bytes: u64,
    rate: RateWindow,
    path: PathLoss,
    score: Score,
    retransmitted: u64,
    repaired: u64,
    jitter: u32,
    round_trip: Option<Duration>,
    allowance: Allowance,
    feedback: FeedbackCounters,
    /// Whether packets went out again under this SSRC since the last score sample.
    resent_itself: bool,
}

impl SendStream {
    /// How many of its first bytes every packet needs.
    pub(crate) const HOT_LEN: usize = std::mem::offset_of!(Self, rate) + RateWindow::HOT_LEN;

    /// A stream that forwards nothing until [`SendStream::start_at`]; `first_sequence` should be random in
    /// [`SequenceMap::FIRST`].
    #[must_use]
    pub fn new(params: StreamParams, first_sequence: u16) -> Self {
        Self {
            params,
            map: SequenceMap::new(first_sequence),
            log: SentLog::new(),
            highest_sent: None,
            reference: None,
            last_sent: None,
            rate: RateWindow::new(),
            path: PathLoss::default(),
            score: Score::new(),
            packets: 0,
            bytes: 0,
            octets: 0,
            retransmitted: 0,
            repaired: 0,
            jitter: 0,
            round_trip: None,
            allowance: Allowance::default(),
            feedback: FeedbackCounters::default(),
            resent_itself: false,
        }
    }

    /// What negotiation said of it.
    #[must_use]
    pub fn params(&self) -> StreamParams {
        self.params
    }

    /// From here on packets from `in_index` are forwarded, the first of them right behind what was sent: at the first key frame,
    /// after a pause, after a restart of the input.
    pub fn start_at(&mut self, in_index: u64) {
        self.map.start_at(in_index);
        self.reference = None;
    }

    /// The index under which the packet goes out; `None` if it isn't to be forwarded.
    pub fn map(&mut self, in_index: u64) -> Option<u64> {
        self.map.map(in_index)
    }

    /// The packet is not forwarded and leaves no gap.
    pub fn skip(&mut self, in_index: u64) {
        self.map.skip(in_index);
    }

    /// A mapped packet goes out for the first time.
    pub fn on_sent(&mut self, now: Now, packet: SentPacket) {
        self.count(now, packet.len, packet.payload_len);
        self.path.on_sent(packet.out_index, self.highest_sent);
        let late = self.highest_sent > Some(packet.out_index);
        self.highest_sent = self.highest_sent.max(Some(packet.out_index));
        if self.params.nack {
            self.log.on_sent(now, packet, late);
        }
        if self.reference.is_none_or(|(highest, _)| packet.timestamp.wrapping_sub(highest).cast_signed() > 0)
        {
            self.reference = Some((packet.timestamp, now.at));
        }
    }

    /// Brings near what noting the next `count` packets needs beside the stream itself.
    pub(crate) fn warm(&self, count: usize) {
        if self.params.nack {
            self.log.warm(count);
        }
    }

    /// Whether the receiver may have anything again: it has not had more of it than it was sent, but for a burst.
    pub fn may_resend(&mut self) -> bool {
        self.highest_sent.is_some_and(|highest| self.allowance.is_left(highest))
    }

    /// What to send again for sequence number `sequence` of a NACK; `None` if it is too old, was never sent, or was sent again within
    /// the last round trip. To be asked only while [`SendStream::may_resend`].
    pub fn on_nack(&mut self, now: Now, sequence: u16) -> Option<Resend> {
        let out_index = extend(self.highest_sent?, sequence)?;
        let resend = self.log.on_nack(now, out_index, self.round_trip.unwrap_or(DEFAULT_RTT))?;
        self.allowance.take();
        self.retransmitted += 1;
        self.repaired += u64::from(resend.first);
        Some(resend)
    }

    /// Another source begins, whose numbers mean other packets: what was sent so far can't be sent again.
    pub fn forget_sent(&mut self) {
        self.log = SentLog::new();
    }

    /// A packet goes out again under this SSRC; one that goes through RTX is counted there.
    pub fn on_resent(&mut self, now: Now, len: usize, payload_len: usize) {
        self.count(now, len, payload_len);
        self.resent_itself = true;
    }

    /// The receiver reports; the new score if it changed.
    pub fn on_report(&mut self, now: Now, report: ReceivedReport) -> Option<u8> {
        self.round_trip = round_trip(now, report.last_sr, report.delay_since_last_sr).or(self.round_trip);
        self.jitter = report.jitter;
        let delivery = self.path.on_report(report, self.highest_sent?, self.repaired, self.retransmitted)?;
        let under_own_ssrc = std::mem::take(&mut self.resent_itself);
        self.score.add(Delivery { under_own_ssrc, ..delivery }.score_of_sent())
    }

    /// The sender's part of a sender report; `None` before the first packet and when the stream is quiet for 2 s.
    #[must_use]
    pub fn sender_report(&self, now: Now) -> Option<SenderInfo> {
        let (timestamp, at) = self.reference?;
        if now.at.saturating_duration_since(self.last_sent?) > QUIET {
            return None;
        }
        let ticks = rtp_ticks(now.at.saturating_duration_since(at), self.params.clock_rate);
        Some(SenderInfo {
            ssrc: self.params.ssrc,
            ntp: now.ntp(),
            rtp_timestamp: timestamp.wrapping_add(ticks),
            packets: self.packets as u32,
            octets: self.octets,
        })
    }

    /// Counters of feedback received, for the caller to count messages.
    pub fn feedback_mut(&mut self) -> &mut FeedbackCounters {
        &mut self.feedback
    }

    /// Another source begins: the score forgets the last one.
    pub fn reset_score(&mut self) -> Option<u8> {
        self.score.reset(10)
    }

    /// 0 to 10.
    #[must_use]
    pub fn score(&self) -> u8 {
        self.score.value()
    }

    /// Share of packets lost from here to the receiver in the last report interval, in 1/256.
    #[must_use]
    pub fn fraction_lost(&self) -> u8 {
        self.path.fraction()
    }

    /// Round trip to the receiver, if measured.
    #[must_use]
    pub fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// Bits per second over the last 2.5 s.
    #[must_use]
    pub fn bitrate(&self, now: Now) -> u64 {
        self.rate.bitrate(now)
    }

    /// All statistics.
    #[must_use]
    pub fn stats(&self, now: Now) -> SendStats {
        SendStats {
            packets: self.packets,
            bytes: self.bytes,
            bitrate: self.rate.bitrate(now),
            packets_lost: self.path.lost(),
            fraction_lost: self.path.fraction(),
            jitter: self.jitter,
            retransmitted: self.retransmitted,
            repaired: self.repaired,
            feedback: self.feedback,
            round_trip: self.round_trip,
            score: self.score.value(),
        }
    }

    fn count(&mut self, now: Now, len: usize, payload_len: usize) {
        self.packets += 1;
        self.bytes += len as u64;
        self.octets = self.octets.wrapping_add(payload_len as u32);
        self.rate.record(now, len);
        self.last_sent = Some(now.at);
    }
}

#[cfg(test)]
mod tests;
