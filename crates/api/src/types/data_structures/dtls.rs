//! DTLS roles, states and certificate fingerprints (RFC 8122, RFC 8842).

use std::borrow::Cow;
use std::fmt;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// State of a transport's DTLS association.
#[derive(Debug, Copy, Clone, Ord, PartialOrd, Eq, PartialEq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum DtlsState {
    /// Not started.
    New,
    /// Handshake under way.
    Connecting,
    /// Handshake done and fingerprint verified.
    Connected,
    /// Handshake or verification failed.
    Failed,
    /// Closed by either side.
    Closed,
}

/// Role in the DTLS handshake.
#[derive(Debug, Copy, Clone, Ord, PartialOrd, Eq, PartialEq, Hash, Deserialize, Serialize, Default)]
#[serde(rename_all = "camelCase")]
pub enum DtlsRole {
    /// Decided by what the other side is. Against a peer that says this too the server becomes the client: it is the side
    /// that ICE controls.
    #[default]
    Auto,
    /// Starts the handshake (`setup:active`).
    Client,
    /// Waits for the handshake (`setup:passive`).
    Server,
}

/// DTLS role and certificate fingerprints of one side.
#[derive(Debug, Clone, PartialOrd, Eq, PartialEq, Deserialize, Serialize)]
pub struct DtlsParameters {
    /// Role; default [`DtlsRole::Auto`].
    #[serde(default)]
    pub role: DtlsRole,
    /// Fingerprints of the certificate under one or several hash functions.
    pub fingerprints: Vec<DtlsFingerprint>,
}

/// Hash of a certificate's DER form (RFC 8122 section 5).
///
/// Its JSON is `{"algorithm": "sha-256", "value": "AA:BB:…"}`; hash names and hexadecimal digits are read in any case.
#[derive(Copy, Clone, PartialOrd, Eq, PartialEq)]
pub enum DtlsFingerprint {
    /// SHA-1.
    Sha1 {
        /// The hash.
        value: [u8; 20],
    },
    /// SHA-224.
    Sha224 {
        /// The hash.
        value: [u8; 28],
    },
    /// SHA-256.
    Sha256 {
        /// The hash.
        value: [u8; 32],
    },
    /// SHA-384.
    Sha384 {
        /// The hash.
        value: [u8; 48],
    },
    /// SHA-512.
    Sha512 {
        /// The hash.
        value: [u8; 64],
    },
}

/// Hash functions in the spelling of RFC 8122 section 5.
const ALGORITHMS: &[&str] = &["sha-1", "sha-224", "sha-256", "sha-384", "sha-512"];

impl DtlsFingerprint {
    /// The hash as upper-case hexadecimal bytes with colons between them, as SDP writes it.
    pub fn value_string(&self) -> String {
        let octets: Vec<String> = self.value().iter().map(|octet| format!("{octet:02X}")).collect();
        octets.join(":")
    }

    fn value(&self) -> &[u8] {
        match self {
            Self::Sha1 { value } => value,
            Self::Sha224 { value } => value,
            Self::Sha256 { value } => value,
            Self::Sha384 { value } => value,
            Self::Sha512 { value } => value,
        }
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Self::Sha1 { .. } => "sha-1",
            Self::Sha224 { .. } => "sha-224",
            Self::Sha256 { .. } => "sha-256",
            Self::Sha384 { .. } => "sha-384",
            Self::Sha512 { .. } => "sha-512",
        }
    }
}

impl fmt::Debug for DtlsFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Sha1 { .. } => "Sha1",
            Self::Sha224 { .. } => "Sha224",
            Self::Sha256 { .. } => "Sha256",
            Self::Sha384 { .. } => "Sha384",
            Self::Sha512 { .. } => "Sha512",
        };
        f.debug_struct(name).field("value", &self.value_string()).finish()
    }
}

/// The JSON form.
#[derive(Deserialize, Serialize)]
#[serde(rename = "DtlsFingerprint")]
struct FingerprintText<'a> {
    algorithm: Cow<'a, str>,
    value: Cow<'a, str>,
}

impl Serialize for DtlsFingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        FingerprintText { algorithm: self.algorithm().into(), value: self.value_string().into() }
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for DtlsFingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let FingerprintText { algorithm, value } = FingerprintText::deserialize(deserializer)?;
        // RFC 8122 section 5: "hash-func" is a token of SDP's ABNF, whose literal strings ignore case.
        let fingerprint = match algorithm.to_ascii_lowercase().as_str() {
            "sha-1" => parse_octets(&value).map(|value| Self::Sha1 { value }),
            "sha-224" => parse_octets(&value).map(|value| Self::Sha224 { value }),
            "sha-256" => parse_octets(&value).map(|value| Self::Sha256 { value }),
            "sha-384" => parse_octets(&value).map(|value| Self::Sha384 { value }),
            "sha-512" => parse_octets(&value).map(|value| Self::Sha512 { value }),
            _ => return Err(D::Error::unknown_variant(&algorithm, ALGORITHMS)),
        };
        fingerprint
            .ok_or_else(|| D::Error::custom(format_args!("not the value of a {algorithm} fingerprint")))
    }
}

/// Exactly `N` bytes, two hexadecimal digits each, with colons between them.
fn parse_octets<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut octets = [0; N];
    let mut words = text.split(':');
    for octet in &mut octets {
        let word = words.next().filter(|word| word.len() == 2 && !word.starts_with('+'))?;
        *octet = u8::from_str_radix(word, 16).ok()?;
    }
    words.next().is_none().then_some(octets)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fingerprint_is_read_in_any_case_and_written_upper_case() {
        let value = vec!["ab"; 32].join(":");
        let fingerprint: DtlsFingerprint =
            serde_json::from_value(json!({ "algorithm": "SHA-256", "value": value })).unwrap();
        assert_eq!(fingerprint, DtlsFingerprint::Sha256 { value: [0xab; 32] });
        assert_eq!(
            serde_json::to_value(fingerprint).unwrap(),
            json!({ "algorithm": "sha-256", "value": value.to_uppercase() })
        );
    }

    #[test]
    fn malformed_fingerprints_are_refused_without_panic() {
        let short = vec!["00"; 19].join(":");
        let long = vec!["00"; 21].join(":");
        let signed = vec!["+1"; 20].join(":");
        let wide = vec!["é"; 20].join(":");
        let no_colons = "00".repeat(20);
        for value in ["", ":", &short, &long, &signed, &wide, &no_colons] {
            let json = json!({ "algorithm": "sha-1", "value": value });
            assert!(serde_json::from_value::<DtlsFingerprint>(json).is_err(), "{value}");
        }
        let unknown = json!({ "algorithm": "md5", "value": vec!["00"; 16].join(":") });
        assert!(serde_json::from_value::<DtlsFingerprint>(unknown).is_err());
    }
}
