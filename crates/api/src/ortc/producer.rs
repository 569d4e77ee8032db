//! What a transport adds to a Producer's parameters, and what kind of Producer they make.

use serde::{Deserialize, Serialize};

use super::bandwidth;
use crate::types::rtp_parameters::{RtpEncodingParameters, RtpParameters};

/// How a Producer's streams and layers are laid out.
#[derive(Debug, Copy, Clone, Ord, PartialOrd, Eq, PartialEq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ProducerType {
    /// One stream without layers.
    Simple,
    /// Several streams of one source.
    Simulcast,
    /// One stream with spatial or temporal layers.
    Svc,
}

/// The type of a Producer with these encodings; none at all counts as one plain encoding.
#[must_use]
pub fn producer_type(rtp_parameters: &RtpParameters) -> ProducerType {
    let has_layers = |encoding: &RtpEncodingParameters| {
        let mode = &encoding.scalability_mode;
        mode.spatial_layers().get() > 1 || mode.temporal_layers().get() > 1
    };
    match rtp_parameters.encodings.as_slice() {
        [] => ProducerType::Simple,
        [encoding] if has_layers(encoding) => ProducerType::Svc,
        [_] => ProducerType::Simple,
        _ => ProducerType::Simulcast,
    }
}

/// Fills in what a Producer's parameters leave to its transport.
///
/// No encodings become one that packets find by MID. `cname` is the transport's: that of its first Producer that had
/// one, else a random one; it replaces the Producer's own unless `None` (pipes, where every Producer keeps its own).
/// Without `enable_bwe` all that serves bandwidth estimation is taken out.
#[must_use]
pub fn complete_producer_rtp_parameters(
    mut rtp_parameters: RtpParameters,
    cname: Option<String>,
    enable_bwe: bool,
) -> RtpParameters {
    if rtp_parameters.encodings.is_empty() {
        rtp_parameters.encodings.push(RtpEncodingParameters::default());
    }
    if cname.is_some() {
        rtp_parameters.rtcp.cname = cname;
    }
    if !enable_bwe {
        bandwidth::remove_all(&mut rtp_parameters);
    }
    rtp_parameters
}
