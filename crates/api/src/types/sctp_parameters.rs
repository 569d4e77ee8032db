//! SCTP associations and the reliability of their streams.

use serde::{Deserialize, Serialize};

/// What a transport announces about its SCTP association.
#[derive(Debug, Copy, Clone, Ord, PartialOrd, Eq, PartialEq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SctpParameters {
    /// SCTP port.
    pub port: u16,
    /// Longest message that this side sends, in bytes.
    pub max_send_message_size: u32,
    /// Longest message that this side takes, in bytes.
    pub max_receive_message_size: u32,
    /// Bytes that may wait to be sent, all streams together.
    pub send_buffer_size: u32,
    /// Bytes that may wait to be sent on one stream.
    pub per_stream_send_queue_limit: u32,
    /// Largest receiver window, in bytes.
    pub max_receiver_window_buffer_size: u32,
    /// Whether it carries WebRTC data channels.
    pub is_data_channel: bool,
    /// Outgoing streams, for clients that know the older form of these parameters.
    #[serde(rename = "OS")]
    pub os: u16,
    /// Incoming streams, for clients that know the older form of these parameters.
    #[serde(rename = "MIS")]
    pub mis: u16,
    /// Longest message in bytes, for clients that know the older form of these parameters.
    pub max_message_size: u32,
}

/// Streams agreed on in the handshake; known once the association is connected.
#[derive(Debug, Copy, Clone, Ord, PartialOrd, Eq, PartialEq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SctpNegotiatedCapabilities {
    /// Streams that this side may send on.
    pub negotiated_max_outbound_streams: u16,
    /// Streams that the peer may send on.
    pub negotiated_max_inbound_streams: u16,
}

/// Error detection that stands in for the CRC32c checksum (RFC 9653); the checksum is left out only if both sides
/// announce the same.
#[derive(Debug, Copy, Clone, Ord, PartialOrd, Eq, PartialEq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SctpZeroChecksum {
    /// DTLS below (RFC 9653 section 4.1).
    SctpOverDtls,
    /// A path that loses no bits silently, such as the loopback; a private method between servers.
    TrustedNetwork,
    /// Checksums are always computed.
    None,
}

/// Reliability of one SCTP stream.
///
/// An ordered stream is reliable. An unordered one may be limited by lifetime or by retransmissions, not by both.
#[derive(Debug, Copy, Clone, Ord, PartialOrd, Eq, PartialEq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SctpStreamParameters {
    /// Stream id.
    pub stream_id: u16,
    /// Whether messages arrive in the order in which they were sent. Default true.
    #[serde(default = "ordered_by_default")]
    pub ordered: bool,
    /// Milliseconds after which a message is given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_packet_life_time: Option<u16>,
    /// Retransmissions after which a message is given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_retransmits: Option<u16>,
}

impl SctpStreamParameters {
    /// Reliable and in order.
    #[must_use]
    pub fn new_ordered(stream_id: u16) -> Self {
        Self { stream_id, ordered: true, max_packet_life_time: None, max_retransmits: None }
    }

    /// Out of order, given up after `max_packet_life_time` milliseconds.
    #[must_use]
    pub fn new_unordered_with_life_time(stream_id: u16, max_packet_life_time: u16) -> Self {
        Self {
            stream_id,
            ordered: false,
            max_packet_life_time: Some(max_packet_life_time),
            max_retransmits: None,
        }
    }

    /// Out of order, given up after `max_retransmits` retransmissions.
    #[must_use]
    pub fn new_unordered_with_retransmits(stream_id: u16, max_retransmits: u16) -> Self {
        Self { stream_id, ordered: false, max_packet_life_time: None, max_retransmits: Some(max_retransmits) }
    }

    /// Stream id.
    #[must_use]
    pub fn stream_id(&self) -> u16 {
        self.stream_id
    }

    /// Whether messages arrive in the order in which they were sent.
    #[must_use]
    pub fn ordered(&self) -> bool {
        self.ordered
    }

    /// Milliseconds after which a message is given up.
    #[must_use]
    pub fn max_packet_life_time(&self) -> Option<u16> {
        self.max_packet_life_time
    }

    /// Retransmissions after which a message is given up.
    #[must_use]
    pub fn max_retransmits(&self) -> Option<u16> {
        self.max_retransmits
    }
}

fn ordered_by_default() -> bool {
    true
}
