//! Keys and crypto suites of SRTP on plain and pipe transports, where no DTLS handshake agrees on them.

use serde::{Deserialize, Serialize};

/// Suite and key of one direction.
#[derive(Debug, Clone, Ord, PartialOrd, Eq, PartialEq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SrtpParameters {
    /// Suite.
    pub crypto_suite: SrtpCryptoSuite,
    /// Master key followed by master salt, in Base64 (RFC 4568 section 6.1).
    pub key_base64: String,
}

/// Encryption and authentication of SRTP.
#[derive(Debug, Copy, Clone, Ord, PartialOrd, Eq, PartialEq, Hash, Deserialize, Serialize, Default)]
pub enum SrtpCryptoSuite {
    /// AES-256 in GCM (RFC 7714).
    #[serde(rename = "AEAD_AES_256_GCM")]
    AeadAes256Gcm,
    /// AES-128 in GCM (RFC 7714).
    #[serde(rename = "AEAD_AES_128_GCM")]
    AeadAes128Gcm,
    /// AES-128 in counter mode with an 80-bit tag (RFC 4568 section 6.2.1).
    #[default]
    #[serde(rename = "AES_CM_128_HMAC_SHA1_80")]
    AesCm128HmacSha180,
    /// AES-128 in counter mode with a 32-bit tag (RFC 4568 section 6.2.2).
    #[serde(rename = "AES_CM_128_HMAC_SHA1_32")]
    AesCm128HmacSha132,
}
