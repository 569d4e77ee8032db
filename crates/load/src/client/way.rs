//! How a client gets through to its server and to keys: by ICE and DTLS, or with keys that signalling has told, and nothing to prove.

mod checks;
mod plain;
mod session;
mod webrtc;

use std::time::Instant;

use mafalda_media::Now;
use mafalda_media::demux::Kind;
use rand::rngs::StdRng;

use super::ClientFailure;
use super::egress::Egress;
use super::protection::Protection;
use super::state::Access;
pub(crate) use plain::KeyPair;
use plain::Plain;
pub use session::SessionFailure;
use webrtc::WebRtc;

/// The way of one client.
#[derive(Debug)]
pub(super) enum Way {
    WebRtc(Box<WebRtc>),
    Plain(Box<Plain>),
}

impl Way {
    pub(super) fn new(access: Access, now: Instant, rng: StdRng) -> Self {
        match access {
            Access::WebRtc(access) => Self::WebRtc(Box::new(WebRtc::new(*access, now, rng))),
            Access::Plain(keys) => Self::Plain(Box::new(Plain::new(keys.map(|keys| *keys), now))),
        }
    }

    /// What protects packets, once that is settled.
    pub(super) fn protection_mut(&mut self) -> Option<&mut Protection> {
        match self {
            Self::WebRtc(webrtc) => webrtc.protection_mut(),
            Self::Plain(plain) => Some(plain.protection_mut()),
        }
    }

    /// Whether media can flow.
    pub(super) fn is_ready(&self) -> bool {
        match self {
            Self::WebRtc(webrtc) => webrtc.is_ready(),
            Self::Plain(_) => true,
        }
    }

    /// Takes a datagram that is no media; `false` when this way has no use for it.
    pub(super) fn handle(&mut self, now: Now, kind: Kind, datagram: &[u8]) -> bool {
        match self {
            Self::WebRtc(webrtc) => webrtc.handle(now, kind, datagram),
            Self::Plain(_) => false,
        }
    }

    /// Media or feedback came from the server.
    pub(super) fn on_media(&mut self) {
        if let Self::Plain(plain) = self {
            plain.on_media();
        }
    }

    /// Whether the server is to be told now that the client is here, by whatever packet.
    pub(super) fn greets(&mut self, now: Instant) -> bool {
        match self {
            Self::WebRtc(_) => false,
            Self::Plain(plain) => plain.greets(now),
        }
    }

    /// Does what is due.
    pub(super) fn drain(&mut self, egress: &mut Egress<'_>) -> Result<(), ClientFailure> {
        match self {
            Self::WebRtc(webrtc) => webrtc.drain(egress),
            Self::Plain(_) => Ok(()),
        }
    }

    /// When there is something to do, if nothing comes.
    pub(super) fn timeout(&self) -> Option<Instant> {
        match self {
            Self::WebRtc(webrtc) => Some(webrtc.timeout()),
            Self::Plain(plain) => plain.timeout(),
        }
    }

    /// Leaves; what it says to the server goes on the wire.
    pub(super) fn close(&mut self, now: Now) {
        if let Self::WebRtc(webrtc) = self {
            webrtc.close(now);
        }
    }

    /// Sends what it says on leaving.
    pub(super) fn drain_last(&mut self, egress: &mut Egress<'_>) {
        if let Self::WebRtc(webrtc) = self {
            webrtc.drain_last(egress);
        }
    }
}
