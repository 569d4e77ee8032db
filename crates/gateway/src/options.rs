//! What a gateway is told when it is made.

use std::fmt;
use std::num::NonZeroU64;

use mafalda_api::id::WorkerId;
use mafalda_api::types::data_structures::{ListenInfo, Protocol};
use mafalda_api::types::rtp_parameters::RtpCodecCapability;
use mafalda_api::webrtc_server::WebRtcServer;
use mafalda_api::webrtc_transport::{WebRtcTransportListenInfos, WebRtcTransportOptions};
use subtle::ConstantTimeEq;

use crate::codec::media_codecs;

/// How a gateway is made. Start from the default.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct GatewayOptions {
    /// Where media comes in, over sockets that Transports share: for a room the one that lives in its Router's Worker. Default:
    /// none.
    pub webrtc_servers: Vec<WebRtcServer>,
    /// Where media comes in for rooms of Workers without a WebRtcServer: each Transport has sockets of its own. Default: the
    /// addresses of the place, over UDP and over TCP.
    pub listen_infos: WebRtcTransportListenInfos,
    /// What the rooms carry. Default [`media_codecs`].
    pub media_codecs: Vec<RtpCodecCapability>,
    /// What a peer has to know to join. Default `None`: anybody may join.
    pub token: Option<JoinToken>,
    /// Most bits per second that each Transport asks its peer to send, told by REMB. Default `None`: no limit.
    pub max_incoming_bitrate: Option<NonZeroU64>,
}

impl Default for GatewayOptions {
    fn default() -> Self {
        let listen_infos = WebRtcTransportListenInfos::new(ListenInfo::of_place(Protocol::Udp));
        Self {
            webrtc_servers: Vec::new(),
            listen_infos: listen_infos.insert(ListenInfo::of_place(Protocol::Tcp)),
            media_codecs: media_codecs(),
            token: None,
            max_incoming_bitrate: None,
        }
    }
}

impl GatewayOptions {
    /// Whether somebody may join who gives this for a token.
    pub(crate) fn admits(&self, given: Option<&str>) -> bool {
        self.token.as_ref().is_none_or(|token| token.admits(given.unwrap_or_default()))
    }

    /// How a Transport in a Router of this Worker is made. UDP is preferred.
    pub(crate) fn transport_options(&self, worker: WorkerId) -> WebRtcTransportOptions {
        let here = |server: &&WebRtcServer| server.worker().id() == worker && !server.closed();
        let mut options = match self.webrtc_servers.iter().find(here) {
            Some(server) => WebRtcTransportOptions::new_with_server(server.clone()),
            None => WebRtcTransportOptions::new(self.listen_infos.clone()),
        };
        options.enable_tcp = true;
        options.prefer_udp = true;
        options.max_incoming_bitrate = self.max_incoming_bitrate.map(NonZeroU64::get);
        options
    }
}

/// A secret that lets its bearers join.
#[derive(Clone)]
pub struct JoinToken(String);

impl JoinToken {
    /// This text is the secret.
    #[must_use]
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// Whether this is the secret. The time that it takes tells nothing but the length.
    #[must_use]
    pub fn admits(&self, given: &str) -> bool {
        self.0.as_bytes().ct_eq(given.as_bytes()).into()
    }
}

/// Hides the secret, so that it stays out of logs.
impl fmt::Debug for JoinToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JoinToken")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_admits_itself_alone() {
        let token = JoinToken::new("s3cret");
        assert!(token.admits("s3cret"));
        for other in ["", "s3cre", "s3crets", "S3cret"] {
            assert!(!token.admits(other), "{other}");
        }
    }

    #[test]
    fn a_token_is_not_printed() {
        let options = GatewayOptions { token: Some(JoinToken::new("s3cret")), ..GatewayOptions::default() };
        assert!(!format!("{options:?}").contains("s3cret"));
    }
}
