//! Trace events: what is told of single packets, where an application asked for that.
//!
//! What is traced at an object is a set of a few bits, which lies where its packets come by. While it is empty, looking at it is
//! all that happens. Events are made here and told by [`Effects::trace`](crate::worker::turn::Effects::trace), so many in a turn.

use std::marker::PhantomData;

use mafalda_api::consumer::{ConsumerTraceEventData, ConsumerTraceEventType};
use mafalda_api::id::{ConsumerId, ProducerId};
use mafalda_api::producer::{ProducerTraceEventData, ProducerTraceEventType};
use mafalda_api::transport::TransportTraceEventType;
use mafalda_api::types::data_structures::{
    RtpPacketTraceInfo, SrTraceInfo, SsrcTraceInfo, TraceEventDirection,
};
use mafalda_api::waist::Event;

use crate::Now;
use crate::rtcp::SenderInfo;
use crate::rtp::RtpHeader;
use crate::rtp::extension::{Extensions, LabelRange};

/// Something that can be traced at one sort of object.
pub(crate) trait Kind: Copy + 'static {
    /// All kinds, in the order in which they are told.
    const ALL: &'static [Self];

    /// Its number, below 8.
    fn number(self) -> u8;
}

impl Kind for TransportTraceEventType {
    const ALL: &'static [Self] = &[Self::Probation, Self::Bwe];

    fn number(self) -> u8 {
        self as u8
    }
}

impl Kind for ProducerTraceEventType {
    const ALL: &'static [Self] = &[Self::Rtp, Self::KeyFrame, Self::Nack, Self::Pli, Self::Fir, Self::SR];

    fn number(self) -> u8 {
        self as u8
    }
}

impl Kind for ConsumerTraceEventType {
    const ALL: &'static [Self] = &[Self::Rtp, Self::KeyFrame, Self::Nack, Self::Pli, Self::Fir];

    fn number(self) -> u8 {
        self as u8
    }
}

/// What is traced at an object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traced<K> {
    bits: u8,
    kind: PhantomData<K>,
}

impl<K> Default for Traced<K> {
    fn default() -> Self {
        Self { bits: 0, kind: PhantomData }
    }
}

impl<K: Kind> Traced<K> {
    /// These kinds; one that is named twice counts once.
    pub(crate) fn of(kinds: &[K]) -> Self {
        let bits = kinds.iter().fold(0, |bits, kind| bits | 1 << kind.number());
        Self { bits, kind: PhantomData }
    }

    #[inline]
    pub(crate) fn is_empty(self) -> bool {
        self.bits == 0
    }

    pub(crate) fn contains(self, kind: K) -> bool {
        self.bits & 1 << kind.number() != 0
    }

    pub(crate) fn kinds(self) -> Vec<K> {
        K::ALL.iter().copied().filter(|kind| self.contains(*kind)).collect()
    }
}

/// Kinds of what is traced at an object that packets go through.
pub(crate) trait PacketKind: Kind {
    const RTP: Self;
    const KEY_FRAME: Self;
}

impl PacketKind for ProducerTraceEventType {
    const RTP: Self = Self::Rtp;
    const KEY_FRAME: Self = Self::KeyFrame;
}

impl PacketKind for ConsumerTraceEventType {
    const RTP: Self = Self::Rtp;
    const KEY_FRAME: Self = Self::KeyFrame;
}

impl<K: PacketKind> Traced<K> {
    /// Whether a packet is to be told of. To be asked first: where only feedback is traced, packets count as neither told nor missed.
    pub(crate) fn wants_packet(self, key_frame: bool) -> bool {
        self.contains(K::RTP) || key_frame && self.contains(K::KEY_FRAME)
    }
}

/// An RTP packet to be told of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TracedPacket<'a> {
    /// Its bytes; of the header alone, what they say counts.
    pub(crate) packet: &'a [u8],
    pub(crate) header: &'a RtpHeader,
    pub(crate) extensions: &'a Extensions,
    /// Length of the RTP packet.
    pub(crate) len: usize,
    /// Length of its payload, without padding.
    pub(crate) payload_len: usize,
    pub(crate) key_frame: bool,
    pub(crate) rtx: bool,
}

impl TracedPacket<'_> {
    fn info(&self) -> RtpPacketTraceInfo {
        let text = |label: Option<LabelRange>| {
            label.map(|label| String::from_utf8_lossy(label.bytes(self.packet)).into_owned())
        };
        RtpPacketTraceInfo {
            payload_type: self.header.payload_type,
            sequence_number: self.header.sequence,
            timestamp: self.header.timestamp,
            marker: self.header.marker,
            ssrc: self.header.ssrc,
            is_key_frame: self.key_frame,
            size: self.len as u32,
            payload_size: self.payload_len as u32,
            spatial_layer: 0,
            temporal_layer: 0,
            mid: text(self.extensions.mid),
            rid: text(self.extensions.rid),
            rrid: text(self.extensions.repaired_rid),
            wide_sequence_number: self.extensions.transport_cc,
            is_rtx: self.rtx,
        }
    }
}

/// A packet came to a Producer. As in mediasoup, one of a key frame is told as such where that is asked for, and not twice.
pub(crate) fn packet_in(
    now: Now,
    id: ProducerId,
    traced: Traced<ProducerTraceEventType>,
    packet: &TracedPacket<'_>,
) -> Option<Event> {
    let (timestamp, direction) = (timestamp(now), TraceEventDirection::In);
    let trace = if packet.key_frame && traced.contains(ProducerTraceEventType::KeyFrame) {
        ProducerTraceEventData::KeyFrame { timestamp, direction, info: packet.info() }
    } else if traced.contains(ProducerTraceEventType::Rtp) {
        ProducerTraceEventData::Rtp { timestamp, direction, info: packet.info() }
    } else {
        return None;
    };
    Some(Event::ProducerTraced { id, trace: trace.into() })
}

