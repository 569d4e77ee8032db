//! A Consumer: one Producer's media, sent on to one endpoint.

mod handle;
mod trace;

use serde::{Deserialize, Serialize};

pub use self::handle::{Consumer, WeakConsumer};
pub use self::trace::{ConsumerTraceEventData, ConsumerTraceEventType};
pub use crate::id::ConsumerId;
use crate::id::ProducerId;
use crate::labels::Labels;
use crate::producer::{ProducerStat, ProducerType};
use crate::types::data_structures::AppData;
use crate::types::rtp_parameters::{
    MediaKind, MimeType, RtpCapabilities, RtpEncodingParameters, RtpParameters,
};

/// How a Consumer is made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConsumerOptions {
    /// What to consume.
    pub producer_id: ProducerId,
    /// What the endpoint can receive.
    pub rtp_capabilities: RtpCapabilities,
    /// Whether it starts paused, as is wise for video until the endpoint is ready. Default false.
    pub paused: bool,
    /// The MID to send; `None`, the default, takes the Transport's next number.
    pub mid: Option<String>,
    /// Whether lost packets are sent again as RFC 4588 has it; `None`, the default, means: for video.
    pub enable_rtx: Option<bool>,
    /// Whether packets of Opus that hold nothing but silence are left out, so that who doesn't need them pays nothing for them; the
    /// sequence numbers close up. Default false. Of RED it is the newest frame that counts.
    pub ignore_dtx: bool,
    /// Whether packets carry the payload types and header extension ids of `rtp_capabilities` in place of the Router's, as an
    /// endpoint expects that has written an offer to receive (RFC 3264 §5.1, WHEP). Default false, and then an endpoint takes
    /// the Router's numbers; mediasoup knows nothing else. A PipeTransport, where capabilities count for nothing, leaves this aside.
    pub remote_numbers: bool,
    /// Whether all of the Producer's streams are sent on as they are, each with an SSRC of its own and without MID. Default false.
    /// Over a PipeTransport they always are, and capabilities, `mid` and `enable_rtx` are not looked at.
    pub pipe: bool,
    /// What travels with the Consumer and shows wherever it shows.
    pub labels: Labels,
    /// What stays with the Consumer in this process.
    pub app_data: AppData,
}

impl ConsumerOptions {
    /// A Consumer of a Producer for an endpoint.
    #[must_use]
    pub fn new(producer_id: ProducerId, rtp_capabilities: RtpCapabilities) -> Self {
        Self {
            producer_id,
            rtp_capabilities,
            paused: false,
            mid: None,
            enable_rtx: None,
            ignore_dtx: false,
            remote_numbers: false,
            pipe: false,
            labels: Labels::default(),
            app_data: AppData::default(),
        }
    }
}

/// How a Consumer treats its Producer's streams.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ConsumerType {
    /// It sends on the one stream that there is.
    Simple,
    /// It chooses one of several streams.
    Simulcast,
    /// It chooses layers of one stream.
    Svc,
    /// It sends on all streams that there are.
    Pipe,
}

impl From<ProducerType> for ConsumerType {
    fn from(r#type: ProducerType) -> Self {
        match r#type {
            ProducerType::Simple => Self::Simple,
            ProducerType::Simulcast => Self::Simulcast,
            ProducerType::Svc => Self::Svc,
        }
    }
}

/// The quality of a Consumer's stream; all from 0 (nothing arrives) to 10 (all arrives).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConsumerScore {
    /// Of what the endpoint receives.
    pub score: u8,
    /// Of the Producer's stream that is sent on.
    pub producer_score: u8,
    /// Of each of the Producer's streams.
    pub producer_scores: Vec<u8>,
}

/// What is known of an RTP stream.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RtpStreamParams {
    /// Ticks per second of its timestamps.
    pub clock_rate: u32,
    /// The canonical name of its source (RFC 3550 §6.5.1).
    pub cname: String,
    /// Its place in the encodings of the RTP parameters.
    pub encoding_idx: u32,
    /// Its codec.
    pub mime_type: MimeType,
    /// Its payload type.
    pub payload_type: u8,
    /// How many spatial layers it was negotiated with.
    pub spatial_layers: u8,
    /// Its SSRC.
    pub ssrc: u32,
    /// How many temporal layers it was negotiated with.
    pub temporal_layers: u8,
    /// Whether silence is left out.
    pub use_dtx: bool,
    /// Whether its packets carry something to make up for lost ones.
    pub use_in_band_fec: bool,
    /// Whether lost packets are asked for.
    pub use_nack: bool,
    /// Whether key frames are asked for with PLI.
    pub use_pli: bool,
    /// Its RID.
    pub rid: Option<String>,
    /// The SSRC of its retransmissions.
    pub rtx_ssrc: Option<u32>,
    /// The payload type of its retransmissions.
    pub rtx_payload_type: Option<u8>,
}

