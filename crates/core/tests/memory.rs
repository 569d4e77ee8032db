//! What a Transport and a Consumer take while nothing is forwarded: all of the process, from the machine to the handles.

#[path = "memory/client.rs"]
mod client;
#[path = "memory/sys.rs"]
#[expect(unsafe_code, reason = "an allocator that counts")]
mod sys;

use std::net::UdpSocket;

use futures_lite::future::block_on;
use mafalda_core::prelude::*;
use mafalda_core::types::data_structures::{DtlsFingerprint, DtlsRole, DtlsState};
use mafalda_core::types::srtp_parameters::{SrtpCryptoSuite, SrtpParameters};
use mafalda_core::webrtc_server::{WebRtcServerListenInfos, WebRtcServerOptions};
use mafalda_media::dtls::{Certificate, FingerprintAlgorithm};
use serde_json::json;

#[global_allocator]
static ALLOCATOR: sys::Counting = sys::Counting;

/// Pairs that are there before counting begins, and those that are counted. Tables and lists double as they grow; from one of these
/// numbers to the other all of them do once, so that each pair pays for as much as it does in the long run.
const BEFORE: usize = 240;
const COUNTED: usize = 240;

/// Bytes of a pair: the project's target.
const PAIR_MAX: usize = 12_000;

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// A PlainTransport with SRTP, connected.
    Plain,
    /// A WebRtcTransport that nobody has connected to.
    WebRtc,
    /// One after ICE and DTLS.
    Connected,
}

/// Where pairs are made.
struct Place {
    router: Router,
    server: WebRtcServer,
    producer: Producer,
    certificate: Certificate,
    kept: Vec<Box<dyn std::any::Any>>,
}

fn info() -> ListenInfo {
    ListenInfo { ip: [127, 0, 0, 1].into(), ..ListenInfo::of_place(Protocol::Udp) }
}

impl Place {
    async fn new(manager: &WorkerManager) -> Self {
        let worker = manager.create_worker(WorkerSettings::default()).await.expect("a Worker");
        let codecs = json!([{ "kind": "video", "mimeType": "video/VP8", "clockRate": 90000 }]);
        let codecs = serde_json::from_value(codecs).expect("codecs");
        let router = worker.create_router(RouterOptions::new(codecs)).await.expect("a Router");
        let infos = WebRtcServerListenInfos::new(info());
        let server = worker.create_webrtc_server(WebRtcServerOptions::new(infos)).await.expect("a server");
        let input = router.create_plain_transport(PlainTransportOptions::new(info())).await;
        let input = input.expect("a Transport");
        let parameters = serde_json::from_value(json!({
            "codecs": [{ "mimeType": "video/VP8", "payloadType": 96, "clockRate": 90000, "parameters": {},
                "rtcpFeedback": [{ "type": "nack", "parameter": "" }] }],
            "headerExtensions": [], "encodings": [{ "ssrc": 1111 }], "rtcp": { "cname": "x" }
        }));
        let options = ProducerOptions::new(MediaKind::Video, parameters.expect("parameters"));
        let producer = input.produce(options).await.expect("a Producer");
        let certificate = Certificate::generate().expect("a certificate");
        Self { router, server, producer, certificate, kept: vec![Box::new(worker), Box::new(input)] }
    }

    fn consumer_options(&self) -> ConsumerOptions {
        let capabilities = serde_json::to_value(self.router.rtp_capabilities()).expect("JSON");
        let capabilities = serde_json::from_value(capabilities).expect("capabilities");
        ConsumerOptions::new(self.producer.id(), capabilities)
    }

    async fn add_pairs(&mut self, kind: Kind, count: usize) {
        for _ in 0..count {
            let pair: Box<dyn std::any::Any> = match kind {
                Kind::Plain => Box::new(self.plain().await),
                Kind::WebRtc => Box::new(self.webrtc().await),
                Kind::Connected => Box::new(self.connected().await),
            };
            self.kept.push(pair);
        }
        // Its answer comes after all that has happened.
        self.router.dump().await.expect("a dump");
    }

    async fn plain(&self) -> (PlainTransport, Consumer) {
        let mut options = PlainTransportOptions::new(info());
        options.enable_srtp = true;
        options.srtp_crypto_suite = SrtpCryptoSuite::AeadAes128Gcm;
        let transport = self.router.create_plain_transport(options).await.expect("a Transport");
        // 28 bytes in Base64: key and salt of AES-128 in GCM.
        let key_base64 = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQQ==".to_owned();
        let crypto_suite = SrtpCryptoSuite::AeadAes128Gcm;
        let remote = PlainTransportRemoteParameters {
            ip: Some([127, 0, 0, 1].into()),
            port: Some(9),
            rtcp_port: None,
            srtp_parameters: Some(SrtpParameters { crypto_suite, key_base64 }),
        };
        transport.connect(remote).await.expect("a connection");
        let consumer = transport.consume(self.consumer_options()).await.expect("a Consumer");
        (transport, consumer)
    }

    async fn webrtc(&self) -> (WebRtcTransport, Consumer) {
        let options = WebRtcTransportOptions::new_with_server(self.server.clone());
        let transport = self.router.create_webrtc_transport(options).await.expect("a Transport");
        let consumer = transport.consume(self.consumer_options()).await.expect("a Consumer");
        (transport, consumer)
    }

    async fn connected(&self) -> (WebRtcTransport, Consumer, UdpSocket) {
        let (transport, consumer) = self.webrtc().await;
        let digest = self.certificate.fingerprint(FingerprintAlgorithm::Sha256);
        let value = DtlsFingerprint::Sha256 { value: digest.digest().try_into().expect("32 bytes") };
        let dtls_parameters = DtlsParameters { role: DtlsRole::Client, fingerprints: vec![value] };
        transport.connect(WebRtcTransportRemoteParameters { dtls_parameters }).await.expect("a connection");
        let socket = client::connect(&transport, &self.certificate);
        (transport, consumer, socket)
    }
}

/// Bytes that one more pair takes.
fn pair(kind: Kind) -> usize {
    let manager = WorkerManager::new();
    block_on(async {
        let mut place = Place::new(&manager).await;
        place.add_pairs(kind, BEFORE).await;
        let before = sys::bytes();
        place.add_pairs(kind, COUNTED).await;
        if let Kind::Connected = kind {
            let last = place
                .kept
                .last()
                .and_then(|kept| kept.downcast_ref::<(WebRtcTransport, Consumer, UdpSocket)>());
            assert_eq!(last.map(|(transport, ..)| transport.dtls_state()), Some(DtlsState::Connected));
        }
        (sys::bytes() - before) / COUNTED
    })
}

#[test]
fn an_idle_pair_is_small() {
    for kind in [Kind::Plain, Kind::WebRtc, Kind::Connected] {
        let bytes = pair(kind);
        assert!(bytes <= PAIR_MAX, "{bytes} bytes of {kind:?}");
        assert!(bytes > 2_000, "{bytes} bytes of {kind:?}: the count is wrong");
    }
}
