//! What all kinds of Transports have in common.

use serde::{Deserialize, Serialize};

use crate::id::ProducerId;
pub use crate::id::TransportId;

/// How a Transport finds the Producer of a packet.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RtpListener {
    /// By MID.
    pub mid_table: Vec<(String, ProducerId)>,
    /// By RID.
    pub rid_table: Vec<(String, ProducerId)>,
    /// By SSRC.
    pub ssrc_table: Vec<(u32, ProducerId)>,
}

/// Under which id the peer sends each header extension that the Transport reads; `None`: it doesn't send it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecvRtpHeaderExtensions {
    /// `urn:ietf:params:rtp-hdrext:sdes:mid`.
    pub mid: Option<u8>,
    /// `urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id`.
    pub rid: Option<u8>,
    /// `urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id`.
    pub rrid: Option<u8>,
    /// abs-send-time.
    pub abs_send_time: Option<u8>,
    /// transport-wide-cc, draft 01.
    pub transport_wide_cc01: Option<u8>,
}