/// A packet left from a Consumer.
pub(crate) fn packet_out(
    now: Now,
    id: ConsumerId,
    traced: Traced<ConsumerTraceEventType>,
    packet: &TracedPacket<'_>,
) -> Option<Event> {
    let (timestamp, direction) = (timestamp(now), TraceEventDirection::Out);
    let trace = if packet.key_frame && traced.contains(ConsumerTraceEventType::KeyFrame) {
        ConsumerTraceEventData::KeyFrame { timestamp, direction, info: packet.info() }
    } else if traced.contains(ConsumerTraceEventType::Rtp) {
        ConsumerTraceEventData::Rtp { timestamp, direction, info: packet.info() }
    } else {
        return None;
    };
    Some(Event::ConsumerTraced { id, trace: trace.into() })
}

/// A Producer's endpoint was asked for packets.
pub(crate) fn nack_out(now: Now, id: ProducerId) -> Event {
    let trace =
        ProducerTraceEventData::Nack { timestamp: timestamp(now), direction: TraceEventDirection::Out };
    Event::ProducerTraced { id, trace: trace.into() }
}

/// A Producer's endpoint was asked for a key frame.
pub(crate) fn key_frame_request_out(now: Now, id: ProducerId, request: KeyFrameRequest, ssrc: u32) -> Event {
    let (timestamp, direction, info) = (timestamp(now), TraceEventDirection::Out, SsrcTraceInfo { ssrc });
    let trace = match request {
        KeyFrameRequest::Pli => ProducerTraceEventData::Pli { timestamp, direction, info },
        KeyFrameRequest::Fir => ProducerTraceEventData::Fir { timestamp, direction, info },
    };
    Event::ProducerTraced { id, trace: trace.into() }
}

/// A Producer's endpoint reports what it sends.
pub(crate) fn sender_report_in(now: Now, id: ProducerId, report: &SenderInfo) -> Event {
    let info = SrTraceInfo {
        ssrc: report.ssrc,
        ntp_sec: (report.ntp >> 32) as u32,
        ntp_frac: report.ntp as u32,
        rtp_ts: report.rtp_timestamp,
        packet_count: report.packet_count,
        octet_count: report.octet_count,
    };
    let (timestamp, direction) = (timestamp(now), TraceEventDirection::In);
    Event::ProducerTraced { id, trace: ProducerTraceEventData::Sr { timestamp, direction, info }.into() }
}

/// A Consumer's endpoint asks for packets.
pub(crate) fn nack_in(now: Now, id: ConsumerId) -> Event {
    let trace =
        ConsumerTraceEventData::Nack { timestamp: timestamp(now), direction: TraceEventDirection::In };
    Event::ConsumerTraced { id, trace: trace.into() }
}

/// A Consumer's endpoint asks for a key frame.
pub(crate) fn key_frame_request_in(now: Now, id: ConsumerId, request: KeyFrameRequest, ssrc: u32) -> Event {
    let (timestamp, direction, info) = (timestamp(now), TraceEventDirection::In, SsrcTraceInfo { ssrc });
    let trace = match request {
        KeyFrameRequest::Pli => ConsumerTraceEventData::Pli { timestamp, direction, info },
        KeyFrameRequest::Fir => ConsumerTraceEventData::Fir { timestamp, direction, info },
    };
    Event::ConsumerTraced { id, trace: trace.into() }
}

/// How a key frame is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyFrameRequest {
    Pli,
    Fir,
}

impl KeyFrameRequest {
    /// Its kind at a Producer.
    pub(crate) fn of_producer(self) -> ProducerTraceEventType {
        match self {
            Self::Pli => ProducerTraceEventType::Pli,
            Self::Fir => ProducerTraceEventType::Fir,
        }
    }

    /// Its kind at a Consumer.
    pub(crate) fn of_consumer(self) -> ConsumerTraceEventType {
        match self {
            Self::Pli => ConsumerTraceEventType::Pli,
            Self::Fir => ConsumerTraceEventType::Fir,
        }
    }
}

fn timestamp(now: Now) -> u64 {
    now.unix.as_millis() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_was_named_once_and_in_its_order() {
        use ProducerTraceEventType::{KeyFrame, Rtp, SR};
        let set = Traced::of(&[SR, Rtp, SR]);
        assert_eq!(set.kinds(), [Rtp, SR]);
        assert!(set.contains(SR) && !set.contains(KeyFrame) && !set.is_empty());
        assert!(Traced::<ProducerTraceEventType>::default().is_empty());
        assert!(Traced::<ProducerTraceEventType>::of(&[]).kinds().is_empty());
    }

    #[test]
    fn each_kind_has_a_bit_of_its_own() {
        fn numbers<K: Kind>() -> Vec<u8> {
            K::ALL.iter().map(|kind| kind.number()).collect()
        }
        assert_eq!(numbers::<TransportTraceEventType>(), [0, 1]);
        assert_eq!(numbers::<ProducerTraceEventType>(), [0, 1, 2, 3, 4, 5]);
        assert_eq!(numbers::<ConsumerTraceEventType>(), [0, 1, 2, 3, 4]);
    }
}
