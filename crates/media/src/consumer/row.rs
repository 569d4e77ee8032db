//! The hot part of a Consumer: all that forwarding a packet to it needs, beside the key of its Transport.

use mafalda_api::id::ConsumerId;
use mafalda_api::types::rtp_parameters::{RtcpFeedback, RtpCodecParameters, RtpParameters};

use crate::producer::{Arrival, apt};
use crate::router::TransportKey;
use crate::rtp::extension::{ExtensionMask, Label};
use crate::stream::{RtxSendStream, SendStream, StreamParams};
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

/// The hot part of a Consumer.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) consumer: ConsumerId,
    pub(crate) transport: TransportKey,
    pub(crate) number: u64,
    flow: Flow,
    pub(crate) mask: ExtensionMask,
    pub(crate) mid: Option<Label>,
    /// One bit per payload type that the receiver takes.
    payload_types: u128,
    pub(crate) send: SendStream,
    pub(crate) rtx: Option<RtxSendStream>,
    /// Media payload types and those of their retransmissions.
    rtx_payload_types: Vec<(u8, u8)>,
    /// The frame that was admitted last.
    last_timestamp: u32,
    /// Packets that the socket had no room for, and those left out with them.
    pub(crate) unsent: u64,
}

/// What a row is made of.
#[derive(Debug)]
pub(crate) struct RowParams<'a> {
    pub(crate) consumer: ConsumerId,
    pub(crate) transport: TransportKey,
    pub(crate) number: u64,
    pub(crate) rtp_parameters: &'a RtpParameters,
    pub(crate) ssrc: u32,
    pub(crate) rtx_ssrc: Option<u32>,
    /// Where the two streams' sequence numbers begin.
    pub(crate) first_sequences: (u16, u16),
}

impl Row {
    pub(crate) fn new(params: &RowParams<'_>) -> Self {
        let codecs = &params.rtp_parameters.codecs;
        let media = codecs.iter().find(|codec| !codec.is_rtx());
        let nack = media.is_some_and(|codec| codec.rtcp_feedback().contains(&RtcpFeedback::Nack));
        let clock_rate = media.map_or(90_000, |codec| codec.clock_rate().get());
        let stream = StreamParams { ssrc: params.ssrc, clock_rate, nack };
        let kinds = params.rtp_parameters.header_extensions.iter().filter_map(|it| extension_kind(it.uri));
        let rtx_payload_types = codecs.iter().filter(|codec| codec.is_rtx()).filter_map(rtx_pair).collect();
        Self {
            consumer: params.consumer,
            transport: params.transport,
            number: params.number,
            flow: Flow::Paused,
            mask: kinds.collect(),
            mid: params.rtp_parameters.mid.as_ref().and_then(|mid| Label::new(mid.as_bytes())),
            payload_types: codecs.iter().fold(0, |bits, codec| bits | 1 << (codec.payload_type() & 0x7f)),
            send: SendStream::new(stream, params.first_sequences.0),
            rtx: params.rtx_ssrc.map(|ssrc| RtxSendStream::new(ssrc, params.first_sequences.1)),
            rtx_payload_types,
            last_timestamp: 0,
            unsent: 0,
        }
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

    /// The index under which a packet goes out; `None` if it doesn't.
    pub(crate) fn admit(&mut self, arrival: &Arrival) -> Option<u64> {
        if self.payload_types & (1 << (arrival.carried.payload_type & 0x7f)) == 0 {
            return None;
        }
        if arrival.len == 0 {
            // Padding alone: a gap in its place would be asked for again for ever.
            self.send.skip(arrival.index);
            return None;
        }
        match self.flow {
            Flow::Paused => return None,
            Flow::Waiting if arrival.needs_key_frame && !arrival.key_frame => return None,
            Flow::Waiting => {
                self.send.start_at(arrival.index);
                self.flow = Flow::Running;
            }
            Flow::Leaving(timestamp) if timestamp == arrival.timestamp => {
                self.unsent += 1;
                return None;
            }
            Flow::Leaving(_) => self.flow = Flow::Running,
            Flow::Running => {}
        }
        self.last_timestamp = arrival.timestamp;
        self.send.map(arrival.index)
    }

    /// The index under which a packet goes out that came before the Consumer began, but belongs behind its beginning; `None` if
    /// it doesn't, or was sent.
    pub(crate) fn admit_late(&mut self, in_index: u64) -> Option<u64> {
        if self.flow != Flow::Running {
            return None;
        }
        self.send.map(in_index)
    }

    /// The socket had no room for packets of the last frame.
    pub(crate) fn on_unsent(&mut self, packets: u32) {
        self.unsent += u64::from(packets);
        if self.flow == Flow::Running {
            self.flow = Flow::Leaving(self.last_timestamp);
        }
    }

    /// The payload type under which packets of this one are sent again.
    pub(crate) fn rtx_payload_type(&self, payload_type: u8) -> Option<u8> {
        self.rtx_payload_types.iter().find(|(media, _)| *media == payload_type).map(|(_, rtx)| *rtx)
    }
}

fn rtx_pair(codec: &RtpCodecParameters) -> Option<(u8, u8)> {
    Some((u8::try_from(apt(codec)?).ok()?, codec.payload_type()))
}
