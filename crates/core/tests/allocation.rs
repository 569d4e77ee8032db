//! Forwarding does not allocate: counted on the Worker's own thread, from the socket to the socket.

#[path = "allocation/sys.rs"]
#[expect(unsafe_code, reason = "an allocator that counts")]
mod sys;

use std::net::UdpSocket;
use std::time::Duration;

use futures_lite::future::block_on;
use mafalda_core::prelude::*;
use mafalda_core::types::srtp_parameters::{SrtpCryptoSuite, SrtpParameters};
use serde_json::json;

#[global_allocator]
static ALLOCATOR: sys::Counting = sys::Counting;

/// Consumers of the one Producer.
const CONSUMERS: usize = 20;
/// Packets of a frame.
const BURST: u16 = 8;
/// Small enough that a whole turn fits into the sink's buffer: what is lost there would be waited for in vain.
const PACKET_LEN: usize = 300;
/// Frames before counting begins: more than the 3,000 packets that a ring keeps, so that rings, logs and windows have their sizes.
const WARM_UP: u16 = 600;
/// Frames that are counted.
const COUNTED: u16 = 200;

/// What once-a-second reports may take for buffers that grow: less than one per Consumer or frame.
const ALLOCATIONS_MAX: u64 = 16;

/// A publisher, and where all Consumers send to.
struct Flow {
    source: UdpSocket,
    sink: UdpSocket,
    sequence: u16,
}

impl Flow {
    /// Sends a frame and waits until all of it has come out, to every Consumer.
    fn frame(&mut self) {
        let timestamp = u32::from(self.sequence) * 3000;
        let mut packet = vec![0; PACKET_LEN];
        for index in 0..BURST {
            packet[0] = 0x80;
            packet[1] = if index + 1 == BURST { 0x80 | 96 } else { 96 };
            packet[2..4].copy_from_slice(&self.sequence.to_be_bytes());
            packet[4..8].copy_from_slice(&timestamp.to_be_bytes());
            packet[8..12].copy_from_slice(&1111_u32.to_be_bytes());
            // VP8's descriptor (RFC 7741 §4.2), S bit on the first packet, and a key frame's first byte (§4.3).
            packet[12] = if index == 0 { 0x10 } else { 0 };
            packet[13] = 0;
            self.source.send(&packet).expect("loopback takes it");
            self.sequence = self.sequence.wrapping_add(1);
        }
        let mut buffer = [0; 2000];
        let mut left = usize::from(BURST) * CONSUMERS;
        while left > 0 {
            self.sink.recv(&mut buffer).expect("each packet comes out");
            // RTCP is RFC 5761's range of types.
            left -= usize::from(!(192..=223).contains(&buffer[1]));
        }
    }
}

async fn flow(router: &Router, suite: Option<SrtpCryptoSuite>) -> (Flow, Vec<Box<dyn std::any::Any>>) {
    let info = || ListenInfo { ip: [127, 0, 0, 1].into(), ..ListenInfo::of_place(Protocol::Udp) };
    let mut input = PlainTransportOptions::new(info());
    input.comedia = true;
    let input = router.create_plain_transport(input).await.expect("a Transport");
    let parameters = serde_json::from_value(json!({
        "codecs": [{ "mimeType": "video/VP8", "payloadType": 96, "clockRate": 90000, "parameters": {},
            "rtcpFeedback": [{ "type": "nack", "parameter": "" }] }],
        "headerExtensions": [], "encodings": [{ "ssrc": 1111 }], "rtcp": { "cname": "x" }
    }));
    let options = ProducerOptions::new(MediaKind::Video, parameters.expect("parameters"));
    let producer = input.produce(options).await.expect("a Producer");
    let source = UdpSocket::bind("127.0.0.1:0").expect("a port");
    source.connect(("127.0.0.1", input.tuple().local_port())).expect("an address");
    let sink = UdpSocket::bind("127.0.0.1:0").expect("a port");
    sink.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    let to = sink.local_addr().expect("an address");
    let capabilities = serde_json::to_value(router.rtp_capabilities()).expect("JSON");
    let mut kept: Vec<Box<dyn std::any::Any>> = vec![Box::new((input, producer.clone()))];
    for _ in 0..CONSUMERS {
        let mut options = PlainTransportOptions::new(info());
        options.enable_srtp = suite.is_some();
        options.srtp_crypto_suite = suite.unwrap_or_default();
        let transport = router.create_plain_transport(options).await.expect("a Transport");
        // 28 bytes in Base64: key and salt of AES-128 in GCM.
        let key_base64 = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQQ==".to_owned();
        let srtp_parameters = suite.map(|crypto_suite| SrtpParameters { crypto_suite, key_base64 });
        let remote = PlainTransportRemoteParameters {
            ip: Some(to.ip()),
            port: Some(to.port()),
            rtcp_port: None,
            srtp_parameters,
        };
        transport.connect(remote).await.expect("a connection");
        let capabilities = serde_json::from_value(capabilities.clone()).expect("capabilities");
        let options = ConsumerOptions::new(producer.id(), capabilities);
        kept.push(Box::new(transport.consume(options).await.expect("a Consumer")));
    }
    (Flow { source, sink, sequence: 100 }, kept)
}

fn check(suite: Option<SrtpCryptoSuite>) {
    let manager = mafalda_core::worker_manager::WorkerManager::new();
    block_on(async {
        let mut settings = WorkerSettings::default();
        settings.thread_initializer = Some(std::sync::Arc::new(sys::watch));
        let worker = manager.create_worker(settings).await.expect("a Worker");
        let codecs = json!([{ "kind": "video", "mimeType": "video/VP8", "clockRate": 90000 }]);
        let codecs = serde_json::from_value(codecs).expect("codecs");
        let router = worker.create_router(RouterOptions::new(codecs)).await.expect("a Router");
        let (mut flow, kept) = flow(&router, suite).await;
        (0..WARM_UP).for_each(|_| flow.frame());
        let before = sys::allocations();
        (0..COUNTED).for_each(|_| flow.frame());
        let allocations = sys::allocations() - before;
        drop(kept);
        assert!(
            allocations < ALLOCATIONS_MAX,
            "{allocations} for {COUNTED} frames of {BURST} packets to {CONSUMERS} Consumers ({suite:?})"
        );
    });
}

#[test]
fn forwarding_does_not_allocate() {
    check(None);
    check(Some(SrtpCryptoSuite::AeadAes128Gcm));
    assert!(sys::allocations() > 0, "the counter counts");
}
