//! Codecs and header extensions that the media engine forwards.
//!
//! A Router's capabilities are made from this list and the application's choice of codecs, see
//! [`generate_router_rtp_capabilities`](crate::ortc::generate_router_rtp_capabilities). What is not here is refused.

use std::num::{NonZeroU8, NonZeroU32};

use crate::types::rtp_parameters::{
    MediaKind, MimeTypeAudio, MimeTypeVideo, RtcpFeedback, RtpCapabilities, RtpCodecCapability,
    RtpCodecParametersParameters, RtpHeaderExtension, RtpHeaderExtensionDirection, RtpHeaderExtensionUri,
};

use MediaKind::{Audio, Video};
use RtpHeaderExtensionDirection::{RecvOnly, SendRecv};

const VIDEO_CLOCK_RATE: NonZeroU32 = NonZeroU32::new(90_000).expect("not zero");

const NO_FEEDBACK: &[RtcpFeedback] = &[];
const BANDWIDTH: &[RtcpFeedback] = &[RtcpFeedback::TransportCc];
const REPAIR_AND_BANDWIDTH: &[RtcpFeedback] = &[RtcpFeedback::Nack, RtcpFeedback::TransportCc];
const VIDEO_FEEDBACK: &[RtcpFeedback] = &[
    RtcpFeedback::Nack,
    RtcpFeedback::NackPli,
    RtcpFeedback::CcmFir,
    RtcpFeedback::GoogRemb,
    RtcpFeedback::TransportCc,
];

/// Codecs of one channel: clock rate, static payload type (RFC 3551 section 6), feedback. Comfort noise has 13 at each clock rate,
/// as in mediasoup, though the RFC says so for 8 kHz alone: a second one in a Router gets a dynamic payload type.
const MONO_CODECS: &[(MimeTypeAudio, u32, Option<u8>, &[RtcpFeedback])] = &[
    (MimeTypeAudio::Pcmu, 8_000, Some(0), BANDWIDTH),
    (MimeTypeAudio::Pcma, 8_000, Some(8), BANDWIDTH),
    (MimeTypeAudio::Isac, 32_000, None, BANDWIDTH),
    (MimeTypeAudio::Isac, 16_000, None, BANDWIDTH),
    // It samples at 16 kHz but says 8 kHz, by an old mistake (RFC 3551 section 4.5.2).
    (MimeTypeAudio::G722, 8_000, Some(9), BANDWIDTH),
    (MimeTypeAudio::Ilbc, 8_000, None, BANDWIDTH),
    (MimeTypeAudio::Silk, 24_000, None, BANDWIDTH),
    (MimeTypeAudio::Silk, 16_000, None, BANDWIDTH),
    (MimeTypeAudio::Silk, 12_000, None, BANDWIDTH),
    (MimeTypeAudio::Silk, 8_000, None, BANDWIDTH),
    (MimeTypeAudio::Cn, 32_000, Some(13), NO_FEEDBACK),
    (MimeTypeAudio::Cn, 16_000, Some(13), NO_FEEDBACK),
    (MimeTypeAudio::Cn, 8_000, Some(13), NO_FEEDBACK),
    (MimeTypeAudio::TelephoneEvent, 48_000, None, NO_FEEDBACK),
    (MimeTypeAudio::TelephoneEvent, 32_000, None, NO_FEEDBACK),
    (MimeTypeAudio::TelephoneEvent, 16_000, None, NO_FEEDBACK),
    (MimeTypeAudio::TelephoneEvent, 8_000, None, NO_FEEDBACK),
];

/// Opus of more than two channels: how many, which channel is where, streams, and how many of those are stereo.
const MULTIOPUS: &[(u8, &str, u8, u8)] =
    &[(4, "0,1,2,3", 2, 2), (6, "0,4,1,2,3,5", 4, 2), (8, "0,6,1,2,3,4,5,7", 5, 3)];

/// mediasoup's, and H265 among them.
const VIDEO_CODECS: &[MimeTypeVideo] =
    &[MimeTypeVideo::Vp8, MimeTypeVideo::Vp9, MimeTypeVideo::H264, MimeTypeVideo::H265, MimeTypeVideo::AV1];

