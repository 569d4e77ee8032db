//! RTP streams: what is known of one SSRC, on the way in and on the way out.
//!
//! Plain structs that the Worker machine calls from the packet path: no clock, no I/O, no parsing. Packets come in as numbers and
//! slices, RTCP goes out as numbers, [`Now`](crate::Now) is an argument and deadlines are returned. A Producer stream is a
//! [`RecvStream`] (sequence, loss, NACK, statistics), a [`PayloadRing`] (what is kept for retransmission and links) and a
//! [`KeyFrameRequests`]; a Consumer stream is a [`SendStream`] (numbering, log of what was sent, reports). [`ArrivalLog`] belongs
//! to a whole Transport. Which packet goes to whom, and what its bytes are, is decided elsewhere.
//!
//! Packets are named by their **index**: the 16-bit sequence number extended to 64 bits, so that nothing in here wraps.

mod counters;
mod index;
mod jitter;
mod keyframe;
mod nack;
mod payload;
mod rate;
mod recv;
mod report;
mod ring;
mod rtx;
mod score;
mod send;
mod sequence;
mod twcc;
mod window;

pub use counters::FeedbackCounters;
pub use index::extend;
pub use keyframe::{KeyFrameAction, KeyFrameRequests};
pub use nack::{NackGenerator, NackOutcome};
pub use payload::Payload;
pub use rate::RateWindow;
pub use recv::{Accepted, ArrivedPacket, RecvStats, RecvStream};
pub use report::{DEFAULT_RTT, ReceivedReport, ReportBlock, SenderInfo, round_trip};
pub use ring::{NotStored, PayloadRing, RingLimits, RingStats, Stored, StoredMeta};
pub use rtx::{RtxRecvStream, RtxSendStream};
pub use score::{Delivery, Score};
pub use send::{Resend, SendStats, SendStream, SentLog, SentPacket, SequenceMap};
pub use sequence::{RecvDrop, SequenceTracker, Tracked};
pub use twcc::{Arrival, ArrivalBatch, ArrivalLog};

/// What negotiation says of one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamParams {
    /// The SSRC of the media packets.
    pub ssrc: u32,
    /// RTP clock rate of the codec in Hz, never zero in negotiated parameters.
    pub clock_rate: u32,
    /// Whether lost packets are asked for (inward) or can be asked for (outward) with generic NACKs.
    pub nack: bool,
}

#[cfg(test)]
mod virtual_time;
