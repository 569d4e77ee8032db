//! RTCP that goes: reports once a second, and feedback when it is due.
//!
//! Packets are written in the clear into the turn's control queue; they are protected on their way out.

use std::time::Duration;

use mafalda_api::producer::ProducerTraceEventType;

use crate::log::note;
use crate::rtcp::{
    Arrival, COMPOUND_LEN_MAX, CompoundWriter, DlrrReport, FeedbackInfo, Full, ReportBlock, SenderInfo,
};
use crate::stream;
use crate::trace::{self, KeyFrameRequest};
use crate::worker::Turn;
use crate::worker::turn::Wrap;

use super::{Router, StreamKey, TransportKey};

/// Packets asked for with one look at the list. What is left comes with the next look, a millisecond later.
const NACKS_MAX: usize = 512;
/// How often a bitrate limit is repeated to the sender, as in mediasoup: REMB has no acknowledgement.
const REMB_INTERVAL: Duration = Duration::from_millis(1500);

impl Router {
    /// The round of reports of a Transport: what it sends (SR), what it receives (RR), and the clocks for round trips (XR).
    pub(super) fn report(&mut self, turn: &mut Turn, key: TransportKey) {
        let Some(transport) = self.transports.get(key) else { return };
        let ntp = turn.now.ntp();
        let mut compound = Compound::new(Wrap::Rtcp(self.key, key));
        let mut senders = 0;
        for consumer in transport.consumers.values() {
            for (stream, index) in consumer.rows_at() {
                let row = self.streams.get(stream).and_then(|stream| stream.rows.get(index));
                let Some(info) = row.and_then(|row| row.send.sender_report(turn.now)) else { continue };
                let cname = consumer.rtp_parameters.rtcp.cname.as_deref().unwrap_or_default();
                compound.add(turn, |writer| sender_report(writer, info, cname));
                senders += 1;
            }
        }
        if let Some(reference) = transport.reference.filter(|_| senders > 0) {
            let delay = turn.now.at.saturating_duration_since(reference.at).as_secs_f64() * 65_536.0;
            let echo = DlrrReport {
                ssrc: reference.ssrc,
                last_rr: (reference.ntp >> 16) as u32,
                delay: delay as u32,
            };
            let own = transport.feedback_ssrc;
            compound.add(turn, |writer| writer.dlrr(own, &[echo]).map(drop));
        }
        if transport.streams.is_empty() {
            return compound.flush(turn);
        }
        let (own, cname) = (transport.feedback_ssrc, transport.cname.as_deref().unwrap_or_default());
        self.blocks.clear();
        for key in &transport.streams {
            let Some(stream) = self.streams.get_mut(*key) else { continue };
            self.blocks.extend(stream.report(turn.now).map(ReportBlock::from));
        }
        let mut left = self.blocks.as_slice();
        loop {
            let mut taken = 0;
            compound.add(turn, |writer| {
                receiver_report(writer, own, left, cname, ntp).map(|count| taken = count)
            });
            left = left.get(taken..).unwrap_or_default();
            if left.is_empty() || taken == 0 {
                return compound.flush(turn);
            }
        }
    }

    /// Gives memory back that streams needed some time ago and need no more.
    pub(super) fn trim(&mut self, turn: &Turn, key: TransportKey) {
        let Some(transport) = self.transports.get(key) else { return };
        for key in &transport.streams {
            if let Some(stream) = self.streams.get_mut(*key) {
                stream.ring.trim(turn.now);
            }
        }
    }

