//! Each way in which negotiation fails, as the handles tell it, and that nothing is left behind.

use mafalda_api::ortc::{
    ConsumerRtpParametersError, RtpCapabilitiesError, RtpParametersError, RtpParametersMappingError,
};
use mafalda_api::prelude::*;
use mafalda_api::waist::ErrorCode;
use mafalda_api::worker_manager::WorkerManager;
use serde_json::{Value, json};

use crate::fixture::on_each_backend;
use crate::parameters::{self, parse};
use crate::scene::{self, Scene};

on_each_backend! {
    a_router_says_what_is_wrong_with_its_codecs,
    a_producer_says_what_is_wrong_with_its_parameters,
    a_producer_says_what_the_router_lacks,
    a_consumer_says_what_is_wrong_with_its_capabilities,
    a_producer_needs_neither_extensions_nor_a_cname,
    what_packets_can_not_carry_is_refused,
}

fn vp8(more: &Value) -> Value {
    let mut codec = json!({ "kind": "video", "mimeType": "video/VP8", "clockRate": 90000 });
    for (name, value) in more.as_object().expect("fields") {
        codec[name] = value.clone();
    }
    codec
}

async fn a_router_says_what_is_wrong_with_its_codecs(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let plain = vp8(&json!({}));
    let with_payload_type = |number: u8| vp8(&json!({ "preferredPayloadType": number }));
    let cases = [
        (
            json!([{ "kind": "audio", "mimeType": "audio/opus", "clockRate": 44100, "channels": 2 }]),
            RtpCapabilitiesError::UnsupportedCodec { mime_type: MimeType::Audio(MimeTypeAudio::Opus) },
        ),
        (Value::from(vec![plain; 17]), RtpCapabilitiesError::CannotAllocate),
        (
            json!([with_payload_type(100), with_payload_type(100)]),
            RtpCapabilitiesError::DuplicatedPreferredPayloadType(100),
        ),
        (json!([with_payload_type(128)]), RtpCapabilitiesError::InvalidPreferredPayloadType(128)),
        (
            json!([vp8(&json!({ "parameters": { "apt": "96" } }))]),
            RtpCapabilitiesError::InvalidAptParameter("96".into()),
        ),
    ];
    for (codecs, expected) in cases {
        let error = worker.create_router(RouterOptions::new(parse(codecs))).await.expect_err("it is wrong");
        assert_eq!(error.code(), ErrorCode::Negotiation);
        assert_eq!(error, CreateRouterError::FailedRtpCapabilitiesGeneration(expected));
    }
    assert!(worker.dump().await.expect("a dump").router_ids.is_empty());
}

/// What Producing with these codecs fails with.
async fn refusal(scene: &Scene, kind: MediaKind, codecs: Value) -> ProduceError {
    let parameters = parse(json!({ "mid": "x", "codecs": codecs, "encodings": [{ "ssrc": 1 }] }));
    let error = scene.first.produce(ProducerOptions::new(kind, parameters)).await.expect_err("it is wrong");
    assert!(scene.first.dump().await.expect("a dump").producer_ids.is_empty());
    error
}

async fn a_producer_says_what_is_wrong_with_its_parameters(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let codec = |number: u8| json!({ "mimeType": "video/VP8", "payloadType": number, "clockRate": 90000 });
    let textual = json!({
        "mimeType": "video/rtx", "payloadType": 97, "clockRate": 90000, "parameters": { "apt": "96" }
    });
    for (codecs, expected) in [
        (json!([codec(96), textual]), RtpParametersError::InvalidAptParameter("96".into())),
        (json!([codec(200)]), RtpParametersError::InvalidPayloadType(200)),
    ] {
        let error = refusal(&scene, MediaKind::Video, codecs).await;
        assert_eq!(error.code(), ErrorCode::Negotiation);
        assert_eq!(error, ProduceError::IncorrectRtpParameters(expected));
    }
}

