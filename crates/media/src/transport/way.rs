//! How a Transport's packets come and go: by ICE, or as an application said.

use super::{Plain, WebRtc};
use crate::{SocketId, Tuple};

/// The kinds of Transports.
#[derive(Debug)]
pub(crate) enum Way {
    WebRtc(WebRtc),
    Plain(Plain),
}

impl Way {
    /// Where media goes; `None` while nobody knows.
    #[inline]
    pub(crate) fn selected(&self) -> Option<Tuple> {
        match self {
            Self::WebRtc(webrtc) => webrtc.ice.selected(),
            Self::Plain(plain) => plain.rtp_tuple(),
        }
    }

    /// Brings near where media goes.
    pub(super) fn warm(&self) {
        match self {
            Self::WebRtc(webrtc) => webrtc.ice.warm(),
            Self::Plain(plain) => plain.warm(),
        }
    }

    /// Where RTCP goes.
    pub(crate) fn selected_for_rtcp(&self) -> Option<Tuple> {
        match self {
            Self::WebRtc(webrtc) => webrtc.ice.selected(),
            Self::Plain(plain) => plain.rtcp_tuple(),
        }
    }

    /// All tuples whose packets are this Transport's.
    pub(crate) fn tuples(&self) -> Vec<Tuple> {
        match self {
            Self::WebRtc(webrtc) => webrtc.ice.tuples().collect(),
            Self::Plain(plain) => plain.tuples().collect(),
        }
    }

    /// All sockets of its own: listening ones and connections.
    pub(crate) fn sockets(&self) -> Vec<SocketId> {
        match self {
            Self::WebRtc(webrtc) => webrtc.endpoints.sockets().collect(),
            Self::Plain(plain) => plain.sockets().collect(),
        }
    }
}
