//! Whether a WebSocket is opened by our own page.
//!
//! Browsers let any page open a WebSocket to any host (RFC 6455 §10.2). Without this check a page from elsewhere could use
//! the gateway of whoever looks at it, also one that listens on loopback only.

use axum::http::{HeaderMap, HeaderValue, header};

/// True when `Origin` names the host that was asked, or is absent: then it isn't a browser.
pub(crate) fn is_own(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let host = |value: &HeaderValue| value.to_str().map(str::to_ascii_lowercase).ok();
    let (Some(origin), Some(asked)) = (host(origin), headers.get(header::HOST).and_then(host)) else {
        return false;
    };
    origin.split_once("://").is_some_and(|(_, host)| host == asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(origin: Option<&'static str>, host: &'static str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static(host));
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
        }
        is_own(&headers)
    }

    #[test]
    fn only_the_own_host_is_let_in() {
        assert!(check(Some("http://127.0.0.1:3000"), "127.0.0.1:3000"));
        assert!(check(Some("https://Mafalda.example"), "mafalda.example"));
        assert!(check(None, "127.0.0.1:3000"), "not a browser");
        assert!(!check(Some("http://127.0.0.1:3001"), "127.0.0.1:3000"));
        assert!(!check(Some("https://elsewhere.example"), "127.0.0.1:3000"));
        assert!(!check(Some("null"), "127.0.0.1:3000"));
        assert!(!is_own(&HeaderMap::from_iter([(header::ORIGIN, HeaderValue::from_static("http://x"))])));
    }
}