    /// Asks the Producer for packets that are missing.
    pub(super) fn ask_for_lost(&mut self, turn: &mut Turn, key: StreamKey) {
        let Some(stream) = self.streams.get_mut(key) else { return };
        let Some(transport) = self.transports.get(stream.transport) else { return };
        let Some(recv) = stream.recv.as_mut() else { return };
        let mut lost = [0; NACKS_MAX];
        let count = recv.poll_nack(turn.now, &mut lost);
        let (own, ssrc) = (transport.feedback_ssrc, recv.params().ssrc);
        if count > 0 && stream.traced.contains(ProducerTraceEventType::Nack) {
            let (now, producer) = (turn.now, stream.producer);
            turn.effects.trace(|| Some(trace::nack_out(now, producer)));
        }
        let mut compound = Compound::new(Wrap::Rtcp(self.key, stream.transport));
        let mut lost = &lost[..count];
        while !lost.is_empty() {
            let mut taken = 0;
            compound.add(turn, |writer| writer.nack(own, ssrc, lost).map(|count| taken = count));
            if taken == 0 {
                break;
            }
            lost = &lost[taken..];
        }
        compound.flush(turn);
    }

    /// Somebody needs a key frame of this stream: its Producer is asked, unless it was just now.
    pub(super) fn request_key_frame(&mut self, turn: &mut Turn, key: StreamKey) {
        let Some(stream) = self.streams.get_mut(key) else { return };
        if stream.request_key_frame(turn.now) {
            self.ask_for_key_frame(turn, key);
        }
        self.set_stream_alarm(turn, key);
    }

    /// Sends a PLI, or a FIR where PLI was not negotiated.
    pub(super) fn ask_for_key_frame(&mut self, turn: &mut Turn, key: StreamKey) {
        let Some(stream) = self.streams.get_mut(key) else { return };
        let Some(transport) = self.transports.get(stream.transport) else { return };
        let (Some(format), Some(recv)) = (stream.formats.first(), stream.recv.as_mut()) else { return };
        let (own, ssrc) = (transport.feedback_ssrc, recv.params().ssrc);
        let mut compound = Compound::new(Wrap::Rtcp(self.key, stream.transport));
        let request = if format.pli { KeyFrameRequest::Pli } else { KeyFrameRequest::Fir };
        note!(turn.log, Debug, Rtcp, producer = %stream.producer, ssrc, ?request, "key frame asked for");
        if stream.traced.contains(request.of_producer()) {
            let (now, producer) = (turn.now, stream.producer);
            turn.effects.trace(|| Some(trace::key_frame_request_out(now, producer, request, ssrc)));
        }
        if format.pli {
            recv.feedback_mut().on_pli();
            compound.add(turn, |writer| writer.pli(own, ssrc));
        } else {
            recv.feedback_mut().on_fir();
            let entry = crate::rtcp::FirEntry { ssrc, sequence: stream.next_fir };
            stream.next_fir = stream.next_fir.wrapping_add(1);
            compound.add(turn, |writer| writer.fir(own, &[entry]).map(drop));
        }
        compound.flush(turn);
    }

    /// Tells the sender which of its packets have arrived, for its bandwidth estimation.
    pub(super) fn acknowledge(&mut self, turn: &mut Turn, key: TransportKey) {
        let Some(transport) = self.transports.get_mut(key) else { return };
        let (own, media_ssrc) = (transport.feedback_ssrc, transport.acknowledged_ssrc);
        let wrap = Wrap::Rtcp(self.key, key);
        let incoming = transport.traffic.received.bitrate(turn.now);
        let Some(log) = &mut transport.arrivals else { return };
        let mut compound = Compound::new(wrap);
        while let Some(due) = log.poll(turn.now) {
            let arrivals = due.arrivals.iter().map(|it| Arrival { sequence: it.sequence(), at_us: it.at_us });
            self.acknowledged.clear();
            self.acknowledged.extend(arrivals);
            let info = FeedbackInfo {
                sender_ssrc: own,
                media_ssrc,
                base_sequence: due.base,
                feedback_count: due.feedback_count,
            };
            let mut taken = 0;
            compound.add(turn, |writer| {
                writer.transport_feedback(&info, &self.acknowledged).map(|count| taken = count)
            });
            compound.flush(turn);
            // A batch of which nothing fits would never be done with.
            log.taken(turn.now, taken.max(1), incoming);
        }
    }

