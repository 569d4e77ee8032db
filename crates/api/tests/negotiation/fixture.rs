//! Values that the tests share, written as the JSON that clients send.

use mafalda_api::ortc::{
    ConsumerNegotiation, ConsumerStreams, RtpMapping, generate_router_rtp_capabilities,
    get_consumable_rtp_parameters, get_producer_rtp_parameters_mapping, validate_rtp_parameters,
};
use mafalda_api::types::rtp_parameters::{
    MediaKind, MimeType, RtpCapabilities, RtpCapabilitiesFinalized, RtpCodecCapability, RtpParameters,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub(crate) const FIRST_MAPPED_SSRC: u32 = 1000;
pub(crate) const CONSUMER_SSRC: u32 = 9000;

pub(crate) fn parsed<T: DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).unwrap()
}

pub(crate) fn router(codecs: Value) -> RtpCapabilitiesFinalized {
    generate_router_rtp_capabilities(parsed::<Vec<RtpCodecCapability>>(codecs)).unwrap()
}

/// Opus 100; VP8 101, RTX 102; H264 103, RTX 104; VP9 profile 2 105, RTX 106.
pub(crate) fn usual_router() -> RtpCapabilitiesFinalized {
    router(json!([
        { "kind": "audio", "mimeType": "audio/opus", "clockRate": 48000, "channels": 2,
          "parameters": { "useinbandfec": 1 } },
        { "kind": "video", "mimeType": "video/VP8", "clockRate": 90000 },
        { "kind": "video", "mimeType": "video/H264", "clockRate": 90000, "parameters": {
            "level-asymmetry-allowed": 1, "packetization-mode": 1, "profile-level-id": "4d0032" } },
        { "kind": "video", "mimeType": "video/VP9", "clockRate": 90000, "parameters": { "profile-id": 2 } },
    ]))
}

/// Two simulcast streams of VP8 with RTX.
pub(crate) fn simulcast_producer() -> RtpParameters {
    parsed(json!({
        "mid": "3",
        "codecs": [
            { "mimeType": "video/VP8", "payloadType": 96, "clockRate": 90000, "parameters": { "x-start": 1000 },
              "rtcpFeedback": [{ "type": "goog-remb" }] },
            { "mimeType": "video/rtx", "payloadType": 97, "clockRate": 90000, "parameters": { "apt": 96 } },
        ],
        "headerExtensions": [
            { "uri": "urn:ietf:params:rtp-hdrext:sdes:mid", "id": 4 },
            { "uri": "urn:3gpp:video-orientation", "id": 13 },
        ],
        "encodings": [
            { "rid": "low", "rtx": { "ssrc": 7 }, "codecPayloadType": 96, "maxBitrate": 111_111,
              "scalabilityMode": "L1T3" },
            { "ssrc": 22_222_222, "maxBitrate": 555_555, "scalabilityMode": "L1T3", "dtx": true },
        ],
        "rtcp": { "cname": "camera", "reducedSize": false },
        "msid": "stream track",
    }))
}

pub(crate) fn h264_producer(parameters: &Value) -> RtpParameters {
    parsed(json!({
        "codecs": [{ "mimeType": "video/H264", "payloadType": 111, "clockRate": 90000, "parameters": parameters }],
        "encodings": [{ "ssrc": 1 }],
    }))
}

/// A Producer as a Router takes it.
pub(crate) fn produced(
    rtp_parameters: &RtpParameters,
    router: &RtpCapabilitiesFinalized,
) -> (RtpMapping, RtpParameters) {
    validate_rtp_parameters(rtp_parameters).unwrap();
    let mapping = get_producer_rtp_parameters_mapping(rtp_parameters, router, FIRST_MAPPED_SSRC).unwrap();
    let kind = match rtp_parameters.codecs[0].mime_type() {
        MimeType::Audio(_) => MediaKind::Audio,
        MimeType::Video(_) => MediaKind::Video,
    };
    let consumable = get_consumable_rtp_parameters(kind, rtp_parameters, router, &mapping);
    (mapping, consumable)
}

pub(crate) fn consumable(rtp_parameters: &RtpParameters) -> RtpParameters {
    produced(rtp_parameters, &usual_router()).1
}

/// A Consumer with everything enabled.
pub(crate) fn negotiation(remote: &RtpCapabilities) -> ConsumerNegotiation<'_> {
    ConsumerNegotiation {
        remote,
        enable_rtx: true,
        enable_bwe: true,
        mid: Some("0".to_owned()),
        streams: ConsumerStreams::One(CONSUMER_SSRC),
    }
}

/// An endpoint that can do all that a Router can, as mediasoup-client makes it from a browser's capabilities.
pub(crate) fn endpoint_of(router: &RtpCapabilitiesFinalized) -> RtpCapabilities {
    parsed(serde_json::to_value(router).unwrap())
}
