//! RED goes beside the Opus that it holds, under the payload types of whoever gets it.

use mafalda_api::ortc::{
    ConsumerRtpParametersError, RtpCapabilitiesError, RtpParametersMappingError, can_consume,
    generate_router_rtp_capabilities, get_consumer_rtp_parameters, get_producer_rtp_parameters_mapping,
    get_remote_numbers,
};
use mafalda_api::types::rtp_parameters::{RtpCapabilities, RtpCapabilitiesFinalized, RtpParameters};
use serde_json::{Value, json, to_value};

use crate::fixture::{negotiation, parsed, produced, router};

fn opus(payload_type: u8) -> Value {
    json!({ "kind": "audio", "mimeType": "audio/opus", "payloadType": payload_type, "preferredPayloadType": payload_type,
            "clockRate": 48000, "channels": 2, "parameters": { "useinbandfec": 1 } })
}

fn red(payload_type: u8, parameters: &Value) -> Value {
    json!({ "kind": "audio", "mimeType": "audio/red", "payloadType": payload_type, "preferredPayloadType": payload_type,
            "clockRate": 48000, "channels": 2, "parameters": parameters })
}

/// Opus is 100, RED 101.
fn red_router() -> RtpCapabilitiesFinalized {
    router(json!([opus(100), red(101, &json!({ "111/111": "" }))]))
}

fn sent(codecs: &Value) -> RtpParameters {
    parsed(json!({ "codecs": codecs, "encodings": [{ "ssrc": 1 }] }))
}

/// As Chromium sends it: RED first, of the Opus behind it.
fn chromium() -> RtpParameters {
    sent(&json!([red(63, &json!({ "111/111": null })), opus(111)]))
}

/// Payload types and parameters of RED, and payload types of others.
fn told(rtp_parameters: &RtpParameters) -> Value {
    let codecs = rtp_parameters.codecs.iter().map(|codec| {
        let parameters = to_value(codec.parameters()).unwrap();
        match codec.mime_type().as_str() {
            "audio/red" => json!([codec.payload_type(), parameters]),
            _ => json!(codec.payload_type()),
        }
    });
    codecs.collect()
}

fn consumed(consumable: &RtpParameters, codecs: &Value) -> Result<Value, ConsumerRtpParametersError> {
    let remote: RtpCapabilities = parsed(json!({ "codecs": codecs }));
    let consumer = get_consumer_rtp_parameters(consumable, negotiation(&remote));
    assert_eq!(can_consume(consumable, &remote), Ok(consumer.is_ok()));
    consumer.map(|consumer| told(&consumer))
}

#[test]
fn a_routers_red_holds_its_opus() {
    for codecs in
        [json!([opus(100), red(101, &json!({}))]), json!([red(101, &json!({ "": "111/111" })), opus(100)])]
    {
        let capabilities = router(codecs);
        let red = capabilities.codecs.iter().find(|codec| codec.mime_type().as_str() == "audio/red").unwrap();
        assert_eq!(to_value(red.parameters()).unwrap(), json!({ "100/100": "" }));
        assert_eq!(red.preferred_payload_type(), 101);
    }
    for codecs in [
        json!([red(101, &json!({}))]),
        json!([red(101, &json!({ "9/9": "" })), {
        "kind": "audio", "mimeType": "audio/G722", "clockRate": 8000 }]),
    ] {
        let refusal = generate_router_rtp_capabilities(parsed(codecs)).unwrap_err();
        assert_eq!(refusal, RtpCapabilitiesError::MissingMediaCodecForRed);
    }
}

#[test]
fn a_producers_red_is_mapped_with_what_it_holds() {
    let (mapping, consumable) = produced(&chromium(), &red_router());
    assert_eq!(
        to_value(mapping.codecs).unwrap(),
        json!([{ "payloadType": 63, "mappedPayloadType": 101 }, { "payloadType": 111, "mappedPayloadType": 100 }])
    );
    assert_eq!(told(&consumable), json!([[101, { "100/100": "" }], 100]));
    let more = sent(&json!([opus(111), red(63, &json!({ "": "111/111/111" }))]));
    assert_eq!(told(&produced(&more, &red_router()).1), json!([100, [101, { "100/100/100": "" }]]));
    let silent = sent(&json!([red(63, &json!({})), opus(111)]));
    assert_eq!(told(&produced(&silent, &red_router()).1), json!([[101, { "100/100": "" }], 100]));
}

#[test]
fn a_producers_red_must_hold_what_it_has() {
    let refusal =
        |codecs: &Value| get_producer_rtp_parameters_mapping(&sent(codecs), &red_router(), 1).unwrap_err();
    let missing = RtpParametersMappingError::MissingMediaCodecForRed { payload_type: 63 };
    assert_eq!(refusal(&json!([red(63, &json!({}))])), missing);
    assert_eq!(refusal(&json!([red(63, &json!({ "111/111": "" }))])), missing);
    assert_eq!(refusal(&json!([red(63, &json!({ "111/110": "" })), opus(111)])), missing);
    assert_eq!(refusal(&json!([red(63, &json!({ "63/63": "" })), opus(111)])), missing, "RED in RED");
    assert_eq!(missing.to_string(), "Missing media codec found for RED PT 63");
    let without = router(json!([opus(100)]));
    let refusal = get_producer_rtp_parameters_mapping(&chromium(), &without, 1).unwrap_err();
    assert!(matches!(refusal, RtpParametersMappingError::UnsupportedCodec { payload_type: 63, .. }));
}

#[test]
fn an_endpoint_gets_red_only_with_its_opus_and_opus_without_red() {
    let (_, consumable) = produced(&chromium(), &red_router());
    let theirs = red(63, &json!({ "111/111": "" }));
    assert_eq!(
        consumed(&consumable, &json!([opus(111), theirs])),
        Ok(json!([[101, { "100/100": "" }], 100]))
    );
    assert_eq!(consumed(&consumable, &json!([opus(111)])), Ok(json!([100])));
    let refusal = ConsumerRtpParametersError::NoCompatibleMediaCodecs;
    assert_eq!(consumed(&consumable, &json!([theirs])), Err(refusal));
}

#[test]
fn red_takes_the_endpoints_numbers_with_what_it_holds() {
    let (_, consumable) = produced(&chromium(), &red_router());
    let numbered = |codecs: &Value| {
        let remote: RtpCapabilities = parsed(json!({ "codecs": codecs }));
        let numbers = get_remote_numbers(&consumable, negotiation(&remote)).unwrap();
        (told(&numbers.router), told(&numbers.remote))
    };
    let own = json!([opus(109), red(64, &json!({ "109/109": "" }))]);
    assert_eq!(
        numbered(&own),
        (json!([[101, { "100/100": "" }], 100]), json!([[64, { "109/109": "" }], 109]))
    );
    let mut unnumbered = red(64, &json!({}));
    unnumbered["preferredPayloadType"] = Value::Null;
    assert_eq!(numbered(&json!([opus(109), unnumbered])), (json!([100]), json!([109])));
    let mut opus_alone = opus(109);
    opus_alone["preferredPayloadType"] = Value::Null;
    let remote: RtpCapabilities = parsed(json!({ "codecs": [opus_alone, red(64, &json!({}))] }));
    let refusal = get_remote_numbers(&consumable, negotiation(&remote)).unwrap_err();
    assert_eq!(refusal, ConsumerRtpParametersError::NoCompatibleMediaCodecs, "RED alone can't be played");
}
