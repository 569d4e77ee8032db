//! What a Worker is given.

use std::net::SocketAddr;

use mafalda_api::id::{DataConsumerId, DataProducerId};
use mafalda_api::waist::{Audience, Call, DataMessage};

use crate::buffer::{Batch, Sender};
use crate::{SocketId, Tuple};

/// One thing that happened to a Worker. After each, `poll` until it gives `None`.
#[derive(Debug)]
pub enum Input {
    /// Datagrams came in; frames of TCP connections too, without their length prefix (RFC 4571).
    Datagrams(Batch),
    /// An operation. All of the waist's, but for `CreateWorker`.
    Call {
        /// Comes back in `Output::Reply`.
        request: u64,
        /// The operation.
        call: Box<Call>,
        /// The sockets that the driver made for it, in the order of its `listen_infos`; empty for most. A DirectTransport has one, which
        /// is a number and nothing more.
        sockets: Vec<ListenSocket>,
    },
    /// A peer connected to a TCP listener.
    Accepted {
        /// The listener.
        listener: SocketId,
        /// The connection: a socket number of its own and the peer's address.
        connection: Tuple,
    },
    /// A TCP connection ended by the peer or by an error.
    Disconnected {
        /// The connection's socket number.
        connection: SocketId,
    },
    /// Packets of a run could not be sent: the socket, or the connection, was full for too long.
    Unsent {
        /// Where they should have gone.
        tuple: Tuple,
        /// Whose.
        sender: Sender,
        /// How many.
        packets: u32,
    },
    /// The application of a DirectTransport sent a message.
    Message {
        /// The number of its end.
        socket: SocketId,
        /// Whose it is.
        data_producer: DataProducerId,
        /// The message.
        message: DataMessage,
        /// Whom it is for.
        audience: Audience,
    },
    /// The application of a DirectTransport did not take a message in time.
    MessageLost {
        /// Whose it was.
        data_consumer: DataConsumerId,
        /// How many bytes it had.
        bytes: usize,
    },
    /// The application of a DirectTransport sent what the driver had no room for.
    Refused {
        /// The number of its end.
        socket: SocketId,
        /// How often.
        sends: u64,
    },
    /// `timeout()` has come.
    Timeout,
}

/// A socket that the driver bound for a Transport or a WebRtcServer; of a DirectTransport the application's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenSocket {
    /// Its number, unique in this Worker for ever.
    pub socket: SocketId,
    /// Which of the operation's `listen_infos` asked for it; 0 where it has none.
    pub info: usize,
    /// The address that it is bound to; unspecified where it is none.
    pub local: SocketAddr,
    /// What the kernel gave it.
    pub buffers: SocketBuffers,
}

/// How many bytes may wait in the kernel, as it tells itself. Linux counts its bookkeeping in, and gives twice what it is asked
/// for (socket(7)). Zeros where nobody knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SocketBuffers {
    /// To be sent.
    pub send: u32,
    /// To be received.
    pub recv: u32,
}
