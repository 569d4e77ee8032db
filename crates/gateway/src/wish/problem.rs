//! Why a request is refused, as HTTP tells it: a status, and a sentence in a problem document (RFC 9457).

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use mafalda_api::waist::ErrorCode;
use serde_json::json;

use crate::error::RequestFailure;
use crate::sdp::SdpError;

/// When to look again for what isn't there yet. Sooner would be asked for by everybody who waits for a stream to begin, later
/// would let them miss its beginning.
const NOT_YET_S: u16 = 2;

/// When to look again for room on a server that has none.
const FULL_S: u16 = 30;

/// A refusal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    pub(super) detail: String,
    retry_after_s: Option<u16>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), retry_after_s: None }
    }

    /// What is asked for will be there, but isn't yet.
    pub(super) fn not_yet(detail: impl Into<String>) -> Self {
        Self { retry_after_s: Some(NOT_YET_S), ..Self::new(StatusCode::CONFLICT, detail) }
    }

    /// There is no room.
    pub(super) fn full(detail: impl Into<String>) -> Self {
        Self { retry_after_s: Some(FULL_S), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail) }
    }

    pub(super) fn no_session() -> Self {
        Self::new(StatusCode::NOT_FOUND, "there is no such session (any more)")
    }
}

impl From<SdpError> for Problem {
    /// RFC 9725 §4.2 tells what can't be read from what can't be done.
    fn from(error: SdpError) -> Self {
        let status = match error.is_unreadable() {
            true => StatusCode::BAD_REQUEST,
            false => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self::new(status, error.to_string())
    }
}

impl From<RequestFailure> for Problem {
    fn from(failure: RequestFailure) -> Self {
        let detail = failure.to_string();
        match failure {
            RequestFailure::RoomFull | RequestFailure::TooManyRooms | RequestFailure::NoWorker => {
                Self::full(detail)
            }
            RequestFailure::Media {
                code: ErrorCode::NoPort | ErrorCode::Overloaded | ErrorCode::Disconnected,
                ..
            } => Self::full(detail),
            RequestFailure::Media {
                code: ErrorCode::Negotiation | ErrorCode::InvalidArgument | ErrorCode::Unsupported,
                ..
            } => Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail),
            // The Producer went while it was asked for.
            RequestFailure::Media { code: ErrorCode::NotFound, .. } => Self::not_yet(detail),
            _ => Self::new(StatusCode::INTERNAL_SERVER_ERROR, detail),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or_default();
        let body = json!({"title": title, "status": self.status.as_u16(), "detail": self.detail});
        let mut response = (self.status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            // RFC 6750 §3.
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