/// What is known of an RTP stream's retransmissions.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RtxStreamParams {
    /// Ticks per second of its timestamps.
    pub clock_rate: u32,
    /// The canonical name of its source.
    pub cname: String,
    /// Its codec.
    pub mime_type: MimeType,
    /// Its payload type.
    pub payload_type: u8,
    /// Its SSRC.
    pub ssrc: u32,
    /// The RID of the stream that it repairs.
    pub rrid: Option<String>,
}

/// An RTP stream that is sent.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RtpStream {
    /// What is known of it.
    pub params: RtpStreamParams,
    /// From 0 (nothing arrives) to 10 (all arrives).
    pub score: u8,
}

/// What a Consumer is.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConsumerDump {
    /// Its id.
    pub id: ConsumerId,
    /// Audio or video.
    pub kind: MediaKind,
    /// Whether it is paused itself.
    pub paused: bool,
    /// Its place among the Transport's Consumers where there isn't enough for all: 1, the default, until there are layers to choose from.
    pub priority: u8,
    /// What it consumes.
    pub producer_id: ProducerId,
    /// Whether its Producer is paused.
    pub producer_paused: bool,
    /// What the endpoint receives.
    pub rtp_parameters: RtpParameters,
    /// Payload types that it sends on.
    pub supported_codec_payload_types: Vec<u8>,
    /// What is traced.
    pub trace_event_types: Vec<ConsumerTraceEventType>,
    /// How it treats its Producer's streams.
    pub r#type: ConsumerType,
    /// The Producer's streams, as the Router names them.
    pub consumable_rtp_encodings: Vec<RtpEncodingParameters>,
    /// What it sends.
    pub rtp_streams: Vec<RtpStream>,
    /// The highest spatial layer that the endpoint wants; `None` where there is one layer.
    pub preferred_spatial_layer: Option<i16>,
    /// The spatial layer that is to be sent.
    pub target_spatial_layer: Option<i16>,
    /// The spatial layer that is sent.
    pub current_spatial_layer: Option<i16>,
    /// The highest temporal layer that the endpoint wants.
    pub preferred_temporal_layer: Option<i16>,
    /// The temporal layer that is to be sent.
    pub target_temporal_layer: Option<i16>,
    /// The temporal layer that is sent.
    pub current_temporal_layer: Option<i16>,
}

/// What went out through a Consumer's RTP stream.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConsumerStat {
    /// When this was taken: milliseconds since the Unix epoch.
    pub timestamp: u64,
    /// The stream's SSRC.
    pub ssrc: u32,
    /// The SSRC of its retransmissions.
    pub rtx_ssrc: Option<u32>,
    /// Audio or video.
    pub kind: MediaKind,
    /// Its codec.
    pub mime_type: MimeType,
    /// Packets that the endpoint says it never got; below zero where it got packets twice (RFC 3550 §6.4.1).
    pub packets_lost: i32,
    /// Of the packets since its last report, the part that it lost, in 256ths.
    pub fraction_lost: u8,
    /// Interarrival jitter at the endpoint, in units of the stream's clock (RFC 3550 §6.4.1).
    pub jitter: u32,
    /// Packets that were not sent on.
    pub packets_discarded: u64,
    /// Packets that were sent again.
    pub packets_retransmitted: u64,
    /// Packets that arrived by being sent again.
    pub packets_repaired: u64,
    /// NACK messages received.
    pub nack_count: u64,
    /// Packets that those NACKs asked for.
    pub nack_packet_count: u64,
    /// PLI messages received.
    pub pli_count: u64,
    /// FIR messages received.
    pub fir_count: u64,
    /// Packets sent.
    pub packet_count: u64,
    /// Bytes sent.
    pub byte_count: u64,
    /// Bits per second of late.
    pub bitrate: u64,
    /// Milliseconds to the endpoint and back.
    pub round_trip_time: Option<f32>,
    /// Retransmissions that were of no use.
    pub rtx_packets_discarded: Option<u64>,
    /// From 0 (nothing arrives) to 10 (all arrives).
    pub score: u8,
}

/// One RTP stream at a Consumer: the Producer's that comes in, or its own that goes out.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize)]
#[serde(untagged)]
pub enum ConsumerRtpStreamStat {
    /// The Producer's. It has a field more in JSON, so that it is tried first.
    Inbound(ProducerStat),
    /// The Consumer's own.
    Outbound(ConsumerStat),
}

#[cfg(test)]
mod tests;
