//! A Consumer for an endpoint that has numbered codecs and header extensions itself.
//!
//! Who writes an offer to receive says under which payload types it expects what it gets (RFC 3264 section 5.1), and the ids of
//! an offer's header extensions stand too (RFC 8285 section 6). mediasoup's clients take the Router's numbers instead, so the
//! stream inside the Router keeps those, and packets change their numbers at the way out.

use super::codec_match::associated_payload_type;
use super::consumer::remote_codec;
use super::validation::PAYLOAD_TYPE_MAX;
use super::{ConsumerNegotiation, ConsumerRtpParametersError, get_consumer_rtp_parameters, red};
use crate::types::rtp_parameters::{
    RtpCapabilities, RtpCodecCapability, RtpCodecParameters, RtpHeaderExtensionParameters, RtpParameters,
};

/// Ids that the one-byte form of header extensions has room for (RFC 8285 section 4.2).
const EXTENSION_IDS: std::ops::RangeInclusive<u16> = 1..=14;

/// A Consumer's parameters in both sets of numbers. Codecs and header extensions are the same, in the same order.
#[derive(Debug, Clone, PartialEq)]
pub struct RemoteNumbers {
    /// As the Router numbers them.
    pub router: RtpParameters,
    /// As the endpoint does.
    pub remote: RtpParameters,
}

/// Makes the parameters of a Consumer whose packets carry the endpoint's numbers.
///
/// Codecs without a payload type in the capabilities, and header extensions with an id that the one-byte form has no room for,
/// are left out.
///
/// # Errors
/// As [`get_consumer_rtp_parameters`], also when no media codec has a payload type.
pub fn get_remote_numbers(
    consumable: &RtpParameters,
    negotiation: ConsumerNegotiation<'_>,
) -> Result<RemoteNumbers, ConsumerRtpParametersError> {
    let endpoint = negotiation.remote;
    let aligned = aligned(endpoint, &consumable.header_extensions);
    let mut router =
        get_consumer_rtp_parameters(consumable, ConsumerNegotiation { remote: &aligned, ..negotiation })?;
    let mut remote = RtpParameters { codecs: Vec::new(), ..router.clone() };
    let mut codecs = Vec::new();
    for codec in std::mem::take(&mut router.codecs) {
        let media = media_of(&codec, &codecs, &remote.codecs);
        let Some(payload_type) = payload_type(&codec, media, endpoint) else { continue };
        if payload_type <= PAYLOAD_TYPE_MAX
            && remote.codecs.iter().all(|it| it.payload_type() != payload_type)
        {
            remote.codecs.push(renumbered(&codec, payload_type, media));
            codecs.push(codec);
        }
    }
    number_red(&mut codecs, &mut remote.codecs);
    if codecs.is_empty() {
        return Err(ConsumerRtpParametersError::NoCompatibleMediaCodecs);
    }
    router.codecs = codecs;
    if !router.codecs.iter().any(RtpCodecParameters::is_rtx) {
        for encoding in router.encodings.iter_mut().chain(&mut remote.encodings) {
            encoding.rtx = None;
        }
    }
    for extension in &mut remote.header_extensions {
        extension.id = id_in(endpoint, extension).unwrap_or(extension.id);
    }
    Ok(RemoteNumbers { router, remote })
}

/// RED holds the same codecs under the endpoint's payload types; without them it goes too.
fn number_red(codecs: &mut Vec<RtpCodecParameters>, remote: &mut Vec<RtpCodecParameters>) {
    let pairs = codecs.iter().zip(remote.iter());
    let numbers: Vec<(u8, u8)> =
        pairs.map(|(ours, theirs)| (ours.payload_type(), theirs.payload_type())).collect();
    let number = |ours: &u8| numbers.iter().find(|(router, _)| router == ours).map(|(_, remote)| *remote);
    for at in (0..remote.len()).rev().filter(|at| red::is_red(codecs[*at].mime_type())).collect::<Vec<_>>() {
        let frames = red::frames(codecs[at].parameters()).unwrap_or_default();
        let numbered: Option<Vec<u8>> = frames.iter().map(number).collect();
        match (numbered, &mut remote[at]) {
            (Some(frames), RtpCodecParameters::Audio { parameters, .. }) => {
                *parameters = red::parameters_of(&frames);
            }
            _ => {
                codecs.remove(at);
                remote.remove(at);
            }
        }
    }
}

/// The endpoint's capabilities, with the Router's ids for the extensions that it has too.
fn aligned(endpoint: &RtpCapabilities, extensions: &[RtpHeaderExtensionParameters]) -> RtpCapabilities {
    let mut aligned = endpoint.clone();
    aligned.header_extensions.retain_mut(|extension| {
        let ours = extensions.iter().find(|ours| ours.uri == extension.uri);
        let fits = EXTENSION_IDS.contains(&extension.preferred_id);
        match ours {
            Some(ours) if fits => {
                extension.preferred_id = ours.id;
                true
            }
            _ => false,
        }
    });
    aligned
}

fn id_in(endpoint: &RtpCapabilities, extension: &RtpHeaderExtensionParameters) -> Option<u16> {
    let theirs = endpoint
        .header_extensions
        .iter()
        .find(|theirs| theirs.uri == extension.uri && EXTENSION_IDS.contains(&theirs.preferred_id))?;
    Some(theirs.preferred_id)
}

/// The endpoint's payload type of the media that an RTX codec goes with, which comes before it: `codecs` are those in the
/// Router's numbers, `remote` in the endpoint's.
fn media_of(
    codec: &RtpCodecParameters,
    codecs: &[RtpCodecParameters],
    remote: &[RtpCodecParameters],
) -> Option<u8> {
    let apt = associated_payload_type(codec.parameters()).filter(|_| codec.is_rtx())?;
    let at = codecs.iter().position(|media| media.payload_type() == apt)?;
    Some(remote.get(at)?.payload_type())
}

fn payload_type(codec: &RtpCodecParameters, media: Option<u8>, endpoint: &RtpCapabilities) -> Option<u8> {
    if !codec.is_rtx() {
        return remote_codec(codec, endpoint)?.preferred_payload_type();
    }
    let is_its_rtx = |capability: &&RtpCodecCapability| {
        capability.mime_type().is_rtx() && associated_payload_type(capability.parameters()) == media
    };
    media.and_then(|_| endpoint.codecs.iter().find(is_its_rtx))?.preferred_payload_type()
}

fn renumbered(codec: &RtpCodecParameters, number: u8, apt: Option<u8>) -> RtpCodecParameters {
    let mut codec = codec.clone();
    let (RtpCodecParameters::Audio { payload_type, parameters, .. }
    | RtpCodecParameters::Video { payload_type, parameters, .. }) = &mut codec;
    *payload_type = number;
    if let Some(apt) = apt {
        parameters.insert("apt", apt);
    }
    codec
}
