//! What of a consumable stream an endpoint gets, as one RTP stream of its own.

use super::codec_match::{associated_payload_type, is_compatible};
use super::{
    ConsumerRtpParametersError, RtpCapabilitiesError, bandwidth, pipe, red, validate_rtp_capabilities,
};
use crate::types::rtp_parameters::{
    RtcpFeedback, RtpCapabilities, RtpCodecCapability, RtpCodecParameters, RtpEncodingParameters,
    RtpEncodingParametersRtx, RtpHeaderExtensionParameters, RtpParameters,
};
use crate::types::scalability_modes::ScalabilityMode;

/// Most spatial layers that the text of a scalability mode has room for.
const SPATIAL_LAYERS_MAX: usize = 99;

/// The side of a Consumer in the negotiation.
#[derive(Debug, Clone)]
pub struct ConsumerNegotiation<'a> {
    /// What the endpoint can do.
    pub remote: &'a RtpCapabilities,
    /// Retransmit, by RTX where the endpoint can do it.
    pub enable_rtx: bool,
    /// Announce bandwidth estimation.
    pub enable_bwe: bool,
    /// MID of the Consumer.
    pub mid: Option<String>,
    /// The Consumer's streams.
    pub streams: ConsumerStreams<'a>,
}

/// What streams a Consumer has, under SSRCs that the caller draws; RTX of each gets the one above.
#[derive(Debug, Clone, Copy)]
pub enum ConsumerStreams<'a> {
    /// One that stands for all of the Producer's.
    One(u32),
    /// All of the Producer's as they are, one SSRC each.
    All(&'a [u32]),
}

/// Whether an endpoint can consume a stream: whether [`get_consumer_rtp_parameters`] would succeed.
///
/// # Errors
/// When the capabilities are wrong in themselves.
pub fn can_consume(
    consumable: &RtpParameters,
    remote: &RtpCapabilities,
) -> Result<bool, RtpCapabilitiesError> {
    validate_rtp_capabilities(remote)?;
    Ok(consumable.codecs.iter().any(|codec| is_media(codec) && remote_codec(codec, remote).is_some()))
}

/// Makes the parameters of an endpoint's Consumer.
///
/// Codecs and header extensions are those that the endpoint also has, the latter under the Router's ids; what it names
/// beyond that is ignored.
///
/// # Errors
/// When the capabilities are wrong in themselves, or the endpoint has none of the codecs.
pub fn get_consumer_rtp_parameters(
    consumable: &RtpParameters,
    negotiation: ConsumerNegotiation<'_>,
) -> Result<RtpParameters, ConsumerRtpParametersError> {
    let ConsumerNegotiation { remote, enable_rtx, enable_bwe, mid, streams } = negotiation;
    validate_rtp_capabilities(remote)?;
    let codecs = codecs(&consumable.codecs, remote, enable_rtx);
    if codecs.is_empty() {
        return Err(ConsumerRtpParametersError::NoCompatibleMediaCodecs);
    }
    let has_rtx = codecs.iter().any(RtpCodecParameters::is_rtx);
    let encodings = match streams {
        ConsumerStreams::One(ssrc) => vec![single_encoding(&consumable.encodings, ssrc, has_rtx)],
        ConsumerStreams::All(ssrcs) => pipe::encodings(&consumable.encodings, ssrcs, has_rtx),
    };
    let mut rtp_parameters = RtpParameters {
        mid,
        codecs,
        header_extensions: header_extensions(&consumable.header_extensions, remote),
        encodings,
        rtcp: consumable.rtcp.clone(),
        msid: consumable.msid.clone(),
    };
    if enable_bwe {
        bandwidth::keep_best(&mut rtp_parameters);
    } else {
        bandwidth::remove_all(&mut rtp_parameters);
    }
    Ok(rtp_parameters)
}

