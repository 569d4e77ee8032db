//! Where a demo is: what a person copies from the line that it prints.

use std::fmt;
use std::str::FromStr;

/// The port of plain HTTP, where the address has none.
const HTTP_PORT: u16 = 80;

/// Host and port of a demo, and the join token if the link has one.
#[derive(Clone, PartialEq, Eq)]
pub struct DemoAddress {
    host: String,
    port: u16,
    token: Option<String>,
}

/// Why a text is no address of a demo.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DemoAddressError {
    /// Another scheme, or none.
    #[error("{0:?} doesn't begin with http://")]
    Scheme(String),
    /// TLS is not spoken here.
    #[error(
        "https is not spoken by the load generator: start the demo on a loopback address, and reach it from another machine \
         through a tunnel for its port, with --media-address for the media"
    )]
    Tls,
    /// No host, or a port that is none.
    #[error("{0:?} names no host and port")]
    Authority(String),
}

impl DemoAddress {
    /// Host and port, as in a URL.
    #[must_use]
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    pub(super) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }
}

impl FromStr for DemoAddress {
    type Err = DemoAddressError;

    fn from_str(url: &str) -> Result<Self, DemoAddressError> {
        if url.starts_with("https://") {
            return Err(DemoAddressError::Tls);
        }
        let rest = url.strip_prefix("http://").ok_or_else(|| DemoAddressError::Scheme(url.into()))?;
        let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let wrong = || DemoAddressError::Authority(authority.into());
        // The colons of an IPv6 address stand within brackets.
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().map_err(|_| wrong())?),
            _ => (authority, HTTP_PORT),
        };
        if host.is_empty() || port == 0 {
            return Err(wrong());
        }
        let token = fragment.strip_prefix("token=").filter(|token| !token.is_empty());
        Ok(Self { host: host.into(), port, token: token.map(str::to_owned) })
    }
}

impl fmt::Display for DemoAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.authority())
    }
}

/// The token stays out of logs.
impl fmt::Debug for DemoAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DemoAddress({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_it_is_printed() {
        for (url, shown, token) in [
            ("http://127.0.0.1:3000/", "http://127.0.0.1:3000", None),
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000", None),
            ("http://localhost", "http://localhost:80", None),
            ("http://[::1]:8080/r/plaza?join", "http://[::1]:8080", None),
            ("http://[::1]", "http://[::1]:80", None),
            ("http://sfu.example:9/#token=abc", "http://sfu.example:9", Some("abc")),
            ("http://sfu.example:9/#token=", "http://sfu.example:9", None),
        ] {
            let address: DemoAddress = url.parse().unwrap();
            assert_eq!((address.to_string().as_str(), address.token()), (shown, token), "{url}");
            assert!(!format!("{address:?}").contains("abc"));
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let refusal = |url: &str| url.parse::<DemoAddress>().unwrap_err();
        assert_eq!(refusal("https://127.0.0.1:3000/"), DemoAddressError::Tls);
        assert_eq!(refusal("127.0.0.1:3000"), DemoAddressError::Scheme("127.0.0.1:3000".into()));
        for authority in ["", ":80", "host:0", "host:99999", "host:port"] {
            assert_eq!(
                refusal(&format!("http://{authority}/")),
                DemoAddressError::Authority(authority.into())
            );
        }
    }
}
