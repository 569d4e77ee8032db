//! Capabilities as a Chromium browser describes itself in SDP, not reduced to what the server knows.

use mafalda_api::ortc::{can_consume, get_consumer_rtp_parameters, validate_rtp_capabilities};
use mafalda_api::types::rtp_parameters::{
    MimeType, MimeTypeVideo, RtcpFeedback, RtpCapabilities, RtpHeaderExtensionUri, RtpParameters,
};
use serde_json::json;

use crate::fixture::{
    h264_producer, negotiation, parsed, produced, router, simulcast_producer, usual_router,
};

fn chromium() -> RtpCapabilities {
    serde_json::from_str(include_str!("chromium.json")).unwrap()
}

fn consumed(producer: &RtpParameters) -> RtpParameters {
    let (_, consumable) = produced(producer, &usual_router());
    assert_eq!(can_consume(&consumable, &chromium()), Ok(true));
    get_consumer_rtp_parameters(&consumable, negotiation(&chromium())).unwrap()
}

#[test]
fn everything_parses() {
    let capabilities = chromium();
    validate_rtp_capabilities(&capabilities).unwrap();
    let count = |mime_type| capabilities.codecs.iter().filter(|codec| codec.mime_type() == mime_type).count();
    assert_eq!(count(MimeType::Video(MimeTypeVideo::H264)), 6);
    assert_eq!(count(MimeType::Video(MimeTypeVideo::H265)), 1);
    assert_eq!(count(MimeType::Video(MimeTypeVideo::Unsupported)), 1);
    assert_eq!(count("audio/red".parse().unwrap()), 1);
    let unsupported = |uri| uri == RtpHeaderExtensionUri::Unsupported;
    assert_eq!(
        capabilities.header_extensions.iter().filter(|extension| unsupported(extension.uri)).count(),
        5
    );
}

#[test]
fn it_consumes_with_the_routers_payload_types_and_only_extensions_of_equal_id() {
    let consumer = consumed(&simulcast_producer());
    let payload_types: Vec<u8> = consumer.codecs.iter().map(|codec| codec.payload_type()).collect();
    assert_eq!(payload_types, [101, 102]);
    // Chromium has the others under ids of its own: transport-wide-cc as 4, playout-delay as 5.
    let ids: Vec<_> =
        consumer.header_extensions.iter().map(|extension| (extension.uri, extension.id)).collect();
    assert_eq!(ids, [(RtpHeaderExtensionUri::Mid, 1)]);
    assert!(!consumer.codecs[0].rtcp_feedback().contains(&RtcpFeedback::TransportCc));
    assert!(!consumer.codecs[0].rtcp_feedback().contains(&RtcpFeedback::Unsupported));
}

#[test]
fn it_decodes_the_profiles_it_names() {
    let profile = |mode: u8, profile: &str| {
        json!({ "kind": "video", "mimeType": "video/H264", "clockRate": 90000,
                "parameters": { "packetization-mode": mode, "profile-level-id": profile } })
    };
    let router = router(json!([
        profile(1, "42e01f"),
        profile(0, "42001f"),
        profile(1, "64001f"),
        profile(0, "f4001f"),
    ]));
    let can = |mode: u8, profile: &str| {
        let producer = h264_producer(&json!({ "packetization-mode": mode, "profile-level-id": profile }));
        can_consume(&produced(&producer, &router).1, &chromium()).unwrap()
    };
    assert!(can(1, "42e034"));
    assert!(can(0, "42001f"));
    assert!(can(1, "640032"));
    assert!(!can(0, "f4001f"));
}

#[test]
fn it_consumes_audio() {
    let producer = parsed(json!({ "codecs": [
        { "mimeType": "audio/opus", "payloadType": 111, "clockRate": 48000, "channels": 2,
          "parameters": { "usedtx": 1 } },
    ] }));
    let consumer = consumed(&producer);
    assert_eq!(consumer.codecs.len(), 1);
    assert_eq!(consumer.codecs[0].payload_type(), 100);
}
