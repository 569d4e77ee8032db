//! The Transports of Consumers, of each kind.

use std::net::SocketAddrV4;

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use mafalda_core::consumer::Consumer;
use mafalda_core::plain_transport::PlainTransport;
use mafalda_core::prelude::*;
use mafalda_core::types::srtp_parameters::SrtpParameters;
use mafalda_core::webrtc_server::{WebRtcServerListenInfos, WebRtcServerOptions};
use mafalda_core::webrtc_transport::WebRtcTransportListenInfos;
use serde_json::json;

use super::{Options, Scene};
use crate::dialogue::Endpoint;
use crate::suite::Suite;

/// What packets leave through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Via {
    /// PlainTransports, a socket each.
    Plain,
    /// WebRtcTransports, a socket each.
    Webrtc,
    /// WebRtcTransports on the one socket of a WebRtcServer.
    WebrtcServer,
}

/// Makes them.
#[derive(Debug)]
pub(crate) struct Outputs<'a> {
    router: Router,
    via: Via,
    suite: Suite,
    info: ListenInfo,
    fingerprint: &'a str,
    server: Option<WebRtcServer>,
}

/// One of them.
#[derive(Debug)]
pub(crate) enum Output {
    Plain(PlainTransport),
    WebRtc(WebRtcTransport),
}

impl<'a> Outputs<'a> {
    pub(crate) async fn new(scene: &Scene, via: Via, options: &'a Options) -> Result<Self> {
        let info = ListenInfo { ip: options.ip.into(), ..ListenInfo::of_place(Protocol::Udp) };
        let server = match via {
            Via::Plain | Via::Webrtc => None,
            Via::WebrtcServer => {
                let infos = WebRtcServerListenInfos::new(info.clone());
                Some(scene.worker.create_webrtc_server(WebRtcServerOptions::new(infos)).await?)
            }
        };
        let (router, suite) = (scene.router.clone(), options.suite);
        Ok(Self { router, via, suite, info, fingerprint: &options.fingerprint, server })
    }

    /// A Transport that is not connected.
    pub(crate) async fn transport(&self) -> Result<Output> {
        match self.via {
            Via::Plain => self.plain().await.map(Output::Plain),
            Via::Webrtc | Via::WebrtcServer => self.webrtc().await.map(Output::WebRtc),
        }
    }

    /// Makes it the one of the destination with that number; it knows all that it can know before a handshake then.
    pub(crate) async fn connect(&self, output: &Output, index: u16, address: SocketAddrV4) -> Result<()> {
        match output {
            Output::Plain(transport) => {
                let key = self.suite.crypto_suite().zip(self.suite.key_base64(index));
                let remote = PlainTransportRemoteParameters {
                    ip: Some((*address.ip()).into()),
                    port: Some(address.port()),
                    rtcp_port: None,
                    srtp_parameters: key
                        .map(|(crypto_suite, key_base64)| SrtpParameters { crypto_suite, key_base64 }),
                };
                transport.connect(remote).await?;
            }
            Output::WebRtc(transport) => {
                let fingerprint = json!({ "algorithm": "sha-256", "value": self.fingerprint });
                let dtls_parameters = json!({ "role": "client", "fingerprints": [fingerprint] });
                let dtls_parameters =
                    serde_json::from_value(dtls_parameters).context("--fingerprint is none")?;
                transport.connect(WebRtcTransportRemoteParameters { dtls_parameters }).await?;
            }
        }
        Ok(())
    }

    async fn plain(&self) -> Result<PlainTransport> {
        let mut options = PlainTransportOptions::new(self.info.clone());
        let crypto_suite = self.suite.crypto_suite();
        options.enable_srtp = crypto_suite.is_some();
        options.srtp_crypto_suite = crypto_suite.unwrap_or_default();
        Ok(self.router.create_plain_transport(options).await?)
    }

    async fn webrtc(&self) -> Result<WebRtcTransport> {
        let mut options = match &self.server {
            Some(server) => WebRtcTransportOptions::new_with_server(server.clone()),
            None => WebRtcTransportOptions::new(WebRtcTransportListenInfos::new(self.info.clone())),
        };
        options.enable_tcp = false;
        // Clients go after the handshake: nobody is there to consent any more.
        options.ice_consent_timeout = 0;
        Ok(self.router.create_webrtc_transport(options).await?)
    }
}

impl Output {
    pub(crate) async fn consume(&self, options: ConsumerOptions) -> Result<Consumer> {
        Ok(match self {
            Self::Plain(transport) => transport.consume(options).await?,
            Self::WebRtc(transport) => transport.consume(options).await?,
        })
    }

    pub(crate) async fn produce(&self, options: ProducerOptions) -> Result<Producer> {
        Ok(match self {
            Self::Plain(transport) => transport.produce(options).await?,
            Self::WebRtc(transport) => transport.produce(options).await?,
        })
    }

    /// The key of what it sends, where it drew one.
    pub(super) fn key_base64(&self) -> Option<String> {
        match self {
            Self::Plain(transport) => transport.srtp_parameters().map(|parameters| parameters.key_base64),
            Self::WebRtc(_) => None,
        }
    }

    /// Where its client has to connect to, if it has to.
    pub(crate) fn endpoint(&self) -> Result<Option<Endpoint>> {
        let Self::WebRtc(transport) = self else { return Ok(None) };
        let parameters = transport.ice_parameters();
        let candidates = transport.ice_candidates();
        let port = candidates.first().context("a WebRtcTransport has candidates")?.port;
        let (username, password) = (parameters.username_fragment, parameters.password);
        Ok(Some(Endpoint { port, username, password }))
    }
}
