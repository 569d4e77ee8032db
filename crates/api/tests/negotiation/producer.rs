use mafalda_api::ortc::{
    ProducerType, RtpParametersError, RtpParametersMappingError, complete_producer_rtp_parameters,
    get_producer_rtp_parameters_mapping, producer_type, validate_rtp_parameters,
};
use mafalda_api::types::rtp_parameters::{MimeType, MimeTypeVideo, RtpParameters};
use serde_json::{Value, json, to_value};

use crate::fixture::{
    FIRST_MAPPED_SSRC, consumable, h264_producer, parsed, produced, router, simulcast_producer, usual_router,
};

fn refusal(rtp_parameters: &RtpParameters) -> RtpParametersMappingError {
    get_producer_rtp_parameters_mapping(rtp_parameters, &usual_router(), FIRST_MAPPED_SSRC).unwrap_err()
}

fn unsupported(mime_type: MimeTypeVideo, payload_type: u8) -> RtpParametersMappingError {
    RtpParametersMappingError::UnsupportedCodec { mime_type: MimeType::Video(mime_type), payload_type }
}

/// VP8 as 96, its RTX as 97, and another RTX with these parameters as 98.
fn with_second_rtx(parameters: &Value) -> RtpParameters {
    let mut rtp_parameters = simulcast_producer();
    rtp_parameters.codecs.push(parsed(json!({
        "mimeType": "video/rtx", "payloadType": 98, "clockRate": 90000, "parameters": parameters,
    })));
    rtp_parameters
}

#[test]
fn payload_types_and_streams_are_mapped() {
    let (mapping, _) = produced(&simulcast_producer(), &usual_router());
    assert_eq!(
        to_value(mapping).unwrap(),
        json!({
            "codecs": [
                { "payloadType": 96, "mappedPayloadType": 101 },
                { "payloadType": 97, "mappedPayloadType": 102 },
            ],
            "encodings": [{ "rid": "low", "mappedSsrc": 1000 }, { "ssrc": 22_222_222, "mappedSsrc": 1001 }],
        })
    );
}

#[test]
fn mapped_ssrcs_wrap() {
    let mapping =
        get_producer_rtp_parameters_mapping(&simulcast_producer(), &usual_router(), u32::MAX).unwrap();
    let mapped: Vec<u32> = mapping.encodings.iter().map(|encoding| encoding.mapped_ssrc).collect();
    assert_eq!(mapped, [u32::MAX, 0]);
}

#[test]
fn consumable_parameters_speak_the_routers_language() {
    assert_eq!(
        to_value(consumable(&simulcast_producer())).unwrap(),
        json!({
            "codecs": [
                { "mimeType": "video/VP8", "payloadType": 101, "clockRate": 90000, "parameters": { "x-start": 1000 },
                  "rtcpFeedback": [
                    { "type": "nack", "parameter": "" },
                    { "type": "nack", "parameter": "pli" },
                    { "type": "ccm", "parameter": "fir" },
                    { "type": "goog-remb", "parameter": "" },
                    { "type": "transport-cc", "parameter": "" },
                ] },
                { "mimeType": "video/rtx", "payloadType": 102, "clockRate": 90000, "parameters": { "apt": 101 },
                  "rtcpFeedback": [] },
            ],
            "headerExtensions": [
                { "uri": "urn:ietf:params:rtp-hdrext:sdes:mid", "id": 1, "encrypt": false },
                { "uri": "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time", "id": 4, "encrypt": false },
                { "uri": "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01", "id": 5,
                  "encrypt": false },
                { "uri": "urn:3gpp:video-orientation", "id": 8, "encrypt": false },
                { "uri": "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay", "id": 10, "encrypt": false },
            ],
            "encodings": [
                { "ssrc": 1000, "maxBitrate": 111_111, "scalabilityMode": "L1T3" },
                { "ssrc": 1001, "maxBitrate": 555_555, "scalabilityMode": "L1T3", "dtx": true },
            ],
            "rtcp": { "cname": "camera", "reducedSize": true },
            "msid": "stream track",
        })
    );
}

#[test]
fn time_of_capture_is_offered_only_if_it_is_produced() {
    let capture_time =
        json!({ "uri": "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time", "id": 2 });
    let mut rtp_parameters = simulcast_producer();
    let unknown = json!({ "uri": "urn:ietf:params:rtp-hdrext:toffset", "id": 3 });
    rtp_parameters.header_extensions = parsed(json!([capture_time, unknown]));
    let ids: Vec<u16> = consumable(&rtp_parameters).header_extensions.iter().map(|ext| ext.id).collect();
    assert_eq!(ids, [1, 4, 5, 8, 9, 10]);
}

