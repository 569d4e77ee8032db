use mafalda_api::ortc::{
    ConsumerRtpParametersError, RemoteNumbers, get_consumer_rtp_parameters, get_remote_numbers,
};
use mafalda_api::types::rtp_parameters::{RtpCapabilities, RtpParameters};
use serde_json::{Value, json};

use crate::fixture::{consumable, negotiation, parsed, simulcast_producer};

const MID: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
const ORIENTATION: &str = "urn:3gpp:video-orientation";

/// What a browser's offer says: VP8 and its RTX, and two header extensions, under numbers that no Router gives.
fn endpoint(vp8: &Value, rtx: &Value, orientation: u16) -> RtpCapabilities {
    let mut vp8_codec = json!({
        "kind": "video", "mimeType": "video/VP8", "clockRate": 90000,
        "rtcpFeedback": [{ "type": "nack" }, { "type": "nack", "parameter": "pli" }]
    });
    let mut rtx_codec =
        json!({ "kind": "video", "mimeType": "video/rtx", "clockRate": 90000, "parameters": { "apt": 120 } });
    for (codec, payload_type) in [(&mut vp8_codec, vp8), (&mut rtx_codec, rtx)] {
        if payload_type.is_number() {
            codec["preferredPayloadType"] = payload_type.clone();
        }
    }
    parsed(json!({
        "codecs": [vp8_codec, rtx_codec],
        "headerExtensions": [
            { "kind": "video", "uri": MID, "preferredId": 9 },
            { "kind": "video", "uri": ORIENTATION, "preferredId": orientation },
        ],
    }))
}

fn numbers(remote: &RtpCapabilities) -> Result<RemoteNumbers, ConsumerRtpParametersError> {
    get_remote_numbers(&consumable(&simulcast_producer()), negotiation(remote))
}

fn codecs(parameters: &RtpParameters) -> Vec<(u8, Value)> {
    let codecs = parameters.codecs.iter();
    let described =
        codecs.map(|codec| (codec.payload_type(), serde_json::to_value(codec.parameters()).unwrap()));
    described.collect()
}

fn extensions(parameters: &RtpParameters) -> Vec<(&str, u16)> {
    parameters.header_extensions.iter().map(|it| (it.uri.as_str(), it.id)).collect()
}

#[test]
fn an_endpoint_keeps_its_numbers_and_the_router_its_own() {
    let remote = endpoint(&json!(120), &json!(33), 3);
    let numbers = numbers(&remote).unwrap();
    assert_eq!(codecs(&numbers.router), [(101, json!({ "x-start": 1000 })), (102, json!({ "apt": 101 }))]);
    assert_eq!(codecs(&numbers.remote), [(120, json!({ "x-start": 1000 })), (33, json!({ "apt": 120 }))]);
    assert_eq!(extensions(&numbers.router), [(MID, 1), (ORIENTATION, 8)]);
    assert_eq!(extensions(&numbers.remote), [(MID, 9), (ORIENTATION, 3)]);
    assert_eq!(numbers.router.encodings, numbers.remote.encodings);
    assert_eq!(numbers.router.encodings[0].rtx.map(|rtx| rtx.ssrc), Some(9001));
}

#[test]
fn an_endpoint_with_the_routers_numbers_gets_what_it_always_got() {
    let mut remote = endpoint(&json!(101), &json!(102), 8);
    remote.header_extensions[0].preferred_id = 1;
    for codec in &mut remote.codecs {
        if codec.mime_type().is_rtx() {
            codec.parameters_mut().insert("apt", 101_u8);
        }
    }
    let numbers = numbers(&remote).unwrap();
    let usual =
        get_consumer_rtp_parameters(&consumable(&simulcast_producer()), negotiation(&remote)).unwrap();
    assert_eq!(numbers, RemoteNumbers { router: usual.clone(), remote: usual });
}

#[test]
fn rtx_without_a_number_is_left_out_with_its_stream() {
    for rtx in [Value::Null, json!(128), json!(120)] {
        let numbers = numbers(&endpoint(&json!(120), &rtx, 3)).unwrap();
        for parameters in [&numbers.router, &numbers.remote] {
            assert_eq!(parameters.codecs.len(), 1, "{rtx}");
            assert_eq!(parameters.encodings[0].rtx, None, "{rtx}");
        }
    }
}

#[test]
fn media_without_a_number_can_not_be_sent() {
    for vp8 in [Value::Null, json!(128)] {
        let refused = numbers(&endpoint(&vp8, &json!(33), 3)).unwrap_err();
        assert!(matches!(refused, ConsumerRtpParametersError::NoCompatibleMediaCodecs), "{vp8}");
    }
}

#[test]
fn an_extension_that_the_short_form_has_no_id_for_is_left_out() {
    for id in [0, 15, 16, 255] {
        let numbers = numbers(&endpoint(&json!(120), &json!(33), id)).unwrap();
        assert_eq!(extensions(&numbers.router), [(MID, 1)], "{id}");
        assert_eq!(extensions(&numbers.remote), [(MID, 9)], "{id}");
    }
}
