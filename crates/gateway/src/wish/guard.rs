//! Who may use WHIP and WHEP, and what browsers may let pages of other hosts do (CORS, RFC 9725 §4.7).
//!
//! With a join token each request has to bear it, and then a page of any host may ask: it knows the secret. Without one the
//! server is open to whoever reaches it, and browsers reach it from networks that strangers don't: so only its own pages may
//! ask, as for the WebSocket.

use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW, AUTHORIZATION,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::problem::Problem;
use crate::options::GatewayOptions;
use crate::origin;

/// What may be asked of an address.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offers {
    methods: &'static str,
    /// Which header says what body it takes, and which.
    accept: (&'static str, &'static str),
}

/// Where sessions are made.
pub(super) const ENDPOINT: Offers =
    Offers { methods: "OPTIONS, POST", accept: ("accept-post", "application/sdp") };

/// A session.
pub(super) const SESSION: Offers =
    Offers { methods: "DELETE, OPTIONS, PATCH", accept: ("accept-patch", "application/trickle-ice-sdpfrag") };

/// Lets a request in, or says why not.
pub(super) fn check(options: &GatewayOptions, headers: &HeaderMap) -> Result<(), Problem> {
    if options.token.is_some() {
        let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(bearer);
        return match options.admits(given) {
            true => Ok(()),
            false => {
                let detail = "the token is missing or wrong: `Authorization: Bearer TOKEN`";
                Err(Problem::new(StatusCode::UNAUTHORIZED, detail))
            }
        };
    }
    match origin::is_own(headers) {
        true => Ok(()),
        false => {
            let detail = "pages of other hosts may ask only where a token is asked for";
            Err(Problem::new(StatusCode::FORBIDDEN, detail))
        }
    }
}

/// RFC 6750 §2.1; the name of the scheme ignores case (RFC 9110 §11.1).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// The answer to OPTIONS. It needs no token: browsers ask before they send one.
pub(super) fn options(options: &GatewayOptions, offers: Offers) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(ALLOW, HeaderValue::from_static(offers.methods));
    let (name, value) = offers.accept;
    headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    if options.token.is_some() {
        let wanted = HeaderValue::from_static("authorization, content-type, if-match");
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted);
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(offers.methods));
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    }
    expose(options, response)
}

/// Lets pages of other hosts read an answer, where they may ask.
pub(super) fn expose(options: &GatewayOptions, mut response: Response) -> Response {
    if options.token.is_some() {
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        let readable = HeaderValue::from_static("etag, link, location, retry-after");
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, readable);
    }
    response
}
