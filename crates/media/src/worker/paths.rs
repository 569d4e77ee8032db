//! Whose a datagram is: by the tuple it came over, or for an ICE check from an unknown one by its socket. A socket is of one
//! Transport, or of a WebRtcServer; then the check names the Transport by its username fragment.

use hashbrown::HashMap;
use mafalda_api::id::WebRtcServerId;
use rand::rngs::StdRng;

use crate::ice::{IceLite, UsernameFragment};
use crate::router::{RouterKey, TransportKey};
use crate::{SocketId, Tuple};

/// Where a Transport is in the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TransportAt {
    pub(crate) router: RouterKey,
    pub(crate) transport: TransportKey,
}

/// Whose a socket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SocketOwner {
    /// Of one Transport: a socket that was made for it, or a connection of its peer.
    Transport(TransportAt),
    /// Of a WebRtcServer: a listening socket, or a connection that has not passed a check.
    Server(WebRtcServerId),
}

/// The tables. Each entry belongs to a Transport, which bounds them: 8 tuples, 2 names and its sockets; or to a WebRtcServer,
/// which bounds its sockets.
///
/// Nothing is entered for a packet that knows no password: tuples and names come from the agents of ICE.
#[derive(Debug, Default)]
pub(crate) struct Paths {
    tuples: HashMap<Tuple, TransportAt>,
    sockets: HashMap<SocketId, SocketOwner>,
    /// Unlike in the whole Worker, so that a Transport can come to any of its WebRtcServers.
    names: HashMap<UsernameFragment, TransportAt>,
}

impl Paths {
    pub(crate) fn by_tuple(&self, tuple: Tuple) -> Option<TransportAt> {
        self.tuples.get(&tuple).copied()
    }

    /// The Transport that has this name, or had it before its last restart.
    pub(crate) fn by_name(&self, username_fragment: &[u8]) -> Option<TransportAt> {
        self.names.get(username_fragment).copied()
    }

    pub(crate) fn owner(&self, socket: SocketId) -> Option<SocketOwner> {
        self.sockets.get(&socket).copied()
    }

    /// A tuple is of whom it led to first, until that one gives it up.
    pub(crate) fn add_tuple(&mut self, tuple: Tuple, at: TransportAt) {
        self.tuples.entry(tuple).or_insert(at);
    }

    pub(crate) fn remove_tuple(&mut self, tuple: Tuple, at: TransportAt) {
        if self.by_tuple(tuple) == Some(at) {
            self.tuples.remove(&tuple);
        }
    }

    /// Draws credentials anew until nobody else here has their name: checks are led by it. With 190 random bits that is once
    /// in longer than anybody waits; but who is led wrong is let in nowhere, so it is not left to chance.
    pub(crate) fn draw_unlike(&self, ice: &mut IceLite, rng: &mut StdRng) {
        while self.by_name(ice.local().username_fragment.as_bytes()).is_some() {
            ice.redraw(rng);
        }
    }

    pub(crate) fn add_name(&mut self, name: UsernameFragment, at: TransportAt) {
        self.names.insert(name, at);
    }

    pub(crate) fn remove_name(&mut self, name: UsernameFragment) {
        self.names.remove(&name);
    }

    pub(crate) fn set_owner(&mut self, socket: SocketId, owner: SocketOwner) {
        self.sockets.insert(socket, owner);
    }

    pub(crate) fn remove_socket(&mut self, socket: SocketId) {
        self.sockets.remove(&socket);
    }

    /// How many entries each table has: tuples, sockets, names.
    #[cfg(test)]
    pub(crate) fn sizes(&self) -> [usize; 3] {
        [self.tuples.len(), self.sockets.len(), self.names.len()]
    }
}
