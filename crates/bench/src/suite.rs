//! How what is forwarded is protected.

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use clap::ValueEnum;
use mafalda_core::types::srtp_parameters::SrtpCryptoSuite;
use mafalda_media::srtp::{SrtpKeys, SrtpProfile};

/// The rows of the matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Suite {
    /// Not at all.
    None,
    /// AEAD_AES_128_GCM.
    Gcm,
    /// AEAD_AES_256_GCM: what two ends with free choice agree on.
    #[value(name = "gcm256")]
    Gcm256,
    /// AES_CM_128_HMAC_SHA1_80.
    Cm,
}

impl Suite {
    /// The engine's name for it.
    pub(crate) fn profile(self) -> Option<SrtpProfile> {
        match self {
            Self::None => None,
            Self::Gcm => Some(SrtpProfile::AeadAes128Gcm),
            Self::Gcm256 => Some(SrtpProfile::AeadAes256Gcm),
            Self::Cm => Some(SrtpProfile::Aes128CmSha1_80),
        }
    }

    /// The api's name for it.
    pub(crate) fn crypto_suite(self) -> Option<SrtpCryptoSuite> {
        match self {
            Self::None => None,
            Self::Gcm => Some(SrtpCryptoSuite::AeadAes128Gcm),
            Self::Gcm256 => Some(SrtpCryptoSuite::AeadAes256Gcm),
            Self::Cm => Some(SrtpCryptoSuite::AesCm128HmacSha180),
        }
    }

    /// Keys out of master key and salt in Base64, as `SrtpParameters` has them; `None` without SRTP.
    pub(crate) fn keys(self, base64: &str) -> Result<Option<SrtpKeys>> {
        let Some(profile) = self.profile() else { return Ok(None) };
        let bytes = BASE64.decode(base64).context("a key is no Base64")?;
        ensure!(bytes.len() == profile.key_len() + profile.salt_len(), "a key of {} bytes", bytes.len());
        let (key, salt) = bytes.split_at(profile.key_len());
        Ok(Some(SrtpKeys::new(profile, key, salt)?))
    }

    /// A key for destination `index`, in Base64. Its secrecy is of no concern here, but no two destinations share one: a
    /// forwarder that reads one key schedule again and again would look too cheap.
    pub(crate) fn key_base64(self, index: u16) -> Option<String> {
        let profile = self.profile()?;
        let [high, low] = index.to_be_bytes();
        let mut bytes = vec![0x5a; profile.key_len() + profile.salt_len()];
        bytes[..2].copy_from_slice(&[high, low]);
        Some(BASE64.encode(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_the_length_of_their_profile() {
        for suite in [Suite::Gcm, Suite::Gcm256, Suite::Cm] {
            let key = suite.key_base64(7).unwrap();
            assert_eq!(suite.keys(&key).unwrap().unwrap().profile(), suite.profile().unwrap());
            assert_ne!(Some(key), suite.key_base64(8));
        }
        let of_gcm = Suite::Gcm.key_base64(0).unwrap();
        assert!(Suite::Cm.keys(&of_gcm).is_err());
        assert!(Suite::Gcm.keys("!").is_err());
    }

    #[test]
    fn there_is_nothing_to_key_without_srtp() {
        assert!(Suite::None.key_base64(0).is_none());
        assert!(Suite::None.keys("").unwrap().is_none());
    }
}
