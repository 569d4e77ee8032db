//! Where a WebRtcTransport can be reached: over its own sockets or its WebRtcServer's, and over connections that they accepted.

use std::sync::Arc;

use hashbrown::HashMap;
use mafalda_api::id::WebRtcServerId;
use mafalda_api::socket::SocketDump;
use mafalda_api::types::data_structures::{IceCandidate, TransportTuple};

use super::listening::{Listening, Preference};
use crate::{SocketId, Tuple};

/// Connections that one Transport has open. A peer needs one or two; each costs a file descriptor of the process, so strangers
/// must not hold more of them, nor keep the peer out.
pub(crate) const CONNECTIONS_MAX: usize = 32;

/// A Transport's sockets.
#[derive(Debug)]
pub(crate) struct Endpoints {
    listening: Listening,
    /// Whose the listening sockets are, if not its own.
    server: Option<WebRtcServerId>,
    /// Accepted connections, and the listener of each. Those of a WebRtcServer have passed a check, so that ICE's table of
    /// tuples bounds them.
    connections: HashMap<SocketId, SocketId>,
    candidates: Arc<[IceCandidate]>,
}

impl Endpoints {
    /// With listening sockets of its own.
    pub(crate) fn own(listening: Listening, preference: Preference) -> Self {
        let candidates = listening.candidates(preference);
        Self { listening, server: None, connections: HashMap::new(), candidates }
    }

    /// With those of a WebRtcServer, and candidates made of them.
    pub(crate) fn shared(
        server: WebRtcServerId,
        listening: Listening,
        candidates: Arc<[IceCandidate]>,
    ) -> Self {
        Self { listening, server: Some(server), connections: HashMap::new(), candidates }
    }

    pub(crate) fn candidates(&self) -> &Arc<[IceCandidate]> {
        &self.candidates
    }

    /// The WebRtcServer whose sockets it uses.
    pub(crate) fn server(&self) -> Option<WebRtcServerId> {
        self.server
    }

    /// Takes note of a connection that one of its own listeners accepted. One too many takes the place of the oldest that ICE
    /// doesn't use, which is returned.
    pub(crate) fn on_accepted(
        &mut self,
        listener: SocketId,
        connection: SocketId,
        in_use: impl Fn(SocketId) -> bool,
    ) -> Option<SocketId> {
        let full = self.connections.len() >= CONNECTIONS_MAX;
        // Sockets are numbered in the order in which they are made.
        let idle = self.connections.keys().copied().filter(|socket| full && !in_use(*socket)).min();
        if let Some(idle) = idle {
            self.connections.remove(&idle);
        }
        self.connections.insert(connection, listener);
        idle
    }

    /// Takes over a connection of its WebRtcServer, which has passed a check.
    pub(crate) fn adopt(&mut self, listener: SocketId, connection: SocketId) {
        self.connections.insert(connection, listener);
    }

    /// Forgets a connection; `true` if there was one.
    pub(crate) fn remove_connection(&mut self, connection: SocketId) -> bool {
        self.connections.remove(&connection).is_some()
    }

    /// All that are its own: listening ones and connections.
    pub(crate) fn sockets(&self) -> impl Iterator<Item = SocketId> {
        let listening = self.listening.sockets().filter(|_| self.server.is_none());
        listening.chain(self.connections.keys().copied())
    }

    /// What its own listening sockets are.
    pub(crate) fn dump_sockets(&self) -> Vec<SocketDump> {
        if self.server.is_none() { self.listening.dump() } else { Vec::new() }
    }

    /// The tuple as applications know it; `None` for one that is over another's socket.
    pub(crate) fn describe(&self, tuple: Tuple) -> Option<TransportTuple> {
        let socket = self.connections.get(&tuple.socket).copied().unwrap_or(tuple.socket);
        Some(self.listening.get(socket)?.describe(Some(tuple)))
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use mafalda_api::types::data_structures::{IceCandidateTcpType, ListenInfo, Protocol};

    use super::*;
    use crate::transport::Wanted;
    use crate::worker::{ListenSocket, SocketBuffers};

    const BOTH: Preference = Preference { udp: Wanted::First, tcp: Wanted::Yes };

    fn listening() -> Listening {
        let local = SocketAddr::from(([10, 0, 0, 1], 4000));
        let socket = ListenSocket { socket: SocketId(3), info: 0, local, buffers: SocketBuffers::default() };
        Listening::new(&[ListenInfo::of_place(Protocol::Tcp)], &[socket])
    }

    #[test]
    fn a_connection_is_described_as_its_listener() {
        let mut endpoints = Endpoints::own(listening(), BOTH);
        endpoints.on_accepted(SocketId(3), SocketId(9), |_| false);
        let tuple = Tuple { socket: SocketId(9), remote: SocketAddr::from(([10, 0, 0, 2], 5000)) };
        let described = endpoints.describe(tuple).unwrap();
        assert_eq!((described.local_port(), described.protocol()), (4000, Protocol::Tcp));
        assert_eq!(endpoints.candidates()[0].tcp_type, Some(IceCandidateTcpType::Passive));
        assert!(endpoints.remove_connection(SocketId(9)) && !endpoints.remove_connection(SocketId(9)));
    }

    #[test]
    fn one_connection_too_many_takes_the_place_of_the_oldest_that_is_not_in_use() {
        let mut endpoints = Endpoints::own(listening(), BOTH);
        let in_use = |socket: SocketId| socket.0 < 12;
        let taken = (10..10 + CONNECTIONS_MAX as u32)
            .filter_map(|socket| endpoints.on_accepted(SocketId(3), SocketId(socket), in_use));
        assert_eq!(taken.count(), 0);
        assert_eq!(endpoints.on_accepted(SocketId(3), SocketId(100), in_use), Some(SocketId(12)));
        assert_eq!(endpoints.on_accepted(SocketId(3), SocketId(101), in_use), Some(SocketId(13)));
        assert_eq!(endpoints.connections.len(), CONNECTIONS_MAX);
    }

    #[test]
    fn a_servers_sockets_are_not_the_transports_own_but_for_connections_that_it_took_over() {
        let server = WebRtcServerId::new();
        let candidates = listening().candidates(BOTH);
        let mut endpoints = Endpoints::shared(server, listening(), candidates);
        assert_eq!((endpoints.server(), endpoints.sockets().count()), (Some(server), 0));
        endpoints.adopt(SocketId(3), SocketId(9));
        assert!(endpoints.sockets().eq([SocketId(9)]));
        let tuple = Tuple { socket: SocketId(9), remote: SocketAddr::from(([10, 0, 0, 2], 5000)) };
        assert_eq!(endpoints.describe(tuple).map(|it| it.local_port()), Some(4000));
        assert!(Endpoints::own(listening(), BOTH).sockets().eq([SocketId(3)]));
    }
}
