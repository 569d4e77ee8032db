//! The engine's cryptography: `ring`'s, with a memory for signatures that were found good.
//!
//! The engine's server checks the proof of its peer's key (CertificateVerify) each time it looks at the flight that has it: once to
//! get to keys, and again when those keys have opened the Finished behind it. The second time it asks for the very same bytes, and a
//! fifth of what a handshake takes would go there. Not a cache of certificates or of handshakes: what is remembered is that one
//! signature fits one key and one message, which nothing can change.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rtc_crypto::providers::RingProvider;
use rtc_crypto::{
    ActiveKeyExchange, AeadAlgorithm, AeadCipher, CryptoAlgorithm, CryptoError, HashAlgorithm, HmacAlgorithm,
    KeyExchangeAlgorithm, Mac, PublicKey, PublicKeyEncoding, RTCCrypto, RTCCryptoProvider, RTCRandom,
    SignatureScheme, SigningKey,
};
use sha2::{Digest, Sha256};

/// How many signatures are remembered. The second question comes with the first where a peer's last flight is one datagram, else with
/// its next: as many peers as may be between the two. One that is forgotten is checked again.
const VERIFIED_MAX: usize = 16;

/// The provider of all configurations of one certificate.
#[derive(Default)]
pub(super) struct Provider {
    ring: RingProvider,
    verified: Mutex<Verified>,
    /// Questions that were answered from memory.
    #[cfg(test)]
    pub(super) repeats: std::sync::atomic::AtomicUsize,
}

impl Provider {
    /// Whoever panicked with the lock left whole entries behind.
    fn verified(&self) -> MutexGuard<'_, Verified> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RTCCryptoProvider for Provider {
    fn name(&self) -> &'static str {
        self.ring.name()
    }

    fn crypto(&self) -> &dyn RTCCrypto {
        self
    }

    fn random(&self) -> &dyn RTCRandom {
        self.ring.random()
    }
}

/// What the suites on offer need; the engine asks for nothing else.
impl RTCCrypto for Provider {
    fn supports(&self, algorithm: CryptoAlgorithm) -> bool {
        self.ring.crypto().supports(algorithm)
    }

    fn hash(&self, algorithm: HashAlgorithm, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.ring.crypto().hash(algorithm, data)
    }

    fn new_hmac(&self, algorithm: HmacAlgorithm, key: &[u8]) -> Result<Box<dyn Mac>, CryptoError> {
        self.ring.crypto().new_hmac(algorithm, key)
    }

    fn new_aead(&self, algorithm: AeadAlgorithm, key: &[u8]) -> Result<Box<dyn AeadCipher>, CryptoError> {
        self.ring.crypto().new_aead(algorithm, key)
    }

    fn start_key_exchange(
        &self,
        algorithm: KeyExchangeAlgorithm,
    ) -> Result<Box<dyn ActiveKeyExchange>, CryptoError> {
        self.ring.crypto().start_key_exchange(algorithm)
    }

    fn import_signing_key(
        &self,
        scheme: SignatureScheme,
        pkcs8: &[u8],
    ) -> Result<Arc<dyn SigningKey>, CryptoError> {
        self.ring.crypto().import_signing_key(scheme, pkcs8)
    }

    fn verify_signature(
        &self,
        scheme: SignatureScheme,
        key: PublicKey<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        let question = Question::new(scheme, key, message, signature);
        if self.verified().take(&question) {
            #[cfg(test)]
            self.repeats.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            return Ok(());
        }
        self.ring.crypto().verify_signature(scheme, key, message, signature)?;
        self.verified().remember(question);
        Ok(())
    }
}

/// All that an answer depends on.
#[derive(Debug, PartialEq, Eq)]
struct Question {
    scheme: SignatureScheme,
    encoding: PublicKeyEncoding,
    digest: [u8; 32],
}