    /// Repeats the limit of what the peer shall send.
    pub(super) fn limit_sender(&mut self, turn: &mut Turn, key: TransportKey) {
        let Some(transport) = self.transports.get_mut(key) else { return };
        if transport.next_remb.is_none_or(|at| at > turn.now.at) {
            return;
        }
        let bitrate = match transport.max_incoming_bitrate {
            Some(bitrate) => bitrate,
            // The limit was lifted: the sender hears of it a few times, since REMB can be lost.
            None => UNLIMITED,
        };
        transport.next_remb = transport.remb_left().then(|| turn.now.at + REMB_INTERVAL);
        let ssrcs: Vec<u32> =
            transport.streams.iter().filter_map(|key| self.streams.get(*key)?.ssrc()).collect();
        let (own, wrap) = (transport.feedback_ssrc, Wrap::Rtcp(self.key, key));
        if !ssrcs.is_empty() {
            let mut compound = Compound::new(wrap);
            compound.add(turn, |writer| writer.remb(own, bitrate, &ssrcs).map(drop));
            compound.flush(turn);
        }
    }
}

/// What REMB says for no limit: more than any link carries, within what its 18 bits and exponent can say exactly.
const UNLIMITED: u64 = 1 << 40;

fn sender_report(writer: &mut CompoundWriter<'_>, info: stream::SenderInfo, cname: &str) -> Result<(), Full> {
    let info = SenderInfo {
        ssrc: info.ssrc,
        ntp: info.ntp,
        rtp_timestamp: info.rtp_timestamp,
        packet_count: info.packets,
        octet_count: info.octets,
    };
    writer.sender_report(&info, &[])?;
    writer.sdes_cname(info.ssrc, cname.as_bytes())
}

/// A report on as many streams as fit, which is returned: a Transport can have more than the 31 of one packet.
fn receiver_report(
    writer: &mut CompoundWriter<'_>,
    own: u32,
    blocks: &[ReportBlock],
    cname: &str,
    ntp: u64,
) -> Result<usize, Full> {
    let taken = writer.receiver_report(own, blocks)?;
    writer.sdes_cname(own, cname.as_bytes())?;
    writer.receiver_reference_time(own, ntp)?;
    Ok(taken)
}

/// What streams report, as it goes on the wire: they know no encoding.
impl From<stream::ReportBlock> for ReportBlock {
    fn from(block: stream::ReportBlock) -> Self {
        Self {
            ssrc: block.ssrc,
            fraction_lost: block.fraction_lost,
            cumulative_lost: block.cumulative_lost,
            highest_sequence: block.extended_highest,
            jitter: block.jitter,
            last_sr: block.last_sr,
            delay_since_last_sr: block.delay_since_last_sr,
        }
    }
}

/// A compound packet that is sent when the next part doesn't fit any more.
struct Compound {
    wrap: Wrap,
    bytes: [u8; COMPOUND_LEN_MAX],
    len: usize,
}

impl Compound {
    fn new(wrap: Wrap) -> Self {
        Self { wrap, bytes: [0; COMPOUND_LEN_MAX], len: 0 }
    }

    /// Adds a part that must not be torn apart; what doesn't fit an empty packet either is left out.
    fn add(&mut self, turn: &mut Turn, mut part: impl FnMut(&mut CompoundWriter<'_>) -> Result<(), Full>) {
        for _ in 0..2 {
            let mut writer = CompoundWriter::new(&mut self.bytes[self.len..]);
            if part(&mut writer).is_ok() {
                self.len += writer.len();
                return;
            }
            self.flush(turn);
        }
    }

    fn flush(&mut self, turn: &mut Turn) {
        if self.len > 0 {
            turn.effects.send(self.wrap, &self.bytes[..self.len]);
            self.len = 0;
        }
    }
}
