use mafalda_api::ortc::{RtpCapabilitiesError, generate_router_rtp_capabilities};
use mafalda_api::supported_rtp_capabilities::get_supported_rtp_capabilities;
use mafalda_api::types::rtp_parameters::{
    MimeType, MimeTypeVideo, RtpCapabilitiesFinalized, RtpCodecCapability, RtpCodecCapabilityFinalized,
    RtpHeaderExtensionUri,
};
use serde_json::{Value, json, to_value};

use crate::fixture::{parsed, router, usual_router};

fn payload_types(capabilities: &RtpCapabilitiesFinalized) -> Vec<u8> {
    capabilities.codecs.iter().map(|codec| codec.preferred_payload_type()).collect()
}

fn refusal(codecs: Value) -> RtpCapabilitiesError {
    generate_router_rtp_capabilities(parsed(codecs)).unwrap_err()
}

fn vp8(payload_type: Option<u8>) -> Value {
    json!({ "kind": "video", "mimeType": "video/VP8", "clockRate": 90000, "preferredPayloadType": payload_type })
}

#[test]
fn codecs_are_completed_and_video_gets_rtx() {
    let capabilities = router(json!([
        { "kind": "audio", "mimeType": "audio/opus", "clockRate": 48000, "channels": 2,
          "parameters": { "useinbandfec": 1, "foo": "bar" }, "rtcpFeedback": [{ "type": "goog-remb" }] },
        { "kind": "video", "mimeType": "video/VP8", "clockRate": 90000, "preferredPayloadType": 125 },
        { "kind": "video", "mimeType": "video/H264", "clockRate": 90000,
          "parameters": { "level-asymmetry-allowed": 0, "profile-level-id": "42e01f" } },
    ]));
    let video_feedback = json!([
        { "type": "nack", "parameter": "" },
        { "type": "nack", "parameter": "pli" },
        { "type": "ccm", "parameter": "fir" },
        { "type": "goog-remb", "parameter": "" },
        { "type": "transport-cc", "parameter": "" },
    ]);
    assert_eq!(
        to_value(&capabilities.codecs).unwrap(),
        json!([
            { "kind": "audio", "mimeType": "audio/opus", "preferredPayloadType": 100, "clockRate": 48000, "channels": 2,
              "parameters": { "useinbandfec": 1, "foo": "bar" },
              "rtcpFeedback": [{ "type": "nack", "parameter": "" }, { "type": "transport-cc", "parameter": "" }] },
            { "kind": "video", "mimeType": "video/VP8", "preferredPayloadType": 125, "clockRate": 90000,
              "parameters": {}, "rtcpFeedback": video_feedback },
            { "kind": "video", "mimeType": "video/rtx", "preferredPayloadType": 101, "clockRate": 90000,
              "parameters": { "apt": 125 }, "rtcpFeedback": [] },
            { "kind": "video", "mimeType": "video/H264", "preferredPayloadType": 102, "clockRate": 90000,
              "parameters": { "level-asymmetry-allowed": 0, "profile-level-id": "42e01f" },
              "rtcpFeedback": video_feedback },
            { "kind": "video", "mimeType": "video/rtx", "preferredPayloadType": 103, "clockRate": 90000,
              "parameters": { "apt": 102 }, "rtcpFeedback": [] },
        ])
    );
    assert_eq!(capabilities.header_extensions, get_supported_rtp_capabilities().header_extensions);
}

#[test]
fn all_that_is_supported_can_be_asked_for_as_it_is() {
    let supported = get_supported_rtp_capabilities();
    let unsettled = supported.codecs.into_iter().map(|mut codec| {
        let (RtpCodecCapability::Audio { preferred_payload_type, .. }
        | RtpCodecCapability::Video { preferred_payload_type, .. }) = &mut codec;
        *preferred_payload_type = None;
        codec
    });
    let capabilities = generate_router_rtp_capabilities(unsettled.collect()).unwrap();
    let name = |codec: &RtpCodecCapabilityFinalized| {
        let kilohertz = codec.clock_rate().get() / 1000;
        format!("{} {kilohertz} {}", codec.preferred_payload_type(), codec.mime_type().as_str())
    };
    let names: Vec<String> = capabilities.codecs.iter().map(name).collect();
    assert_eq!(
        names,
        [
            "100 48 audio/opus",
            "101 48 audio/red",
            "102 48 audio/multiopus",
            "103 48 audio/multiopus",
            "104 48 audio/multiopus",
            "0 8 audio/PCMU",
            "8 8 audio/PCMA",
            "105 32 audio/ISAC",
            "106 16 audio/ISAC",
            "9 8 audio/G722",
            "107 8 audio/iLBC",
            "108 24 audio/SILK",
            "109 16 audio/SILK",
            "110 12 audio/SILK",
            "111 8 audio/SILK",
            "13 32 audio/CN",
            "112 16 audio/CN",
            "113 8 audio/CN",
            "114 48 audio/telephone-event",
            "115 32 audio/telephone-event",
            "116 16 audio/telephone-event",
            "117 8 audio/telephone-event",
            "118 90 video/VP8",
            "119 90 video/rtx",
            "120 90 video/VP9",
            "121 90 video/rtx",
            "122 90 video/H264",
            "123 90 video/rtx",
            "124 90 video/H265",
            "125 90 video/rtx",
            "126 90 video/AV1",
            "127 90 video/rtx",
        ]
    );
}

