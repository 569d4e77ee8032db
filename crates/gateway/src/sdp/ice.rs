//! ICE credentials and candidates as text.

use mafalda_api::types::data_structures::{IceCandidate, Protocol};
use rtc_sdp::description::common::Attribute;

use super::SdpError;
use super::attribute::{unreadable, values};

/// Lengths of `ice-ufrag` and `ice-pwd` (RFC 8839 §5.4).
const FRAGMENT_LEN: std::ops::RangeInclusive<usize> = 4..=256;
const PASSWORD_LEN: std::ops::RangeInclusive<usize> = 22..=256;

/// A client's ICE credentials. A lite server never checks towards the client, so it needs them for one thing: a client that has
/// new ones restarts ICE (RFC 8839 §4.4.1.1.1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IceCredentials {
    /// `ice-ufrag`.
    pub username_fragment: String,
    /// `ice-pwd`.
    pub password: String,
}

impl IceCredentials {
    /// Those among some attributes; `None` if there is neither part.
    pub(super) fn read(attributes: &[Attribute]) -> Result<Option<Self>, SdpError> {
        let fragment = one(attributes, "ice-ufrag")?;
        let password = one(attributes, "ice-pwd")?;
        match (fragment, password) {
            (None, None) => Ok(None),
            (Some(fragment), Some(password))
                if is_text(fragment, FRAGMENT_LEN) && is_text(password, PASSWORD_LEN) =>
            {
                Ok(Some(Self { username_fragment: fragment.into(), password: password.into() }))
            }
            _ => Err(SdpError::NoIceCredentials),
        }
    }
}

/// The only value of an attribute; the same one may be said again.
fn one<'a>(attributes: &'a [Attribute], name: &'static str) -> Result<Option<&'a str>, SdpError> {
    let mut all = values(attributes, name);
    let first = all.next();
    match first.is_some_and(|first| all.any(|other| other != first)) {
        true => Err(SdpError::TwoIceCredentials),
        false => Ok(first),
    }
}

/// `ice-char`s (RFC 8839 §5.4).
fn is_text(text: &str, len: std::ops::RangeInclusive<usize>) -> bool {
    len.contains(&text.len()) && text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'+' || c == b'/')
}

/// Whether a client's candidate is one by its form (RFC 8839 §5.1).
pub(super) fn check_candidate(value: &str) -> Result<(), SdpError> {
    let bad = || unreadable("candidate", value);
    let fields: Vec<_> = value.split_ascii_whitespace().collect();
    let [foundation, component, _protocol, priority, _address, port, "typ", _kind, ..] = fields[..] else {
        return Err(bad());
    };
    let component = component.parse::<u16>().is_ok_and(|component| (1..=256).contains(&component));
    let numbers = priority.parse::<u32>().is_ok() && port.parse::<u16>().is_ok();
    (is_text(foundation, 1..=32) && component && numbers).then_some(()).ok_or_else(bad)
}

/// One of our candidates, behind `a=`.
pub(super) fn candidate(candidate: &IceCandidate) -> Attribute {
    let IceCandidate { foundation, priority, address, port, .. } = candidate;
    // RFC 6544 §4.5: a server waits for connections.
    let (protocol, tcp_type) = match candidate.protocol {
        Protocol::Udp => ("udp", ""),
        Protocol::Tcp => ("tcp", " tcptype passive"),
    };
    let value = format!("{foundation} 1 {protocol} {priority} {address} {port} typ host{tcp_type}");
    Attribute::new("candidate".into(), Some(value))
}
