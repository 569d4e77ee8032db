//! What a peer is told: the answer to each request, and events that it didn't ask for.

use mafalda_api::consumer::ConsumerType;
use mafalda_api::id::{ConsumerId, ProducerId, TransportId};
use mafalda_api::types::data_structures::{DtlsParameters, IceCandidate, IceParameters};
use mafalda_api::types::rtp_parameters::{MediaKind, RtpCapabilitiesFinalized, RtpParameters};
use serde::Serialize;

use crate::error::{ErrorBody, RequestFailure};
use crate::name::{PeerId, PeerName, PeerSecret};
use crate::request::RequestId;

/// The answer to a request: `{"id": 1, "data": {…}}` or `{"id": 1, "error": {…}}`.
#[derive(Debug, Serialize)]
pub(crate) struct Response {
    id: Option<RequestId>,
    #[serde(flatten)]
    outcome: Outcome,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
enum Outcome {
    Data(Reply),
    Error(ErrorBody),
}

impl Response {
    pub(crate) fn new(id: Option<RequestId>, outcome: Result<Reply, RequestFailure>) -> Self {
        let outcome = match outcome {
            Ok(reply) => Outcome::Data(reply),
            Err(failure) => Outcome::Error(failure.to_body()),
        };
        Self { id, outcome }
    }
}

/// What a request gave.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub(crate) enum Reply {
    Done {},
    Joined {
        peer_id: PeerId,
        secret: PeerSecret,
        rtp_capabilities: Box<RtpCapabilitiesFinalized>,
        /// Everybody else in the room.
        peers: Vec<PeerView>,
    },
    Transport {
        id: TransportId,
        ice_parameters: IceParameters,
        ice_candidates: Vec<IceCandidate>,
        dtls_parameters: DtlsParameters,
    },
    IceRestarted {
        ice_parameters: IceParameters,
    },
    Produced {
        id: ProducerId,
    },
    Consumed {
        id: ConsumerId,
        producer_id: ProducerId,
        kind: MediaKind,
        rtp_parameters: Box<RtpParameters>,
        r#type: ConsumerType,
        producer_paused: bool,
    },
}

/// A peer as the others see it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct PeerView {
    pub(crate) id: PeerId,
    pub(crate) name: PeerName,
    #[serde(skip_serializing_if = "Via::is_socket")]
    pub(crate) via: Via,
    pub(crate) producers: Vec<ProducerView>,
}

/// How a peer has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Via {
    /// By this protocol. Not said, since it is the rule.
    Socket,
    /// By WHIP: it publishes and hears nothing.
    Whip,
}

impl Via {
    fn is_socket(&self) -> bool {
        *self == Self::Socket
    }
}

/// A Producer as the others see it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct ProducerView {
    pub(crate) id: ProducerId,
    pub(crate) kind: MediaKind,
    pub(crate) paused: bool,
}

/// What happened in the room: `{"event": "peerJoined", "data": {…}}`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "event", content = "data", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(crate) enum Notice {
    PeerJoined {
        id: PeerId,
        name: PeerName,
        #[serde(skip_serializing_if = "Via::is_socket")]
        via: Via,
    },
    /// Its Producers have been told closed before.
    PeerLeft {
        id: PeerId,
    },
    NewProducer {
        peer_id: PeerId,
        #[serde(flatten)]
        producer: ProducerView,
    },
    ProducerPaused {
        peer_id: PeerId,
        id: ProducerId,
    },
    ProducerResumed {
        peer_id: PeerId,
        id: ProducerId,
    },
    /// The peer's Consumers of it are gone too.
    ProducerClosed {
        peer_id: PeerId,
        id: ProducerId,
    },
    /// The Router has ended, and with it everything that the peer had in the room. It may join again.
    RoomClosed {},
}

/// A message as text.
pub(crate) fn to_text(message: &impl Serialize) -> String {
    serde_json::to_string(message).expect("maps have text keys and nothing here fails to serialize")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn value(message: &impl Serialize) -> Value {
        serde_json::from_str(&to_text(message)).unwrap()
    }

    #[test]
    fn answers_carry_the_id_of_their_question() {
        assert_eq!(value(&Response::new(Some(4), Ok(Reply::Done {}))), json!({"id": 4, "data": {}}));
        let failed = value(&Response::new(None, Err(RequestFailure::NotJoined)));
        assert_eq!(
            failed,
            json!({"id": null, "error": {"code": "notJoined", "message": "join a room first"}})
        );
    }

    #[test]
    fn notices_name_their_event() {
        let peer_id = PeerId::random();
        let id: ProducerId = "b2c6b1b0-5e5c-4f43-8b5e-0b9a2a3c7d10".parse().unwrap();
        let producer = ProducerView { id, kind: MediaKind::Audio, paused: false };
        assert_eq!(
            value(&Notice::NewProducer { peer_id, producer }),
            json!({"event": "newProducer", "data": {"peerId": peer_id, "id": id, "kind": "audio", "paused": false}})
        );
        assert_eq!(value(&Notice::RoomClosed {}), json!({"event": "roomClosed", "data": {}}));
    }
}
