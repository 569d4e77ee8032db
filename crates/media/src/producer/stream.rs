//! One RTP stream of a Producer: what its packets meet in the Router, and the rows of those who get them.

use std::ops::Range;
use std::time::{Duration, Instant};

use mafalda_api::id::ProducerId;
use mafalda_api::producer::{ProducerScore, ProducerTraceEventType};

use super::{Format, Formats};
use crate::Now;
use crate::buffer::Batch;
use crate::codec::{self, Codec};
use crate::consumer::Row;
use crate::router::TransportKey;
use crate::rtp::extension::{AbsCaptureTime, AudioLevel, Extensions, PlayoutDelay, VideoOrientation};
use crate::rtp::red::{self, Primary};
use crate::rtp::{RtpHeader, rtx};
use crate::stream::{
    ArrivedPacket, KeyFrameAction, KeyFrameRequests, PayloadRing, RecvStream, ReportBlock, RingLimits,
    RtxRecvStream, StoredMeta, StreamParams,
};
use crate::trace::{self, Traced, TracedPacket};
use crate::worker::Turn;
use crate::worker::drops::DropReason;
use crate::worker::timers::Alarm;

/// What of a packet's header extensions goes on to Consumers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Carried {
    pub(crate) audio_level: Option<AudioLevel>,
    pub(crate) video_orientation: Option<VideoOrientation>,
    pub(crate) abs_capture_time: Option<AbsCaptureTime>,
    pub(crate) playout_delay: Option<PlayoutDelay>,
    /// In the Router's numbers.
    pub(crate) payload_type: u8,
    /// Whether there is nothing but silence in it.
    pub(crate) silent: bool,
    /// Of RED, in the Router's numbers too.
    pub(crate) primary: Option<Primary>,
}

/// Says which packets a stream's indices mean. Each new SSRC begins another one; no two streams have the same, wherever they were
/// made, since the first is drawn at random.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Numbering(pub(crate) u64);

/// A packet of this turn that is to be forwarded. Its payload lies in the turn's batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub(crate) index: u64,
    pub(crate) timestamp: u32,
    pub(crate) marker: bool,
    /// Whether a Consumer may begin with it.
    pub(crate) begins: bool,
    /// How many indices it is behind the newest packet: it came late.
    pub(crate) behind: u64,
    pub(crate) carried: Carried,
    /// Where in the batch.
    pub(crate) start: u32,
    pub(crate) len: u16,
}

impl Arrival {
    pub(crate) fn range(&self) -> Range<usize> {
        self.start as usize..self.start as usize + usize::from(self.len)
    }
}

/// A decrypted packet on its way in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inbound<'a> {
    pub(crate) packet: &'a [u8],
    /// Where the packet begins in the batch.
    pub(crate) start: usize,
    pub(crate) header: RtpHeader,
    pub(crate) extensions: &'a Extensions,
    /// Of RED, translated.
    pub(crate) primary: Option<Primary>,
}

/// What came of a packet besides its forwarding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StreamNews {
    /// So much is missing, or the stream is so new, that only a key frame helps.
    pub(crate) key_frame_needed: bool,
    /// The score changed.
    pub(crate) scored: bool,
    /// How loud it is, if somebody listens.
    pub(crate) level: Option<AudioLevel>,
    /// How the picture lies, if otherwise than before.
    pub(crate) turned: Option<VideoOrientation>,
}

/// One RTP stream of a Producer.
#[derive(Debug)]
pub(crate) struct ProducerStream {
    pub(crate) producer: ProducerId,
    pub(crate) transport: TransportKey,
    pub(crate) encoding: usize,
    pub(crate) formats: Formats,
    pub(crate) rid: Option<String>,
    /// `None` until the first packet, where negotiation names no SSRC.
    pub(crate) recv: Option<RecvStream>,
    pub(crate) rtx: Option<RtxRecvStream>,
    pub(crate) ring: PayloadRing<Carried>,
    inactivity: Option<Duration>,
    pub(crate) key_frames: KeyFrameRequests,
    pub(crate) paused: bool,
    /// Whether RtpObservers listen to it.
    pub(crate) observed: bool,
    /// What is told of its packets one by one.
    pub(crate) traced: Traced<ProducerTraceEventType>,
    /// How its picture lay last.
    orientation: Option<VideoOrientation>,
    /// Whether a packet has come since it was bound.
    begun: bool,
    pub(crate) numbering: Numbering,
    /// The index of the newest packet.
    highest: u64,
    /// What came in this turn.
    pub(crate) arrivals: Vec<Arrival>,
    /// Who gets it.
    pub(crate) rows: Vec<Row>,
    pub(crate) alarm: Alarm,
    /// FIR commands are numbered (RFC 5104 §4.3.1.1).
    pub(crate) next_fir: u8,
    /// Whether its score is about to be told.
    pub(crate) scored: bool,
}

