//! AES-GCM: one key, on the kernel that it was made for.
//!
//! It knows nonces and bytes, nothing of RTP: seal two pieces of plain text out of place, open in place.

use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, Tag, UnboundKey};

use super::SrtpError;
#[cfg(target_arch = "x86_64")]
use super::kernel::VaesKey;
use super::kernel::{GcmKernel, Kind};

/// Length of the tag, in bytes; SRTP uses no shorter one (RFC 7714 §13.2).
const TAG_LEN: usize = 16;

/// An AES-GCM key with its schedule.
pub(super) enum GcmKey {
    #[cfg(target_arch = "x86_64")]
    Vaes(VaesKey),
    Ring(LessSafeKey),
}

impl GcmKey {
    /// A key of 16 or 32 bytes.
    pub(super) fn new(kernel: GcmKernel, key: &[u8]) -> Self {
        match kernel.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Vaes(width) => Self::Vaes(VaesKey::new(width, key)),
            Kind::Ring => {
                let algorithm = if key.len() == AES_256_GCM.key_len() { &AES_256_GCM } else { &AES_128_GCM };
                let key = UnboundKey::new(algorithm, key).expect("profiles have keys of 16 or 32 bytes");
                Self::Ring(LessSafeKey::new(key))
            }
        }
    }

    /// Encrypts `plain`, both pieces one after the other, into `ciphertext` (of the same length) and writes the 16-byte `tag`.
    /// The first piece is at most [`PREFIX_MAX`](super::PREFIX_MAX) long.
    ///
    /// The caller never uses a nonce for two different texts.
    pub(super) fn seal(
        &self,
        nonce: [u8; 12],
        aad: &[u8],
        plain: [&[u8]; 2],
        ciphertext: &mut [u8],
        tag: &mut [u8],
    ) -> Result<(), SrtpError> {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Vaes(key) => tag.copy_from_slice(&key.seal(nonce, aad, plain, ciphertext)),
            Self::Ring(key) => {
                let (start, rest) = ciphertext.split_at_mut(plain[0].len());
                start.copy_from_slice(plain[0]);
                rest.copy_from_slice(plain[1]);
                let nonce = Nonce::assume_unique_for_key(nonce);
                let sealed = key.seal_in_place_separate_tag(nonce, Aad::from(aad), ciphertext);
                tag.copy_from_slice(sealed.map_err(|_| SrtpError::TooLong)?.as_ref());
            }
        }
        Ok(())
    }

    /// Verifies and decrypts in place. After an error the text's content is unspecified.
    pub(super) fn open(
        &self,
        nonce: [u8; 12],
        aad: &[u8],
        ciphertext: &mut [u8],
        tag: &[u8],
    ) -> Result<(), SrtpError> {
        let tag: [u8; TAG_LEN] = tag.try_into().map_err(|_| SrtpError::Auth)?;
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Vaes(key) => {
                if key.open(nonce, aad, ciphertext, tag) {
                    Ok(())
                } else {
                    Err(SrtpError::Auth)
                }
            }
            Self::Ring(key) => {
                let nonce = Nonce::assume_unique_for_key(nonce);
                key.open_in_place_separate_tag(nonce, Aad::from(aad), Tag::from(tag), ciphertext, 0..)
                    .map(drop)
                    .map_err(|_| SrtpError::Auth)
            }
        }
    }
}
