//! What sound has of its own: RED, and silence that nobody needs.

use mafalda_api::ortc::{ConsumerRtpParametersError, RtpCapabilitiesError, RtpParametersMappingError};
use mafalda_api::prelude::*;
use mafalda_api::worker_manager::WorkerManager;
use serde_json::{Value, json};

use crate::fixture::on_each_backend;
use crate::parameters::parse;
use crate::scene;
use crate::wire::{Sink, Source};

on_each_backend! {
    red_goes_beside_its_opus,
    red_without_its_opus_is_refused,
    red_is_sent_on_as_it_is_or_as_plain_opus,
    silence_can_be_left_out,
}

const SSRC: u32 = 1000;

fn opus(payload_type: u8) -> Value {
    json!({
        "kind": "audio", "mimeType": "audio/opus", "clockRate": 48000, "channels": 2,
        "payloadType": payload_type, "preferredPayloadType": payload_type
    })
}

/// As browsers tell it: what it holds is a parameter without a value.
fn red(payload_type: u8, held: u8) -> Value {
    json!({
        "kind": "audio", "mimeType": "audio/red", "clockRate": 48000, "channels": 2,
        "payloadType": payload_type, "preferredPayloadType": payload_type,
        "parameters": { format!("{held}/{held}"): null }
    })
}

fn sent(codecs: &Value) -> ProducerOptions {
    let parameters = parse(json!({ "codecs": codecs, "encodings": [{ "ssrc": SSRC }] }));
    ProducerOptions::new(MediaKind::Audio, parameters)
}

fn received(producer: &Producer, codecs: &Value) -> ConsumerOptions {
    ConsumerOptions::new(producer.id(), parse(json!({ "codecs": codecs })))
}

/// A Router whose Opus is 100 and whose RED is 101.
async fn router(manager: &WorkerManager) -> Router {
    let worker = scene::worker(manager).await;
    let codecs = parse(json!([opus(100), red(101, 100)]));
    worker.create_router(RouterOptions::new(codecs)).await.expect("a Router")
}

/// A frame and the one before it (RFC 2198 §3).
fn in_red(held: u8, older: &[u8], newest: &[u8]) -> Vec<u8> {
    let len = u8::try_from(older.len()).expect("frames of a test are short");
    [&[0x80 | held, 0x0f, 0x00, len, held], older, newest].concat()
}

async fn red_goes_beside_its_opus(manager: &WorkerManager) {
    let router = router(manager).await;
    let told = router.rtp_capabilities();
    let parameters: RtpCodecParametersParameters = parse(json!({ "100/100": "" }));
    assert_eq!(told.codecs[1].parameters(), &parameters);
    let source = Source::new(&router, sent(&json!([red(63, 111), opus(111)]))).await;
    let consumable = &source.producer.consumable_rtp_parameters().codecs;
    assert_eq!((consumable[0].payload_type(), consumable[0].parameters()), (101, &parameters));
    let sink = Sink::new(&router, received(&source.producer, &json!([opus(9), red(8, 9)]))).await;
    let given = &sink.consumer.rtp_parameters().codecs;
    assert_eq!((given[0].payload_type(), given[0].parameters()), (101, &parameters));
    assert_eq!(given[1].payload_type(), 100);
}

async fn red_without_its_opus_is_refused(manager: &WorkerManager) {
    let router = router(manager).await;
    let transport = scene::transport(&router).await;
    let codecs = RouterOptions::new(parse(json!([red(101, 100)])));
    let refusal = router.worker().create_router(codecs).await.expect_err("there is no Opus");
    let cause = RtpCapabilitiesError::MissingMediaCodecForRed;
    assert_eq!(refusal, CreateRouterError::FailedRtpCapabilitiesGeneration(cause));

    let refusal =
        transport.produce(sent(&json!([red(63, 96), opus(111)]))).await.expect_err("there is no 96");
    let cause = RtpParametersMappingError::MissingMediaCodecForRed { payload_type: 63 };
    assert_eq!(refusal, ProduceError::FailedRtpParametersMapping(cause));

    let producer = transport.produce(sent(&json!([red(63, 111), opus(111)]))).await.expect("a Producer");
    let options = received(&producer, &json!([red(63, 111)]));
    assert!(!router.can_consume(&producer.id(), &options.rtp_capabilities));
    let refusal = transport.consume(options).await.expect_err("it can't play what is in there");
    let cause = ConsumerRtpParametersError::NoCompatibleMediaCodecs;
    assert_eq!(refusal, ConsumeError::BadConsumerRtpParameters(cause));
}

async fn red_is_sent_on_as_it_is_or_as_plain_opus(manager: &WorkerManager) {
    let router = router(manager).await;
    let source = Source::new(&router, sent(&json!([red(63, 111), opus(111)]))).await;
    let knows = Sink::new(&router, received(&source.producer, &json!([opus(100), red(101, 100)]))).await;
    let lacks = Sink::new(&router, received(&source.producer, &json!([opus(100)]))).await;
    source.send(63, 1, &[], &in_red(111, b"\x78one", b"\x78two"));
    source.send(111, 2, &[], b"\x78three");
    let (red, opus) = (knows.next(), knows.next());
    assert_eq!((red.payload_type, red.payload), (101, in_red(100, b"\x78one", b"\x78two")));
    assert_eq!((opus.payload_type, opus.payload), (100, b"\x78three".to_vec()));
    let (first, second) = (lacks.next(), lacks.next());
    assert_eq!((first.payload_type, first.payload), (100, b"\x78two".to_vec()));
    assert_eq!((second.payload_type, second.payload), (100, b"\x78three".to_vec()));
    assert_eq!(second.sequence, first.sequence.wrapping_add(1));
}

async fn silence_can_be_left_out(manager: &WorkerManager) {
    let router = router(manager).await;
    let source = Source::new(&router, sent(&json!([opus(111)]))).await;
    let capabilities = json!([opus(100)]);
    let mut options = received(&source.producer, &capabilities);
    assert!(!options.ignore_dtx, "unless the application says so");
    let listens = Sink::new(&router, options.clone()).await;
    options.ignore_dtx = true;
    let ignores = Sink::new(&router, options).await;
    for (sequence, payload) in [&b"\x78voice"[..], b"\x78", b"\x78", b"\x78again"].into_iter().enumerate() {
        source.send(111, sequence as u16, &[], payload);
    }
    let lengths: Vec<usize> = (0..4).map(|_| listens.next().payload.len()).collect();
    assert_eq!(lengths, [6, 1, 1, 6]);
    let (first, second) = (ignores.next(), ignores.next());
    assert_eq!((first.payload, second.payload), (b"\x78voice".to_vec(), b"\x78again".to_vec()));
    assert_eq!(second.sequence, first.sequence.wrapping_add(1), "no gap");
}