/// The codecs that the endpoint has too. Not empty means that a media codec is among them.
fn codecs(
    consumable: &[RtpCodecParameters],
    remote: &RtpCapabilities,
    enable_rtx: bool,
) -> Vec<RtpCodecParameters> {
    let mut codecs: Vec<_> = consumable
        .iter()
        .filter(|codec| enable_rtx || !codec.is_rtx())
        .filter_map(|codec| {
            let mut agreed = codec.clone();
            *agreed.rtcp_feedback_mut() = feedback(codec, remote_codec(codec, remote)?, enable_rtx);
            Some(agreed)
        })
        .collect();

    let media: Vec<u8> =
        codecs.iter().filter(|codec| is_media(codec)).map(RtpCodecParameters::payload_type).collect();
    codecs.retain(|codec| has_its_media(codec, &media));
    codecs
}

/// Whether a codec can be played by itself.
fn is_media(codec: &RtpCodecParameters) -> bool {
    !codec.is_rtx() && !red::is_red(codec.mime_type())
}

/// Whether a codec that is about others has them among these payload types. Without its Opus an endpoint can't play RED; without
/// RED it gets the Opus alone.
fn has_its_media(codec: &RtpCodecParameters, media: &[u8]) -> bool {
    if codec.is_rtx() {
        associated_payload_type(codec.parameters()).is_some_and(|apt| media.contains(&apt))
    } else if red::is_red(codec.mime_type()) {
        red::frames(codec.parameters()).is_some_and(|frames| frames.iter().all(|frame| media.contains(frame)))
    } else {
        true
    }
}

pub(super) fn remote_codec<'a>(
    codec: &RtpCodecParameters,
    remote: &'a RtpCapabilities,
) -> Option<&'a RtpCodecCapability> {
    remote.codecs.iter().find(|capability| is_compatible(codec, *capability))
}

/// The endpoint's feedback, as far as the Router has it too. Without RTX the endpoint shall not ask for packets.
fn feedback(codec: &RtpCodecParameters, remote: &RtpCodecCapability, enable_rtx: bool) -> Vec<RtcpFeedback> {
    let is_agreed = |feedback: &&RtcpFeedback| {
        codec.rtcp_feedback().contains(feedback) && (enable_rtx || **feedback != RtcpFeedback::Nack)
    };
    remote.rtcp_feedback().iter().filter(is_agreed).copied().collect()
}

/// The extensions that the endpoint has under the same id. Another id would need packets of its own for it.
fn header_extensions(
    consumable: &[RtpHeaderExtensionParameters],
    remote: &RtpCapabilities,
) -> Vec<RtpHeaderExtensionParameters> {
    let is_agreed = |extension: &&RtpHeaderExtensionParameters| {
        remote
            .header_extensions
            .iter()
            .any(|capability| capability.uri == extension.uri && capability.preferred_id == extension.id)
    };
    consumable.iter().filter(is_agreed).cloned().collect()
}

/// One stream that stands for all of the Producer's.
fn single_encoding(consumable: &[RtpEncodingParameters], ssrc: u32, has_rtx: bool) -> RtpEncodingParameters {
    RtpEncodingParameters {
        ssrc: Some(ssrc),
        rtx: has_rtx.then(|| RtpEncodingParametersRtx { ssrc: ssrc.wrapping_add(1) }),
        scalability_mode: scalability_mode(consumable),
        max_bitrate: consumable.iter().filter_map(|encoding| encoding.max_bitrate).max(),
        ..RtpEncodingParameters::default()
    }
}

/// The layers that a Consumer can choose among. Streams of a simulcast count as spatial layers; all are taken to have
/// the temporal layers of the first that names any.
fn scalability_mode(consumable: &[RtpEncodingParameters]) -> ScalabilityMode {
    let mut modes = consumable.iter().map(|encoding| &encoding.scalability_mode);
    let mode = modes.find(|mode| !mode.is_none()).cloned().unwrap_or_default();
    if consumable.len() <= 1 {
        return mode;
    }
    let spatial_layers = consumable.len().min(SPATIAL_LAYERS_MAX);
    format!("L{spatial_layers}T{}", mode.temporal_layers())
        .parse()
        .expect("counts without leading zero spell a scalability mode")
}
