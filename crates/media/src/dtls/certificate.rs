//! This end's certificate and private key, with everything that can be prepared once for all connections.

use std::fmt;
use std::sync::Arc;

use rtc_crypto::{RTCCryptoProvider, SignatureScheme, SigningKey};
use rtc_dtls::cipher_suite::CipherSuiteId;
use rtc_dtls::config::{ClientAuthType, ConfigBuilder, ExtendedMasterSecretType, HandshakeConfig};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};

use super::provider::Provider;
use super::{Fingerprint, FingerprintAlgorithm, Role};
use crate::srtp::SrtpProfile;

/// The largest datagram sent, as in mediasoup: with IPv6, UDP and a TURN channel's header it fits the 1280 bytes that every
/// IPv6 path carries.
pub(super) const MTU: usize = 1200;

/// What the engine doesn't count as part of a handshake fragment: the headers of record and fragment.
const FRAGMENT_OVERHEAD: usize = 25;

/// The suites offered, best first. Both exist for RSA certificates of peers, too (GStreamer's webrtcbin generates those).
const CIPHER_SUITES: [CipherSuiteId; 2] = [
    CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_128_Gcm_Sha256,
    CipherSuiteId::Tls_Ecdhe_Rsa_With_Aes_128_Gcm_Sha256,
];

/// A certificate with its private key. Clones share both.
#[derive(Clone)]
pub struct Certificate(Arc<Prepared>);

struct Prepared {
    der: Vec<u8>,
    /// In the order of [`FingerprintAlgorithm::ALL`]: each Transport shows them all.
    fingerprints: [Fingerprint; 5],
    client: Arc<HandshakeConfig>,
    /// One configuration for each of [`SrtpProfile::PREFERENCE`]: the engine's server follows the client's order, and is made to
    /// follow ours by knowing a single profile.
    servers: [Arc<HandshakeConfig>; 4],
    #[cfg(test)]
    provider: Arc<Provider>,
}