/// How a Producer's stream is made.
#[derive(Clone, Debug)]
pub(crate) struct StreamSettings {
    pub(crate) producer: ProducerId,
    pub(crate) transport: TransportKey,
    pub(crate) formats: Formats,
    /// Its place among the Producer's encodings.
    pub(crate) encoding: usize,
    pub(crate) rid: Option<String>,
    pub(crate) key_frame_request_delay: Duration,
    /// After how long without media it counts as gone; `None`: never, a stream without siblings may rest.
    pub(crate) inactivity: Option<Duration>,
}

impl ProducerStream {
    pub(crate) fn new(settings: StreamSettings, numbering: Numbering) -> Self {
        let StreamSettings { producer, transport, formats, encoding, rid, .. } = settings;
        let audio = formats.first().is_some_and(|format| !format.codec.knows_key_frames());
        Self {
            producer,
            transport,
            encoding,
            formats,
            rid,
            recv: None,
            rtx: None,
            ring: PayloadRing::new(if audio { RingLimits::AUDIO } else { RingLimits::VIDEO }),
            inactivity: settings.inactivity,
            key_frames: KeyFrameRequests::new(settings.key_frame_request_delay),
            paused: false,
            observed: false,
            traced: Traced::default(),
            orientation: None,
            begun: false,
            numbering,
            highest: 0,
            arrivals: Vec::new(),
            rows: Vec::new(),
            alarm: Alarm::default(),
            next_fir: 0,
            scored: false,
        }
    }

    /// The stream has this SSRC from now on. One that had another begins anew: Consumers wait for its next key frame.
    pub(crate) fn bind(&mut self, ssrc: u32) {
        let Some(format) = self.formats.first() else { return };
        let params = StreamParams { ssrc, clock_rate: format.clock_rate, nack: format.nack };
        self.begun = false;
        let recv = RecvStream::new(params, self.inactivity).with_rtx(format.rtx.is_some());
        if self.recv.replace(recv).is_some() {
            let Numbering(last) = self.numbering;
            self.numbering = Numbering(last.wrapping_add(1));
            self.highest = 0;
            self.begin_anew();
        }
        if self.paused
            && let Some(recv) = &mut self.recv
        {
            recv.pause();
        }
    }

    /// What came before is of no use any more, not even what came in this turn.
    fn begin_anew(&mut self) {
        self.ring.clear();
        self.arrivals.clear();
        for row in &mut self.rows {
            row.join(self.numbering, self.highest);
            row.hold();
        }
    }

    /// A Consumer's row comes, behind the others.
    pub(crate) fn add(&mut self, mut row: Row) {
        row.join(self.numbering, self.highest);
        self.rows.push(row);
    }

    /// Its retransmissions have this SSRC from now on.
    pub(crate) fn bind_rtx(&mut self, ssrc: u32) {
        let clock_rate = self.formats.first().map_or(0, |format| format.clock_rate);
        self.rtx = Some(RtxRecvStream::new(ssrc, clock_rate));
    }

    pub(crate) fn ssrc(&self) -> Option<u32> {
        self.recv.as_ref().map(|recv| recv.params().ssrc)
    }

    /// Where the packet is RED, gives what is in it the Router's payload types, and finds the newest frame.
    #[inline]
    pub(crate) fn translate(
        &self,
        header: &RtpHeader,
        packet: &mut [u8],
    ) -> Result<Option<Primary>, DropReason> {
        if !self.formats.is_red(header.payload_type) || header.payload_len == 0 {
            return Ok(None);
        }
        let payload = packet.get_mut(header.payload_range()).ok_or(DropReason::MalformedRed)?;
        let primary = red::translate(payload, |payload_type| self.formats.held(payload_type));
        primary.map(Some).map_err(|_| DropReason::MalformedRed)
    }

