//! One stream that a client sends: frames at their times, repairs, sender reports.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use mafalda_media::Now;
use mafalda_media::rtcp::{CompoundWriter, Full, SenderInfo};
use mafalda_media::rtp::OutgoingHeader;
use mafalda_media::rtp::extension::{ExtensionMask, Label};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::egress::{Egress, Outbound};
use super::protection::Sender;
use crate::media::{PAYLOAD_MAX, PacketPlan, Shape, Source};

/// Packets that can be asked for again: a few seconds of video, as browsers keep them.
const HISTORY_LEN: usize = 1024;

/// Repairs that wait for the next turn; more in one turn is an outage that repairs don't mend.
const REPAIRS_MAX: usize = 256;

/// Frames that a publisher makes up for when it was not run in time. More are left out and counted: the machine is too slow.
const FRAMES_BEHIND_MAX: u32 = 5;

/// Time between two sender reports: libwebrtc's for video.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// A request for a key frame that comes sooner than this after the last one that was heeded is passed over: libwebrtc's habit and figure.
const KEY_FRAME_INTERVAL: Duration = Duration::from_millis(300);

/// What is sent, and under which names.
#[derive(Clone, Debug)]
pub(crate) struct SendTrack {
    /// The number in all its markers, unlike for all streams of a run.
    pub(crate) stream: u32,
    /// How much.
    pub(crate) shape: Shape,
    /// SSRC of the media.
    pub(crate) ssrc: u32,
    /// Payload type of the media.
    pub(crate) payload_type: u8,
    /// SSRC and payload type of retransmissions; without it, they go under the media's own.
    pub(crate) rtx: Option<(u32, u8)>,
    /// The media section.
    pub(crate) mid: Label,
    /// Header extensions to send, under a Router's ids.
    pub(crate) extensions: ExtensionMask,
    /// The content of one packet in so many is spoiled, so that verification can be seen to work.
    pub(crate) spoil_every: Option<NonZeroU32>,
}

/// What one stream has sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SendCounters {
    /// Packets, without repairs.
    pub packets: u64,
    /// Their bytes on the wire.
    pub bytes: u64,
    /// Repairs sent.
    pub repairs: u64,
    /// Repairs asked for that were too old, or too many.
    pub unrepaired: u64,
    /// Key frames that were asked for.
    pub key_frame_requests: u64,
    /// Frames that were left out because their time had passed long ago: this machine is too slow.
    pub frames_skipped: u64,
}

/// The stream.
#[derive(Debug)]
pub(super) struct Outgoing {
    track: SendTrack,
    source: Source,
    begun: Instant,
    next_frame: Instant,
    /// Index of the first packet and of the first repair: under 2^15, as SRTP wants it (RFC 3711 §3.3.1).
    first_index: u64,
    next_rtx_index: u64,
    first_timestamp: u32,
    history: Vec<PacketPlan>,
    repairs: VecDeque<u64>,
    report_due: Instant,
    key_frame_at: Option<Instant>,
    octets: u64,
    counters: SendCounters,
}

impl Outgoing {
    /// A stream whose first frame is due within a frame's time of `now`, so that those of many publishers don't coincide.
    pub(super) fn new(track: SendTrack, now: Instant, mut rng: StdRng) -> Self {
        let begun = now + interval(&track.shape).mul_f64(rng.random());
        Self {
            source: Source::new(track.stream, track.shape, StdRng::from_rng(&mut rng)),
            track,
            begun,
            next_frame: begun,
            first_index: rng.random_range(0..1 << 14),
            next_rtx_index: rng.random_range(0..1 << 14),
            first_timestamp: rng.random(),
            history: Vec::with_capacity(HISTORY_LEN),
            repairs: VecDeque::new(),
            report_due: begun + REPORT_INTERVAL,
            key_frame_at: None,
            octets: 0,
            counters: SendCounters::default(),
        }
    }

    pub(super) fn track(&self) -> &SendTrack {
        &self.track
    }

    pub(super) fn counters(&self) -> SendCounters {
        self.counters
    }

    /// How many packets this stream's markers have numbered.
    pub(super) fn packets_made(&self) -> u64 {
        self.source.packets()
    }

    pub(super) fn set_shape(&mut self, shape: Shape) {
        self.source.set_shape(shape);
    }

    /// When there is something to send.
    pub(super) fn timeout(&self, ended: bool) -> Option<Instant> {
        (!ended).then(|| self.next_frame.min(self.report_due))
    }

    /// A receiver wants a key frame.
    pub(super) fn on_key_frame_wanted(&mut self, now: Instant) {
        self.counters.key_frame_requests += 1;
        let soon = self.key_frame_at.is_some_and(|at| now.saturating_duration_since(at) < KEY_FRAME_INTERVAL);
        if !soon {
            self.key_frame_at = Some(now);
            self.source.want_key_frame();
        }
    }

    /// A receiver misses a packet.
    pub(super) fn on_nack(&mut self, sequence: u16) {
        let newest = self.first_index + self.source.packets();
        let behind = u64::from((newest as u16).wrapping_sub(sequence));
        let number = self.source.packets().checked_sub(behind);
        match number.filter(|_| behind > 0 && self.repairs.len() < REPAIRS_MAX) {
            Some(number) => self.repairs.push_back(number),
            None => self.counters.unrepaired += 1,
        }
    }

