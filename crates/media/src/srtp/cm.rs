//! AES in counter mode with HMAC-SHA1: one pair of keys, on RustCrypto (RFC 3711 §4.1.1, §4.2.1).
//!
//! RustCrypto and not `ring`, because `ring` computes SHA-1 without the CPU's SHA instructions and takes three times as long.

use aes::Aes128Enc;
use ctr::cipher::{BlockCipherEncrypt, BlockSizeUser, InnerIvInit, StreamCipher, consts::U16};
use ctr::{Ctr128BE, CtrCore};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use super::SrtpError;
use super::derivation::AUTH_KEY_LEN;

/// An AES-128 key with its schedule, and an HMAC-SHA1 key with its first two blocks digested.
pub(super) struct CmKey {
    cipher: Aes128Enc,
    mac: Hmac<Sha1>,
}

impl CmKey {
    /// An encryption key of 16 bytes and an authentication key.
    pub(super) fn new(key: &[u8], auth_key: &[u8; AUTH_KEY_LEN]) -> Self {
        Self {
            cipher: Aes128Enc::new_from_slice(key).expect("counter mode profiles have keys of 16 bytes"),
            mac: Hmac::new_from_slice(auth_key).expect("HMAC takes keys of any length"),
        }
    }

    /// Encrypts `plain`, both pieces one after the other, into `ciphertext` (of the same length) and writes the `tag`, as much
    /// of it as has room, over header, ciphertext and `trailer`.
    ///
    /// The counter's low 16 bits are zero and count blocks; a text has at most 64 KiB, so they don't overflow into the index.
    pub(super) fn seal(
        &self,
        counter: u128,
        (header, trailer): (&[u8], [u8; 4]),
        plain: [&[u8]; 2],
        ciphertext: &mut [u8],
        tag: &mut [u8],
    ) {
        let mut stream = keystream(&self.cipher, counter);
        let (start, rest) = ciphertext.split_at_mut(plain[0].len());
        for (plain, out) in plain.into_iter().zip([start, rest]) {
            stream.apply_keystream_b2b(plain, out);
        }
        let mac = self.mac(header, ciphertext, trailer).finalize().into_bytes();
        tag.copy_from_slice(&mac[..tag.len()]);
    }

    /// Verifies, then decrypts in place. After an error the text is as it was.
    pub(super) fn open(
        &self,
        counter: u128,
        (header, trailer): (&[u8], [u8; 4]),
        ciphertext: &mut [u8],
        tag: &[u8],
    ) -> Result<(), SrtpError> {
        let mac = self.mac(header, ciphertext, trailer);
        mac.verify_truncated_left(tag).map_err(|_| SrtpError::Auth)?;
        keystream(&self.cipher, counter).apply_keystream(ciphertext);
        Ok(())
    }

    fn mac(&self, header: &[u8], ciphertext: &[u8], trailer: [u8; 4]) -> Hmac<Sha1> {
        let mut mac = self.mac.clone();
        mac.update(header);
        mac.update(ciphertext);
        mac.update(&trailer);
        mac
    }
}

/// The keystream that starts with this counter block (RFC 3711 §4.1.1), on a schedule computed before.
pub(super) fn keystream<C>(cipher: &C, counter: u128) -> Ctr128BE<&C>
where
    C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16>,
{
    Ctr128BE::from_core(CtrCore::inner_iv_init(cipher, &counter.to_be_bytes().into()))
}