impl Question {
    fn new(scheme: SignatureScheme, key: PublicKey<'_>, message: &[u8], signature: &[u8]) -> Self {
        // Each part with its length, so that no two questions are the same row of bytes.
        let digest = [key.bytes, message, signature].iter().fold(Sha256::new(), |digest, part| {
            digest.chain_update(part.len().to_be_bytes()).chain_update(part)
        });
        Self { scheme, encoding: key.encoding, digest: digest.finalize().into() }
    }
}

/// Questions whose answer was yes, the oldest first.
#[derive(Debug, Default)]
struct Verified(VecDeque<Question>);

impl Verified {
    /// Whether it was asked before. It isn't asked a third time, so it is forgotten.
    fn take(&mut self, question: &Question) -> bool {
        let place = self.0.iter().rposition(|known| known == question);
        place.and_then(|place| self.0.remove(place)).is_some()
    }

    fn remember(&mut self, question: Question) {
        if self.0.len() >= VERIFIED_MAX {
            self.0.pop_front();
        }
        self.0.push_back(question);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEME: SignatureScheme = SignatureScheme::EcdsaP256Sha256;
    const ENCODING: PublicKeyEncoding = PublicKeyEncoding::EcUncompressedPoint;

    fn sign(provider: &Provider, message: &[u8]) -> (Arc<dyn SigningKey>, Vec<u8>) {
        let key = provider.ring.crypto().generate_signing_key(SCHEME).unwrap();
        let signature = key.sign(SCHEME, message).unwrap();
        (key, signature)
    }

    fn remembered(provider: &Provider) -> usize {
        provider.verified().0.len()
    }

    #[test]
    fn a_good_signature_is_remembered_until_it_is_asked_for_again() {
        let provider = Provider::default();
        let (key, signature) = sign(&provider, b"transcript");
        for remembers in [1, 0, 1] {
            assert_eq!(
                provider.verify_signature(SCHEME, key.public_key(), b"transcript", &signature),
                Ok(())
            );
            assert_eq!(remembered(&provider), remembers);
        }
    }

    #[test]
    fn nothing_but_the_same_question_is_answered_from_memory() {
        let provider = Provider::default();
        let (key, signature) = sign(&provider, b"transcript");
        let (other, _) = sign(&provider, b"transcript");
        provider.verify_signature(SCHEME, key.public_key(), b"transcript", &signature).unwrap();
        let mut forged = signature.clone();
        *forged.last_mut().unwrap() ^= 1;
        let ask = |key: &Arc<dyn SigningKey>, message: &[u8], signature: &[u8]| {
            provider.verify_signature(SCHEME, key.public_key(), message, signature)
        };
        // A bad one is bad however often it is asked for.
        for _ in 0..2 {
            assert_eq!(ask(&key, b"transcript", &forged), Err(CryptoError::InvalidSignature));
            assert_eq!(ask(&key, b"another transcript", &signature), Err(CryptoError::InvalidSignature));
            assert_eq!(ask(&other, b"transcript", &signature), Err(CryptoError::InvalidSignature));
            let scheme = SignatureScheme::EcdsaP384Sha384;
            let answer = provider.verify_signature(scheme, key.public_key(), b"transcript", &signature);
            assert_eq!(answer, Err(CryptoError::InvalidSignature));
        }
        assert_eq!(remembered(&provider), 1);
    }

    #[test]
    fn bytes_that_move_from_one_part_to_the_next_make_another_question() {
        let key = PublicKey { encoding: ENCODING, bytes: b"key" };
        let ask = |message, signature| Question::new(SCHEME, key, message, signature);
        assert_ne!(ask(b"message", b"signature"), ask(b"messages", b"ignature"));
    }

    #[test]
    fn the_oldest_of_too_many_are_forgotten() {
        let mut verified = Verified::default();
        let question = |number| Question { scheme: SCHEME, encoding: ENCODING, digest: [number; 32] };
        (0..=VERIFIED_MAX as u8).for_each(|number| verified.remember(question(number)));
        assert_eq!(verified.0.len(), VERIFIED_MAX);
        assert!(!verified.take(&question(0)) && verified.take(&question(1)));
    }
}
