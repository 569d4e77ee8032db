//! What a peer asks for: one JSON object per WebSocket message, `{"id": 1, "method": "join", "data": {…}}`.
//!
//! Parsing keeps the id of a message that is wrong in any other way, so that the answer finds its question.

use mafalda_api::id::{ConsumerId, ProducerId, TransportId};
use mafalda_api::types::data_structures::DtlsParameters;
use mafalda_api::types::rtp_parameters::{MediaKind, RtpCapabilities, RtpParameters};
use serde::Deserialize;
use serde_json::Value;

use crate::error::RequestFailure;
use crate::name::{PeerName, PeerSecret, RoomName};

/// Most bytes of a message. Capabilities of a browser with each codec take about 12 kB; a peer that sends more than this has
/// no use for it, and it is what one peer can make us hold at once.
pub(crate) const MESSAGE_BYTES_MAX: usize = 64 * 1024;

/// The number that a peer gave to its request, to tell answers apart.
pub(crate) type RequestId = u64;

/// A message that can't be carried out, with its number if that can be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct BadMessage {
    pub(crate) id: Option<RequestId>,
    pub(crate) failure: RequestFailure,
}

impl BadMessage {
    /// Requests are text; binary messages have no meaning.
    pub(crate) fn not_text() -> Self {
        Self { id: None, failure: RequestFailure::BadRequest("it is not text".into()) }
    }
}

/// What to do.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(tag = "method", content = "data", rename_all = "camelCase")]
pub(crate) enum Request {
    Join(Join),
    Leave(Nothing),
    CreateTransport(CreateTransport),
    ConnectTransport(ConnectTransport),
    RestartIce(OfTransport),
    Produce(Produce),
    PauseProducer(OfProducer),
    ResumeProducer(OfProducer),
    CloseProducer(OfProducer),
    Consume(Consume),
    PauseConsumer(OfConsumer),
    ResumeConsumer(OfConsumer),
    CloseConsumer(OfConsumer),
    #[serde(rename = "requestKeyFrame")]
    AskKeyFrame(OfConsumer),
}

/// Enter a room, which is made if need be.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Join {
    pub(crate) room: RoomName,
    pub(crate) name: PeerName,
    pub(crate) token: Option<String>,
    /// The secret of an earlier presence of the same peer, which ends at once.
    pub(crate) replaces: Option<PeerSecret>,
}

/// No parameters.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// A Transport for one direction, in place of the earlier one.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateTransport {
    pub(crate) direction: Direction,
}

/// Which way media goes, seen from the peer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Direction {
    Send,
    Recv,
}

#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ConnectTransport {
    pub(crate) transport_id: TransportId,
    pub(crate) dtls_parameters: DtlsParameters,
}

#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct OfTransport {
    pub(crate) transport_id: TransportId,
}

#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Produce {
    pub(crate) transport_id: TransportId,
    pub(crate) kind: MediaKind,
    pub(crate) rtp_parameters: RtpParameters,
    #[serde(default)]
    pub(crate) paused: bool,
}

#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct OfProducer {
    pub(crate) producer_id: ProducerId,
}

/// Receive what another peer produces; it starts paused.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Consume {
    pub(crate) transport_id: TransportId,
    pub(crate) producer_id: ProducerId,
    pub(crate) rtp_capabilities: RtpCapabilities,
}

#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct OfConsumer {
    pub(crate) consumer_id: ConsumerId,
}

/// Reads one message.
pub(crate) fn parse(text: &str) -> Result<(RequestId, Request), BadMessage> {
    let bad = |id, reason: String| BadMessage { id, failure: RequestFailure::BadRequest(reason) };
    let mut value: Value = serde_json::from_str(text).map_err(|error| bad(None, error.to_string()))?;
    let Some(id) = value.get("id").and_then(Value::as_u64) else {
        return Err(bad(None, "`id` is not a whole number".into()));
    };
    // A method without parameters may come without `data`.
    if let Some(object) = value.as_object_mut() {
        object.entry("data").or_insert_with(|| Value::Object(serde_json::Map::new()));
    }
    match serde_json::from_value(value) {
        Ok(request) => Ok((id, request)),
        Err(error) => Err(bad(Some(id), error.to_string())),
    }
}

#[cfg(test)]
mod tests;
