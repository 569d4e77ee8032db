//! HTTPS without anybody's help: a certificate that is made at the start and known to nobody.
//!
//! Browsers warn of it once. It keeps others from listening, but not from pretending to be this machine.

use std::net::IpAddr;
use std::sync::Arc;

use anyhow::{Context, Result};
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, SanType};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

/// A certificate that signs itself.
#[derive(Clone)]
pub struct SelfSigned {
    config: Arc<ServerConfig>,
}

impl SelfSigned {
    /// Makes one for these addresses and for `localhost`.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn new(addresses: &[IpAddr]) -> Result<Self> {
        let key = KeyPair::generate().context("no key for the certificate")?;
        let mut params = CertificateParams::new(vec!["localhost".to_owned()])?;
        params.subject_alt_names.extend(addresses.iter().map(|ip| SanType::IpAddress(*ip)));
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "mafalda-demo");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.self_signed(&key).context("no certificate")?;
        let chain = vec![CertificateDer::from(certificate.der().to_vec())];
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { config: Arc::new(config) })
    }

    /// What turns TCP connections into TLS ones.
    #[must_use]
    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }
}

/// Shows nothing of the key.
impl std::fmt::Debug for SelfSigned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SelfSigned")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_made_for_any_address() {
        let addresses = ["192.0.2.7".parse().unwrap(), "2001:db8::1".parse().unwrap()];
        assert!(SelfSigned::new(&addresses).is_ok());
        assert!(SelfSigned::new(&[]).is_ok());
    }
}
