//! One RTP media stream of a Producer: which packets count, how well they arrive, what to ask for again.
//!
//! It sees the numbers of a packet after decryption, repaired packets with their original numbers. It does not look into payloads,
//! doesn't keep them (that is [`PayloadRing`](super::PayloadRing)) and doesn't write RTCP: it gives the values.

use std::time::{Duration, Instant};

use super::{
    StreamParams,
    counters::FeedbackCounters,
    nack::{NackGenerator, NackOutcome},
    rate::RateWindow,
    report::{self, ReportBlock},
    score::{Delivery, Score},
    sequence::{RecvDrop, Tracked},
};
use crate::Now;
pub(super) use reception::Reception;

mod loss;
mod reception;

/// The numbers of a packet that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArrivedPacket {
    /// Its own sequence number, or that of the packet that it repairs.
    pub sequence: u16,
    /// RTP timestamp.
    pub timestamp: u32,
    /// Length of the whole RTP packet.
    pub len: usize,
    /// Length behind header and without padding; zero for a packet of nothing but padding.
    pub payload_len: usize,
    /// Whether it came as a retransmission on the RTX stream.
    pub repaired: bool,
    /// Whether a decoder can start with it.
    pub key_frame: bool,
}

/// A packet to forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Its index in the stream: grows through restarts, carries the sequence number in the low 16 bits.
    pub index: u64,
    /// Whether it is ahead of all before.
    pub newest: bool,
    /// Whether a new numbering begins: Consumers have to start at this index.
    pub restarted: bool,
    /// Whether so much was lost that only a key frame helps: ask for one.
    pub key_frame_needed: bool,
    /// Whether the stream had been inactive: its score went from 0 to 10.
    pub revived: bool,
}

/// The statistics of a stream that is received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecvStats {
    /// Packets accepted, repaired ones included.
    pub packets: u64,
    /// Their bytes, headers included.
    pub bytes: u64,
    /// Bits per second over the last 2.5 s.
    pub bitrate: u64,
    /// Packets lost on the way here before repair, as reported to the sender.
    pub packets_lost: i32,
    /// Share lost in the interval before the last report, in 1/256.
    pub fraction_lost: u8,
    /// Jitter in units of the clock.
    pub jitter: u32,
    /// Packets dropped for numbers that fit nowhere.
    pub discarded: u64,
    /// Packets dropped because they had come before.
    pub duplicates: u64,
    /// Packets that came as retransmissions.
    pub retransmitted: u64,
    /// Those of them that were missing.
    pub repaired: u64,
    /// Feedback sent.
    pub feedback: FeedbackCounters,
    /// Round trip to the sender, if measured.
    pub round_trip: Option<Duration>,
    /// 0 to 10.
    pub score: u8,
}

/// One RTP media stream of a Producer.
#[derive(Clone, Debug)]
pub struct RecvStream {
    params: StreamParams,
    rtx: bool,
    reception: Reception,
    nack: NackGenerator,
    rate: RateWindow,
    score: Score,
    /// What the last score sample covered.
    scored: Delivery,
    activity: Option<Activity>,
    paused: bool,
    packets: u64,
    bytes: u64,
    retransmitted: u64,
    repaired: u64,
    /// Whether packets have come again under the own SSRC since the last score sample.
    repaired_itself: bool,
    feedback: FeedbackCounters,
    round_trip: Option<Duration>,
}

/// The watch over a stream that may fall silent while its siblings go on.
#[derive(Clone, Copy, Debug)]
struct Activity {
    limit: Duration,
    /// When the stream counts as inactive if no payload comes; `None` before the first and after that happened.
    deadline: Option<Instant>,
    dead: bool,
}

impl RecvStream {
    /// A stream that takes the first packet as it comes.
    ///
    /// `inactivity` is for streams with siblings (simulcast): after so long without payload the score is 0.
    #[must_use]
    pub fn new(params: StreamParams, inactivity: Option<Duration>) -> Self {
        Self {
            params,
            rtx: false,
            reception: Reception::new(params.ssrc, params.clock_rate),
            nack: NackGenerator::new(),
            rate: RateWindow::new(),
            score: Score::new(),
            scored: Delivery::default(),
            activity: inactivity.map(|limit| Activity { limit, deadline: None, dead: false }),
            paused: false,
            packets: 0,
            bytes: 0,
            retransmitted: 0,
            repaired: 0,
            repaired_itself: false,
            feedback: FeedbackCounters::default(),
            round_trip: None,
        }
    }

    /// The same stream, whose packets come again under another SSRC or not.
    #[must_use]
    pub fn with_rtx(mut self, rtx: bool) -> Self {
        self.rtx = rtx;
        self
    }

    /// What negotiation said of it.
    #[must_use]
    pub fn params(&self) -> StreamParams {
        self.params
    }

    /// Judges and counts a packet.
    ///
    /// # Errors
    /// Why to drop it.
    pub fn receive(&mut self, now: Now, packet: ArrivedPacket) -> Result<Accepted, RecvDrop> {
        self.retransmitted += u64::from(packet.repaired);
        let tracked = self.reception.receive(now, packet.sequence, packet.timestamp, packet.repaired)?;
        self.repaired += u64::from(packet.repaired);
        self.packets += 1;
        self.bytes += packet.len as u64;
        self.rate.record(now, packet.len);
        Ok(Accepted {
            index: tracked.index,
            newest: tracked.newest,
            restarted: tracked.restarted,
            key_frame_needed: self.watch_gaps(now, tracked, packet),
            revived: packet.payload_len > 0 && self.saw_payload(now),
        })
    }

