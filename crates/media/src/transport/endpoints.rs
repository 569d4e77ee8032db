//! Where a WebRtcTransport can be reached: its sockets, the candidates made of them, and what a tuple is called outside.

use std::net::SocketAddr;

use hashbrown::HashMap;
use mafalda_api::types::data_structures::{
    IceCandidate, IceCandidateTcpType, IceCandidateType, ListenInfo, Protocol, TransportTuple,
};

use crate::ice::candidate;
use crate::worker::ListenSocket;
use crate::{SocketId, Tuple};

/// One listening socket.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    pub(super) socket: SocketId,
    protocol: Protocol,
    pub(super) local: SocketAddr,
    announced: Option<String>,
}

impl Endpoint {
    pub(super) fn new(info: &ListenInfo, socket: &ListenSocket) -> Self {
        Self {
            socket: socket.socket,
            protocol: info.protocol,
            local: socket.local,
            announced: info.announced_address.clone(),
        }
    }

    /// A tuple of this socket as applications know it, with the announced address where there is one.
    pub(super) fn describe(&self, tuple: Option<Tuple>) -> TransportTuple {
        let local_address = self.announced.clone().unwrap_or_else(|| self.local.ip().to_string());
        let (local_port, protocol) = (self.local.port(), self.protocol);
        match tuple.map(|tuple| tuple.remote) {
            Some(remote) => TransportTuple::WithRemote {
                local_address,
                local_port,
                remote_ip: remote.ip(),
                remote_port: remote.port(),
                protocol,
            },
            None => TransportTuple::LocalOnly { local_address, local_port, protocol },
        }
    }
}

/// Connections that one Transport has open. A peer needs one or two; each costs a file descriptor of the process, so strangers
/// must not hold more of them, nor keep the peer out.
pub(crate) const CONNECTIONS_MAX: usize = 32;

/// A Transport's sockets.
#[derive(Debug)]
pub(crate) struct Endpoints {
    listening: Vec<Endpoint>,
    /// Accepted connections, and the listener of each.
    connections: HashMap<SocketId, SocketId>,
    candidates: Vec<IceCandidate>,
}

/// Which protocol's candidates are told to be better.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Preference {
    pub(crate) udp: bool,
    pub(crate) tcp: bool,
}

impl Endpoints {
    pub(crate) fn new(infos: &[ListenInfo], sockets: &[ListenSocket], preference: Preference) -> Self {
        let mut endpoints =
            Self { listening: Vec::new(), connections: HashMap::new(), candidates: Vec::new() };
        for socket in sockets {
            let Some(info) = infos.get(socket.info) else { continue };
            endpoints.listening.push(Endpoint::new(info, socket));
            endpoints.add_candidates(info, socket, preference);
        }
        endpoints
    }

    fn add_candidates(&mut self, info: &ListenInfo, socket: &ListenSocket, preference: Preference) {
        let preferred = match info.protocol {
            Protocol::Udp => preference.udp,
            Protocol::Tcp => preference.tcp,
        };
        let local_preference = candidate::local_preference(socket.info, preferred);
        let internal = socket.local.ip().to_string();
        let announced = info.announced_address.clone().unwrap_or_else(|| internal.clone());
        let exposes = info.expose_internal_ip && announced != internal;
        self.candidates.push(candidate_of(info, socket, announced, candidate::priority(local_preference)));
        if exposes {
            let priority = candidate::internal_priority(local_preference);
            self.candidates.push(candidate_of(info, socket, internal, priority));
        }
    }

    pub(crate) fn candidates(&self) -> &[IceCandidate] {
        &self.candidates
    }

    /// Takes note of a connection that one of the listeners accepted. One too many takes the place of the oldest that ICE doesn't
    /// use, which is returned.
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

    /// Forgets a connection; `true` if there was one.
    pub(crate) fn remove_connection(&mut self, connection: SocketId) -> bool {
        self.connections.remove(&connection).is_some()
    }

    /// All sockets: listening ones and connections.
    pub(crate) fn sockets(&self) -> impl Iterator<Item = SocketId> {
        self.listening.iter().map(|endpoint| endpoint.socket).chain(self.connections.keys().copied())
    }

    /// The tuple as applications know it; `None` for one that is over another's socket.
    pub(crate) fn describe(&self, tuple: Tuple) -> Option<TransportTuple> {
        let socket = self.connections.get(&tuple.socket).copied().unwrap_or(tuple.socket);
        let endpoint = self.listening.iter().find(|endpoint| endpoint.socket == socket)?;
        Some(endpoint.describe(Some(tuple)))
    }
}

fn candidate_of(info: &ListenInfo, socket: &ListenSocket, address: String, priority: u32) -> IceCandidate {
    let (protocol, tcp_type) = match info.protocol {
        Protocol::Udp => (candidate::Protocol::Udp, None),
        Protocol::Tcp => (candidate::Protocol::Tcp, Some(IceCandidateTcpType::Passive)),
    };
    IceCandidate {
        foundation: candidate::foundation(protocol).to_owned(),
        priority,
        address,
        protocol: info.protocol,
        port: socket.local.port(),
        r#type: IceCandidateType::Host,
        tcp_type,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints(info: &ListenInfo) -> Endpoints {
        let socket =
            ListenSocket { socket: SocketId(3), info: 0, local: SocketAddr::from(([10, 0, 0, 1], 4000)) };
        Endpoints::new(std::slice::from_ref(info), &[socket], Preference { udp: true, tcp: false })
    }

    #[test]
    fn an_exposed_internal_address_is_a_second_candidate_of_lower_priority() {
        let info = ListenInfo {
            announced_address: Some("1.2.3.4".into()),
            expose_internal_ip: true,
            ..ListenInfo::of_place(Protocol::Udp)
        };
        let endpoints = endpoints(&info);
        let told: Vec<_> =
            endpoints.candidates().iter().map(|candidate| candidate.address.as_str()).collect();
        assert_eq!(told, ["1.2.3.4", "10.0.0.1"]);
        assert!(endpoints.candidates()[0].priority > endpoints.candidates()[1].priority);
    }

    #[test]
    fn a_connection_is_described_as_its_listener() {
        let mut endpoints = endpoints(&ListenInfo::of_place(Protocol::Tcp));
        endpoints.on_accepted(SocketId(3), SocketId(9), |_| false);
        let tuple = Tuple { socket: SocketId(9), remote: SocketAddr::from(([10, 0, 0, 2], 5000)) };
        let described = endpoints.describe(tuple).unwrap();
        assert_eq!((described.local_port(), described.protocol()), (4000, Protocol::Tcp));
        assert_eq!(endpoints.candidates()[0].tcp_type, Some(IceCandidateTcpType::Passive));
        assert!(endpoints.remove_connection(SocketId(9)) && !endpoints.remove_connection(SocketId(9)));
    }

    #[test]
    fn one_connection_too_many_takes_the_place_of_the_oldest_that_is_not_in_use() {
        let mut endpoints = endpoints(&ListenInfo::of_place(Protocol::Tcp));
        let in_use = |socket: SocketId| socket.0 < 12;
        let taken = (10..10 + CONNECTIONS_MAX as u32)
            .filter_map(|socket| endpoints.on_accepted(SocketId(3), SocketId(socket), in_use));
        assert_eq!(taken.count(), 0);
        assert_eq!(endpoints.on_accepted(SocketId(3), SocketId(100), in_use), Some(SocketId(12)));
        assert_eq!(endpoints.on_accepted(SocketId(3), SocketId(101), in_use), Some(SocketId(13)));
        assert_eq!(endpoints.connections.len(), CONNECTIONS_MAX);
    }
}
