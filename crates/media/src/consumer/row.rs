//! The hot part of a Consumer: all that forwarding a packet to it needs, beside the key of its Transport.

use mafalda_api::consumer::ConsumerTraceEventType;
use mafalda_api::id::ConsumerId;
use mafalda_api::types::rtp_parameters::{RtcpFeedback, RtpCodecParameters, RtpParameters};

use super::Numbers;
use crate::producer::{Numbering, apt};
use crate::router::TransportKey;
use crate::rtp::extension::{ExtensionMask, Label};
use crate::stream::{RtxSendStream, SendStream, StreamParams};
use crate::sys;
use crate::trace::Traced;
use crate::transport::extension_kind;

/// Whether a Consumer's packets flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    /// Nothing is forwarded.
    Paused,
    /// From the next key frame on; from the next packet on where the codec has none.
    Waiting,
    /// Everything is forwarded.
    Running,
    /// A frame that the socket had no room for is left out, so that its remains don't cost bandwidth: all of this timestamp.
    Leaving(u32),
}

/// What a row must know of a packet to judge it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Offer {
    /// In the Producer's stream.
    pub(crate) index: u64,
    pub(crate) timestamp: u32,
    pub(crate) payload_type: u8,
    /// Whether a receiver can begin with it.
    pub(crate) begins: bool,
    /// Whether there is nothing but padding in it.
    pub(crate) empty: bool,
    /// Whether there is nothing but silence in it.
    pub(crate) silent: bool,
}

/// How far the numbers may have gone on while a row was away from its stream. A receiver that misses 2^15 packets takes the next
/// for older ones, and never decrypts one again (RFC 3711 §3.3.1).
const JUMP_MAX: u64 = 1 << 14;

/// The hot part of a Consumer.
///
/// In this order: what every packet needs comes first, so that it takes few cache lines.
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct Row {
    pub(crate) transport: TransportKey,
    flow: Flow,
    pub(crate) mask: ExtensionMask,
    /// What is told of its packets one by one.
    pub(crate) traced: Traced<ConsumerTraceEventType>,
    pub(crate) mid: Option<Label>,
    /// The frame that was admitted last.
    last_timestamp: u32,
    /// The highest number that went out, of those that the packets had that came by here.
    newest: u64,
    /// One bit per payload type that the receiver takes.
    payload_types: u128,
    /// The receiver's numbers, where it goes by its own.
    pub(crate) numbers: Option<Box<Numbers>>,
    /// Whether silence is left out.
    ignore_dtx: bool,
    pub(crate) send: SendStream,
    /// Whose numbers those were.
    numbering: Option<Numbering>,
    pub(crate) consumer: ConsumerId,
    pub(crate) rtx: Option<RtxSendStream>,
    /// Media payload types and those of their retransmissions.
    rtx_payload_types: Vec<(u8, u8)>,
    /// Packets that the socket had no room for, and those left out with them.
    pub(crate) unsent: u64,
    /// Whether its score is about to be told.
    pub(crate) scored: bool,
    /// Which of its Consumer's rows it is.
    pub(crate) encoding: usize,
    /// The share of packets that its receiver missed, on whatever way, by its last report, in 1/256.
    pub(crate) missed: u8,
}

/// How much of a row every packet needs.
const HOT_LEN: usize = std::mem::offset_of!(Row, send) + SendStream::HOT_LEN;

const _: () = assert!(HOT_LEN <= 6 * 64, "six cache lines of each Consumer are enough");

/// What a row is made of.
#[derive(Debug)]
pub(crate) struct RowParams<'a> {
    pub(crate) consumer: ConsumerId,
    pub(crate) transport: TransportKey,
    /// In the Router's numbers.
    pub(crate) rtp_parameters: &'a RtpParameters,
    /// Among the encodings of these.
    pub(crate) encoding: usize,
    pub(crate) numbers: Option<Numbers>,
    pub(crate) ignore_dtx: bool,
    /// Where the two streams' sequence numbers begin.
    pub(crate) first_sequences: (u16, u16),
}

