//! What a receiving client tells the server: what it misses, how well it receives, when packets arrived, and that it needs a
//! key frame; as browsers do.

use std::time::{Duration, Instant};

use mafalda_media::Now;
use mafalda_media::rtcp::{self, CompoundWriter, FeedbackInfo, ReportBlock};
use mafalda_media::stream::ArrivalLog;
use rand::RngExt;
use rand::rngs::StdRng;

use super::incoming::Incoming;

/// Time between two receiver reports, before a random factor of 0.5 to 1.5 (RFC 3550 §6.2): libwebrtc's for video.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// Numbers of one NACK poll; when it comes back full, the rest comes in the next.
const NACK_MAX: usize = 256;

/// Blocks of one receiver report: their count has five bits.
const REPORT_BLOCKS_MAX: usize = 31;

/// Arrivals of one feedback message that are handed to the writer at once; it takes as many as fit.
const ARRIVALS_MAX: usize = 512;

/// The feedback of one client.
#[derive(Debug)]
pub(super) struct Feedback {
    /// Whom the server hears it from: an SSRC of its own.
    ssrc: u32,
    arrivals: ArrivalLog,
    nack_due: Option<Instant>,
    report_due: Option<Instant>,
    /// Where the next report goes on, when there are more streams than one can hold.
    report_from: usize,
    arrived_bytes: u64,
    arrived_since: Option<Instant>,
    counters: FeedbackCounters,
}

/// How much feedback was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeedbackCounters {
    /// Packets asked for again.
    pub nacked: u64,
    /// Receiver reports.
    pub reports: u64,
    /// Messages of transport-wide feedback.
    pub arrivals: u64,
    /// Key frames asked for.
    pub key_frame_requests: u64,
}

impl Feedback {
    pub(super) fn new(ssrc: u32) -> Self {
        Self {
            ssrc,
            arrivals: ArrivalLog::new(),
            nack_due: None,
            report_due: None,
            report_from: 0,
            arrived_bytes: 0,
            arrived_since: None,
            counters: FeedbackCounters::default(),
        }
    }

    pub(super) fn counters(&self) -> FeedbackCounters {
        self.counters
    }

    /// A packet with a transport-wide number has come.
    pub(super) fn on_arrival(&mut self, now: Now, sequence: u16, len: usize) {
        self.arrivals.on_packet(now, sequence);
        self.arrived_since.get_or_insert(now.at);
        self.arrived_bytes += len as u64;
    }

    /// A stream may miss something now.
    pub(super) fn on_gap(&mut self, due: Instant) {
        self.nack_due = Some(self.nack_due.map_or(due, |earlier| earlier.min(due)));
    }

    /// A stream is received from now on.
    pub(super) fn on_stream(&mut self, now: Instant) {
        self.report_due.get_or_insert(now + REPORT_INTERVAL);
    }

    /// The next report is due now: there is something else to be told by it.
    pub(super) fn hurry(&mut self, now: Instant) {
        self.report_due = Some(now);
    }

    pub(super) fn timeout(&self) -> Option<Instant> {
        [self.arrivals.timeout(), self.nack_due, self.report_due].into_iter().flatten().min()
    }

    /// Writes what is due, as much as one compound packet holds; to be called until nothing is written.
    pub(super) fn write(
        &mut self,
        now: Now,
        streams: &mut [Incoming],
        rng: &mut StdRng,
        writer: &mut CompoundWriter<'_>,
    ) {
        self.write_report(now, streams, rng, writer);
        self.write_key_frame_requests(now, streams, writer);
        self.write_nacks(now, streams, writer);
        self.write_arrivals(now, streams, writer);
    }

    fn write_report(
        &mut self,
        now: Now,
        streams: &mut [Incoming],
        rng: &mut StdRng,
        writer: &mut CompoundWriter<'_>,
    ) {
        if self.report_due.is_none_or(|due| now.at < due) {
            return;
        }
        let blocks: Vec<ReportBlock> = streams
            .iter_mut()
            .skip(self.report_from)
            .take(REPORT_BLOCKS_MAX)
            .filter_map(|stream| stream.recv_mut().report(now))
            .map(ReportBlock::from)
            .collect();
        if writer.receiver_report(self.ssrc, &blocks).is_err() {
            return;
        }
        self.counters.reports += 1;
        self.report_from += REPORT_BLOCKS_MAX;
        if self.report_from >= streams.len() {
            self.report_from = 0;
            self.report_due = Some(now.at + REPORT_INTERVAL.mul_f64(rng.random_range(0.5..1.5)));
        }
    }

    fn write_key_frame_requests(
        &mut self,
        now: Now,
        streams: &mut [Incoming],
        writer: &mut CompoundWriter<'_>,
    ) {
        for stream in streams {
            if stream.take_key_frame_request(now.at) && writer.pli(self.ssrc, stream.track().ssrc).is_ok() {
                self.counters.key_frame_requests += 1;
            }
        }
    }

    fn write_nacks(&mut self, now: Now, streams: &mut [Incoming], writer: &mut CompoundWriter<'_>) {
        if self.nack_due.is_none_or(|due| now.at < due) {
            return;
        }
        let mut lost = [0; NACK_MAX];
        for stream in streams.iter_mut() {
            let count = stream.recv_mut().poll_nack(now, &mut lost);
            if count == 0 {
                continue;
            }
            // What doesn't fit is asked for again in its time, as if the message were lost.
            if let Ok(taken) = writer.nack(self.ssrc, stream.track().ssrc, &lost[..count]) {
                self.counters.nacked += taken as u64;
            }
        }
        self.nack_due = streams.iter_mut().filter_map(|stream| stream.recv_mut().timeout()).min();
    }

    fn write_arrivals(&mut self, now: Now, streams: &[Incoming], writer: &mut CompoundWriter<'_>) {
        let Some(media_ssrc) = streams.first().map(|stream| stream.track().ssrc) else { return };
        let bitrate = self.incoming_bitrate(now);
        let Some(batch) = self.arrivals.poll(now) else { return };
        let info = FeedbackInfo {
            sender_ssrc: self.ssrc,
            media_ssrc,
            base_sequence: batch.base,
            feedback_count: batch.feedback_count,
        };
        let mut arrivals = [rtcp::Arrival { sequence: 0, at_us: 0 }; ARRIVALS_MAX];
        let count = batch.arrivals.len().min(ARRIVALS_MAX);
        for (slot, arrival) in arrivals.iter_mut().zip(batch.arrivals) {
            *slot = rtcp::Arrival { sequence: arrival.sequence(), at_us: arrival.at_us };
        }
        if let Ok(taken) = writer.transport_feedback(&info, &arrivals[..count]) {
            self.arrivals.taken(now, taken, bitrate);
            self.counters.arrivals += 1;
        }
    }

    /// Bits per second since the last feedback but for the first moments, which say too little.
    fn incoming_bitrate(&mut self, now: Now) -> u64 {
        let passed =
            self.arrived_since.map_or(0, |since| now.at.saturating_duration_since(since).as_millis());
        let bitrate = u128::from(self.arrived_bytes) * 8000 / passed.max(1);
        if passed > 1000 {
            self.arrived_since = Some(now.at);
            self.arrived_bytes = 0;
        }
        u64::try_from(bitrate).unwrap_or(u64::MAX)
    }
}