    /// Takes a packet of the stream itself.
    pub(crate) fn receive(
        &mut self,
        turn: &mut Turn,
        inbound: Inbound<'_>,
    ) -> Result<StreamNews, DropReason> {
        let format = *self.formats.media(inbound.header.payload_type).ok_or(DropReason::UnknownSource)?;
        self.accept(turn, inbound, format, false)
    }

    /// Takes a retransmission (RFC 4588 §4): what it carries is a packet of the stream that was lost.
    pub(crate) fn receive_rtx(
        &mut self,
        turn: &mut Turn,
        inbound: Inbound<'_>,
    ) -> Result<StreamNews, DropReason> {
        let header = inbound.header;
        let format = *self.formats.of_rtx(header.payload_type).ok_or(DropReason::UnknownSource)?;
        let rtx = self.rtx.as_mut().ok_or(DropReason::UnknownSource)?;
        let counted = rtx.receive(turn.now, header.sequence, header.timestamp, inbound.packet.len());
        counted.map_err(|_| DropReason::OutOfSequence)?;
        let ssrc = self.ssrc().ok_or(DropReason::UnknownSource)?;
        let restored = rtx::restore(&header, inbound.packet, ssrc, format.payload_type);
        match restored.filter(|media| media.payload_len > 0) {
            Some(media) => self.accept(turn, Inbound { header: media, ..inbound }, format, true),
            // Padding without a packet in it is how browsers probe for bandwidth: it is counted, and that is all.
            None => Ok(StreamNews::default()),
        }
    }

    fn accept(
        &mut self,
        turn: &mut Turn,
        inbound: Inbound<'_>,
        format: Format,
        repaired: bool,
    ) -> Result<StreamNews, DropReason> {
        let range = inbound.header.payload_range();
        let payload = inbound.header.payload(inbound.packet);
        let recv = self.recv.as_mut().ok_or(DropReason::UnknownSource)?;
        let key_frame = codec::is_key_frame(format.codec, payload);
        let arrived = ArrivedPacket {
            sequence: inbound.header.sequence,
            timestamp: inbound.header.timestamp,
            len: media_len(&inbound, repaired),
            payload_len: payload.len(),
            repaired,
            key_frame,
        };
        let accepted = recv.receive(turn.now, arrived).map_err(|_| DropReason::OutOfSequence)?;
        if accepted.restarted {
            self.begin_anew();
        }
        if key_frame {
            self.key_frames.on_key_frame();
        }
        self.highest = self.highest.max(accepted.index);
        if !self.paused {
            self.arrivals.push(Arrival {
                index: accepted.index,
                timestamp: inbound.header.timestamp,
                marker: inbound.header.marker,
                begins: key_frame || !format.codec.knows_key_frames(),
                behind: self.highest.saturating_sub(accepted.index),
                carried: self.carried(&inbound, format),
                start: (inbound.start + range.start) as u32,
                len: payload.len() as u16,
            });
            if !self.traced.is_empty() {
                self.trace(turn, inbound, key_frame, repaired);
            }
        }
        let lost_start = accepted.restarted && !key_frame && format.codec.knows_key_frames();
        let begins = !std::mem::replace(&mut self.begun, true);
        Ok(StreamNews {
            key_frame_needed: accepted.key_frame_needed || lost_start,
            scored: accepted.revived || begins,
            level: inbound.extensions.audio_level.filter(|_| self.observed && !self.paused),
            turned: self.turned(inbound.extensions, accepted.index),
        })
    }

    fn carried(&self, inbound: &Inbound<'_>, format: Format) -> Carried {
        let extensions = inbound.extensions;
        Carried {
            audio_level: extensions.audio_level,
            video_orientation: extensions.video_orientation,
            abs_capture_time: extensions.abs_capture_time,
            playout_delay: extensions.playout_delay,
            payload_type: format.mapped,
            silent: self.is_silent(inbound, format.codec),
            primary: inbound.primary,
        }
    }

    /// Of RED the newest frame counts: the others were sent before.
    fn is_silent(&self, inbound: &Inbound<'_>, codec: Codec) -> bool {
        let payload = inbound.header.payload(inbound.packet);
        match inbound.primary {
            Some(primary) => {
                let newest = payload.get(primary.start.into()..).unwrap_or_default();
                let codec = self.formats.mapped(primary.payload_type).map(|format| format.codec);
                codec.is_some_and(|codec| codec::is_dtx(codec, newest))
            }
            None => codec::is_dtx(codec, payload),
        }
    }

