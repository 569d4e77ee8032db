//! What a description says of the transport: ICE and DTLS.

use mafalda_api::types::data_structures::{
    DtlsFingerprint, DtlsParameters, DtlsRole, IceCandidate, IceParameters,
};
use rtc_sdp::description::common::Attribute;
use serde_json::json;

use super::attribute::{unreadable, values};
use super::{IceCredentials, SdpError};

/// A client's side of the transport.
#[derive(Clone, PartialEq, Debug)]
pub struct RemoteTransport {
    /// Its ICE credentials.
    pub ice: IceCredentials,
    /// Its certificate, and the part that it takes in DTLS once our answer stands.
    pub dtls_parameters: DtlsParameters,
}

/// Our side of the transport.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LocalTransport {
    /// Our ICE credentials.
    pub ice_parameters: IceParameters,
    /// Where we listen.
    pub ice_candidates: Vec<IceCandidate>,
    /// Our certificate.
    pub fingerprints: Vec<DtlsFingerprint>,
    /// The client's part in DTLS; ours is the other.
    pub remote_role: DtlsRole,
}

impl RemoteTransport {
    /// `own` are the attributes of the section that speaks for all, `shared` those of the session.
    pub(super) fn read(own: &[Attribute], shared: &[Attribute]) -> Result<Self, SdpError> {
        let ice = match IceCredentials::read(own)? {
            Some(ice) => ice,
            None => IceCredentials::read(shared)?.ok_or(SdpError::NoIceCredentials)?,
        };
        let mut fingerprints = fingerprints(own)?;
        if fingerprints.is_empty() {
            fingerprints = self::fingerprints(shared)?;
        }
        if fingerprints.is_empty() {
            return Err(SdpError::NoFingerprint);
        }
        let setup = values(own, "setup").next().or_else(|| values(shared, "setup").next());
        let role = remote_role(setup)?;
        Ok(Self { ice, dtls_parameters: DtlsParameters { role, fingerprints } })
    }
}

/// Those of known hash functions (RFC 8122 §5).
fn fingerprints(attributes: &[Attribute]) -> Result<Vec<DtlsFingerprint>, SdpError> {
    let mut known = Vec::new();
    for value in values(attributes, "fingerprint") {
        let bad = || unreadable("fingerprint", value);
        let (algorithm, digest) = value.split_once(' ').ok_or_else(bad)?;
        let json = json!({"algorithm": algorithm, "value": digest.trim()});
        match serde_json::from_value(json) {
            Ok(fingerprint) => known.push(fingerprint),
            Err(_) if !algorithm.to_ascii_lowercase().starts_with("sha-") => {}
            Err(_) => return Err(bad()),
        }
    }
    Ok(known)
}

/// The part in DTLS that a client takes: who leaves it to us begins, since that saves it a round trip (RFC 8842 §5.3, RFC 5763
/// §5). RFC 4145 §4.1: who says nothing begins.
fn remote_role(setup: Option<&str>) -> Result<DtlsRole, SdpError> {
    match setup.unwrap_or("active") {
        "actpass" | "active" => Ok(DtlsRole::Client),
        "passive" => Ok(DtlsRole::Server),
        "holdconn" => Err(SdpError::HoldConnection),
        other => Err(unreadable("setup", other)),
    }
}

impl LocalTransport {
    /// What every media section of an answer says of the transport, beside what an answer says for all.
    pub(super) fn attributes(&self) -> Vec<Attribute> {
        let mut attributes = self.shared_attributes();
        attributes.extend(self.ice_candidates.iter().map(super::ice::candidate));
        attributes.push(Attribute::new("end-of-candidates".into(), None));
        attributes
    }

    /// What an answer says of the transport for all sections. GStreamer wants it of a section that is rejected, too.
    pub(super) fn shared_attributes(&self) -> Vec<Attribute> {
        let IceParameters { username_fragment, password, .. } = &self.ice_parameters;
        let setup = if self.remote_role == DtlsRole::Server { "active" } else { "passive" };
        let attribute = |name: &str, value: String| Attribute::new(name.into(), Some(value));
        let mut attributes = vec![
            attribute("ice-ufrag", username_fragment.clone()),
            attribute("ice-pwd", password.clone()),
            attribute("setup", setup.into()),
        ];
        // One is enough, and there are clients that take the last of several for the only one.
        let sha256 = self.fingerprints.iter().find(|it| matches!(it, DtlsFingerprint::Sha256 { .. }));
        if let Some(fingerprint) = sha256 {
            attributes.push(attribute("fingerprint", format!("sha-256 {}", fingerprint.value_string())));
        }
        attributes
    }
}