#[test]
fn audio_gets_audio_extensions_and_no_rtx() {
    let rtp_parameters = parsed(json!({
        "codecs": [{ "mimeType": "audio/opus", "payloadType": 111, "clockRate": 48000, "channels": 2 }],
        "encodings": [{ "ssrc": 5, "dtx": true }],
    }));
    let consumable = consumable(&rtp_parameters);
    assert_eq!(consumable.codecs.len(), 1);
    let ids: Vec<u16> = consumable.header_extensions.iter().map(|extension| extension.id).collect();
    assert_eq!(ids, [1, 5, 6, 10]);
}

#[test]
fn rtx_is_offered_also_if_the_producer_has_none() {
    let mut rtp_parameters = simulcast_producer();
    rtp_parameters.codecs.truncate(1);
    let payload_types: Vec<u8> =
        consumable(&rtp_parameters).codecs.iter().map(|codec| codec.payload_type()).collect();
    assert_eq!(payload_types, [101, 102]);
}

#[test]
fn codecs_that_fall_together_are_offered_once() {
    let mut rtp_parameters = simulcast_producer();
    rtp_parameters
        .codecs
        .push(parsed(json!({ "mimeType": "video/vp8", "payloadType": 120, "clockRate": 90000 })));
    let payload_types: Vec<u8> =
        consumable(&rtp_parameters).codecs.iter().map(|codec| codec.payload_type()).collect();
    assert_eq!(payload_types, [101, 102]);
}

#[test]
fn codecs_that_the_router_lacks_are_refused() {
    let vp9 = |parameters: Value| {
        parsed::<RtpParameters>(json!({
            "codecs": [{ "mimeType": "video/VP9", "payloadType": 98, "clockRate": 90000, "parameters": parameters }],
        }))
    };
    produced(&vp9(json!({ "profile-id": 2 })), &usual_router());
    produced(&vp9(json!({ "profile-id": "2" })), &usual_router());
    assert_eq!(refusal(&vp9(json!({}))), unsupported(MimeTypeVideo::Vp9, 98));

    let h264 = |profile: &str, mode: u8| {
        h264_producer(&json!({ "profile-level-id": profile, "packetization-mode": mode }))
    };
    produced(&h264("4d4032", 1), &usual_router());
    assert_eq!(refusal(&h264("4d0032", 0)), unsupported(MimeTypeVideo::H264, 111));
    assert_eq!(refusal(&h264("42e01f", 1)), unsupported(MimeTypeVideo::H264, 111));
    assert_eq!(refusal(&h264("chicken", 1)), unsupported(MimeTypeVideo::H264, 111));

    let unknown =
        parsed(json!({ "codecs": [{ "mimeType": "video/theora", "payloadType": 98, "clockRate": 90000 }] }));
    assert_eq!(refusal(&unknown), unsupported(MimeTypeVideo::Unsupported, 98));
}

#[test]
fn rtx_must_name_a_media_codec() {
    let missing = RtpParametersMappingError::MissingMediaCodecForRtx { payload_type: 98 };
    for parameters in [
        json!({}),                  // no apt
        json!({ "apt": 111 }),      // apt of nothing
        json!({ "apt": 97 }),       // apt of another RTX
        json!({ "apt": 98 }),       // apt of itself
        json!({ "apt": 96 + 256 }), // no payload type, but 96 in eight bits
    ] {
        let rtp_parameters = with_second_rtx(&parameters);
        validate_rtp_parameters(&rtp_parameters).unwrap();
        assert_eq!(refusal(&rtp_parameters), missing, "{parameters}");
    }
    assert_eq!(missing.to_string(), "Missing media codec found for RTX PT 98");
}

#[test]
fn apt_must_be_a_number() {
    let rtp_parameters = with_second_rtx(&json!({ "apt": "96" }));
    let error = validate_rtp_parameters(&rtp_parameters).unwrap_err();
    assert_eq!(error, RtpParametersError::InvalidAptParameter("96".into()));
    assert_eq!(error.to_string(), "Invalid codec apt parameter 96");
    assert_eq!(
        refusal(&rtp_parameters),
        RtpParametersMappingError::MissingMediaCodecForRtx { payload_type: 98 }
    );
}

