//! A Producer: one audio or video source that an endpoint sends into a Router.

mod handle;
mod piped;
mod trace;

use serde::{Deserialize, Serialize};
use serde_repr::{Deserialize_repr, Serialize_repr};

pub use self::handle::{DirectProducer, Producer, RegularProducer, WeakProducer};
pub use self::piped::PipedProducer;
pub use self::trace::{ProducerTraceEventData, ProducerTraceEventType};
use crate::consumer::{RtpStreamParams, RtxStreamParams};
pub use crate::id::ProducerId;
use crate::labels::Labels;
pub use crate::ortc::ProducerType;
use crate::ortc::RtpMapping;
use crate::types::data_structures::AppData;
use crate::types::rtp_parameters::{MediaKind, MimeType, RtpParameters};

/// How a Producer is made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProducerOptions {
    /// Audio or video.
    pub kind: MediaKind,
    /// What the endpoint sends.
    pub rtp_parameters: RtpParameters,
    /// Whether it starts paused. Default false.
    pub paused: bool,
    /// Milliseconds for which further key-frame requests are held back after one; 0, the default, for none.
    pub key_frame_request_delay: u32,
    /// What travels with the Producer and shows wherever it shows.
    pub labels: Labels,
    /// What stays with the Producer in this process.
    pub app_data: AppData,
    /// The id of the Producer that it carries on.
    pub(crate) alias: Option<ProducerId>,
    /// The SSRCs that the Producer that it carries on has in its Router.
    pub(crate) mapped_ssrcs: Vec<u32>,
}

impl ProducerOptions {
    /// A Producer on a PipeTransport that its Router shall know by this id: that of the Producer which it carries on.
    #[must_use]
    pub fn new_pipe_transport(
        producer_id: ProducerId,
        kind: MediaKind,
        rtp_parameters: RtpParameters,
    ) -> Self {
        Self { alias: Some(producer_id), ..Self::new(kind, rtp_parameters) }
    }

    /// A Producer of what the endpoint sends.
    #[must_use]
    pub fn new(kind: MediaKind, rtp_parameters: RtpParameters) -> Self {
        Self {
            kind,
            rtp_parameters,
            paused: false,
            key_frame_request_delay: 0,
            labels: Labels::default(),
            app_data: AppData::default(),
            alias: None,
            mapped_ssrcs: Vec::new(),
        }
    }
}

/// The quality of one RTP stream of a Producer.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProducerScore {
    /// The stream's place in the encodings of the RTP parameters.
    pub encoding_idx: u32,
    /// Its SSRC.
    pub ssrc: u32,
    /// Its RID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rid: Option<String>,
    /// From 0 (nothing arrives) to 10 (all arrives).
    pub score: u8,
}

/// How a picture must be turned before it is shown, clockwise; in JSON the degrees.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize_repr, Serialize_repr)]
#[repr(u16)]
pub enum Rotation {
    /// Not at all.
    None = 0,
    /// By 90 degrees.
    Clockwise = 90,
    /// By 180 degrees.
    Rotate180 = 180,
    /// By 270 degrees.
    CounterClockwise = 270,
}

/// How a Producer's picture lies, as its packets tell (3GPP TS 26.114 §7.4.5).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
pub struct ProducerVideoOrientation {
    /// Whether it comes from a camera that faces away from the user.
    pub camera: bool,
    /// Whether it is mirrored horizontally.
    pub flip: bool,
    /// How it must be turned.
    pub rotation: Rotation,
}

/// Retransmissions of an RTP stream that arrives.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RtxStream {
    /// What is known of it.
    pub params: RtxStreamParams,
}

/// An RTP stream that arrives.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RtpStreamRecv {
    /// What is known of it.
    pub params: RtpStreamParams,
    /// From 0 (nothing arrives) to 10 (all arrives).
    pub score: u8,
    /// Its retransmissions.
    pub rtx_stream: Option<RtxStream>,
}

/// What a Producer is.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProducerDump {
    /// Its id.
    pub id: ProducerId,
    /// Audio or video.
    pub kind: MediaKind,
    /// Whether it is paused.
    pub paused: bool,
    /// How its payload types and SSRCs become the Router's.
    pub rtp_mapping: RtpMapping,
    /// What the endpoint sends.
    pub rtp_parameters: RtpParameters,
    /// The streams that have begun.
    pub rtp_streams: Vec<RtpStreamRecv>,
    /// What is traced.
    pub trace_event_types: Vec<ProducerTraceEventType>,
    /// How its streams make up its media.
    pub r#type: ProducerType,
}

/// How much comes in through one layer of a stream and those below it.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct BitrateByLayer {
    /// Spatial and temporal layer, with a dot between.
    pub layer: String,
    /// Bits per second of late.
    pub bitrate: u32,
}

/// What came in through one RTP stream of a Producer.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProducerStat {
    /// When this was taken: milliseconds since the Unix epoch.
    pub timestamp: u64,
    /// The stream's SSRC.
    pub ssrc: u32,
    /// The SSRC of its retransmissions.
    pub rtx_ssrc: Option<u32>,
    /// Its RID. Always there in JSON, be it null: that tells it from a `ConsumerStat`.
    #[serde(deserialize_with = "Option::deserialize")]
    pub rid: Option<String>,
    /// Audio or video.
    pub kind: MediaKind,
    /// Its codec.
    pub mime_type: MimeType,
    /// Packets that never arrived; below zero where packets arrived twice (RFC 3550 §6.4.1).
    pub packets_lost: i32,
    /// Of the packets since the last report, the part that was lost, in 256ths.
    pub fraction_lost: u8,
    /// Interarrival jitter in units of the stream's clock (RFC 3550 §6.4.1).
    pub jitter: u32,
    /// Packets that arrived and were of no use.
    pub packets_discarded: u64,
    /// Packets that arrived as retransmissions.
    pub packets_retransmitted: u64,
    /// Packets that a retransmission made good.
    pub packets_repaired: u64,
    /// NACK messages sent.
    pub nack_count: u64,
    /// Packets that those NACKs asked for.
    pub nack_packet_count: u64,
    /// PLI messages sent.
    pub pli_count: u64,
    /// FIR messages sent.
    pub fir_count: u64,
    /// Packets received.
    pub packet_count: u64,
    /// Bytes received.
    pub byte_count: u64,
    /// Bits per second of late.
    pub bitrate: u64,
    /// Milliseconds to the endpoint and back.
    pub round_trip_time: Option<f32>,
    /// Retransmissions that were of no use.
    pub rtx_packets_discarded: Option<u64>,
    /// From 0 (nothing arrives) to 10 (all arrives).
    pub score: u8,
    /// Its layers, where it has several; none, until the engine looks for them.
    #[serde(default)]
    pub bitrate_by_layer: Vec<BitrateByLayer>,
}

#[cfg(test)]
mod tests;
