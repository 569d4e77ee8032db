//! What a Worker's WebRtcTransports show to their peers: its certificate, and what is signaled of that.

use std::sync::Arc;

use mafalda_api::types::data_structures::{DtlsFingerprint, DtlsParameters, DtlsRole};

use crate::dtls::{Certificate, Fingerprint, FingerprintAlgorithm};

/// A certificate and its DTLS parameters in each role. Clones share them, as do all who are told of them.
#[derive(Clone, Debug)]
pub(crate) struct Identity(Arc<Prepared>);

#[derive(Debug)]
struct Prepared {
    certificate: Certificate,
    auto: Arc<DtlsParameters>,
    client: Arc<DtlsParameters>,
    server: Arc<DtlsParameters>,
}

impl Identity {
    pub(crate) fn new(certificate: Certificate) -> Self {
        let fingerprints = ALGORITHMS.iter().map(|algorithm| to_api(&certificate.fingerprint(*algorithm)));
        let fingerprints: Vec<_> = fingerprints.flatten().collect();
        let [auto, client, server] = [DtlsRole::Auto, DtlsRole::Client, DtlsRole::Server]
            .map(|role| Arc::new(DtlsParameters { role, fingerprints: fingerprints.clone() }));
        Self(Arc::new(Prepared { certificate, auto, client, server }))
    }

    pub(crate) fn certificate(&self) -> &Certificate {
        &self.0.certificate
    }

    pub(crate) fn parameters(&self, role: DtlsRole) -> &Arc<DtlsParameters> {
        match role {
            DtlsRole::Auto => &self.0.auto,
            DtlsRole::Client => &self.0.client,
            DtlsRole::Server => &self.0.server,
        }
    }
}

/// What is told of our certificate, in mediasoup's order.
const ALGORITHMS: [FingerprintAlgorithm; 5] = [
    FingerprintAlgorithm::Sha1,
    FingerprintAlgorithm::Sha224,
    FingerprintAlgorithm::Sha256,
    FingerprintAlgorithm::Sha384,
    FingerprintAlgorithm::Sha512,
];

fn to_api(fingerprint: &Fingerprint) -> Option<DtlsFingerprint> {
    let digest = fingerprint.digest();
    Some(match fingerprint.algorithm() {
        FingerprintAlgorithm::Sha1 => DtlsFingerprint::Sha1 { value: digest.try_into().ok()? },
        FingerprintAlgorithm::Sha224 => DtlsFingerprint::Sha224 { value: digest.try_into().ok()? },
        FingerprintAlgorithm::Sha256 => DtlsFingerprint::Sha256 { value: digest.try_into().ok()? },
        FingerprintAlgorithm::Sha384 => DtlsFingerprint::Sha384 { value: digest.try_into().ok()? },
        FingerprintAlgorithm::Sha512 => DtlsFingerprint::Sha512 { value: digest.try_into().ok()? },
    })
}