#[test]
fn rtx_needs_the_routers_rtx() {
    let mut router = usual_router();
    router.codecs.retain(|codec| !codec.is_rtx());
    let refusal = get_producer_rtp_parameters_mapping(&simulcast_producer(), &router, 1).unwrap_err();
    assert_eq!(refusal, RtpParametersMappingError::UnsupportedRtxCodec { preferred_payload_type: 101 });
}

#[test]
fn payload_types_have_seven_bits() {
    let rtp_parameters =
        parsed(json!({ "codecs": [{ "mimeType": "video/VP8", "payloadType": 224, "clockRate": 90000 }] }));
    assert_eq!(validate_rtp_parameters(&rtp_parameters), Err(RtpParametersError::InvalidPayloadType(224)));
}

#[test]
fn h264_is_consumed_at_the_level_that_the_router_takes() {
    let router_at = |level_asymmetry: u8, profile_level_id: &str| {
        router(json!([{ "kind": "video", "mimeType": "video/H264", "clockRate": 90000, "parameters": {
            "level-asymmetry-allowed": level_asymmetry, "profile-level-id": profile_level_id } }]))
    };
    let consumed = |producer: &Value, router| {
        let (_, consumable) = produced(&h264_producer(producer), &router);
        to_value(consumable.codecs[0].parameters()).unwrap()["profile-level-id"].clone()
    };
    let asymmetric = json!({ "profile-level-id": "42e034", "level-asymmetry-allowed": 1 });
    assert_eq!(consumed(&asymmetric, router_at(1, "42e01f")), json!("42e034"));
    assert_eq!(consumed(&asymmetric, router_at(0, "42e01f")), json!("42e01f"));
    assert_eq!(consumed(&json!({ "profile-level-id": "42e034" }), router_at(1, "42e01f")), json!("42e01f"));
    assert_eq!(consumed(&json!({}), router_at(1, "42e034")), json!("42e01f"));
}

#[test]
fn transports_complete_a_producer() {
    let bare: RtpParameters = parsed(json!({ "mid": "0", "codecs": [
        { "mimeType": "video/VP8", "payloadType": 96, "clockRate": 90000,
          "rtcpFeedback": [{ "type": "nack" }, { "type": "goog-remb" }, { "type": "transport-cc" }] },
    ], "headerExtensions": [
        { "uri": "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time", "id": 2 },
        { "uri": "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01", "id": 3 },
        { "uri": "urn:ietf:params:rtp-hdrext:sdes:mid", "id": 4 },
    ] }));
    let with_bwe = complete_producer_rtp_parameters(bare.clone(), None, true);
    assert_eq!(with_bwe.encodings, [parsed(json!({}))]);
    assert_eq!(
        (with_bwe.codecs, with_bwe.header_extensions),
        (bare.codecs.clone(), bare.header_extensions.clone())
    );
    assert_eq!(with_bwe.rtcp.cname, None);

    let without_bwe = complete_producer_rtp_parameters(bare, Some("transport".to_owned()), false);
    let ids: Vec<u16> = without_bwe.header_extensions.iter().map(|extension| extension.id).collect();
    assert_eq!(ids, [4]);
    assert_eq!(without_bwe.codecs[0].rtcp_feedback(), parsed::<Vec<_>>(json!([{ "type": "nack" }])));

    let given = complete_producer_rtp_parameters(simulcast_producer(), Some("transport".to_owned()), true);
    assert_eq!(given.encodings, simulcast_producer().encodings);
    assert_eq!(given.rtcp.cname.as_deref(), Some("transport"));
}

#[test]
fn encodings_tell_the_type() {
    let type_of = |encodings: Value| producer_type(&parsed(json!({ "codecs": [], "encodings": encodings })));
    assert_eq!(type_of(json!([])), ProducerType::Simple);
    assert_eq!(type_of(json!([{ "ssrc": 1 }])), ProducerType::Simple);
    assert_eq!(type_of(json!([{ "scalabilityMode": "L1T1" }])), ProducerType::Simple);
    assert_eq!(type_of(json!([{ "scalabilityMode": "L1T3" }])), ProducerType::Svc);
    assert_eq!(type_of(json!([{ "scalabilityMode": "L3T1_KEY" }])), ProducerType::Svc);
    assert_eq!(type_of(json!([{ "rid": "a" }, { "rid": "b" }])), ProducerType::Simulcast);
    assert_eq!(type_of(json!([{ "scalabilityMode": "L2T2" }, {}])), ProducerType::Simulcast);
    assert_eq!(to_value(ProducerType::Svc).unwrap(), json!("svc"));
}
