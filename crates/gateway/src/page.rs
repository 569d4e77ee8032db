//! The conference page: a few files that are part of the binary. Their sources are in `web/`, `cargo xtask web` builds them.

use axum::Router as HttpRouter;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use axum::http::header::{HeaderName, X_CONTENT_TYPE_OPTIONS};
use axum::response::IntoResponse;
use axum::routing::get;

const INDEX: &str = include_str!("../assets/index.html");
const SCRIPT: &str = include_str!("../assets/app.js");
const STYLE: &str = include_str!("../assets/style.css");
const ICON: &str = include_str!("../assets/icon.svg");
const LICENSES: &str = include_str!("../assets/licenses.txt");

/// Nothing from elsewhere, and in nobody's frame. Browsers read `'self'` so that it covers the WebSocket of the same host.
const POLICY: &str = "default-src 'self'; img-src 'self' data:; media-src 'self' blob:; object-src 'none'; \
                      base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

type Headers = [(HeaderName, &'static str); 5];

/// `/` is where one chooses a room, `/r/ROOM` is a room: the same page, which looks at its own address.
pub(crate) fn routes() -> HttpRouter {
    HttpRouter::new()
        .route("/", get(|| file("text/html; charset=utf-8", INDEX)))
        .route("/r/{room}", get(|| file("text/html; charset=utf-8", INDEX)))
        .route("/app.js", get(|| file("text/javascript; charset=utf-8", SCRIPT)))
        .route("/style.css", get(|| file("text/css; charset=utf-8", STYLE)))
        .route("/icon.svg", get(|| file("image/svg+xml", ICON)))
        .route("/licenses.txt", get(|| file("text/plain; charset=utf-8", LICENSES)))
}

/// The page changes with the binary, so a browser asks each time.
async fn file(content_type: &'static str, text: &'static str) -> impl IntoResponse {
    let headers: Headers = [
        (CONTENT_TYPE, content_type),
        (CACHE_CONTROL, "no-cache"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, text)
}
