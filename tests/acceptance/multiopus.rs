//! Opus of more than two channels, which is matched by its streams and channels.

use mafalda_api::ortc::ConsumerRtpParametersError;
use mafalda_api::prelude::*;
use mafalda_api::producer::Producer;
use mafalda_api::webrtc_transport::WebRtcTransport;
use mafalda_api::worker_manager::WorkerManager;
use serde_json::{Value, json};

use crate::fixture::on_each_backend;
use crate::parameters::parse;
use crate::scene;

on_each_backend! {
    it_is_produced_and_consumed,
    other_streams_are_refused,
    other_channels_are_refused,
    a_router_knows_three_layouts,
}

/// 5.1: six channels in two mono and two stereo streams.
fn surround(channels: u8, num_streams: u8) -> Value {
    json!({
        "kind": "audio", "mimeType": "audio/multiopus", "clockRate": 48000, "channels": channels,
        "payloadType": 111, "preferredPayloadType": 100,
        "parameters": {
            "useinbandfec": 1, "channel_mapping": "0,4,1,2,3,5", "num_streams": num_streams, "coupled_streams": 2
        },
        "rtcpFeedback": [{ "type": "transport-cc" }, { "type": "nack" }]
    })
}

fn capabilities(channels: u8, num_streams: u8) -> RtpCapabilities {
    let uri = RtpHeaderExtensionUri::TransportWideCcDraft01.as_str();
    parse(json!({
        "codecs": [surround(channels, num_streams)],
        "headerExtensions": [{ "kind": "audio", "uri": uri, "preferredId": 5 }]
    }))
}

fn parameters(channels: u8, num_streams: u8) -> RtpParameters {
    let codec = surround(channels, num_streams);
    parse(json!({ "mid": "AUDIO", "codecs": [codec], "encodings": [{ "ssrc": 1 }] }))
}

/// A Router that carries 5.1, and an endpoint that sends it.
async fn scene(manager: &WorkerManager) -> (WebRtcTransport, Producer) {
    let worker = scene::worker(manager).await;
    let codecs = parse(json!([surround(6, 4)]));
    let router = worker.create_router(RouterOptions::new(codecs)).await.expect("a Router");
    let transport = scene::transport(&router).await;
    let producer = scene::produce(&transport, MediaKind::Audio, parameters(6, 4)).await;
    (transport, producer)
}

async fn it_is_produced_and_consumed(manager: &WorkerManager) {
    let (transport, producer) = scene(manager).await;
    let remote = capabilities(6, 4);
    assert!(transport.router().can_consume(&producer.id(), &remote));
    let consumer = transport.consume(ConsumerOptions::new(producer.id(), remote)).await.expect("a Consumer");
    let codec = &consumer.rtp_parameters().codecs[0];
    assert_eq!((codec.payload_type(), codec.mime_type().as_str()), (100, "audio/multiopus"));
    let parameters: RtpCodecParametersParameters = parse(surround(6, 4)["parameters"].clone());
    assert_eq!(codec.parameters(), &parameters);
    // Sound is not asked for again unless the application says so.
    assert_eq!(codec.rtcp_feedback(), [RtcpFeedback::TransportCc].as_slice());
}

async fn other_streams_are_refused(manager: &WorkerManager) {
    let (transport, producer) = scene(manager).await;
    let refusal = transport.produce(ProducerOptions::new(MediaKind::Audio, parameters(6, 2))).await;
    assert!(matches!(refusal, Err(ProduceError::FailedRtpParametersMapping(_))), "{refusal:?}");
    refused(&transport, &producer, capabilities(6, 2)).await;
}

async fn other_channels_are_refused(manager: &WorkerManager) {
    let (transport, producer) = scene(manager).await;
    let refusal = transport.produce(ProducerOptions::new(MediaKind::Audio, parameters(8, 4))).await;
    assert!(matches!(refusal, Err(ProduceError::FailedRtpParametersMapping(_))), "{refusal:?}");
    refused(&transport, &producer, capabilities(8, 4)).await;
}

async fn refused(transport: &WebRtcTransport, producer: &Producer, remote: RtpCapabilities) {
    assert!(!transport.router().can_consume(&producer.id(), &remote));
    let error = transport.consume(ConsumerOptions::new(producer.id(), remote)).await.expect_err("refused");
    let cause = ConsumerRtpParametersError::NoCompatibleMediaCodecs;
    assert_eq!(error, ConsumeError::BadConsumerRtpParameters(cause));
}

async fn a_router_knows_three_layouts(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    for (channels, num_streams, coupled_streams, known) in
        [(4, 2, 2, true), (6, 4, 2, true), (8, 5, 3, true), (6, 3, 3, false), (5, 4, 1, false)]
    {
        let codecs = parse(json!([{
            "kind": "audio", "mimeType": "audio/multiopus", "clockRate": 48000, "channels": channels,
            "parameters": { "num_streams": num_streams, "coupled_streams": coupled_streams }
        }]));
        let router = worker.create_router(RouterOptions::new(codecs)).await;
        match router {
            Ok(router) => assert!(known && router.rtp_capabilities().codecs.len() == 1, "{channels}"),
            Err(error) => {
                let is_typed = matches!(error, CreateRouterError::FailedRtpCapabilitiesGeneration(_));
                assert!(!known && is_typed, "{channels} {error}");
            }
        }
    }
}