impl Certificate {
    /// A new self-signed certificate for a new ECDSA key on P-256, valid from 2000 to 2100.
    ///
    /// WebRTC checks fingerprints only (RFC 8827 §6.5), so the dates only have to keep strict peers content, and no clock is
    /// needed. The key comes from the system's random source.
    ///
    /// # Errors
    /// [`CertificateError::Engine`] when the system has no randomness to give.
    pub fn generate() -> Result<Self, CertificateError> {
        let engine = |_| CertificateError::Engine;
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).map_err(engine)?;
        let mut params = rcgen::CertificateParams::new(Vec::new()).map_err(engine)?;
        params.not_before = rcgen::date_time_ymd(2000, 1, 1);
        params.not_after = rcgen::date_time_ymd(2100, 1, 1);
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::CommonName, "WebRTC");
        let certificate = params.self_signed(&key).map_err(engine)?;
        Self::prepare(certificate.der().clone(), &key.serialize_der())
    }

    /// A certificate and its private key from PEM texts, as mediasoup's `dtlsCertificateFile` and `dtlsPrivateKeyFile`.
    ///
    /// The key is PKCS #8 (`BEGIN PRIVATE KEY`), ECDSA on P-256 or RSA of at least 2048 bits. Of a chain, the first
    /// certificate is taken.
    ///
    /// # Errors
    /// [`CertificateError`] for texts that hold no such thing, and for a key that isn't the certificate's.
    pub fn from_pem(certificate: &str, private_key: &str) -> Result<Self, CertificateError> {
        let der = CertificateDer::from_pem_slice(certificate.as_bytes())
            .map_err(|_| CertificateError::CertificatePem)?;
        let key = PrivatePkcs8KeyDer::from_pem_slice(private_key.as_bytes())
            .map_err(|_| CertificateError::PrivateKeyPem)?;
        Self::prepare(der, key.secret_pkcs8_der())
    }

    fn prepare(der: CertificateDer<'static>, pkcs8: &[u8]) -> Result<Self, CertificateError> {
        let own = Arc::new(Provider::default());
        let key = import(&*own, pkcs8)?;
        let provider: Arc<dyn RTCCryptoProvider> = own.clone();
        // The key's public half stands in the certificate as it is (RFC 5280 §4.1.2.7): no need to parse either.
        let public = key.public_key().bytes;
        if !der.windows(public.len().max(1)).any(|window| window == public) {
            return Err(CertificateError::KeyOfAnother);
        }
        let bytes = der.to_vec();
        let certificate = rtc_dtls::crypto::Certificate::from_signing_key(vec![der], key);
        let client = configure(&provider, &certificate, Role::Client, &SrtpProfile::PREFERENCE)?;
        let [gcm_256, gcm_128, cm_80, cm_32] = SrtpProfile::PREFERENCE
            .map(|profile| configure(&provider, &certificate, Role::Server, &[profile]));
        Ok(Self(Arc::new(Prepared {
            fingerprints: FingerprintAlgorithm::ALL.map(|algorithm| Fingerprint::of(algorithm, &bytes)),
            der: bytes,
            client,
            servers: [gcm_256?, gcm_128?, cm_80?, cm_32?],
            #[cfg(test)]
            provider: own,
        })))
    }

    /// The certificate in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// What to signal for this certificate.
    #[must_use]
    pub fn fingerprint(&self, algorithm: FingerprintAlgorithm) -> Fingerprint {
        self.0.fingerprints[algorithm as usize]
    }

    /// Checks of signatures that were spared.
    #[cfg(test)]
    pub(super) fn repeats(&self) -> usize {
        self.0.provider.repeats.load(std::sync::atomic::Ordering::Relaxed)
    }

    pub(super) fn client(&self) -> Arc<HandshakeConfig> {
        Arc::clone(&self.0.client)
    }

    pub(super) fn server(&self, profile: SrtpProfile) -> Arc<HandshakeConfig> {
        let [gcm_256, gcm_128, cm_80, cm_32] = &self.0.servers;
        Arc::clone(match profile {
            SrtpProfile::AeadAes256Gcm => gcm_256,
            SrtpProfile::AeadAes128Gcm => gcm_128,
            SrtpProfile::Aes128CmSha1_80 => cm_80,
            SrtpProfile::Aes128CmSha1_32 => cm_32,
        })
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Certificate").field(&self.fingerprint(FingerprintAlgorithm::Sha256)).finish()
    }
}

fn import(provider: &dyn RTCCryptoProvider, pkcs8: &[u8]) -> Result<Arc<dyn SigningKey>, CertificateError> {
    [SignatureScheme::EcdsaP256Sha256, SignatureScheme::RsaPkcs1Sha256]
        .into_iter()
        .find_map(|scheme| provider.crypto().import_signing_key(scheme, pkcs8).ok())
        .ok_or(CertificateError::KeyKind)
}

fn configure(
    provider: &Arc<dyn RTCCryptoProvider>,
    certificate: &rtc_dtls::crypto::Certificate,
    role: Role,
    profiles: &[SrtpProfile],
) -> Result<Arc<HandshakeConfig>, CertificateError> {
    ConfigBuilder::default()
        .with_crypto_provider(Arc::clone(provider))
        .with_certificates(vec![certificate.clone()])
        .with_cipher_suites(CIPHER_SUITES.to_vec())
        .with_srtp_protection_profiles(profiles.iter().copied().map(protection_profile).collect())
        // Fingerprints take the place of chains (RFC 8827 §6.5); the proof of the key is checked all the same.
        .with_insecure_skip_verify(true)
        .with_client_auth(ClientAuthType::RequireAnyClientCert)
        // Binds the keys to the whole handshake (RFC 7627); the engine's server relies on it, since it doesn't compare the
        // client's Finished.
        .with_extended_master_secret(ExtendedMasterSecretType::Require)
        .with_server_name("WebRTC".to_owned())
        .with_mtu(MTU - FRAGMENT_OVERHEAD)
        .build(role == Role::Client, None)
        .map(Arc::new)
        .map_err(|_| CertificateError::Engine)
}