#[test]
fn extensions_that_the_engine_lacks_are_not_announced() {
    let capabilities = usual_router();
    let has = |uri| capabilities.header_extensions.iter().any(|extension| extension.uri == uri);
    assert!(has(RtpHeaderExtensionUri::Mid));
    assert!(!has(RtpHeaderExtensionUri::DependencyDescriptor));
    assert!(!has(RtpHeaderExtensionUri::MediasoupPacketId));
    assert!(!has(RtpHeaderExtensionUri::Unsupported));
}

#[test]
fn codecs_that_the_server_lacks_are_refused() {
    for (mime_type, codec) in [
        (
            "audio/opus",
            json!({ "kind": "audio", "mimeType": "audio/opus", "clockRate": 48000, "channels": 1 }),
        ),
        (
            "audio/opus",
            json!({ "kind": "audio", "mimeType": "audio/opus", "clockRate": 44100, "channels": 2 }),
        ),
        ("audio/red", json!({ "kind": "audio", "mimeType": "audio/red", "clockRate": 8000 })),
        ("video/red", json!({ "kind": "video", "mimeType": "video/red", "clockRate": 90000 })),
        ("video/ulpfec", json!({ "kind": "video", "mimeType": "video/ulpfec", "clockRate": 90000 })),
        ("video/rtx", json!({ "kind": "video", "mimeType": "video/rtx", "clockRate": 90000 })),
        ("video/unsupported", json!({ "kind": "video", "mimeType": "video/theora", "clockRate": 90000 })),
    ] {
        let mime_type: MimeType = mime_type.parse().unwrap();
        assert_eq!(refusal(json!([codec])), RtpCapabilitiesError::UnsupportedCodec { mime_type });
    }
    let error = RtpCapabilitiesError::UnsupportedCodec { mime_type: MimeType::Video(MimeTypeVideo::Ulpfec) };
    assert_eq!(error.to_string(), "Media codec not supported [mime_type:Video(Ulpfec)");
}

#[test]
fn textual_apt_is_refused() {
    let mut codec = vp8(None);
    codec["parameters"] = json!({ "apt": "96" });
    assert_eq!(refusal(json!([codec])), RtpCapabilitiesError::InvalidAptParameter("96".into()));
}

#[test]
fn payload_types_run_out() {
    let as_many = |count| parsed::<Vec<RtpCodecCapability>>(Value::from(vec![vp8(None); count]));
    // 96 to 127 are 32, two per video codec; 96 to 99 come last.
    let most = generate_router_rtp_capabilities(as_many(16)).unwrap();
    let expected: Vec<u8> = (100..=127).chain(96..=99).collect();
    assert_eq!(payload_types(&most), expected);
    assert_eq!(generate_router_rtp_capabilities(as_many(17)), Err(RtpCapabilitiesError::CannotAllocate));
}

#[test]
fn a_payload_type_is_given_once() {
    assert_eq!(
        refusal(json!([vp8(Some(100)), vp8(Some(100))])),
        RtpCapabilitiesError::DuplicatedPreferredPayloadType(100)
    );
    let pcmu = json!({ "kind": "audio", "mimeType": "audio/PCMU", "clockRate": 8000 });
    assert_eq!(refusal(json!([pcmu, vp8(Some(0))])), RtpCapabilitiesError::DuplicatedPreferredPayloadType(0));
    assert_eq!(refusal(json!([vp8(Some(128))])), RtpCapabilitiesError::InvalidPreferredPayloadType(128));
}

#[test]
fn dynamic_payload_types_avoid_all_given_ones() {
    let capabilities = router(json!([vp8(None), vp8(Some(101)), vp8(Some(100)), vp8(None)]));
    assert_eq!(payload_types(&capabilities), [102, 103, 101, 104, 100, 105, 106, 107]);
}