impl Row {
    pub(crate) fn new(params: RowParams<'_>) -> Self {
        let codecs = &params.rtp_parameters.codecs;
        let media = codecs.iter().find(|codec| !codec.is_rtx());
        let nack = media.is_some_and(|codec| codec.rtcp_feedback().contains(&RtcpFeedback::Nack));
        let clock_rate = media.map_or(90_000, |codec| codec.clock_rate().get());
        let encoding = params.rtp_parameters.encodings.get(params.encoding);
        let ssrc = encoding.and_then(|encoding| encoding.ssrc).unwrap_or_default();
        let rtx_ssrc = encoding.and_then(|encoding| encoding.rtx.as_ref()).map(|rtx| rtx.ssrc);
        let stream = StreamParams { ssrc, clock_rate, nack };
        let kinds = params.rtp_parameters.header_extensions.iter().filter_map(|it| extension_kind(it.uri));
        let rtx_payload_types = codecs.iter().filter(|codec| codec.is_rtx()).filter_map(rtx_pair).collect();
        Self {
            consumer: params.consumer,
            transport: params.transport,
            flow: Flow::Paused,
            numbering: None,
            newest: 0,
            mask: kinds.collect(),
            ignore_dtx: params.ignore_dtx,
            traced: Traced::default(),
            mid: params.rtp_parameters.mid.as_ref().and_then(|mid| Label::new(mid.as_bytes())),
            payload_types: codecs.iter().fold(0, |bits, codec| bits | 1 << (codec.payload_type() & 0x7f)),
            numbers: params.numbers.map(Box::new),
            send: SendStream::new(stream, params.first_sequences.0),
            rtx: rtx_ssrc.map(|ssrc| RtxSendStream::new(ssrc, params.first_sequences.1)),
            rtx_payload_types,
            last_timestamp: 0,
            unsent: 0,
            scored: false,
            encoding: params.encoding,
            missed: 0,
        }
    }

    /// Brings near what every packet needs of it.
    pub(crate) fn warm(&self) {
        sys::prefetch_from(self, HOT_LEN);
    }

    /// Whether it takes part in forwarding.
    pub(crate) fn is_active(&self) -> bool {
        self.flow != Flow::Paused
    }

    /// Goes on with the next key frame.
    pub(crate) fn resume(&mut self) {
        if self.flow == Flow::Paused {
            self.flow = Flow::Waiting;
        }
    }

    pub(crate) fn pause(&mut self) {
        self.flow = Flow::Paused;
    }

    /// Another stream begins, or this one anew: its next key frame is where to go on.
    pub(crate) fn hold(&mut self) {
        if self.is_active() {
            self.flow = Flow::Waiting;
        }
    }

    /// Whether it waits for a key frame.
    pub(crate) fn is_waiting(&self) -> bool {
        self.flow == Flow::Waiting
    }

    /// Comes (back) to a stream whose newest packet is `highest`, and goes on where it was. It begins anew where the numbers mean
    /// other packets now, or have gone on too far.
    pub(crate) fn join(&mut self, numbering: Numbering, highest: u64) {
        self.scored = false;
        if self.numbering.replace(numbering) != Some(numbering) {
            // The same number in and out would not be the same packet any more.
            self.send.forget_sent();
            self.newest = 0;
            self.hold();
        } else if highest.saturating_sub(self.newest) >= JUMP_MAX {
            self.hold();
        }
    }

    /// Whether the receiver takes this payload type.
    #[inline]
    pub(crate) fn takes(&self, payload_type: u8) -> bool {
        self.payload_types & 1 << (payload_type & 0x7f) != 0
    }

    /// The index under which a packet goes out; `None` if it doesn't.
    pub(crate) fn admit(&mut self, offer: Offer) -> Option<u64> {
        let useless = offer.empty | (offer.silent & self.ignore_dtx);
        if useless || !self.takes(offer.payload_type) {
            // A gap in its place would be asked for again for ever.
            self.send.skip(offer.index);
            return None;
        }
        match self.flow {
            Flow::Paused => return None,
            Flow::Waiting if !offer.begins => return None,
            Flow::Waiting => {
                self.send.start_at(offer.index);
                self.newest = offer.index;
                self.flow = Flow::Running;
            }
            Flow::Leaving(left) if left == offer.timestamp => {
                self.unsent += 1;
                return None;
            }
            Flow::Leaving(left) if is_newer(offer.timestamp, left) => self.flow = Flow::Running,
            Flow::Leaving(_) | Flow::Running => {}
        }
        let index = self.send.map(offer.index)?;
        self.newest = self.newest.max(offer.index);
        self.last_timestamp = offer.timestamp;
        Some(index)
    }

    /// The socket had no room for packets of the last frame.
    pub(crate) fn on_unsent(&mut self, packets: u32) {
        self.unsent += u64::from(packets);
        if self.flow == Flow::Running {
            self.flow = Flow::Leaving(self.last_timestamp);
        }
    }

    /// The payload type under which packets of this one are sent again; `None` where that is under their own number.
    pub(crate) fn rtx_payload_type(&self, payload_type: u8) -> Option<u8> {
        self.rtx.as_ref()?;
        self.rtx_payload_types.iter().find(|(media, _)| *media == payload_type).map(|(_, rtx)| *rtx)
    }
}

fn is_newer(timestamp: u32, than: u32) -> bool {
    timestamp.wrapping_sub(than).cast_signed() > 0
}

fn rtx_pair(codec: &RtpCodecParameters) -> Option<(u8, u8)> {
    Some((u8::try_from(apt(codec)?).ok()?, codec.payload_type()))
}
