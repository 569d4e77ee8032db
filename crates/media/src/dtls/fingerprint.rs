//! Fingerprints of certificates, the only thing that ties a DTLS peer to what was signaled (RFC 8122).

use std::fmt;

use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

/// The longest digest, that of SHA-512.
const DIGEST_MAX: usize = 64;

/// A hash function for fingerprints, by its name in RFC 8122 §5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FingerprintAlgorithm {
    /// `sha-1`
    Sha1,
    /// `sha-224`
    Sha224,
    /// `sha-256`
    Sha256,
    /// `sha-384`
    Sha384,
    /// `sha-512`
    Sha512,
}

impl FingerprintAlgorithm {
    /// Every algorithm, weakest first: the order in which mediasoup lists its own fingerprints.
    pub const ALL: [Self; 5] = [Self::Sha1, Self::Sha224, Self::Sha256, Self::Sha384, Self::Sha512];

    /// The name in SDP and in ORTC parameters.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha-1",
            Self::Sha224 => "sha-224",
            Self::Sha256 => "sha-256",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
        }
    }

    /// The length of the digest in bytes.
    #[must_use]
    pub fn digest_len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha224 => 28,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// The digest of a certificate's DER form. Public data, so comparisons need not be constant in time.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    algorithm: FingerprintAlgorithm,
    /// The digest, zero behind its length.
    digest: [u8; DIGEST_MAX],
}

impl Fingerprint {
    /// A fingerprint that was signaled; `None` when `digest` hasn't the algorithm's length.
    #[must_use]
    pub fn new(algorithm: FingerprintAlgorithm, digest: &[u8]) -> Option<Self> {
        if digest.len() != algorithm.digest_len() {
            return None;
        }
        let mut padded = [0; DIGEST_MAX];
        padded.get_mut(..digest.len())?.copy_from_slice(digest);
        Some(Self { algorithm, digest: padded })
    }

    /// The fingerprint of the certificate `der`.
    #[must_use]
    pub fn of(algorithm: FingerprintAlgorithm, der: &[u8]) -> Self {
        let mut digest = [0; DIGEST_MAX];
        let out = &mut digest[..algorithm.digest_len()];
        match algorithm {
            FingerprintAlgorithm::Sha1 => out.copy_from_slice(&Sha1::digest(der)),
            FingerprintAlgorithm::Sha224 => out.copy_from_slice(&Sha224::digest(der)),
            FingerprintAlgorithm::Sha256 => out.copy_from_slice(&Sha256::digest(der)),
            FingerprintAlgorithm::Sha384 => out.copy_from_slice(&Sha384::digest(der)),
            FingerprintAlgorithm::Sha512 => out.copy_from_slice(&Sha512::digest(der)),
        }
        Self { algorithm, digest }
    }

    /// Checks the peer's certificate `der` against what it signaled.
    ///
    /// A peer may signal several fingerprints of one certificate. Each algorithm that this type can name is computable, so
    /// the first of `signaled` decides, as it does in mediasoup; whoever fills the list leaves out algorithms that can't be
    /// named here.
    ///
    /// # Errors
    /// [`FingerprintError`] when nothing was signaled or the certificate is another one. Its keys must not be used then.
    pub fn verify(signaled: &[Self], der: &[u8]) -> Result<(), FingerprintError> {
        let first = signaled.first().ok_or(FingerprintError::Missing)?;
        if *first == Self::of(first.algorithm, der) { Ok(()) } else { Err(FingerprintError::Mismatch) }
    }

    /// The hash function.
    #[must_use]
    pub fn algorithm(&self) -> FingerprintAlgorithm {
        self.algorithm
    }

    /// The digest, as long as the algorithm says.
    #[must_use]
    pub fn digest(&self) -> &[u8] {
        &self.digest[..self.algorithm.digest_len()]
    }
}

/// As in an SDP attribute: `sha-256 AB:CD:…` (RFC 8122 §5).
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.algorithm.name())?;
        for (index, byte) in self.digest().iter().enumerate() {
            write!(f, "{}{byte:02X}", if index == 0 { "" } else { ":" })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a peer's certificate isn't accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FingerprintError {
    /// No fingerprint was signaled, so nothing vouches for the certificate.
    #[error("no fingerprint to check the peer's certificate against")]
    Missing,
    /// The certificate isn't the signaled one.
    #[error("the peer's certificate doesn't have the signaled fingerprint")]
    Mismatch,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_fips_180() {
        // FIPS 180-4 / RFC 6234 §8.5: the digests of "abc".
        let starts = [0xa9_u8, 0x23, 0xba, 0xcb, 0xdd];
        for (algorithm, start) in FingerprintAlgorithm::ALL.into_iter().zip(starts) {
            let fingerprint = Fingerprint::of(algorithm, b"abc");
            assert_eq!(fingerprint.digest().first(), Some(&start), "{algorithm:?}");
            assert_eq!(fingerprint.digest().len(), algorithm.digest_len());
            let openssl =
                openssl::hash::MessageDigest::from_name(&algorithm.name().replace('-', "")).unwrap();
            assert_eq!(fingerprint.digest(), &*openssl::hash::hash(openssl, b"abc").unwrap());
            assert_eq!(Fingerprint::new(algorithm, fingerprint.digest()), Some(fingerprint));
            assert_eq!(Fingerprint::new(algorithm, &fingerprint.digest()[1..]), None);
        }
    }

    #[test]
    fn the_first_signaled_fingerprint_decides() {
        let good = Fingerprint::of(FingerprintAlgorithm::Sha512, b"certificate");
        let other = Fingerprint::of(FingerprintAlgorithm::Sha256, b"another");
        assert_eq!(Fingerprint::verify(&[good, other], b"certificate"), Ok(()));
        assert_eq!(Fingerprint::verify(&[other, good], b"certificate"), Err(FingerprintError::Mismatch));
        assert_eq!(Fingerprint::verify(&[], b"certificate"), Err(FingerprintError::Missing));
    }

    #[test]
    fn prints_as_in_sdp() {
        let shown = Fingerprint::of(FingerprintAlgorithm::Sha1, b"abc").to_string();
        assert_eq!(shown, "sha-1 A9:99:3E:36:47:06:81:6A:BA:3E:25:71:78:50:C2:6C:9C:D0:D8:9D");
    }
}
