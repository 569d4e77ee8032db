//! Data channel messages (RFC 8831) and the state of the SCTP association that carries them.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// Payload protocol identifiers of WebRTC data (RFC 8831 section 8). The two "partial" ones, 52 and 54, are deprecated
/// there and refused here.
mod ppid {
    pub(super) const STRING: u32 = 51;
    pub(super) const BINARY: u32 = 53;
    pub(super) const STRING_EMPTY: u32 = 56;
    pub(super) const BINARY_EMPTY: u32 = 57;
}

/// State of a transport's SCTP association.
#[derive(Debug, Copy, Clone, Ord, PartialOrd, Eq, PartialEq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum SctpState {
    /// Not started.
    New,
    /// Handshake under way.
    Connecting,
    /// Messages can flow.
    Connected,
    /// Handshake failed or the association was aborted.
    Failed,
    /// Closed by either side.
    Closed,
}

/// A data channel message whose payload may be borrowed.
///
/// SCTP cannot carry an empty message, so the empty kinds travel as one zero byte (RFC 8831 section 6.6).
#[derive(Debug, Clone, Eq, PartialEq)]
pub enum WebRtcMessage<'a> {
    /// Text, expected to be UTF-8 but not checked.
    String(Cow<'a, [u8]>),
    /// Bytes.
    Binary(Cow<'a, [u8]>),
    /// Text of no length.
    EmptyString,
    /// No bytes.
    EmptyBinary,
}

impl<'a> WebRtcMessage<'a> {
    /// Reads a message as it came from SCTP.
    ///
    /// # Errors
    /// Gives back a payload protocol identifier that is not one of WebRTC data.
    pub fn new(ppid: u32, payload: Cow<'a, [u8]>) -> Result<Self, u32> {
        match ppid {
            ppid::STRING => Ok(Self::String(payload)),
            ppid::BINARY => Ok(Self::Binary(payload)),
            ppid::STRING_EMPTY => Ok(Self::EmptyString),
            ppid::BINARY_EMPTY => Ok(Self::EmptyBinary),
            unknown => Err(unknown),
        }
    }

    /// The message as SCTP carries it.
    pub fn into_ppid_and_payload(self) -> (u32, Cow<'a, [u8]>) {
        match self {
            Self::String(payload) => (ppid::STRING, payload),
            Self::Binary(payload) => (ppid::BINARY, payload),
            Self::EmptyString => (ppid::STRING_EMPTY, Cow::Borrowed(&[0])),
            Self::EmptyBinary => (ppid::BINARY_EMPTY, Cow::Borrowed(&[0])),
        }
    }

    /// Copies a borrowed payload.
    pub fn into_owned(self) -> OwnedWebRtcMessage {
        match self {
            Self::String(payload) => OwnedWebRtcMessage::String(payload.into_owned()),
            Self::Binary(payload) => OwnedWebRtcMessage::Binary(payload.into_owned()),
            Self::EmptyString => OwnedWebRtcMessage::EmptyString,
            Self::EmptyBinary => OwnedWebRtcMessage::EmptyBinary,
        }
    }
}

/// A data channel message that owns its payload.
#[derive(Debug, Clone, Eq, PartialEq)]
pub enum OwnedWebRtcMessage {
    /// Text, expected to be UTF-8 but not checked.
    String(Vec<u8>),
    /// Bytes.
    Binary(Vec<u8>),
    /// Text of no length.
    EmptyString,
    /// No bytes.
    EmptyBinary,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_survive_sctp() {
        for message in [
            WebRtcMessage::String(b"hi".as_slice().into()),
            WebRtcMessage::Binary(b"\0".as_slice().into()),
            WebRtcMessage::EmptyString,
            WebRtcMessage::EmptyBinary,
        ] {
            let (ppid, payload) = message.clone().into_ppid_and_payload();
            assert!(!payload.is_empty());
            assert_eq!(WebRtcMessage::new(ppid, payload), Ok(message));
        }
    }

    #[test]
    fn other_payload_protocols_are_given_back() {
        for ppid in [0, 50, 52, 54] {
            assert_eq!(WebRtcMessage::new(ppid, Cow::Borrowed(&[])), Err(ppid));
        }
    }
}
