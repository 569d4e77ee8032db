//! What a Router can do, made from the codecs that the application wants.

use super::codec_match::is_same_codec;
use super::validation::{PAYLOAD_TYPE_MAX, validate_codec_capabilities};
use super::{RtpCapabilitiesError, red};
use crate::supported_rtp_capabilities::get_supported_rtp_capabilities;
use crate::types::rtp_parameters::{
    MimeTypeVideo, RtpCapabilitiesFinalized, RtpCodecCapability, RtpCodecCapabilityFinalized,
    RtpCodecParametersParameters,
};

/// Makes a Router's capabilities from the codecs that the application wants, in its order of preference.
///
/// A codec takes its parameters from the application where it gives any, and feedback from what the server does. Each
/// video codec gets an RTX codec behind it. Header extensions are all that the server does. A payload type is the
/// application's, else the codec's static one unless a codec before has it, else the next dynamic one that the application
/// gives to no codec.
///
/// # Errors
/// When the server doesn't forward a codec, `apt` isn't a number, a payload type is given twice or is beyond 127, no
/// dynamic one is left, or RED is without the Opus that it holds.
pub fn generate_router_rtp_capabilities(
    media_codecs: Vec<RtpCodecCapability>,
) -> Result<RtpCapabilitiesFinalized, RtpCapabilitiesError> {
    validate_codec_capabilities(&media_codecs)?;
    let supported = get_supported_rtp_capabilities();
    let mut payload_types = PayloadTypes::new(&media_codecs);
    let mut codecs = Vec::with_capacity(2 * media_codecs.len());

    for wanted in media_codecs {
        let base = supported
            .codecs
            .iter()
            .find(|base| is_same_codec(&wanted, *base))
            .ok_or(RtpCapabilitiesError::UnsupportedCodec { mime_type: wanted.mime_type() })?;
        let payload_type = match (wanted.preferred_payload_type(), base.preferred_payload_type()) {
            (None, Some(fixed)) if payload_types.is_taken(fixed) => payload_types.take(None)?,
            (given, fixed) => payload_types.take(given.or(fixed))?,
        };
        let codec = finalized(base, wanted, payload_type);
        let rtx = rtx_for(&codec, &mut payload_types)?;
        codecs.push(codec);
        codecs.extend(rtx);
    }
    name_frames_of_red(&mut codecs)?;
    Ok(RtpCapabilitiesFinalized { codecs, header_extensions: supported.header_extensions })
}

/// RED holds the Router's Opus, whatever the application says.
fn name_frames_of_red(codecs: &mut [RtpCodecCapabilityFinalized]) -> Result<(), RtpCapabilitiesError> {
    let opus = codecs.iter().find(|codec| red::is_opus(codec.mime_type()));
    let opus = opus.map(RtpCodecCapabilityFinalized::preferred_payload_type);
    for codec in codecs.iter_mut().filter(|codec| red::is_red(codec.mime_type())) {
        let opus = opus.ok_or(RtpCapabilitiesError::MissingMediaCodecForRed)?;
        *codec.parameters_mut() = red::parameters_of_codec(opus);
    }
    Ok(())
}

/// The payload types of a Router while they are handed out.
struct PayloadTypes {
    /// Given by the application, taken or not.
    reserved: Vec<u8>,
    taken: Vec<u8>,
}

impl PayloadTypes {
    fn new(media_codecs: &[RtpCodecCapability]) -> Self {
        let reserved = media_codecs.iter().filter_map(RtpCodecCapability::preferred_payload_type).collect();
        Self { reserved, taken: Vec::new() }
    }

    fn take(&mut self, preferred: Option<u8>) -> Result<u8, RtpCapabilitiesError> {
        let payload_type = match preferred {
            Some(invalid) if invalid > PAYLOAD_TYPE_MAX => {
                return Err(RtpCapabilitiesError::InvalidPreferredPayloadType(invalid));
            }
            Some(duplicate) if self.is_taken(duplicate) => {
                return Err(RtpCapabilitiesError::DuplicatedPreferredPayloadType(duplicate));
            }
            Some(preferred) => preferred,
            None => self.next_dynamic().ok_or(RtpCapabilitiesError::CannotAllocate)?,
        };
        self.taken.push(payload_type);
        Ok(payload_type)
    }

    fn is_taken(&self, payload_type: u8) -> bool {
        self.taken.contains(&payload_type)
    }

    /// RFC 3551 section 6 leaves 96 to 127 to dynamic use. Like mediasoup, 96 to 99 come last: clients tend to use
    /// them on their own.
    fn next_dynamic(&self) -> Option<u8> {
        let is_free =
            |payload_type: &u8| !self.is_taken(*payload_type) && !self.reserved.contains(payload_type);
        (100..=PAYLOAD_TYPE_MAX).chain(96..100).find(is_free)
    }
}

/// The wanted codec with the server's feedback and the given payload type.
fn finalized(
    base: &RtpCodecCapability,
    wanted: RtpCodecCapability,
    preferred_payload_type: u8,
) -> RtpCodecCapabilityFinalized {
    let mut merged = base.parameters().clone();
    let rtcp_feedback = base.rtcp_feedback().clone();
    match wanted {
        RtpCodecCapability::Audio { mime_type, clock_rate, channels, parameters, .. } => {
            merged.extend(parameters);
            RtpCodecCapabilityFinalized::Audio {
                mime_type,
                preferred_payload_type,
                clock_rate,
                channels,
                parameters: merged,
                rtcp_feedback,
            }
        }
        RtpCodecCapability::Video { mime_type, clock_rate, parameters, .. } => {
            merged.extend(parameters);
            RtpCodecCapabilityFinalized::Video {
                mime_type,
                preferred_payload_type,
                clock_rate,
                parameters: merged,
                rtcp_feedback,
            }
        }
    }
}

/// The RTX codec of a video codec; audio has none.
fn rtx_for(
    codec: &RtpCodecCapabilityFinalized,
    payload_types: &mut PayloadTypes,
) -> Result<Option<RtpCodecCapabilityFinalized>, RtpCapabilitiesError> {
    let &RtpCodecCapabilityFinalized::Video { preferred_payload_type, clock_rate, .. } = codec else {
        return Ok(None);
    };
    Ok(Some(RtpCodecCapabilityFinalized::Video {
        mime_type: MimeTypeVideo::Rtx,
        preferred_payload_type: payload_types.take(None)?,
        clock_rate,
        parameters: RtpCodecParametersParameters::from([("apt", preferred_payload_type.into())]),
        rtcp_feedback: Vec::new(),
    }))
}
