//! Whose a datagram is: by the tuple it came over, or for a first ICE check by the username in it.

use hashbrown::HashMap;

use crate::router::{RouterKey, TransportKey};
use crate::{SocketId, Tuple};

/// Where a Transport is in the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TransportAt {
    pub(crate) router: RouterKey,
    pub(crate) transport: TransportKey,
}

/// The tables. Each entry belongs to a Transport, which bounds them: 8 tuples, 2 usernames and its sockets.
#[derive(Debug, Default)]
pub(crate) struct Paths {
    tuples: HashMap<Tuple, TransportAt>,
    usernames: HashMap<Box<str>, TransportAt>,
    sockets: HashMap<SocketId, TransportAt>,
}

impl Paths {
    pub(crate) fn by_tuple(&self, tuple: Tuple) -> Option<TransportAt> {
        self.tuples.get(&tuple).copied()
    }

    /// The Transport with this local username fragment, if the socket is one of its own.
    pub(crate) fn by_username(&self, username_fragment: &str, socket: SocketId) -> Option<TransportAt> {
        let at = self.usernames.get(username_fragment).copied()?;
        (self.sockets.get(&socket) == Some(&at)).then_some(at)
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

    pub(crate) fn add_username(&mut self, username_fragment: &str, at: TransportAt) {
        self.usernames.insert(username_fragment.into(), at);
    }

    pub(crate) fn remove_username(&mut self, username_fragment: &str) {
        self.usernames.remove(username_fragment);
    }

    pub(crate) fn add_socket(&mut self, socket: SocketId, at: TransportAt) {
        self.sockets.insert(socket, at);
    }

    pub(crate) fn remove_socket(&mut self, socket: SocketId) {
        self.sockets.remove(&socket);
    }
}
