//! Codecs one by one: what a Router makes of them, and when two of them are one.

use mafalda_api::ortc::{
    RtpCapabilitiesError, RtpParametersMappingError, can_consume, generate_router_rtp_capabilities,
    get_producer_rtp_parameters_mapping,
};
use mafalda_api::types::rtp_parameters::{
    MimeType, MimeTypeAudio, RtpCapabilities, RtpCapabilitiesFinalized, RtpParameters,
};
use serde_json::{Value, json, to_value};

use crate::fixture::{parsed, produced, router};

fn multiopus(channels: u8, parameters: &Value) -> Value {
    json!({ "kind": "audio", "mimeType": "audio/multiopus", "payloadType": 97, "clockRate": 48000,
            "channels": channels, "parameters": parameters })
}

/// 5.1 as Chromium has it.
fn surround() -> Value {
    json!({ "channel_mapping": "0,4,1,2,3,5", "num_streams": 4, "coupled_streams": 2 })
}

fn sent(codec: &Value) -> RtpParameters {
    parsed(json!({ "codecs": [codec], "encodings": [{ "ssrc": 1 }] }))
}

/// Whether a receiver of one codec can have what a sender of the other sends through a Router of the latter.
fn is_received(sent_codec: &Value, received: &Value) -> bool {
    let (_, consumable) = produced(&sent(sent_codec), &router(json!([sent_codec])));
    let remote: RtpCapabilities = parsed(json!({ "codecs": [received] }));
    can_consume(&consumable, &remote).unwrap()
}

fn told(capabilities: &RtpCapabilitiesFinalized) -> Value {
    to_value(&capabilities.codecs).unwrap()
}

#[test]
fn multiopus_is_what_its_channels_and_streams_say() {
    let six = multiopus(6, &surround());
    let capabilities = router(json!([six]));
    assert_eq!(
        told(&capabilities),
        json!([
            { "kind": "audio", "mimeType": "audio/multiopus", "preferredPayloadType": 100, "clockRate": 48000,
              "channels": 6, "parameters": surround(),
              "rtcpFeedback": [{ "type": "nack", "parameter": "" }, { "type": "transport-cc", "parameter": "" }] },
        ])
    );
    let (_, consumable) = produced(&sent(&six), &capabilities);
    assert_eq!(to_value(consumable.codecs[0].parameters()).unwrap(), surround());

    let mut mapped_otherwise = surround();
    mapped_otherwise["channel_mapping"] = json!("0,1,2,3,4,5");
    assert!(is_received(&six, &multiopus(6, &mapped_otherwise)));
    let mut fewer = surround();
    fewer["num_streams"] = json!(2);
    assert!(!is_received(&six, &multiopus(6, &fewer)));
    let mut coupled = surround();
    coupled["coupled_streams"] = json!("3");
    assert!(!is_received(&six, &multiopus(6, &coupled)));
    assert!(!is_received(&six, &multiopus(8, &surround())));
    let opus = json!({ "kind": "audio", "mimeType": "audio/opus", "clockRate": 48000, "channels": 6 });
    assert!(!is_received(&six, &opus));
}

#[test]
fn multiopus_of_other_streams_is_refused_to_routers_and_producers() {
    let mut fewer = surround();
    fewer["num_streams"] = json!(3);
    let refusal = generate_router_rtp_capabilities(parsed(json!([multiopus(6, &fewer)]))).unwrap_err();
    let mime_type = MimeType::Audio(MimeTypeAudio::MultiChannelOpus);
    assert_eq!(refusal, RtpCapabilitiesError::UnsupportedCodec { mime_type });
    let capabilities = router(json!([multiopus(6, &surround())]));
    let refusal =
        get_producer_rtp_parameters_mapping(&sent(&multiopus(6, &fewer)), &capabilities, 1).unwrap_err();
    assert_eq!(refusal, RtpParametersMappingError::UnsupportedCodec { mime_type, payload_type: 97 });
}

