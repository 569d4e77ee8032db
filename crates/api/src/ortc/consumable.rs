//! A Producer as the Router offers it: the same for all Consumers, in the Router's payload types, SSRCs and header
//! extension ids.

use super::h264::negotiated_profile_level_id;
use super::mapping::{RtpMapping, rtx_capability};
use super::red;
use crate::types::rtp_parameters::{
    MediaKind, MimeType, MimeTypeVideo, RtcpParameters, RtpCapabilitiesFinalized,
    RtpCodecCapabilityFinalized, RtpCodecParameters, RtpCodecParametersParameters, RtpEncodingParameters,
    RtpHeaderExtension, RtpHeaderExtensionDirection, RtpHeaderExtensionParameters, RtpHeaderExtensionUri,
    RtpParameters,
};

/// Makes the parameters under which a Producer can be consumed.
///
/// Codecs have the Router's payload types and feedback and the Producer's parameters; RTX is there whenever the Router
/// has it, since it is the server that retransmits to Consumers. Codecs that `mapping` doesn't know are left out.
#[must_use]
pub fn get_consumable_rtp_parameters(
    kind: MediaKind,
    rtp_parameters: &RtpParameters,
    capabilities: &RtpCapabilitiesFinalized,
    mapping: &RtpMapping,
) -> RtpParameters {
    RtpParameters {
        mid: None,
        codecs: codecs(&rtp_parameters.codecs, capabilities, mapping),
        header_extensions: header_extensions(kind, rtp_parameters, capabilities),
        encodings: encodings(&rtp_parameters.encodings, mapping),
        rtcp: RtcpParameters { cname: rtp_parameters.rtcp.cname.clone(), reduced_size: true },
        msid: rtp_parameters.msid.clone(),
    }
}

fn codecs(
    codecs: &[RtpCodecParameters],
    capabilities: &RtpCapabilitiesFinalized,
    mapping: &RtpMapping,
) -> Vec<RtpCodecParameters> {
    let mut consumable = Vec::<RtpCodecParameters>::new();
    for codec in codecs.iter().filter(|codec| !codec.is_rtx()) {
        let Some(capability) = mapped_capability(codec, capabilities, mapping) else { continue };
        let payload_type = capability.preferred_payload_type();
        // Two of the Producer's codecs can fall together in the Router.
        if consumable.iter().any(|codec| codec.payload_type() == payload_type) {
            continue;
        }
        consumable.push(with_parameters(capability, parameters(codec, codecs, capability, mapping)));
        if let Some(rtx) = rtx_capability(capabilities, payload_type) {
            consumable.push(with_parameters(rtx, rtx.parameters().clone()));
        }
    }
    consumable
}

fn mapped_capability<'a>(
    codec: &RtpCodecParameters,
    capabilities: &'a RtpCapabilitiesFinalized,
    mapping: &RtpMapping,
) -> Option<&'a RtpCodecCapabilityFinalized> {
    let payload_type = mapping.payload_type(codec.payload_type())?;
    capabilities.codecs.iter().find(|capability| capability.preferred_payload_type() == payload_type)
}

/// The Producer's parameters; for H264 at the level that the Router may be sent, for RED in the Router's payload types.
fn parameters(
    codec: &RtpCodecParameters,
    codecs: &[RtpCodecParameters],
    capability: &RtpCodecCapabilityFinalized,
    mapping: &RtpMapping,
) -> RtpCodecParametersParameters {
    if red::is_red(codec.mime_type()) {
        let frames = red::frames_of(codec, codecs).unwrap_or_default();
        let mapped: Vec<u8> = frames.iter().filter_map(|frame| mapping.payload_type(*frame)).collect();
        return red::parameters_of(&mapped);
    }
    let mut parameters = codec.parameters().clone();
    if codec.mime_type() == MimeType::Video(MimeTypeVideo::H264)
        && let Some(profile_level_id) =
            negotiated_profile_level_id(codec.parameters(), capability.parameters())
    {
        parameters.insert("profile-level-id", profile_level_id);
    }
    parameters
}

/// A codec of the Router in use.
fn with_parameters(
    capability: &RtpCodecCapabilityFinalized,
    parameters: RtpCodecParametersParameters,
) -> RtpCodecParameters {
    match capability {
        RtpCodecCapabilityFinalized::Audio {
            mime_type,
            preferred_payload_type,
            clock_rate,
            channels,
            rtcp_feedback,
            ..
        } => RtpCodecParameters::Audio {
            mime_type: *mime_type,
            payload_type: *preferred_payload_type,
            clock_rate: *clock_rate,
            channels: *channels,
            parameters,
            rtcp_feedback: rtcp_feedback.clone(),
        },
        RtpCodecCapabilityFinalized::Video {
            mime_type,
            preferred_payload_type,
            clock_rate,
            rtcp_feedback,
            ..
        } => RtpCodecParameters::Video {
            mime_type: *mime_type,
            payload_type: *preferred_payload_type,
            clock_rate: *clock_rate,
            parameters,
            rtcp_feedback: rtcp_feedback.clone(),
        },
    }
}

/// What the Router writes for this kind. Most values it writes itself or needs nobody to have negotiated, but a time of
/// capture only the Producer can know.
fn header_extensions(
    kind: MediaKind,
    rtp_parameters: &RtpParameters,
    capabilities: &RtpCapabilitiesFinalized,
) -> Vec<RtpHeaderExtensionParameters> {
    let is_produced = |uri| rtp_parameters.header_extensions.iter().any(|extension| extension.uri == uri);
    let is_sent = |extension: &&RtpHeaderExtension| {
        extension.kind == kind
            && matches!(
                extension.direction,
                RtpHeaderExtensionDirection::SendRecv | RtpHeaderExtensionDirection::SendOnly
            )
            && (extension.uri != RtpHeaderExtensionUri::AbsCaptureTime || is_produced(extension.uri))
    };
    let sent = capabilities.header_extensions.iter().filter(is_sent);
    sent.map(|extension| RtpHeaderExtensionParameters {
        uri: extension.uri,
        id: extension.preferred_id,
        encrypt: extension.preferred_encrypt,
    })
    .collect()
}

fn encodings(encodings: &[RtpEncodingParameters], mapping: &RtpMapping) -> Vec<RtpEncodingParameters> {
    let consumable =
        |(encoding, mapped): (&RtpEncodingParameters, &super::RtpMappingEncoding)| RtpEncodingParameters {
            ssrc: Some(mapped.mapped_ssrc),
            rid: None,
            codec_payload_type: None,
            rtx: None,
            dtx: encoding.dtx,
            scalability_mode: encoding.scalability_mode.clone(),
            max_bitrate: encoding.max_bitrate,
        };
    encodings.iter().zip(&mapping.encodings).map(consumable).collect()
}
