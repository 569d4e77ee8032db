//! Codecs, capabilities and parameters of a Router, its clients and their streams, as the JSON that a browser would send.

use mafalda_api::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub(crate) fn parse<T: DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).expect("the test's JSON is right")
}

/// Opus, VP8 and H264.
pub(crate) fn media_codecs() -> Vec<RtpCodecCapability> {
    parse(json!([
        {
            "kind": "audio", "mimeType": "audio/opus", "clockRate": 48000, "channels": 2,
            "parameters": { "useinbandfec": 1 }
        },
        { "kind": "video", "mimeType": "video/VP8", "clockRate": 90000 },
        {
            "kind": "video", "mimeType": "video/H264", "clockRate": 90000,
            "parameters": { "level-asymmetry-allowed": 1, "packetization-mode": 1, "profile-level-id": "4d0032" }
        }
    ]))
}

/// What a client sends as sound.
pub(crate) fn audio() -> RtpParameters {
    parse(json!({
        "mid": "AUDIO",
        "codecs": [{
            "mimeType": "audio/opus", "payloadType": 111, "clockRate": 48000, "channels": 2,
            "parameters": { "useinbandfec": 1, "usedtx": 1 }, "rtcpFeedback": []
        }],
        "headerExtensions": [
            { "uri": "urn:ietf:params:rtp-hdrext:sdes:mid", "id": 10 },
            { "uri": "urn:ietf:params:rtp-hdrext:ssrc-audio-level", "id": 12 }
        ],
        "encodings": [{ "ssrc": 11111111, "dtx": true }],
        "rtcp": { "cname": "FOOBAR" }
    }))
}

/// What a client sends as picture: VP8 with retransmissions.
pub(crate) fn video() -> RtpParameters {
    parse(json!({
        "mid": "VIDEO",
        "codecs": [
            {
                "mimeType": "video/VP8", "payloadType": 112, "clockRate": 90000,
                "rtcpFeedback": [
                    { "type": "nack" }, { "type": "nack", "parameter": "pli" },
                    { "type": "ccm", "parameter": "fir" }, { "type": "goog-remb" }, { "type": "transport-cc" }
                ]
            },
            { "mimeType": "video/rtx", "payloadType": 113, "clockRate": 90000, "parameters": { "apt": 112 } }
        ],
        "headerExtensions": [
            { "uri": "urn:ietf:params:rtp-hdrext:sdes:mid", "id": 10 },
            { "uri": "urn:3gpp:video-orientation", "id": 13 }
        ],
        "encodings": [{ "ssrc": 22222222, "rtx": { "ssrc": 22222223 } }],
        "rtcp": { "cname": "FOOBAR" }
    }))
}

/// What a client sends as picture in three sizes, each a stream of its own.
pub(crate) fn simulcast() -> RtpParameters {
    let encodings = parse(json!([
        { "ssrc": 33333331, "rtx": { "ssrc": 33333341 }, "maxBitrate": 100_000 },
        { "ssrc": 33333332, "rtx": { "ssrc": 33333342 }, "maxBitrate": 300_000 },
        { "ssrc": 33333333, "rtx": { "ssrc": 33333343 }, "maxBitrate": 900_000 }
    ]));
    RtpParameters { encodings, mid: Some("SIMULCAST".into()), ..video() }
}

/// What a client can receive: Opus and VP8, as the Router numbers them.
pub(crate) fn client_capabilities() -> RtpCapabilities {
    parse(json!({
        "codecs": [
            {
                "kind": "audio", "mimeType": "audio/opus", "preferredPayloadType": 100, "clockRate": 48000,
                "channels": 2, "rtcpFeedback": [{ "type": "nack" }]
            },
            {
                "kind": "video", "mimeType": "video/VP8", "preferredPayloadType": 101, "clockRate": 90000,
                "rtcpFeedback": [
                    { "type": "nack" }, { "type": "nack", "parameter": "pli" },
                    { "type": "ccm", "parameter": "fir" }, { "type": "transport-cc" }
                ]
            },
            {
                "kind": "video", "mimeType": "video/rtx", "preferredPayloadType": 102, "clockRate": 90000,
                "parameters": { "apt": 101 }
            }
        ],
        "headerExtensions": [
            { "kind": "video", "uri": "urn:ietf:params:rtp-hdrext:sdes:mid", "preferredId": 1 },
            { "kind": "audio", "uri": "urn:ietf:params:rtp-hdrext:sdes:mid", "preferredId": 1 },
            { "kind": "audio", "uri": "urn:ietf:params:rtp-hdrext:ssrc-audio-level", "preferredId": 6 },
            { "kind": "video", "uri": "urn:3gpp:video-orientation", "preferredId": 8 }
        ]
    }))
}

/// What a client can receive, VP8, as it has numbered it itself.
pub(crate) fn offering_capabilities() -> RtpCapabilities {
    parse(json!({
        "codecs": [
            {
                "kind": "video", "mimeType": "video/VP8", "preferredPayloadType": 96, "clockRate": 90000,
                "rtcpFeedback": [{ "type": "nack" }, { "type": "nack", "parameter": "pli" }]
            },
            {
                "kind": "video", "mimeType": "video/rtx", "preferredPayloadType": 97, "clockRate": 90000,
                "parameters": { "apt": 96 }
            }
        ],
        "headerExtensions": [
            { "kind": "video", "uri": "urn:ietf:params:rtp-hdrext:sdes:mid", "preferredId": 14 },
            { "kind": "video", "uri": "urn:3gpp:video-orientation", "preferredId": 2 }
        ]
    }))
}

/// What a client can receive that knows neither of the test's producers' codecs.
pub(crate) fn other_capabilities() -> RtpCapabilities {
    parse(json!({
        "codecs": [{
            "kind": "audio", "mimeType": "audio/ISAC", "preferredPayloadType": 100, "clockRate": 32000, "channels": 1
        }],
        "headerExtensions": []
    }))
}

/// What a client says of its DTLS.
pub(crate) fn dtls_parameters(role: &str) -> DtlsParameters {
    let digest = vec!["82"; 32].join(":");
    parse(json!({ "role": role, "fingerprints": [{ "algorithm": "sha-256", "value": digest }] }))
}
