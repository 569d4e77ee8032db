//! Whose a datagram is: by the tuple it came over, or for an ICE check by its socket, since each socket is of one Transport.

use hashbrown::HashMap;

use crate::router::{RouterKey, TransportKey};
use crate::{SocketId, Tuple};

/// Where a Transport is in the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TransportAt {
    pub(crate) router: RouterKey,
    pub(crate) transport: TransportKey,
}

/// The tables. Each entry belongs to a Transport, which bounds them: 8 tuples and its sockets.
#[derive(Debug, Default)]
pub(crate) struct Paths {
    tuples: HashMap<Tuple, TransportAt>,
    sockets: HashMap<SocketId, TransportAt>,
}

impl Paths {
    pub(crate) fn by_tuple(&self, tuple: Tuple) -> Option<TransportAt> {
        self.tuples.get(&tuple).copied()
    }

    pub(crate) fn by_socket(&self, socket: SocketId) -> Option<TransportAt> {
        self.sockets.get(&socket).copied()
    }

    pub(crate) fn add_tuple(&mut self, tuple: Tuple, at: TransportAt) {
        self.tuples.insert(tuple, at);
    }

    pub(crate) fn remove_tuple(&mut self, tuple: Tuple) {
        self.tuples.remove(&tuple);
    }

    pub(crate) fn add_socket(&mut self, socket: SocketId, at: TransportAt) {
        self.sockets.insert(socket, at);
    }

    pub(crate) fn remove_socket(&mut self, socket: SocketId) {
        self.sockets.remove(&socket);
    }
}