/// Header extensions with the ids under which packets carry them from here on. A direction is as seen from the server:
/// what it only receives is not announced to Consumers. The ids are mediasoup's, with gaps where it has extensions that
/// the engine doesn't handle.
const HEADER_EXTENSIONS: &[(MediaKind, RtpHeaderExtensionUri, u16, RtpHeaderExtensionDirection)] = &[
    (Audio, RtpHeaderExtensionUri::Mid, 1, SendRecv),
    (Video, RtpHeaderExtensionUri::Mid, 1, SendRecv),
    (Video, RtpHeaderExtensionUri::RtpStreamId, 2, RecvOnly),
    (Video, RtpHeaderExtensionUri::RepairRtpStreamId, 3, RecvOnly),
    (Video, RtpHeaderExtensionUri::AbsSendTime, 4, SendRecv),
    (Audio, RtpHeaderExtensionUri::TransportWideCcDraft01, 5, SendRecv),
    (Video, RtpHeaderExtensionUri::TransportWideCcDraft01, 5, SendRecv),
    (Audio, RtpHeaderExtensionUri::SsrcAudioLevel, 6, SendRecv),
    (Video, RtpHeaderExtensionUri::VideoOrientation, 8, SendRecv),
    (Audio, RtpHeaderExtensionUri::AbsCaptureTime, 9, SendRecv),
    (Video, RtpHeaderExtensionUri::AbsCaptureTime, 9, SendRecv),
    (Audio, RtpHeaderExtensionUri::PlayoutDelay, 10, SendRecv),
    (Video, RtpHeaderExtensionUri::PlayoutDelay, 10, SendRecv),
];

/// Everything that a Router can be asked for. Codecs without a payload type get one per Router.
#[must_use]
pub fn get_supported_rtp_capabilities() -> RtpCapabilities {
    RtpCapabilities { codecs: codecs(), header_extensions: header_extensions() }
}

fn codecs() -> Vec<RtpCodecCapability> {
    let opus = audio_codec(MimeTypeAudio::Opus, 48_000, 2, None, REPAIR_AND_BANDWIDTH);
    let multiopus = MULTIOPUS.iter().map(|&(channels, channel_mapping, num_streams, coupled_streams)| {
        let mut codec =
            audio_codec(MimeTypeAudio::MultiChannelOpus, 48_000, channels, None, REPAIR_AND_BANDWIDTH);
        let parameters = codec.parameters_mut();
        parameters.insert("channel_mapping", channel_mapping);
        parameters.insert("num_streams", num_streams).insert("coupled_streams", coupled_streams);
        codec
    });
    let mono = MONO_CODECS.iter().map(|&(mime_type, clock_rate, payload_type, feedback)| {
        audio_codec(mime_type, clock_rate, 1, payload_type, feedback)
    });
    let video = VIDEO_CODECS.iter().map(|&mime_type| video_codec(mime_type));
    let red = audio_codec(MimeTypeAudio::Red, 48_000, 2, None, REPAIR_AND_BANDWIDTH);
    [opus, red].into_iter().chain(multiopus).chain(mono).chain(video).collect()
}

fn audio_codec(
    mime_type: MimeTypeAudio,
    clock_rate: u32,
    channels: u8,
    preferred_payload_type: Option<u8>,
    feedback: &[RtcpFeedback],
) -> RtpCodecCapability {
    RtpCodecCapability::Audio {
        mime_type,
        preferred_payload_type,
        clock_rate: NonZeroU32::new(clock_rate).expect("none in the table is zero"),
        channels: NonZeroU8::new(channels).expect("none in the table is zero"),
        parameters: RtpCodecParametersParameters::default(),
        rtcp_feedback: feedback.to_vec(),
    }
}

fn video_codec(mime_type: MimeTypeVideo) -> RtpCodecCapability {
    let mut parameters = RtpCodecParametersParameters::default();
    if mime_type == MimeTypeVideo::H264 {
        parameters.insert("level-asymmetry-allowed", 1_u8);
    }
    RtpCodecCapability::Video {
        mime_type,
        preferred_payload_type: None,
        clock_rate: VIDEO_CLOCK_RATE,
        parameters,
        rtcp_feedback: VIDEO_FEEDBACK.to_vec(),
    }
}

fn header_extensions() -> Vec<RtpHeaderExtension> {
    let extension = |&(kind, uri, preferred_id, direction)| RtpHeaderExtension {
        kind,
        uri,
        preferred_id,
        preferred_encrypt: false,
        direction,
    };
    HEADER_EXTENSIONS.iter().map(extension).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn an_id_means_one_extension_and_fits_a_one_byte_header() {
        let mut meaning = BTreeMap::new();
        for extension in get_supported_rtp_capabilities().header_extensions {
            // RFC 8285 section 4.2: 0 is padding and 15 is reserved.
            assert!((1..=14).contains(&extension.preferred_id));
            assert_eq!(*meaning.entry(extension.preferred_id).or_insert(extension.uri), extension.uri);
        }
    }
}