    /// Tells of a packet that was accepted.
    #[cold]
    fn trace(&self, turn: &mut Turn, inbound: Inbound<'_>, key_frame: bool, rtx: bool) {
        let (id, traced, now) = (self.producer, self.traced, turn.now);
        if !traced.wants_packet(key_frame) {
            return;
        }
        let packet = TracedPacket {
            packet: inbound.packet,
            header: &inbound.header,
            extensions: inbound.extensions,
            len: media_len(&inbound, rtx),
            payload_len: inbound.header.payload_len.into(),
            key_frame,
            rtx,
        };
        turn.effects.trace(|| trace::packet_in(now, id, traced, &packet));
    }

    /// How the picture lies from now on, if a packet tells otherwise than one before. One that came late tells of what is past.
    #[inline]
    fn turned(&mut self, extensions: &Extensions, index: u64) -> Option<VideoOrientation> {
        let turned = extensions.video_orientation.filter(|turned| self.orientation != Some(*turned))?;
        if self.paused || index < self.highest {
            return None;
        }
        self.orientation = Some(turned);
        Some(turned)
    }

    /// What the sender is told of its packets, those of retransmissions too; nothing before the first.
    pub(crate) fn report(&mut self, now: Now) -> impl Iterator<Item = ReportBlock> + use<> {
        let mut media = self.recv.as_mut().and_then(|recv| recv.report(now));
        if let Some(media) = media.as_mut().filter(|_| self.formats.use_in_band_fec()) {
            media.fraction_lost = media.fraction_lost.max(self.worst_loss());
        }
        let rtx = self.rtx.as_mut().and_then(|rtx| rtx.report(now));
        media.into_iter().chain(rtx)
    }

    /// The share of packets that the Consumer with the worst way misses, in 1/256: from the sender to it, since the sender is to
    /// repair for all of that. Only the share is told: what was lost in all stays that of the sender's own way, by which it may
    /// estimate its bandwidth.
    fn worst_loss(&self) -> u8 {
        self.rows.iter().filter(|row| row.is_active()).map(|row| row.missed).max().unwrap_or(0)
    }

    /// Whether anybody may ask for a packet again.
    pub(crate) fn wants_ring(&self) -> bool {
        self.rows.iter().any(|row| row.send.params().nack)
    }

    /// Keeps what came in this turn for retransmission, and forgets it as this turn's.
    pub(crate) fn keep(&mut self, now: Now, batch: &Batch) {
        if self.wants_ring() {
            for arrival in &self.arrivals {
                let meta = StoredMeta {
                    timestamp: arrival.timestamp,
                    marker: arrival.marker,
                    extensions: arrival.carried,
                };
                // What doesn't fit the ring can't be sent again; the ring counts it.
                let _ = self.ring.store(now, arrival.index, meta, batch.bytes(arrival.range()));
            }
        }
        self.arrivals.clear();
    }

    /// Somebody needs a key frame; whether the Producer is to be asked now.
    pub(crate) fn request_key_frame(&mut self, now: Now) -> bool {
        let format = self.formats.first();
        let can = format.is_some_and(|format| format.codec.knows_key_frames() && (format.pli || format.fir));
        can && !self.paused && self.recv.is_some() && self.key_frames.request(now) == KeyFrameAction::Send
    }

    pub(crate) fn timeout(&self) -> Option<Instant> {
        let recv = self.recv.as_ref().and_then(RecvStream::timeout);
        recv.into_iter().chain(self.key_frames.timeout()).min()
    }

    /// What has come; `None` until the first packet has.
    pub(crate) fn begun(&self) -> Option<&RecvStream> {
        self.recv.as_ref().filter(|_| self.begun)
    }

    /// Its score, once it has begun.
    pub(crate) fn score(&self) -> Option<ProducerScore> {
        let recv = self.begun()?;
        Some(ProducerScore {
            encoding_idx: self.encoding as u32,
            ssrc: recv.params().ssrc,
            rid: self.rid.clone(),
            score: recv.score(),
        })
    }
}

/// The length of a packet, of one that came as a retransmission what it was before that.
fn media_len(inbound: &Inbound<'_>, rtx: bool) -> usize {
    inbound.packet.len() - if rtx { rtx::OSN_LEN } else { 0 }
}
