//! RTP header extensions (RFC 8285): which an endpoint can do, and which a stream uses under what id.

use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use super::MediaKind;
use crate::types::text;

/// Error of [`RtpHeaderExtensionUri::from_str`].
///
/// Deserialization is milder: there an unknown URI is [`RtpHeaderExtensionUri::Unsupported`].
#[derive(Debug, Error, Eq, PartialEq)]
pub enum RtpHeaderExtensionUriParseError {
    /// A URI that is not known here.
    #[error("Unsupported RTP header extension URI: {0}")]
    Unsupported(String),
}

macro_rules! header_extension_uris {
    ($($(#[$doc:meta])* $variant:ident = $uri:literal,)+) => {
        /// What a header extension means.
        #[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash)]
        pub enum RtpHeaderExtensionUri {
            $($(#[$doc])* $variant,)+
        }

        impl RtpHeaderExtensionUri {
            /// The URI.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $uri,)+
                }
            }
        }

        impl FromStr for RtpHeaderExtensionUri {
            type Err = RtpHeaderExtensionUriParseError;

            fn from_str(uri: &str) -> Result<Self, Self::Err> {
                match uri {
                    $($uri => Ok(Self::$variant),)+
                    unknown => Err(RtpHeaderExtensionUriParseError::Unsupported(unknown.to_owned())),
                }
            }
        }
    };
}

header_extension_uris! {
    /// MID (RFC 9143 section 14).
    Mid = "urn:ietf:params:rtp-hdrext:sdes:mid",
    /// RID (RFC 8852 section 3.1).
    RtpStreamId = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
    /// RID of the stream that an RTX stream repairs (RFC 8852 section 3.2).
    RepairRtpStreamId = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
    /// Time of sending.
    AbsSendTime = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    /// Transport-wide sequence number.
    TransportWideCcDraft01 = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    /// Audio level (RFC 6464).
    SsrcAudioLevel = "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    /// AV1 dependency descriptor.
    DependencyDescriptor =
        "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension",
    /// Video orientation (3GPP TS 26.114).
    VideoOrientation = "urn:3gpp:video-orientation",
    /// Time of capture.
    AbsCaptureTime = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time",
    /// Limits of the playout delay.
    PlayoutDelay = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
    /// mediasoup's packet counter.
    MediasoupPacketId = "urn:mediasoup:params:rtp-hdrext:packet-id",
    /// An extension that is not known here; ignored in negotiation, and packets lose it.
    Unsupported = "urn:mafalda:params:rtp-hdrext:unsupported",
}

impl Serialize for RtpHeaderExtensionUri {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for RtpHeaderExtensionUri {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::deserialize(deserializer, "the URI of an RTP header extension", |uri| {
            Ok::<_, RtpHeaderExtensionUriParseError>(uri.parse().unwrap_or(Self::Unsupported))
        })
    }
}

/// Which way an endpoint can use a header extension.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Deserialize, Serialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum RtpHeaderExtensionDirection {
    /// Both.
    #[default]
    SendRecv,
    /// It writes it.
    SendOnly,
    /// It reads it.
    RecvOnly,
    /// Neither.
    Inactive,
}

/// A header extension that an endpoint can do.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RtpHeaderExtension {
    /// Kind of media it is for.
    pub kind: MediaKind,
    /// Meaning.
    pub uri: RtpHeaderExtensionUri,
    /// Id under which it would be sent.
    pub preferred_id: u16,
    /// Whether its value would be encrypted (RFC 6904); nothing here encrypts. Default false.
    #[serde(default)]
    pub preferred_encrypt: bool,
    /// Direction. Default both.
    #[serde(default)]
    pub direction: RtpHeaderExtensionDirection,
}

/// A header extension that a stream uses.
#[derive(Debug, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Deserialize, Serialize)]
pub struct RtpHeaderExtensionParameters {
    /// Meaning.
    pub uri: RtpHeaderExtensionUri,
    /// Id in the packet, unique in the stream.
    pub id: u16,
    /// Whether its value is encrypted (RFC 6904); nothing here encrypts. Default false.
    #[serde(default)]
    pub encrypt: bool,
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json, to_value};

    use super::*;

    #[test]
    fn known_uris_round_trip() {
        let mid = json!("urn:ietf:params:rtp-hdrext:sdes:mid");
        assert_eq!(from_value::<RtpHeaderExtensionUri>(mid.clone()).unwrap(), RtpHeaderExtensionUri::Mid);
        assert_eq!(to_value(RtpHeaderExtensionUri::Mid).unwrap(), mid);
    }

    #[test]
    fn unknown_uris_parse_as_unsupported_and_stay_so() {
        let toffset: RtpHeaderExtensionUri = from_value(json!("urn:ietf:params:rtp-hdrext:toffset")).unwrap();
        assert_eq!(toffset, RtpHeaderExtensionUri::Unsupported);
        assert_eq!(from_value::<RtpHeaderExtensionUri>(to_value(toffset).unwrap()).unwrap(), toffset);
        assert_eq!(
            "urn:x".parse::<RtpHeaderExtensionUri>(),
            Err(RtpHeaderExtensionUriParseError::Unsupported("urn:x".to_owned()))
        );
    }
}