#[test]
fn codecs_of_telephony_have_their_static_payload_types() {
    let codec = |name: &str, clock_rate: u32| json!({ "kind": "audio", "mimeType": format!("audio/{name}"), "clockRate": clock_rate });
    let capabilities = router(json!([
        codec("PCMU", 8000),
        codec("pcma", 8000),
        codec("g722", 8000),
        codec("CN", 8000),
        codec("cn", 16000),
        codec("ilbc", 8000),
        codec("telephone-event", 8000),
    ]));
    let payload_types: Vec<u8> =
        capabilities.codecs.iter().map(|codec| codec.preferred_payload_type()).collect();
    assert_eq!(payload_types, [0, 8, 9, 13, 100, 101, 102]);
    let transport_cc = json!([{ "type": "transport-cc", "parameter": "" }]);
    let feedback: Vec<Value> =
        told(&capabilities).as_array().unwrap().iter().map(|codec| codec["rtcpFeedback"].clone()).collect();
    assert_eq!(feedback[..3], [transport_cc.clone(), transport_cc.clone(), transport_cc.clone()]);
    assert_eq!((&feedback[3], &feedback[5], &feedback[6]), (&json!([]), &transport_cc, &json!([])));
    for (name, clock_rate) in
        [("PCMU", 16000), ("G722", 16000), ("CN", 48000), ("SILK", 48000), ("L16", 48000)]
    {
        let refusal = generate_router_rtp_capabilities(parsed(json!([codec(name, clock_rate)]))).unwrap_err();
        assert!(matches!(refusal, RtpCapabilitiesError::UnsupportedCodec { .. }), "{name} {clock_rate}");
    }
}

#[test]
fn comfort_noise_and_events_go_beside_the_codec_that_they_belong_to() {
    let codecs = |payload_types: [u8; 3]| {
        let [g722, noise, event] = payload_types;
        json!([
            { "kind": "audio", "mimeType": "audio/G722", "payloadType": g722, "clockRate": 8000 },
            { "kind": "audio", "mimeType": "audio/CN", "payloadType": noise, "clockRate": 8000 },
            { "kind": "audio", "mimeType": "audio/telephone-event", "payloadType": event, "clockRate": 8000,
              "parameters": { "0-16": "" } },
        ])
    };
    let capabilities = router(codecs([9, 13, 126]));
    let parameters: RtpParameters =
        parsed(json!({ "codecs": codecs([9, 13, 126]), "encodings": [{ "ssrc": 1 }] }));
    let (mapping, consumable) = produced(&parameters, &capabilities);
    assert_eq!(
        to_value(mapping.codecs).unwrap(),
        json!([
            { "payloadType": 9, "mappedPayloadType": 9 },
            { "payloadType": 13, "mappedPayloadType": 13 },
            { "payloadType": 126, "mappedPayloadType": 100 },
        ])
    );
    let remote: RtpCapabilities = parsed(json!({ "codecs": [codecs([0, 1, 2])[0], codecs([0, 1, 2])[2]] }));
    let negotiation = crate::fixture::negotiation(&remote);
    let consumer = mafalda_api::ortc::get_consumer_rtp_parameters(&consumable, negotiation).unwrap();
    let payload_types: Vec<u8> = consumer.codecs.iter().map(|codec| codec.payload_type()).collect();
    assert_eq!(payload_types, [9, 100], "what the endpoint lacks is left out");
}

#[test]
fn h265_needs_profile_tier_and_mode_of_transmission() {
    let h265 = |parameters: Value| {
        json!({ "kind": "video", "mimeType": "video/H265", "payloadType": 49, "clockRate": 90000,
                "parameters": parameters })
    };
    let main = h265(json!({ "level-id": 93, "profile-id": 1, "tier-flag": 0, "tx-mode": "SRST" }));
    let capabilities = router(json!([main]));
    assert_eq!(capabilities.codecs.len(), 2, "with its RTX");
    let (_, consumable) = produced(&sent(&main), &capabilities);
    assert_eq!(to_value(consumable.codecs[0].parameters()).unwrap()["level-id"], json!(93));
    assert!(is_received(&main, &h265(json!({}))), "what is absent is Main in one stream");
    assert!(is_received(&main, &h265(json!({ "level-id": 180, "profile-id": "1", "tx-mode": "srst" }))));
    for other in [
        json!({ "profile-id": 2 }),
        json!({ "tier-flag": 1 }),
        json!({ "profile-space": 1 }),
        json!({ "tx-mode": "MRST" }),
    ] {
        assert!(!is_received(&main, &h265(other.clone())), "{other}");
    }
}

#[test]
fn av1_is_one_codec_in_all_profiles() {
    let av1 = |profile: u8| {
        json!({ "kind": "video", "mimeType": "video/AV1", "payloadType": 45, "clockRate": 90000,
                "parameters": { "profile": profile } })
    };
    assert!(is_received(&av1(0), &av1(1)));
}
