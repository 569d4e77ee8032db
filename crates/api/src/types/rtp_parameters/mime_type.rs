//! Codec names. Read in any case, written in the one that mediasoup's clients write; names that are not known are
//! `Unsupported`, which no other codec matches.

use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use crate::types::text;

/// Error of parsing a MIME type from text.
///
/// Deserialization is milder: there an unknown codec of the right kind is `Unsupported`.
#[derive(Debug, Error, Eq, PartialEq)]
pub enum ParseMimeTypeError {
    /// Not of the form `audio/…` or `video/…`, or of the other kind.
    #[error("Invalid MIME type input string")]
    InvalidInput,
    /// The right kind, but an unknown codec.
    #[error("Unknown MIME type")]
    UnknownMimeType,
}

/// Codec of either kind.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Deserialize, Serialize)]
#[serde(untagged)]
pub enum MimeType {
    /// Audio.
    Audio(MimeTypeAudio),
    /// Video.
    Video(MimeTypeVideo),
}

impl MimeType {
    /// Text of the MIME type.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Audio(mime_type) => mime_type.as_str(),
            Self::Video(mime_type) => mime_type.as_str(),
        }
    }

    /// Whether it is RTX of either kind.
    pub fn is_rtx(&self) -> bool {
        matches!(self, Self::Audio(MimeTypeAudio::Rtx) | Self::Video(MimeTypeVideo::Rtx))
    }

    /// Whether it is a codec that is not known here.
    pub fn is_unsupported(&self) -> bool {
        matches!(self, Self::Audio(MimeTypeAudio::Unsupported) | Self::Video(MimeTypeVideo::Unsupported))
    }
}

impl FromStr for MimeType {
    type Err = ParseMimeTypeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse().map(Self::Audio) {
            Err(ParseMimeTypeError::InvalidInput) => text.parse().map(Self::Video),
            audio => audio,
        }
    }
}

macro_rules! mime_types {
    ($(#[$doc:meta])* $name:ident of $kind:literal: $($(#[$variant_doc:meta])* $variant:ident = $subtype:literal,)+) => {
        $(#[$doc])*
        #[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
            /// A codec that is not known here; the server neither produces nor consumes it.
            Unsupported,
        }

        impl $name {
            /// Text of the MIME type.
            pub fn as_str(&self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($kind, "/", $subtype),)+
                    Self::Unsupported => concat!($kind, "/unsupported"),
                }
            }
        }

        impl FromStr for $name {
            type Err = ParseMimeTypeError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                // RFC 2045 section 5.1: types and subtypes ignore case.
                let subtype = text
                    .split_once('/')
                    .and_then(|(kind, subtype)| kind.eq_ignore_ascii_case($kind).then_some(subtype))
                    .ok_or(ParseMimeTypeError::InvalidInput)?;
                $(if subtype.eq_ignore_ascii_case($subtype) {
                    return Ok(Self::$variant);
                })+
                if subtype.eq_ignore_ascii_case("unsupported") {
                    return Ok(Self::Unsupported);
                }
                Err(ParseMimeTypeError::UnknownMimeType)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                text::deserialize(deserializer, concat!("a MIME type like \"", $kind, "/…\""), |text| {
                    match text.parse() {
                        Err(ParseMimeTypeError::UnknownMimeType) => Ok(Self::Unsupported),
                        parsed => parsed,
                    }
                })
            }
        }
    };
}

mime_types! {
    /// Audio codecs.
    MimeTypeAudio of "audio":
    /// Opus (RFC 7587).
    Opus = "opus",
    /// Opus with more than two channels, as Chromium does it.
    MultiChannelOpus = "multiopus",
    /// G.711 μ-law.
    Pcmu = "PCMU",
    /// G.711 A-law.
    Pcma = "PCMA",
    /// iSAC.
    Isac = "ISAC",
    /// G.722.
    G722 = "G722",
    /// iLBC (RFC 3952).
    Ilbc = "iLBC",
    /// SILK.
    Silk = "SILK",
    /// Comfort noise (RFC 3389).
    Cn = "CN",
    /// DTMF (RFC 4733).
    TelephoneEvent = "telephone-event",
    /// Retransmission (RFC 4588).
    Rtx = "rtx",
    /// Redundancy (RFC 2198).
    Red = "red",
}

mime_types! {
    /// Video codecs.
    MimeTypeVideo of "video":
    /// VP8 (RFC 7741).
    Vp8 = "VP8",
    /// VP9 (RFC 9628).
    Vp9 = "VP9",
    /// H.264 (RFC 6184).
    H264 = "H264",
    /// H.265 (RFC 7798).
    H265 = "H265",
    /// AV1.
    AV1 = "AV1",
    /// Retransmission (RFC 4588).
    Rtx = "rtx",
    /// Redundancy (RFC 2198).
    Red = "red",
    /// Forward error correction (RFC 5109).
    Ulpfec = "ulpfec",
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json, to_value};

    use super::*;

    #[test]
    fn any_case_is_read_and_one_is_written() {
        for (text, written) in
            [("AUDIO/OPUS", "audio/opus"), ("video/vp8", "video/VP8"), ("Video/H265", "video/H265")]
        {
            assert_eq!(text.parse::<MimeType>().unwrap().as_str(), written);
            assert_eq!(to_value(from_value::<MimeType>(json!(text)).unwrap()).unwrap(), json!(written));
        }
    }

    #[test]
    fn kinds_are_kept_apart() {
        assert_eq!("video/opus".parse::<MimeTypeAudio>(), Err(ParseMimeTypeError::InvalidInput));
        assert_eq!("audio/vp8".parse::<MimeType>(), Err(ParseMimeTypeError::UnknownMimeType));
        assert_eq!("text/plain".parse::<MimeType>(), Err(ParseMimeTypeError::InvalidInput));
        assert_eq!("audio".parse::<MimeType>(), Err(ParseMimeTypeError::InvalidInput));
        assert_eq!("video/rtx".parse(), Ok(MimeType::Video(MimeTypeVideo::Rtx)));
        assert!(from_value::<MimeTypeVideo>(json!("audio/opus")).is_err());
    }

    #[test]
    fn unknown_codecs_parse_as_unsupported_and_stay_so() {
        let flexfec: MimeType = from_value(json!("video/flexfec-03")).unwrap();
        assert_eq!(flexfec, MimeType::Video(MimeTypeVideo::Unsupported));
        let again: MimeType = from_value(to_value(flexfec).unwrap()).unwrap();
        assert_eq!(again, flexfec);
        assert_eq!("video/flexfec-03".parse::<MimeType>(), Err(ParseMimeTypeError::UnknownMimeType));
    }
}