async fn a_producer_says_what_the_router_lacks(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let video = |name: &str, number: u8, apt: u8| {
        let mime_type = format!("video/{name}");
        json!({
            "mimeType": mime_type, "payloadType": number, "clockRate": 90000, "parameters": { "apt": apt }
        })
    };
    let opus = json!({ "mimeType": "audio/opus", "payloadType": 111, "clockRate": 48000, "channels": 2 });
    let audio_rtx = json!({
        "mimeType": "audio/rtx", "payloadType": 112, "clockRate": 48000, "channels": 2,
        "parameters": { "apt": 111 }
    });
    let cases = [
        (
            MediaKind::Video,
            json!([video("VP9", 98, 0)]),
            RtpParametersMappingError::UnsupportedCodec {
                mime_type: MimeType::Video(MimeTypeVideo::Vp9),
                payload_type: 98,
            },
        ),
        (
            MediaKind::Video,
            json!([video("VP8", 96, 0), video("rtx", 97, 95)]),
            RtpParametersMappingError::MissingMediaCodecForRtx { payload_type: 97 },
        ),
        (
            MediaKind::Audio,
            json!([opus, audio_rtx]),
            RtpParametersMappingError::UnsupportedRtxCodec { preferred_payload_type: 100 },
        ),
    ];
    for (kind, codecs, expected) in cases {
        assert_eq!(refusal(&scene, kind, codecs).await, ProduceError::FailedRtpParametersMapping(expected));
    }
}

async fn a_consumer_says_what_is_wrong_with_its_capabilities(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let video = scene.video().await;
    let mut wrong = parameters::client_capabilities();
    wrong.codecs[2].parameters_mut().insert("apt", "101");
    let expected = RtpCapabilitiesError::InvalidAptParameter("101".into());
    // Whether there is such a Producer makes no difference.
    for producer in [video.id(), ProducerId::new()] {
        let error = scene.second.consume(ConsumerOptions::new(producer, wrong.clone())).await;
        let error = error.expect_err("it is wrong");
        assert_eq!(error, ConsumeError::FailedRtpCapabilitiesValidation(expected.clone()));
        assert_eq!(error.code(), ErrorCode::Negotiation);
    }
    assert!(!scene.router.can_consume(&video.id(), &wrong));
    let error = scene.second.consume(ConsumerOptions::new(video.id(), RtpCapabilities::default())).await;
    assert_eq!(
        error.expect_err("it has no codec"),
        ConsumeError::BadConsumerRtpParameters(ConsumerRtpParametersError::NoCompatibleMediaCodecs)
    );
    assert!(scene.second.dump().await.expect("a dump").consumer_ids.is_empty());
}

async fn a_producer_needs_neither_extensions_nor_a_cname(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let mut bare = parameters::audio();
    bare.header_extensions.clear();
    bare.rtcp = RtcpParameters::default();
    let audio = scene::produce(&scene.first, MediaKind::Audio, bare).await;
    let given = audio.consumable_rtp_parameters().rtcp.cname.clone().expect("one is made up");
    assert!(!given.is_empty());
    // It is the Transport's from then on.
    let mut other = parameters::video();
    other.rtcp.cname = Some("ANOTHER".into());
    let video = scene::produce(&scene.first, MediaKind::Video, other).await;
    assert_eq!(video.consumable_rtp_parameters().rtcp.cname, Some(given));
}

async fn what_packets_can_not_carry_is_refused(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    // Ids have a byte (RFC 8285 §4.3), and 0 is padding; a MID has the room that the engine gives it.
    let cases = [
        ("header extension id 0", json!({ "uri": "urn:ietf:params:rtp-hdrext:sdes:mid", "id": 0 }), "x"),
        ("header extension id 256", json!({ "uri": "urn:ietf:params:rtp-hdrext:sdes:mid", "id": 256 }), "x"),
        ("a MID has", Value::Null, ""),
        ("a MID has", Value::Null, "a name longer than there is room"),
    ];
    for (expected, extension, mid) in cases {
        let mut parameters = parameters::audio();
        parameters.mid = Some(mid.into());
        if !extension.is_null() {
            parameters.header_extensions = parse(json!([extension]));
        }
        let error = scene.first.produce(ProducerOptions::new(MediaKind::Audio, parameters)).await;
        let error = error.expect_err("it can't be carried");
        assert_eq!(error.code(), ErrorCode::InvalidArgument, "{expected}");
        assert!(error.to_string().contains(expected), "{error}");
    }
    let rtx = json!([{
        "mimeType": "audio/rtx", "payloadType": 112, "clockRate": 48000, "channels": 2,
        "parameters": { "apt": 111 }
    }]);
    let error = refusal(&scene, MediaKind::Audio, rtx).await;
    assert!(error.to_string().contains("no media codec"), "{error}");
}
