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

/// Static payload types (RFC 3551 section 6).
const PCMU_PAYLOAD_TYPE: u8 = 0;
const PCMA_PAYLOAD_TYPE: u8 = 8;
const G722_PAYLOAD_TYPE: u8 = 9;

const OPUS_CLOCK_RATE: NonZeroU32 = NonZeroU32::new(48_000).expect("not zero");
/// G722 samples at 16 kHz but says 8 kHz, by an old mistake (RFC 3551 section 4.5.2).
const TELEPHONE_CLOCK_RATE: NonZeroU32 = NonZeroU32::new(8_000).expect("not zero");
const VIDEO_CLOCK_RATE: NonZeroU32 = NonZeroU32::new(90_000).expect("not zero");

const MONO: NonZeroU8 = NonZeroU8::MIN;
const STEREO: NonZeroU8 = NonZeroU8::new(2).expect("not zero");

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
    let no_parameters = RtpCodecParametersParameters::default;
    let level_asymmetry = RtpCodecParametersParameters::from([("level-asymmetry-allowed", 1_u8.into())]);
    vec![
        RtpCodecCapability::Audio {
            mime_type: MimeTypeAudio::Opus,
            preferred_payload_type: None,
            clock_rate: OPUS_CLOCK_RATE,
            channels: STEREO,
            parameters: no_parameters(),
            rtcp_feedback: vec![RtcpFeedback::Nack, RtcpFeedback::TransportCc],
        },
        telephone_codec(MimeTypeAudio::Pcmu, PCMU_PAYLOAD_TYPE),
        telephone_codec(MimeTypeAudio::Pcma, PCMA_PAYLOAD_TYPE),
        telephone_codec(MimeTypeAudio::G722, G722_PAYLOAD_TYPE),
        video_codec(MimeTypeVideo::Vp8, no_parameters()),
        video_codec(MimeTypeVideo::Vp9, no_parameters()),
        video_codec(MimeTypeVideo::H264, level_asymmetry),
        video_codec(MimeTypeVideo::AV1, no_parameters()),
    ]
}

fn telephone_codec(mime_type: MimeTypeAudio, payload_type: u8) -> RtpCodecCapability {
    RtpCodecCapability::Audio {
        mime_type,
        preferred_payload_type: Some(payload_type),
        clock_rate: TELEPHONE_CLOCK_RATE,
        channels: MONO,
        parameters: RtpCodecParametersParameters::default(),
        rtcp_feedback: vec![RtcpFeedback::TransportCc],
    }
}

fn video_codec(mime_type: MimeTypeVideo, parameters: RtpCodecParametersParameters) -> RtpCodecCapability {
    RtpCodecCapability::Video {
        mime_type,
        preferred_payload_type: None,
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
