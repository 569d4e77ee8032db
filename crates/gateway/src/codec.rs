//! The codecs of a room, in the order in which a page prefers them.

use std::num::{NonZeroU8, NonZeroU32};

use mafalda_api::types::rtp_parameters::{
    MimeTypeAudio, MimeTypeVideo, RtpCodecCapability, RtpCodecParametersParameters,
};

const OPUS_CLOCK: NonZeroU32 = NonZeroU32::new(48_000).expect("not zero");
const VIDEO_CLOCK: NonZeroU32 = NonZeroU32::new(90_000).expect("not zero");
const STEREO: NonZeroU8 = NonZeroU8::new(2).expect("not zero");

/// Opus, VP8, VP9, H264 and AV1.
///
/// VP8 comes first since each browser encodes it cheaply. H264 is constrained baseline, which is what browsers agree on, and
/// baseline, as encoders say that mark no constraint (ffmpeg by WHIP).
#[must_use]
pub fn media_codecs() -> Vec<RtpCodecCapability> {
    let mut h264 = RtpCodecParametersParameters::default();
    h264.insert("packetization-mode", 1_u32);
    h264.insert("profile-level-id", "42e01f");
    h264.insert("level-asymmetry-allowed", 1_u32);
    let mut baseline = h264.clone();
    baseline.insert("profile-level-id", "42001f");
    let mut vp9 = RtpCodecParametersParameters::default();
    vp9.insert("profile-id", 0_u32);
    let none = RtpCodecParametersParameters::default;
    vec![
        opus(),
        video(MimeTypeVideo::Vp8, none()),
        video(MimeTypeVideo::Vp9, vp9),
        video(MimeTypeVideo::H264, h264),
        video(MimeTypeVideo::H264, baseline),
        video(MimeTypeVideo::AV1, none()),
    ]
}

fn opus() -> RtpCodecCapability {
    let mut parameters = RtpCodecParametersParameters::default();
    parameters.insert("useinbandfec", 1_u32);
    RtpCodecCapability::Audio {
        mime_type: MimeTypeAudio::Opus,
        preferred_payload_type: None,
        clock_rate: OPUS_CLOCK,
        channels: STEREO,
        parameters,
        rtcp_feedback: Vec::new(),
    }
}

/// The Router adds the feedback that it supports for the codec.
fn video(mime_type: MimeTypeVideo, parameters: RtpCodecParametersParameters) -> RtpCodecCapability {
    RtpCodecCapability::Video {
        mime_type,
        preferred_payload_type: None,
        clock_rate: VIDEO_CLOCK,
        parameters,
        rtcp_feedback: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_router_takes_them() {
        let capabilities = mafalda_api::ortc::generate_router_rtp_capabilities(media_codecs()).unwrap();
        let media = capabilities.codecs.iter().filter(|codec| !codec.is_rtx()).count();
        assert_eq!(media, 6);
    }
}
