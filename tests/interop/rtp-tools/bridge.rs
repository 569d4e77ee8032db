//! A Router with a PlainTransport for each stream that comes in, and one for each that goes out.

use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::time::Duration;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures_lite::future::block_on;
use mafalda_api::prelude::*;
use mafalda_api::types::srtp_parameters::{SrtpCryptoSuite, SrtpParameters};
use mafalda_core::worker_manager::WorkerManager;
use serde_json::{Value, json};

use crate::process::Child;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Between two looks at whether a receiver listens.
const GLANCE: Duration = Duration::from_millis(50);
/// What tools send under this suite: the one that all of them know.
const SUITE: SrtpCryptoSuite = SrtpCryptoSuite::AesCm128HmacSha180;
/// Key and salt of the tools, in bytes (RFC 4568 §6.2.1).
const TOOLS_KEY: [u8; 30] = *b"thirty bytes for tools to have";

#[derive(Debug)]
pub(crate) struct Bridge {
    router: Router,
    // What the Router lives in, for as long.
    _manager: WorkerManager,
}

/// Where a tool sends to.
#[derive(Debug)]
pub(crate) struct Inlet {
    pub(crate) rtp_port: u16,
    pub(crate) rtcp_port: u16,
    pub(crate) payload_type: u8,
    pub(crate) ssrc: u32,
    /// The sender's key, where it is to use one.
    pub(crate) key: Option<Vec<u8>>,
    transport: PlainTransport,
    producer: Producer,
}

/// Where a tool receives from, and what.
#[derive(Debug)]
pub(crate) struct Outlet {
    /// The receiver's port; that of RTCP is the next one.
    pub(crate) port: u16,
    pub(crate) payload_type: u8,
    pub(crate) ssrc: u32,
    /// The key of what we send, where we use one.
    pub(crate) key: Option<Vec<u8>>,
    transport: PlainTransport,
    consumer: Consumer,
}

impl Bridge {
    pub(crate) fn new() -> Result<Self> {
        block_on(async {
            let manager = WorkerManager::new();
            let worker = manager.create_worker(WorkerSettings::default()).await?;
            let codecs = [MediaKind::Audio, MediaKind::Video].map(codec).map(serde_json::from_value);
            let codecs = codecs.into_iter().collect::<Result<Vec<_>, _>>()?;
            let router = worker.create_router(RouterOptions::new(codecs)).await?;
            Ok(Self { router, _manager: manager })
        })
    }

    /// A PlainTransport that learns from where it gets what.
    pub(crate) fn inlet(&self, kind: MediaKind, protected: bool) -> Result<Inlet> {
        let mut options = PlainTransportOptions::new(listen_info());
        // Tools send RTCP from a socket of its own.
        (options.comedia, options.rtcp_mux) = (true, false);
        (options.enable_srtp, options.srtp_crypto_suite) = (protected, SUITE);
        let (payload_type, ssrc) = match kind {
            MediaKind::Audio => (100, 11_111_111),
            MediaKind::Video => (101, 22_222_222),
        };
        block_on(async {
            let transport = self.router.create_plain_transport(options).await?;
            if protected {
                let remote = PlainTransportRemoteParameters {
                    srtp_parameters: Some(tools_key()),
                    ..PlainTransportRemoteParameters::default()
                };
                transport.connect(remote).await?;
            }
            let mut codec = codec(kind);
            codec["payloadType"] = payload_type.into();
            let parameters = json!({ "codecs": [codec], "encodings": [{ "ssrc": ssrc }] });
            let options = ProducerOptions::new(kind, serde_json::from_value(parameters)?);
            let producer = transport.produce(options).await?;
            Ok(Inlet {
                rtp_port: transport.tuple().local_port(),
                rtcp_port: transport.rtcp_tuple().context("a tuple of its own")?.local_port(),
                payload_type,
                ssrc,
                key: protected.then(|| TOOLS_KEY.to_vec()),
                transport,
                producer,
            })
        })
    }

    /// A PlainTransport that sends on what comes in there, to a port where nobody listens yet.
    pub(crate) fn outlet(&self, inlet: &Inlet, protected: bool) -> Result<Outlet> {
        let port = free_pair()?;
        let mut options = PlainTransportOptions::new(listen_info());
        options.rtcp_mux = false;
        (options.enable_srtp, options.srtp_crypto_suite) = (protected, SUITE);
        let capabilities = json!({ "codecs": [
            capability(MediaKind::Audio, 100), capability(MediaKind::Video, 101)
        ] });
        let capabilities: RtpCapabilities = serde_json::from_value(capabilities)?;
        block_on(async {
            let transport = self.router.create_plain_transport(options).await?;
            let remote = PlainTransportRemoteParameters {
                ip: Some(LOOPBACK),
                port: Some(port),
                rtcp_port: Some(port + 1),
                srtp_parameters: protected.then(tools_key),
            };
            transport.connect(remote).await?;
            let options = ConsumerOptions::new(inlet.producer.id(), capabilities);
            let consumer = transport.consume(options).await?;
            let parameters = consumer.rtp_parameters();
            let ours = transport.srtp_parameters().map(|ours| BASE64.decode(ours.key_base64));
            Ok(Outlet {
                port,
                payload_type: parameters.codecs.first().context("a codec")?.payload_type(),
                ssrc: parameters.encodings.first().and_then(|it| it.ssrc).context("an SSRC")?,
                key: ours.transpose()?,
                transport,
                consumer,
            })
        })
    }

    /// What went through, for whoever looks for what didn't.
    pub(crate) fn stats(&self, inlet: &Inlet, outlet: &Outlet) -> String {
        let told = block_on(async {
            let (into, out) = (inlet.transport.get_stats().await?, outlet.transport.get_stats().await?);
            let of_consumer = outlet.consumer.get_stats().await?;
            Ok::<_, RequestError>(format!("{into:?}, {out:?}, {of_consumer:?}"))
        });
        told.unwrap_or_else(|error| error.to_string())
    }
}

impl Outlet {
    /// Waits until somebody has the port.
    pub(crate) fn wait_for_receiver(&self, receiver: &Child) -> Result<()> {
        while UdpSocket::bind((LOOPBACK, self.port)).is_ok() {
            receiver.let_run(GLANCE)?;
        }
        Ok(())
    }
}

fn listen_info() -> ListenInfo {
    ListenInfo { ip: LOOPBACK, ..ListenInfo::of_place(Protocol::Udp) }
}

fn tools_key() -> SrtpParameters {
    SrtpParameters { crypto_suite: SUITE, key_base64: BASE64.encode(TOOLS_KEY) }
}

fn codec(kind: MediaKind) -> Value {
    match kind {
        MediaKind::Audio => {
            json!({ "kind": "audio", "mimeType": "audio/opus", "clockRate": 48000, "channels": 2 })
        }
        MediaKind::Video => json!({ "kind": "video", "mimeType": "video/VP8", "clockRate": 90000 }),
    }
}

fn capability(kind: MediaKind, payload_type: u8) -> Value {
    let mut capability = codec(kind);
    capability["preferredPayloadType"] = payload_type.into();
    capability
}

/// Two ports in a row, the first of them even as tools expect (RFC 3550 §11), which were free a moment ago.
fn free_pair() -> Result<u16> {
    loop {
        let first = UdpSocket::bind((LOOPBACK, 0))?;
        let port = first.local_addr()?.port();
        if port.is_multiple_of(2) && UdpSocket::bind((LOOPBACK, port + 1)).is_ok() {
            return Ok(port);
        }
    }
}