fn protection_profile(profile: SrtpProfile) -> SrtpProtectionProfile {
    SrtpProtectionProfile::from(profile.id())
}

/// Why a certificate can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// The first text holds no PEM certificate.
    #[error("no PEM certificate found")]
    CertificatePem,
    /// The second text holds no PKCS #8 key.
    #[error("no PEM private key in PKCS #8 form found")]
    PrivateKeyPem,
    /// The key is neither ECDSA on P-256 nor RSA of 2048 bits or more.
    #[error("the private key is neither ECDSA P-256 nor RSA of at least 2048 bits")]
    KeyKind,
    /// The key doesn't belong to the certificate.
    #[error("the private key doesn't belong to the certificate")]
    KeyOfAnother,
    /// The DTLS engine or the random source refused.
    #[error("the DTLS engine refused the certificate")]
    Engine,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_certificate_is_valid_and_signed_by_itself() {
        let certificate = Certificate::generate().unwrap();
        let parsed = openssl::x509::X509::from_der(certificate.der()).unwrap();
        let key = parsed.public_key().unwrap();
        assert!(parsed.verify(&key).unwrap());
        assert_eq!(key.ec_key().unwrap().group().curve_name(), Some(openssl::nid::Nid::X9_62_PRIME256V1));
        assert_eq!(parsed.not_after().to_string(), "Jan  1 00:00:00 2100 GMT");
        let digest = parsed.digest(openssl::hash::MessageDigest::sha256()).unwrap();
        assert_eq!(certificate.fingerprint(FingerprintAlgorithm::Sha256).digest(), &*digest);
        assert_ne!(certificate.der(), Certificate::generate().unwrap().der());
    }

    #[test]
    fn each_fingerprint_is_that_of_its_algorithm() {
        let certificate = Certificate::generate().unwrap();
        for algorithm in FingerprintAlgorithm::ALL {
            assert_eq!(certificate.fingerprint(algorithm), Fingerprint::of(algorithm, certificate.der()));
        }
    }

    #[test]
    fn pem_texts_are_checked() {
        let pair = |key: openssl::pkey::PKey<openssl::pkey::Private>| {
            let mut builder = openssl::x509::X509::builder().unwrap();
            builder.set_pubkey(&key).unwrap();
            builder.sign(&key, openssl::hash::MessageDigest::sha256()).unwrap();
            let pem = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
            (pem(builder.build().to_pem().unwrap()), pem(key.private_key_to_pem_pkcs8().unwrap()))
        };
        let curve = |nid| {
            let group = openssl::ec::EcGroup::from_curve_name(nid).unwrap();
            openssl::pkey::PKey::from_ec_key(openssl::ec::EcKey::generate(&group).unwrap()).unwrap()
        };
        let rsa = |bits| openssl::pkey::PKey::from_rsa(openssl::rsa::Rsa::generate(bits).unwrap()).unwrap();
        let (certificate, key) = pair(curve(openssl::nid::Nid::X9_62_PRIME256V1));
        assert!(Certificate::from_pem(&certificate, &key).is_ok());
        let (rsa_certificate, rsa_key) = pair(rsa(2048));
        assert!(Certificate::from_pem(&rsa_certificate, &rsa_key).is_ok());

        let refusal = |certificate: &str, key: &str| Certificate::from_pem(certificate, key).unwrap_err();
        assert_eq!(refusal(&certificate, &rsa_key), CertificateError::KeyOfAnother);
        assert_eq!(refusal(&key, &key), CertificateError::CertificatePem);
        assert_eq!(refusal(&certificate, "nothing"), CertificateError::PrivateKeyPem);
        let (other, other_key) = pair(curve(openssl::nid::Nid::SECP521R1));
        assert_eq!(refusal(&other, &other_key), CertificateError::KeyKind);
        let (short, short_key) = pair(rsa(1024));
        assert_eq!(refusal(&short, &short_key), CertificateError::KeyKind);
    }
}
