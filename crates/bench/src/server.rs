//! This project's engine as a contender: one Worker, a PlainTransport that receives, and one for each Consumer.

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures_lite::future::block_on;
use mafalda_core::consumer::{Consumer, ConsumerRtpStreamStat};
use mafalda_core::prelude::*;
use mafalda_core::types::srtp_parameters::{SrtpCryptoSuite, SrtpParameters};
use serde_json::json;

use crate::case::Suite;
use crate::contender::{Arguments, KEY, PAYLOAD_TYPE, SSRC, serve};

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let manager = WorkerManager::new();
    let (router, input) = block_on(publish(&manager))?;
    let producer = block_on(input.produce(producer_options()?))?;
    let consumers = arguments
        .destinations()
        .map(|ip| block_on(consume(&router, &producer, arguments, ip)))
        .collect::<Result<Vec<_>>>()?;
    serve(input.tuple().local_port(), || {
        let mut packets = 0;
        for consumer in &consumers {
            packets += block_on(sent(consumer))?;
        }
        Ok(packets)
    })
}

async fn publish(manager: &WorkerManager) -> Result<(Router, PlainTransport)> {
    let mut settings = WorkerSettings::default();
    // The whole process is pinned already.
    settings.thread_initializer = Some(std::sync::Arc::new(|| {}));
    let worker = manager.create_worker(settings).await?;
    let codecs = json!([{ "kind": "video", "mimeType": "video/VP8", "clockRate": 90000 }]);
    let router = worker.create_router(RouterOptions::new(serde_json::from_value(codecs)?)).await?;
    let mut options = PlainTransportOptions::new(listen([127, 0, 0, 1].into()));
    options.comedia = true;
    let input = router.create_plain_transport(options).await?;
    Ok((router, input))
}

fn listen(ip: std::net::IpAddr) -> ListenInfo {
    ListenInfo { ip, ..ListenInfo::of_place(Protocol::Udp) }
}

fn producer_options() -> Result<ProducerOptions> {
    let parameters = json!({
        "codecs": [{
            "mimeType": "video/VP8", "payloadType": PAYLOAD_TYPE, "clockRate": 90000, "parameters": {},
            "rtcpFeedback": []
        }],
        "headerExtensions": [], "encodings": [{ "ssrc": SSRC }], "rtcp": { "cname": "bench" }
    });
    Ok(ProducerOptions::new(MediaKind::Video, serde_json::from_value(parameters)?))
}

/// As the peer's driver does: feedback by NACK and PLI, no retransmission format, no transport-wide numbers.
async fn consume(
    router: &Router,
    producer: &mafalda_core::producer::Producer,
    arguments: &Arguments,
    ip: std::net::Ipv4Addr,
) -> Result<Consumer> {
    let mut options = PlainTransportOptions::new(listen(arguments.from.into()));
    let suite = match arguments.suite {
        Suite::None => None,
        Suite::Gcm => Some((SrtpCryptoSuite::AeadAes128Gcm, 28)),
        Suite::Cm => Some((SrtpCryptoSuite::AesCm128HmacSha180, 30)),
    };
    options.enable_srtp = suite.is_some();
    options.srtp_crypto_suite = suite.map(|(suite, _)| suite).unwrap_or_default();
    let transport = router.create_plain_transport(options).await?;
    let srtp_parameters = suite
        .map(|(crypto_suite, len)| SrtpParameters { crypto_suite, key_base64: BASE64.encode(&KEY[..len]) });
    let remote = PlainTransportRemoteParameters {
        ip: Some(ip.into()),
        port: Some(arguments.port),
        rtcp_port: None,
        srtp_parameters,
    };
    transport.connect(remote).await?;
    let capabilities = json!({
        "codecs": [{
            "kind": "video", "mimeType": "video/VP8", "preferredPayloadType": 101, "clockRate": 90000,
            "parameters": {},
            "rtcpFeedback": [{ "type": "nack", "parameter": "" }, { "type": "nack", "parameter": "pli" }]
        }],
        "headerExtensions": []
    });
    let capabilities = serde_json::from_value(capabilities).context("capabilities")?;
    Ok(transport.consume(ConsumerOptions::new(producer.id(), capabilities)).await?)
}

async fn sent(consumer: &Consumer) -> Result<u64> {
    let stats = consumer.get_stats().await?;
    let own = stats.iter().filter_map(|stat| match stat {
        ConsumerRtpStreamStat::Outbound(stat) => Some(stat.packet_count),
        ConsumerRtpStreamStat::Inbound(_) => None,
    });
    Ok(own.sum())
}
