//! What a browser says that it can do with RTP, and what that is to str0m.

use std::num::{NonZeroU8, NonZeroU32};

use mafalda_api::types::rtp_parameters::{
    MediaKind, MimeType, MimeTypeAudio, MimeTypeVideo, RtcpFeedback, RtpCapabilities, RtpCodecCapability,
    RtpCodecParametersParameters, RtpCodecParametersParametersValue, RtpHeaderExtension,
    RtpHeaderExtensionDirection, RtpHeaderExtensionUri,
};
use str0m::RtcConfig;
use str0m::format::{Codec as Format, FormatParams};
use str0m::media::Frequency;
use str0m::rtp::{Extension, ExtensionMap};

use crate::media::Codec;

const OPUS_CLOCK_RATE: NonZeroU32 = NonZeroU32::new(48_000).expect("not zero");
const VIDEO_CLOCK_RATE: NonZeroU32 = NonZeroU32::new(90_000).expect("not zero");
const STEREO: NonZeroU8 = NonZeroU8::new(2).expect("not zero");

/// Payload types of Chromium, each with that of its RTX.
const VIDEO_PAYLOAD_TYPES: [(Codec, u8, u8); 4] =
    [(Codec::Vp8, 96, 97), (Codec::Vp9, 98, 99), (Codec::H264, 106, 107), (Codec::Av1, 45, 46)];

/// Header extensions of Chromium under its ids, which are not those of our Routers.
const HEADER_EXTENSIONS: [(MediaKind, RtpHeaderExtensionUri, u16); 10] = [
    (MediaKind::Audio, RtpHeaderExtensionUri::SsrcAudioLevel, 1),
    (MediaKind::Audio, RtpHeaderExtensionUri::AbsSendTime, 2),
    (MediaKind::Audio, RtpHeaderExtensionUri::TransportWideCcDraft01, 3),
    (MediaKind::Audio, RtpHeaderExtensionUri::Mid, 4),
    (MediaKind::Video, RtpHeaderExtensionUri::AbsSendTime, 2),
    (MediaKind::Video, RtpHeaderExtensionUri::TransportWideCcDraft01, 3),
    (MediaKind::Video, RtpHeaderExtensionUri::Mid, 4),
    (MediaKind::Video, RtpHeaderExtensionUri::RtpStreamId, 10),
    (MediaKind::Video, RtpHeaderExtensionUri::RepairRtpStreamId, 11),
    (MediaKind::Video, RtpHeaderExtensionUri::VideoOrientation, 13),
];

/// The codecs that [`Codec`] knows, for a Router.
#[must_use]
pub fn router_codecs() -> Vec<RtpCodecCapability> {
    let video = Codec::VIDEO.map(|codec| video_codec(codec, None));
    std::iter::once(opus(None)).chain(video).collect()
}

/// The capabilities of a browser, with payload types and header extension ids of its own.
#[must_use]
pub fn browser_capabilities() -> RtpCapabilities {
    let mut codecs = vec![opus(Some(111))];
    for (codec, payload_type, rtx) in VIDEO_PAYLOAD_TYPES {
        codecs.push(video_codec(codec, Some(payload_type)));
        codecs.push(rtx_codec(payload_type, rtx));
    }
    let header_extensions = HEADER_EXTENSIONS.map(|(kind, uri, preferred_id)| RtpHeaderExtension {
        kind,
        uri,
        preferred_id,
        preferred_encrypt: false,
        direction: RtpHeaderExtensionDirection::SendRecv,
    });
    RtpCapabilities { codecs, header_extensions: header_extensions.into() }
}

fn opus(preferred_payload_type: Option<u8>) -> RtpCodecCapability {
    RtpCodecCapability::Audio {
        mime_type: MimeTypeAudio::Opus,
        preferred_payload_type,
        clock_rate: OPUS_CLOCK_RATE,
        channels: STEREO,
        parameters: RtpCodecParametersParameters::from([("useinbandfec", 1_u8.into())]),
        rtcp_feedback: vec![RtcpFeedback::Nack, RtcpFeedback::TransportCc],
    }
}

fn video_codec(codec: Codec, preferred_payload_type: Option<u8>) -> RtpCodecCapability {
    let MimeType::Video(mime_type) = codec.mime_type() else { unreachable!("the table holds video codecs") };
    let parameters = match codec {
        Codec::H264 => RtpCodecParametersParameters::from([
            ("packetization-mode", 1_u8.into()),
            ("profile-level-id", "42e01f".into()),
            ("level-asymmetry-allowed", 1_u8.into()),
        ]),
        Codec::Vp9 => RtpCodecParametersParameters::from([("profile-id", 0_u8.into())]),
        _ => RtpCodecParametersParameters::default(),
    };
    RtpCodecCapability::Video {
        mime_type,
        preferred_payload_type,
        clock_rate: VIDEO_CLOCK_RATE,
        parameters,
        rtcp_feedback: vec![
            RtcpFeedback::Nack,
            RtcpFeedback::NackPli,
            RtcpFeedback::CcmFir,
            RtcpFeedback::GoogRemb,
            RtcpFeedback::TransportCc,
        ],
    }
}

