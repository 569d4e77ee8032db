//! What only a DirectTransport has: an application at the other end, and no network.
//!
//! The driver numbers it as it numbers sockets, and gives and takes packets as datagrams over two paths that no network has: one for RTP
//! and one for RTCP. So the packets go the way of all others. Nobody else can come by these paths, so nothing protects them.

use mafalda_api::waist::{CreateDirectTransport, ErrorCode, Failure};

use crate::demux::Kind;
use crate::worker::ListenSocket;
use crate::worker::drops::DropReason;
use crate::{SocketId, Tuple, sys};

/// A DirectTransport's way to its application.
#[derive(Debug)]
pub(crate) struct Direct {
    rtp_tuple: Tuple,
    pub(crate) max_send_message_size: u32,
    pub(crate) max_receive_message_size: u32,
    /// What the driver had no room for.
    pub(crate) sends_refused: u64,
}

impl Direct {
    pub(crate) fn new(command: &CreateDirectTransport, sockets: &[ListenSocket]) -> Result<Self, Failure> {
        let missing = || Failure::new(ErrorCode::Unsupported, "this driver has no direct transports");
        let socket = sockets.first().ok_or_else(missing)?.socket;
        Ok(Self {
            rtp_tuple: Tuple::direct_rtp(socket),
            max_send_message_size: command.max_send_message_size,
            max_receive_message_size: command.max_receive_message_size,
            sends_refused: 0,
        })
    }

    pub(super) fn warm(&self) {
        sys::prefetch(&self.rtp_tuple);
    }

    pub(crate) fn socket(&self) -> SocketId {
        self.rtp_tuple.socket
    }

    pub(crate) fn rtp_tuple(&self) -> Tuple {
        self.rtp_tuple
    }

    pub(crate) fn rtcp_tuple(&self) -> Tuple {
        Tuple::direct_rtcp(self.socket())
    }

    pub(crate) fn tuples(&self) -> [Tuple; 2] {
        [self.rtp_tuple(), self.rtcp_tuple()]
    }

    /// Sees to it that what came is what the application says it is.
    pub(crate) fn check(&self, tuple: Tuple, kind: Kind) -> Result<(), DropReason> {
        let (expected, reason) = if tuple == self.rtp_tuple {
            (Kind::Rtp, DropReason::MalformedRtp)
        } else {
            (Kind::Rtcp, DropReason::MalformedRtcp)
        };
        if kind == expected { Ok(()) } else { Err(reason) }
    }
}
