//! How a Transport's packets come and go: by ICE, as an application said, or from the application and to it.

use super::{Direct, Pipe, Plain, WebRtc};
use crate::demux::Kind;
use crate::worker::drops::DropReason;
use crate::{SocketId, Tuple};

/// The kinds of Transports.
#[derive(Debug)]
pub(crate) enum Way {
    WebRtc(WebRtc),
    Plain(Plain),
    Direct(Direct),
    Pipe(Pipe),
}

impl Way {
    /// Where media goes; `None` while nobody knows.
    #[inline]
    pub(crate) fn selected(&self) -> Option<Tuple> {
        match self {
            Self::WebRtc(webrtc) => webrtc.ice.selected(),
            Self::Plain(plain) => plain.rtp_tuple(),
            Self::Direct(direct) => Some(direct.rtp_tuple()),
            Self::Pipe(pipe) => pipe.tuple(),
        }
    }

    /// Brings near where media goes.
    pub(super) fn warm(&self) {
        match self {
            Self::WebRtc(webrtc) => webrtc.ice.warm(),
            Self::Plain(plain) => plain.warm(),
            Self::Direct(direct) => direct.warm(),
            Self::Pipe(pipe) => pipe.warm(),
        }
    }

    /// Where RTCP goes.
    pub(crate) fn selected_for_rtcp(&self) -> Option<Tuple> {
        match self {
            Self::WebRtc(webrtc) => webrtc.ice.selected(),
            Self::Plain(plain) => plain.rtcp_tuple(),
            Self::Direct(direct) => Some(direct.rtcp_tuple()),
            Self::Pipe(pipe) => pipe.tuple(),
        }
    }

    /// Sees to it that what came over a path of its own belongs there.
    #[inline]
    pub(crate) fn check(&self, tuple: Tuple, kind: Kind) -> Result<(), DropReason> {
        match self {
            Self::WebRtc(_) => Ok(()),
            Self::Pipe(_) if kind == Kind::Dtls => Err(DropReason::UnexpectedDtls),
            Self::Pipe(_) => Ok(()),
            Self::Plain(plain) => plain.check(tuple.socket, kind),
            Self::Direct(direct) => direct.check(tuple, kind),
        }
    }

    /// All tuples whose packets are this Transport's.
    pub(crate) fn tuples(&self) -> Vec<Tuple> {
        match self {
            Self::WebRtc(webrtc) => webrtc.ice.tuples().collect(),
            Self::Plain(plain) => plain.tuples().collect(),
            Self::Direct(direct) => direct.tuples().into(),
            Self::Pipe(pipe) => pipe.tuple().into_iter().collect(),
        }
    }

    /// All sockets of its own: listening ones and connections.
    pub(crate) fn sockets(&self) -> Vec<SocketId> {
        match self {
            Self::WebRtc(webrtc) => webrtc.endpoints.sockets().collect(),
            Self::Plain(plain) => plain.sockets().collect(),
            Self::Direct(direct) => vec![direct.socket()],
            Self::Pipe(pipe) => vec![pipe.socket()],
        }
    }
}