fn rtx_codec(payload_type: u8, rtx: u8) -> RtpCodecCapability {
    RtpCodecCapability::Video {
        mime_type: MimeTypeVideo::Rtx,
        preferred_payload_type: Some(rtx),
        clock_rate: VIDEO_CLOCK_RATE,
        parameters: RtpCodecParametersParameters::from([("apt", payload_type.into())]),
        rtcp_feedback: Vec::new(),
    }
}

/// The payload type of the RTX that goes with a payload type.
pub(crate) fn rtx_of(capabilities: &RtpCapabilities, payload_type: u8) -> Option<u8> {
    let apt = RtpCodecParametersParametersValue::Number(payload_type.into());
    let rtx = capabilities
        .codecs
        .iter()
        .find(|codec| codec.mime_type().is_rtx() && codec.parameters().get("apt") == Some(&apt));
    rtx?.preferred_payload_type()
}

/// The capability for a codec.
pub(crate) fn find(capabilities: &RtpCapabilities, codec: Codec) -> Option<&RtpCodecCapability> {
    capabilities.codecs.iter().find(|it| it.mime_type() == codec.mime_type())
}

/// Tells str0m its payload types and header extension ids.
pub(crate) fn configure(mut config: RtcConfig, capabilities: &RtpCapabilities) -> RtcConfig {
    config = config.clear_codecs();
    for codec in &capabilities.codecs {
        let (Some(format), Some(payload_type)) = (format(codec.mime_type()), codec.preferred_payload_type())
        else {
            continue;
        };
        let rtx = rtx_of(capabilities, payload_type).map(Into::into);
        let (clock_rate, channels) = match codec {
            RtpCodecCapability::Audio { channels, .. } => (Frequency::FORTY_EIGHT_KHZ, Some(channels.get())),
            RtpCodecCapability::Video { .. } => (Frequency::NINETY_KHZ, None),
        };
        let parameters = FormatParams::parse_line(&line(codec.parameters()));
        config.codec_config().add_config(payload_type.into(), rtx, format, clock_rate, channels, parameters);
    }
    config.set_extension_map(extension_map(capabilities))
}

fn format(mime_type: MimeType) -> Option<Format> {
    match mime_type {
        MimeType::Audio(MimeTypeAudio::Opus) => Some(Format::Opus),
        MimeType::Video(MimeTypeVideo::Vp8) => Some(Format::Vp8),
        MimeType::Video(MimeTypeVideo::Vp9) => Some(Format::Vp9),
        MimeType::Video(MimeTypeVideo::H264) => Some(Format::H264),
        MimeType::Video(MimeTypeVideo::AV1) => Some(Format::Av1),
        _ => None,
    }
}

/// Format parameters as SDP writes them.
fn line(parameters: &RtpCodecParametersParameters) -> String {
    let parameters = parameters.iter().map(|(key, value)| match value {
        RtpCodecParametersParametersValue::String(text) => format!("{key}={text}"),
        RtpCodecParametersParametersValue::Number(number) => format!("{key}={number}"),
    });
    parameters.collect::<Vec<_>>().join(";")
}

fn extension_map(capabilities: &RtpCapabilities) -> ExtensionMap {
    let mut map = ExtensionMap::empty();
    for it in &capabilities.header_extensions {
        if let (Some(extension), Ok(id)) = (extension(it.uri), u8::try_from(it.preferred_id)) {
            map.set(id, extension);
        }
    }
    map
}

fn extension(uri: RtpHeaderExtensionUri) -> Option<Extension> {
    Some(match uri {
        RtpHeaderExtensionUri::Mid => Extension::RtpMid,
        RtpHeaderExtensionUri::RtpStreamId => Extension::RtpStreamId,
        RtpHeaderExtensionUri::RepairRtpStreamId => Extension::RepairedRtpStreamId,
        RtpHeaderExtensionUri::AbsSendTime => Extension::AbsoluteSendTime,
        RtpHeaderExtensionUri::TransportWideCcDraft01 => Extension::TransportSequenceNumber,
        RtpHeaderExtensionUri::SsrcAudioLevel => Extension::AudioLevel,
        RtpHeaderExtensionUri::VideoOrientation => Extension::VideoOrientation,
        RtpHeaderExtensionUri::AbsCaptureTime => Extension::AbsoluteCaptureTime,
        RtpHeaderExtensionUri::PlayoutDelay => Extension::PlayoutDelay,
        _ => return None,
    })
}
