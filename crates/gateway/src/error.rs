//! Why a request of a peer fails, as it is told to the peer: a stable code for programs and a sentence for people.

use mafalda_api::error::{ConsumeError, CreateRouterError, ProduceError, RequestError};
use mafalda_api::id::{ConsumerId, ProducerId, TransportId};
use mafalda_api::waist::ErrorCode;
use serde::Serialize;
use thiserror::Error;

/// Why a request fails.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub(crate) enum RequestFailure {
    #[error("the message is not understood: {0}")]
    BadRequest(String),
    #[error("the token is missing or wrong")]
    WrongToken,
    #[error("join a room first")]
    NotJoined,
    #[error("already in a room: leave it first")]
    AlreadyJoined,
    #[error("the room is full")]
    RoomFull,
    #[error("there are too many rooms")]
    TooManyRooms,
    #[error("nothing is left to carry a room")]
    NoWorker,
    #[error("the transport is not for this direction")]
    WrongDirection,
    #[error("no more producers are taken")]
    TooManyProducers,
    #[error("no more consumers are taken")]
    TooManyConsumers,
    #[error("this peer has no transport {0}")]
    TransportNotFound(TransportId),
    #[error("this peer has no producer {0}")]
    ProducerNotFound(ProducerId),
    #[error("this peer has no consumer {0}")]
    ConsumerNotFound(ConsumerId),
    #[error("{detail}")]
    Media { code: ErrorCode, detail: String },
}

impl RequestFailure {
    /// A failure in JSON.
    pub(crate) fn to_body(&self) -> ErrorBody {
        ErrorBody { code: self.code(), message: self.to_string() }
    }

    fn code(&self) -> Code {
        match self {
            Self::BadRequest(_) => Code::Own("badRequest"),
            Self::WrongToken => Code::Own("wrongToken"),
            Self::NotJoined => Code::Own("notJoined"),
            Self::AlreadyJoined => Code::Own("alreadyJoined"),
            Self::RoomFull => Code::Own("roomFull"),
            Self::TooManyRooms => Code::Own("tooManyRooms"),
            Self::NoWorker => Code::Own("noWorker"),
            Self::WrongDirection => Code::Own("wrongDirection"),
            Self::TooManyProducers => Code::Own("tooManyProducers"),
            Self::TooManyConsumers => Code::Own("tooManyConsumers"),
            Self::TransportNotFound(_) | Self::ProducerNotFound(_) | Self::ConsumerNotFound(_) => {
                Code::Media(ErrorCode::NotFound)
            }
            Self::Media { code, .. } => Code::Media(*code),
        }
    }
}

impl From<RequestError> for RequestFailure {
    fn from(error: RequestError) -> Self {
        Self::Media { code: error.code(), detail: error.to_string() }
    }
}

impl From<CreateRouterError> for RequestFailure {
    fn from(error: CreateRouterError) -> Self {
        Self::Media { code: error.code(), detail: error.to_string() }
    }
}

impl From<ProduceError> for RequestFailure {
    fn from(error: ProduceError) -> Self {
        Self::Media { code: error.code(), detail: error.to_string() }
    }
}

impl From<ConsumeError> for RequestFailure {
    fn from(error: ConsumeError) -> Self {
        Self::Media { code: error.code(), detail: error.to_string() }
    }
}

/// The kind of a failure: one of the gateway's own, or one of the engine's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Code {
    Own(&'static str),
    Media(ErrorCode),
}

/// A failure in JSON.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct ErrorBody {
    code: Code,
    message: String,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn codes_are_words_in_camel_case() {
        let own = serde_json::to_value(RequestFailure::RoomFull.to_body()).unwrap();
        assert_eq!(own, json!({"code": "roomFull", "message": "the room is full"}));

        let media = RequestFailure::from(RequestError::NoPort { detail: "no port is free".into() });
        let media = serde_json::to_value(media.to_body()).unwrap();
        assert_eq!(media, json!({"code": "noPort", "message": "no port is free"}));
    }
}
