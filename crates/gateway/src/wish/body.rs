//! What comes with a request: the right kind of text, not too long, in time.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use tokio::time::timeout;

use super::problem::Problem;

/// Most bytes of a description. A browser's offer with ten sections of each codec takes half of it.
pub(super) const BODY_BYTES_MAX: usize = 64 * 1024;

/// How long a body may take.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// What an offer comes in, and an answer goes out in.
pub(super) const SDP: &str = "application/sdp";

/// What news of ICE comes and goes in (RFC 8840 §9).
pub(super) const FRAGMENT: &str = "application/trickle-ice-sdpfrag";

/// The text of a request, which has to be of this type.
pub(super) async fn read(headers: &HeaderMap, body: Body, kind: &'static str) -> Result<String, Problem> {
    if essence(headers).is_none_or(|given| !given.eq_ignore_ascii_case(kind)) {
        let detail = format!("the body has to be `{kind}`");
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    let bytes = match timeout(BODY_TIMEOUT, to_bytes(body, BODY_BYTES_MAX)).await {
        Ok(Ok(bytes)) => bytes,
        // Or the connection broke, and nobody reads this.
        Ok(Err(_)) => {
            let detail = format!("the body has more than {BODY_BYTES_MAX} bytes");
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
        }
        Err(_) => return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "the body did not come in time")),
    };
    let text = String::from_utf8(bytes.into());
    text.map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "the body is not UTF-8"))
}

/// The type of the body without its parameters.
fn essence(headers: &HeaderMap) -> Option<&str> {
    headers.get(CONTENT_TYPE)?.to_str().ok()?.split(';').next().map(str::trim)
}

/// Refuses a client that would not take an answer of this type.
pub(super) fn check_accept(headers: &HeaderMap, kind: &'static str) -> Result<(), Problem> {
    let mut wanted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).peekable();
    if wanted.peek().is_none() || wanted.flat_map(|value| value.split(',')).any(|range| takes(range, kind)) {
        return Ok(());
    }
    let detail = format!("the answer would be `{kind}`, which `Accept` leaves out");
    Err(Problem::new(StatusCode::NOT_ACCEPTABLE, detail))
}

/// RFC 9110 §12.5.1; a weight of 0 says no.
fn takes(range: &str, kind: &str) -> bool {
    let mut parts = range.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let refused = parts.any(|parameter| matches!(parameter, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
    let all_of = kind.split_once('/').map(|(family, _)| format!("{family}/*")).unwrap_or_default();
    !refused
        && (essence.eq_ignore_ascii_case(kind) || essence == "*/*" || essence.eq_ignore_ascii_case(&all_of))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_hold_the_type_take_it() {
        for range in ["application/sdp", "Application/SDP;q=0.5", "*/*", " application/* "] {
            assert!(takes(range, SDP), "{range}");
        }
        for range in ["", "text/html", "application/sdp;q=0", "text/*", "application/sdp2"] {
            assert!(!takes(range, SDP), "{range}");
        }
    }
}
