//! What holds for any codecs and capabilities.

use mafalda_api::ortc::{can_consume, get_consumer_rtp_parameters};
use mafalda_api::types::rtp_parameters::{
    MimeType, RtpCapabilities, RtpCodecCapability, RtpCodecParameters, RtpParameters,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::fixture::{negotiation, parsed};

/// Codecs in all the ways in which they can nearly match.
fn codec() -> impl Strategy<Value = Value> {
    let mime_type =
        prop::sample::select(vec!["video/VP8", "video/VP9", "video/H264", "video/rtx", "video/x"]);
    let profile = prop::sample::select(vec!["42e01f", "42001f", "4d0032", "junk"]);
    (mime_type, profile, 0..2_u8, 95..100_u8).prop_map(|(mime_type, profile, choice, payload_type)| {
        json!({
            "kind": "video",
            "mimeType": mime_type,
            "payloadType": payload_type,
            "preferredPayloadType": payload_type,
            "clockRate": 90000,
            "parameters": {
                "profile-level-id": profile, "packetization-mode": choice, "profile-id": choice, "apt": 95 + choice,
            },
        })
    })
}

fn codecs() -> impl Strategy<Value = Vec<Value>> {
    prop::collection::vec(codec(), 0..5)
}

proptest! {
    #[test]
    fn can_consume_tells_whether_consuming_succeeds(ours in codecs(), theirs in codecs(), enable_rtx: bool) {
        let consumable: RtpParameters = parsed(json!({ "codecs": ours }));
        let remote: RtpCapabilities = parsed(json!({ "codecs": theirs }));
        let mut negotiation = negotiation(&remote);
        negotiation.enable_rtx = enable_rtx;
        let consumer = get_consumer_rtp_parameters(&consumable, negotiation);
        prop_assert_eq!(can_consume(&consumable, &remote), Ok(consumer.is_ok()));
    }

    #[test]
    fn a_consumers_codecs_are_known_to_both(ours in codecs(), theirs in codecs()) {
        let consumable: RtpParameters = parsed(json!({ "codecs": ours }));
        let remote: RtpCapabilities = parsed(json!({ "codecs": theirs }));
        let Ok(consumer) = get_consumer_rtp_parameters(&consumable, negotiation(&remote)) else { return Ok(()) };
        prop_assert!(consumer.codecs.iter().any(|codec| !codec.is_rtx()));
        for codec in &consumer.codecs {
            let mime_type: MimeType = codec.mime_type();
            prop_assert!(!mime_type.is_unsupported());
            let is_the_same = |ours: &RtpCodecParameters| {
                ours.payload_type() == codec.payload_type() && ours.mime_type() == mime_type
            };
            prop_assert!(consumable.codecs.iter().any(is_the_same));
            prop_assert!(remote.codecs.iter().any(|theirs: &RtpCodecCapability| theirs.mime_type() == mime_type));
        }
    }
}