    /// Sends the repairs that wait, then the frames whose time has come.
    pub(super) fn send_due(
        &mut self,
        egress: &mut Egress<'_>,
        sender: &Sender,
        transport_cc: &mut u16,
        clock: Clock,
    ) {
        while let Some(number) = self.repairs.pop_front() {
            match self.remembered(number) {
                Some(plan) => self.send_repair(egress, sender, transport_cc, &plan),
                None => self.counters.unrepaired += 1,
            }
        }
        if clock.ended {
            return;
        }
        let now = egress.now.at;
        let mut made = 0;
        while self.next_frame <= now {
            if made < FRAMES_BEHIND_MAX {
                self.send_frame(egress, sender, transport_cc, clock.since_epoch_ns);
                made += 1;
            } else {
                self.counters.frames_skipped += 1;
            }
            self.next_frame += interval(&self.track.shape);
        }
    }

    fn send_frame(&mut self, egress: &mut Egress<'_>, sender: &Sender, transport_cc: &mut u16, sent_ns: u64) {
        for plan in self.source.frame(sent_ns) {
            self.remember(plan);
            let mut payload = [0; PAYLOAD_MAX];
            let len = self.write(&plan, &mut payload);
            let header = self.header(&plan, self.track.payload_type, self.track.ssrc, self.index(&plan));
            let packet = Outbound {
                header,
                index: self.index(&plan),
                mid: Some(&self.track.mid),
                mask: self.track.extensions,
                prefix: &[],
                payload: &payload[..len],
            };
            if let Some(sent) = egress.send_rtp(sender, transport_cc, &packet) {
                self.counters.packets += 1;
                self.counters.bytes += sent as u64;
                self.octets += len as u64;
            }
        }
    }

    fn send_repair(
        &mut self,
        egress: &mut Egress<'_>,
        sender: &Sender,
        transport_cc: &mut u16,
        plan: &PacketPlan,
    ) {
        // Under the media's own SSRC the same index must stand for the same bytes, and the extensions of the first time are
        // not kept; streams without RTX are not repaired.
        let Some((ssrc, payload_type)) = self.track.rtx else {
            self.counters.unrepaired += 1;
            return;
        };
        let mut payload = [0; PAYLOAD_MAX];
        let len = self.write(plan, &mut payload);
        let index = self.next_rtx_index;
        let original = (self.index(plan) as u16).to_be_bytes();
        let packet = Outbound {
            header: self.header(plan, payload_type, ssrc, index),
            index,
            mid: Some(&self.track.mid),
            mask: self.track.extensions,
            prefix: &original,
            payload: &payload[..len],
        };
        if egress.send_rtp(sender, transport_cc, &packet).is_some() {
            self.next_rtx_index += 1;
            self.counters.repairs += 1;
        }
    }

    /// The payload, spoiled if it is its turn.
    fn write(&self, plan: &PacketPlan, payload: &mut [u8]) -> usize {
        let len = self.source.write(plan, payload);
        let spoiled =
            self.track.spoil_every.is_some_and(|every| plan.number.is_multiple_of(u64::from(every.get())));
        if let Some(last) = payload.get_mut(..len).and_then(<[u8]>::last_mut).filter(|_| spoiled) {
            *last ^= 0xff;
        }
        len
    }

    fn header(&self, plan: &PacketPlan, payload_type: u8, ssrc: u32, index: u64) -> OutgoingHeader {
        OutgoingHeader {
            marker: self.source.marker_bit(plan),
            payload_type,
            sequence: index as u16,
            timestamp: self.first_timestamp.wrapping_add(plan.ticks as u32),
            ssrc,
            padded: false,
        }
    }

    fn index(&self, plan: &PacketPlan) -> u64 {
        self.first_index + plan.number
    }

    fn remember(&mut self, plan: PacketPlan) {
        let at = plan.number as usize % HISTORY_LEN;
        match self.history.get_mut(at) {
            Some(slot) => *slot = plan,
            None => self.history.push(plan),
        }
    }

    fn remembered(&self, number: u64) -> Option<PacketPlan> {
        self.history.get(number as usize % HISTORY_LEN).filter(|plan| plan.number == number).copied()
    }

    /// Adds a sender report with the source's name if one is due (RFC 3550 §6.4.1, §6.5.1).
    pub(super) fn report(
        &mut self,
        now: Now,
        cname: &[u8],
        writer: &mut CompoundWriter<'_>,
    ) -> Result<(), Full> {
        if now.at < self.report_due {
            return Ok(());
        }
        self.report_due = now.at + REPORT_INTERVAL;
        let passed = now.at.saturating_duration_since(self.begun);
        let clock_rate = u128::from(self.track.shape.codec().clock_rate());
        let ticks = (passed.as_micros() * clock_rate / 1_000_000) as u32;
        let info = SenderInfo {
            ssrc: self.track.ssrc,
            ntp: now.ntp(),
            rtp_timestamp: self.first_timestamp.wrapping_add(ticks),
            packet_count: self.counters.packets as u32,
            octet_count: self.octets as u32,
        };
        writer.sender_report(&info, &[])?;
        writer.sdes_cname(self.track.ssrc, cname)
    }
}

/// What a stream must know of time beside `Now`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    /// For markers.
    pub(super) since_epoch_ns: u64,
    /// No more frames, repairs only.
    pub(super) ended: bool,
}

fn interval(shape: &Shape) -> Duration {
    Duration::from_secs(1) / shape.fps()
}
