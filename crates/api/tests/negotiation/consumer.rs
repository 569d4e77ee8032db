use mafalda_api::ortc::{
    ConsumerNegotiation, ConsumerRtpParametersError, ConsumerStreams, RtpCapabilitiesError, can_consume,
    get_consumer_rtp_parameters,
};
use mafalda_api::types::rtp_parameters::{
    RtcpFeedback, RtpCapabilities, RtpEncodingParametersRtx, RtpHeaderExtensionUri, RtpParameters,
};
use mafalda_api::types::scalability_modes::ScalabilityMode;
use serde_json::{Value, json, to_value};

use crate::fixture::{
    CONSUMER_SSRC, consumable, endpoint_of, h264_producer, negotiation, parsed, produced, simulcast_producer,
    usual_router,
};

fn endpoint() -> RtpCapabilities {
    endpoint_of(&usual_router())
}

fn consumed(remote: &RtpCapabilities) -> RtpParameters {
    get_consumer_rtp_parameters(&consumable(&simulcast_producer()), negotiation(remote)).unwrap()
}

fn payload_types(rtp_parameters: &RtpParameters) -> Vec<u8> {
    rtp_parameters.codecs.iter().map(|codec| codec.payload_type()).collect()
}

#[test]
fn a_consumer_gets_one_stream() {
    let consumer = consumed(&endpoint());
    assert_eq!(
        to_value(&consumer).unwrap(),
        json!({
            "mid": "0",
            "codecs": [
                { "mimeType": "video/VP8", "payloadType": 101, "clockRate": 90000, "parameters": { "x-start": 1000 },
                  "rtcpFeedback": [
                    { "type": "nack", "parameter": "" },
                    { "type": "nack", "parameter": "pli" },
                    { "type": "ccm", "parameter": "fir" },
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
                { "ssrc": 9000, "rtx": { "ssrc": 9001 }, "scalabilityMode": "L2T3", "maxBitrate": 555_555 },
            ],
            "rtcp": { "cname": "camera", "reducedSize": true },
            "msid": "stream track",
        })
    );
}

#[test]
fn layers_are_those_of_the_producer() {
    let mode_of = |encodings: Value| {
        let mut producer = simulcast_producer();
        producer.encodings = parsed(encodings);
        let consumer = get_consumer_rtp_parameters(&consumable(&producer), negotiation(&endpoint())).unwrap();
        consumer.encodings[0].scalability_mode.clone()
    };
    assert_eq!(mode_of(json!([{}])), ScalabilityMode::None);
    assert_eq!(mode_of(json!([{ "scalabilityMode": "L3T3_KEY" }])), ScalabilityMode::L3T3Key);
    assert_eq!(mode_of(json!([{}, {}, {}])), ScalabilityMode::L3T1);
    assert_eq!(mode_of(json!([{}, { "scalabilityMode": "L1T2" }])), ScalabilityMode::L2T2);
    assert_eq!(mode_of(json!([{ "scalabilityMode": "S2T3" }, {}])), ScalabilityMode::L2T3);
    assert_eq!(mode_of(Value::from(vec![json!({}); 120])).spatial_layers().get(), 99);
}

#[test]
fn without_rtx_packets_are_not_asked_for() {
    let remote = endpoint();
    let consumable = consumable(&simulcast_producer());
    let negotiation = ConsumerNegotiation { enable_rtx: false, ..negotiation(&remote) };
    let consumer = get_consumer_rtp_parameters(&consumable, negotiation).unwrap();
    assert_eq!(payload_types(&consumer), [101]);
    assert_eq!(consumer.encodings[0].rtx, None);
    assert_eq!(
        consumer.codecs[0].rtcp_feedback(),
        [RtcpFeedback::NackPli, RtcpFeedback::CcmFir, RtcpFeedback::TransportCc]
    );
}

#[test]
fn an_endpoint_without_rtx_gets_none() {
    let mut remote = endpoint();
    remote.codecs.retain(|codec| !codec.mime_type().is_rtx());
    let consumer = consumed(&remote);
    assert_eq!(payload_types(&consumer), [101]);
    assert_eq!(consumer.encodings[0].rtx, None);
    assert!(consumer.codecs[0].rtcp_feedback().contains(&RtcpFeedback::Nack));
}

#[test]
fn rtx_ssrc_follows_and_wraps() {
    let consumer = consumed(&endpoint());
    assert_eq!(consumer.encodings[0].rtx, Some(RtpEncodingParametersRtx { ssrc: CONSUMER_SSRC + 1 }));
    let remote = endpoint();
    let last = ConsumerNegotiation { streams: ConsumerStreams::One(u32::MAX), ..negotiation(&remote) };
    let consumer = get_consumer_rtp_parameters(&consumable(&simulcast_producer()), last).unwrap();
    assert_eq!(consumer.encodings[0].rtx, Some(RtpEncodingParametersRtx { ssrc: 0 }));
}

#[test]
fn rtx_of_a_codec_that_falls_away_falls_with_it() {
    let mut producer = simulcast_producer();
    producer.codecs.push(parsed(json!({ "mimeType": "video/VP9", "payloadType": 99, "clockRate": 90000,
        "parameters": { "profile-id": 2 } })));
    let consumable = consumable(&producer);
    assert_eq!(payload_types(&consumable), [101, 102, 105, 106]);

    let only_vp9: RtpCapabilities = parsed(json!({ "codecs": [
        { "kind": "video", "mimeType": "video/VP9", "clockRate": 90000, "parameters": { "profile-id": 2 } },
        { "kind": "video", "mimeType": "video/rtx", "clockRate": 90000 },
    ] }));
    let consumer = get_consumer_rtp_parameters(&consumable, negotiation(&only_vp9)).unwrap();
    assert_eq!(payload_types(&consumer), [105, 106]);
    assert_eq!(can_consume(&consumable, &only_vp9), Ok(true));
}

#[test]
fn one_bandwidth_estimation_is_announced() {
    let announced = |ids: &[u16], enable_bwe| {
        let mut remote = endpoint();
        remote.header_extensions.retain(|extension| ids.contains(&extension.preferred_id));
        let consumable = consumable(&simulcast_producer());
        let negotiation = ConsumerNegotiation { enable_bwe, ..negotiation(&remote) };
        let consumer = get_consumer_rtp_parameters(&consumable, negotiation).unwrap();
        let ids: Vec<u16> = consumer.header_extensions.iter().map(|extension| extension.id).collect();
        let feedback = consumer.codecs[0].rtcp_feedback();
        (ids, feedback.contains(&RtcpFeedback::TransportCc), feedback.contains(&RtcpFeedback::GoogRemb))
    };
    assert_eq!(announced(&[1, 4, 5], true), (vec![1, 4, 5], true, false));
    assert_eq!(announced(&[1, 4], true), (vec![1, 4], false, true));
    assert_eq!(announced(&[1], true), (vec![1], false, false));
    assert_eq!(announced(&[1, 4, 5], false), (vec![1], false, false));
}

#[test]
fn extensions_under_other_ids_are_dropped() {
    let mut remote = endpoint();
    for extension in &mut remote.header_extensions {
        if extension.uri != RtpHeaderExtensionUri::Mid {
            extension.preferred_id += 1;
        }
    }
    let consumer = consumed(&remote);
    let uris: Vec<_> = consumer.header_extensions.iter().map(|extension| extension.uri).collect();
    assert_eq!(uris, [RtpHeaderExtensionUri::Mid]);
}

#[test]
fn unknown_codecs_extensions_and_feedback_are_ignored() {
    let known = endpoint();
    let mut remote = known.clone();
    remote.codecs.insert(
        0,
        parsed(json!({ "kind": "video", "mimeType": "video/flexfec-03", "clockRate": 90000,
        "parameters": { "repair-window": 10_000_000 } })),
    );
    remote.codecs.insert(1, parsed(json!({ "kind": "video", "mimeType": "video/red", "clockRate": 90000 })));
    remote
        .header_extensions
        .insert(0, parsed(json!({ "kind": "video", "uri": "urn:chicken", "preferredId": 1 })));
    let mut json = to_value(&remote).unwrap();
    for codec in json["codecs"].as_array_mut().unwrap() {
        codec["rtcpFeedback"].as_array_mut().unwrap().push(json!({ "type": "goog-lntf" }));
    }
    assert_eq!(consumed(&parsed(json)), consumed(&known));
}

#[test]
fn unknown_codecs_do_not_match_each_other() {
    let theora =
        json!({ "kind": "video", "mimeType": "video/theora", "clockRate": 90000, "payloadType": 96 });
    let consumable: RtpParameters = parsed(json!({ "codecs": [theora] }));
    let remote: RtpCapabilities = parsed(json!({ "codecs": [theora] }));
    assert_eq!(can_consume(&consumable, &remote), Ok(false));
}

#[test]
fn an_endpoint_without_the_codec_cannot_consume() {
    let consumable = consumable(&simulcast_producer());
    for codecs in [
        json!([]),
        json!([{ "kind": "video", "mimeType": "video/rtx", "clockRate": 90000 }]),
        json!([{ "kind": "video", "mimeType": "video/VP8", "clockRate": 45000 }]),
        json!([{ "kind": "audio", "mimeType": "audio/opus", "clockRate": 48000, "channels": 2 }]),
    ] {
        let remote = parsed(json!({ "codecs": codecs }));
        assert_eq!(can_consume(&consumable, &remote), Ok(false));
        assert_eq!(
            get_consumer_rtp_parameters(&consumable, negotiation(&remote)),
            Err(ConsumerRtpParametersError::NoCompatibleMediaCodecs)
        );
    }
}

#[test]
fn h264_needs_mode_and_profile() {
    let router = usual_router();
    let producer = h264_producer(&json!({ "packetization-mode": 1, "profile-level-id": "4d0032" }));
    let (_, consumable) = produced(&producer, &router);
    let can = |mode: u8, profile: &str| {
        let remote =
            parsed(json!({ "codecs": [{ "kind": "video", "mimeType": "video/H264", "clockRate": 90000,
            "parameters": { "packetization-mode": mode, "profile-level-id": profile } }] }));
        can_consume(&consumable, &remote).unwrap()
    };
    assert!(can(1, "4d0032"));
    assert!(can(1, "4d401f"));
    assert!(!can(0, "4d0032"));
    assert!(!can(1, "42e01f"));
    assert!(!can(1, "640032"));
}

#[test]
fn textual_apt_is_refused() {
    let consumable = consumable(&simulcast_producer());
    let mut remote = endpoint();
    remote.codecs[2].parameters_mut().insert("apt", "101");
    let error = RtpCapabilitiesError::InvalidAptParameter("101".into());
    assert_eq!(can_consume(&consumable, &remote).as_ref(), Err(&error));
    let refusal = get_consumer_rtp_parameters(&consumable, negotiation(&remote)).unwrap_err();
    assert_eq!(refusal.to_string(), "Invalid capabilities: Invalid codec apt parameter 101");
    assert_eq!(refusal, ConsumerRtpParametersError::InvalidCapabilities(error));
}