    /// Writes the sequence numbers to ask for now into `out` and returns how many; when it comes back full, poll again.
    pub fn poll_nack(&mut self, now: Now, out: &mut [u16]) -> usize {
        let count = self.nack.poll(now, self.round_trip, out);
        if count > 0 {
            self.feedback.on_nack(count);
        }
        count
    }

    /// When to call [`RecvStream::handle_timeout`] and [`RecvStream::poll_nack`].
    #[must_use]
    pub fn timeout(&self) -> Option<Instant> {
        let inactive = self.activity.and_then(|activity| activity.deadline);
        inactive.into_iter().chain(self.nack.timeout()).min()
    }

    /// Time has passed; the new score if the stream became inactive.
    pub fn handle_timeout(&mut self, now: Now) -> Option<u8> {
        let activity = self.activity.as_mut()?;
        activity.deadline.take_if(|deadline| now.at >= *deadline)?;
        activity.dead = true;
        self.score.reset(0)
    }

    /// The producer was paused: nothing is asked for and silence means nothing.
    pub fn pause(&mut self) {
        self.paused = true;
        self.nack.reset();
        if let Some(activity) = &mut self.activity {
            activity.deadline = None;
        }
    }

    /// The producer goes on.
    pub fn resume(&mut self, now: Now) {
        self.paused = false;
        if let Some(activity) = self.activity.as_mut().filter(|activity| !activity.dead) {
            activity.deadline = Some(now.at + activity.limit);
        }
    }

    /// A sender report came for this stream; the new score if it changed.
    pub fn on_sender_report(&mut self, now: Now, ntp: u64, rtp_timestamp: u32) -> Option<u8> {
        self.reception.on_sender_report(now, ntp, rtp_timestamp);
        let total = Delivery {
            expected: self.reception.expected(),
            lost: self.reception.lost().unsigned_abs() * u64::from(self.reception.lost() > 0),
            repaired: self.repaired,
            retransmitted: self.retransmitted,
            under_own_ssrc: std::mem::take(&mut self.repaired_itself),
        };
        let interval = total.since(self.scored);
        self.scored = total;
        if self.activity.is_some_and(|activity| activity.dead) {
            return None;
        }
        self.score.add(interval.score_of_received())
    }

    /// The last sender report: NTP time, RTP timestamp, and when it came.
    #[must_use]
    pub fn sender_report(&self) -> Option<(u64, u32, Now)> {
        self.reception.sender_report()
    }

    /// The sender echoed our receiver reference time (RFC 3611 §4.5).
    pub fn on_reference_echo(&mut self, now: Now, last_rr: u32, delay_since_last_rr: u32) {
        self.round_trip = report::round_trip(now, last_rr, delay_since_last_rr).or(self.round_trip);
    }

    /// The block for a receiver report, which ends the interval of its fraction; `None` before the first packet.
    pub fn report(&mut self, now: Now) -> Option<ReportBlock> {
        self.reception.report(now)
    }

    /// Counters of feedback sent, for the caller to count PLIs and FIRs.
    pub fn feedback_mut(&mut self) -> &mut FeedbackCounters {
        &mut self.feedback
    }

    /// 0 to 10.
    #[must_use]
    pub fn score(&self) -> u8 {
        self.score.value()
    }

    /// Round trip to the sender, if measured.
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
    pub fn stats(&self, now: Now) -> RecvStats {
        RecvStats {
            packets: self.packets,
            bytes: self.bytes,
            bitrate: self.rate.bitrate(now),
            packets_lost: self.reception.cumulative_lost(),
            fraction_lost: self.reception.fraction_lost(),
            jitter: self.reception.jitter(),
            discarded: self.reception.discarded(),
            duplicates: self.reception.duplicates(),
            retransmitted: self.retransmitted,
            repaired: self.repaired,
            feedback: self.feedback,
            round_trip: self.round_trip,
            score: self.score.value(),
        }
    }

    /// Tells the NACK list; whether a key frame is needed. A stream without RTX repairs under its own SSRC: what was asked for and
    /// comes counts as repaired too. With RTX that would be a packet that was only late.
    fn watch_gaps(&mut self, now: Now, tracked: Tracked, packet: ArrivedPacket) -> bool {
        if !self.params.nack || self.paused {
            return false;
        }
        if tracked.restarted {
            self.nack.reset();
        }
        match self.nack.on_packet(now, tracked.index, packet.key_frame) {
            NackOutcome::Noted => false,
            NackOutcome::KeyFrameNeeded => true,
            NackOutcome::Recovered { asked } => {
                let under_own_ssrc = asked && !packet.repaired && !self.rtx;
                self.repaired_itself |= under_own_ssrc;
                self.repaired += u64::from(under_own_ssrc);
                self.retransmitted += u64::from(under_own_ssrc);
                false
            }
        }
    }

    /// Puts the inactivity deadline off; whether the stream was inactive.
    fn saw_payload(&mut self, now: Now) -> bool {
        let Some(activity) = &mut self.activity else { return false };
        if !self.paused {
            activity.deadline = Some(now.at + activity.limit);
        }
        let revived = std::mem::take(&mut activity.dead);
        if revived {
            self.score.reset(10);
        }
        revived
    }
}

#[cfg(test)]
mod tests;
