//! Listening sockets, of one Transport or of a WebRtcServer, the candidates made of them, and what a tuple is called outside.

use std::net::SocketAddr;
use std::sync::Arc;

use mafalda_api::socket::SocketDump;
use mafalda_api::types::data_structures::{
    IceCandidate, IceCandidateTcpType, IceCandidateType, ListenInfo, Protocol, TransportTuple,
};

use crate::ice::candidate;
use crate::worker::{ListenSocket, SocketBuffers};
use crate::{SocketId, Tuple};

/// One listening socket.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    pub(super) socket: SocketId,
    protocol: Protocol,
    pub(super) local: SocketAddr,
    announced: Option<String>,
    /// Its place among the listen infos: the first is preferred.
    rank: usize,
    /// Whether its own address is offered beside the announced one.
    exposed: bool,
    buffers: SocketBuffers,
}

/// Listening sockets. Clones share them: all Transports of a WebRtcServer have the same.
#[derive(Clone, Debug)]
pub(crate) struct Listening(Arc<[Endpoint]>);

/// What a Transport wants of a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Wanted {
    /// No candidates of it.
    No,
    /// As good as any other.
    Yes,
    /// Its candidates are told to be better.
    First,
}

/// What a Transport wants of each protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Preference {
    pub(crate) udp: Wanted,
    pub(crate) tcp: Wanted,
}

impl Wanted {
    pub(crate) fn new(enabled: bool, preferred: bool) -> Self {
        match (enabled, preferred) {
            (false, _) => Self::No,
            (true, false) => Self::Yes,
            (true, true) => Self::First,
        }
    }
}

impl Listening {
    pub(crate) fn new(infos: &[ListenInfo], sockets: &[ListenSocket]) -> Self {
        let endpoints = sockets.iter().filter_map(|socket| Some((socket, infos.get(socket.info)?)));
        Self(endpoints.map(|(socket, info)| Endpoint::new(info, socket)).collect())
    }

    pub(super) fn get(&self, socket: SocketId) -> Option<&Endpoint> {
        self.0.iter().find(|endpoint| endpoint.socket == socket)
    }

    pub(crate) fn sockets(&self) -> impl Iterator<Item = SocketId> {
        self.0.iter().map(|endpoint| endpoint.socket)
    }

    /// Where it listens for a protocol.
    pub(crate) fn addresses(&self, protocol: Protocol) -> impl Iterator<Item = SocketAddr> {
        self.0.iter().filter(move |endpoint| endpoint.protocol == protocol).map(|endpoint| endpoint.local)
    }

    pub(crate) fn dump(&self) -> Vec<SocketDump> {
        self.0.iter().map(Endpoint::dump).collect()
    }

    pub(crate) fn candidates(&self, preference: Preference) -> Arc<[IceCandidate]> {
        self.0.iter().flat_map(|endpoint| endpoint.candidates(preference)).collect()
    }
}

impl Endpoint {
    pub(super) fn new(info: &ListenInfo, socket: &ListenSocket) -> Self {
        Self {
            socket: socket.socket,
            protocol: info.protocol,
            local: socket.local,
            announced: info.announced_address.clone(),
            rank: socket.info,
            exposed: info.expose_internal_ip,
            buffers: socket.buffers,
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

    pub(super) fn dump(&self) -> SocketDump {
        SocketDump {
            protocol: self.protocol,
            ip: self.local.ip(),
            port: self.local.port(),
            send_buffer_size: self.buffers.send,
            recv_buffer_size: self.buffers.recv,
        }
    }

    fn candidates(&self, preference: Preference) -> impl Iterator<Item = IceCandidate> {
        let wanted = match self.protocol {
            Protocol::Udp => preference.udp,
            Protocol::Tcp => preference.tcp,
        };
        let local_preference = candidate::local_preference(self.rank, wanted == Wanted::First);
        let internal = self.local.ip().to_string();
        let announced = self.announced.clone().unwrap_or_else(|| internal.clone());
        let exposes = self.exposed && announced != internal;
        let told = self.candidate(announced, candidate::priority(local_preference));
        let internal =
            exposes.then(|| self.candidate(internal, candidate::internal_priority(local_preference)));
        let both = [Some(told), internal].into_iter().flatten();
        both.filter(move |_| wanted != Wanted::No)
    }

    fn candidate(&self, address: String, priority: u32) -> IceCandidate {
        let (protocol, tcp_type) = match self.protocol {
            Protocol::Udp => (candidate::Protocol::Udp, None),
            Protocol::Tcp => (candidate::Protocol::Tcp, Some(IceCandidateTcpType::Passive)),
        };
        IceCandidate {
            foundation: candidate::foundation(protocol).to_owned(),
            priority,
            address,
            protocol: self.protocol,
            port: self.local.port(),
            r#type: IceCandidateType::Host,
            tcp_type,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listening(infos: &[ListenInfo]) -> Listening {
        let socket = |info: usize| ListenSocket {
            socket: SocketId(3 + info as u32),
            info,
            local: SocketAddr::from(([10, 0, 0, 1], 4000 + info as u16)),
            buffers: SocketBuffers::default(),
        };
        Listening::new(infos, &(0..infos.len()).map(socket).collect::<Vec<_>>())
    }

    #[test]
    fn an_exposed_internal_address_is_a_second_candidate_of_lower_priority() {
        let info = ListenInfo {
            announced_address: Some("1.2.3.4".into()),
            expose_internal_ip: true,
            ..ListenInfo::of_place(Protocol::Udp)
        };
        let candidates = listening(&[info]).candidates(Preference { udp: Wanted::Yes, tcp: Wanted::No });
        let told: Vec<_> = candidates.iter().map(|candidate| candidate.address.as_str()).collect();
        assert_eq!(told, ["1.2.3.4", "10.0.0.1"]);
        assert!(candidates[0].priority > candidates[1].priority);
    }

    #[test]
    fn what_is_not_wanted_is_not_told_and_what_is_wanted_first_is_better() {
        let both = [Protocol::Tcp, Protocol::Udp].map(ListenInfo::of_place);
        let listening = listening(&both);
        let told = |udp, tcp| {
            let mut candidates = listening.candidates(Preference { udp, tcp }).to_vec();
            candidates.sort_by_key(|candidate| std::cmp::Reverse(candidate.priority));
            candidates.iter().map(|candidate| candidate.protocol).collect::<Vec<_>>()
        };
        assert_eq!(told(Wanted::Yes, Wanted::Yes), [Protocol::Tcp, Protocol::Udp]);
        assert_eq!(told(Wanted::First, Wanted::Yes), [Protocol::Udp, Protocol::Tcp]);
        assert_eq!(told(Wanted::No, Wanted::Yes), [Protocol::Tcp]);
        assert_eq!(told(Wanted::First, Wanted::No), [Protocol::Udp]);
        assert_eq!((Wanted::new(false, true), Wanted::new(true, true)), (Wanted::No, Wanted::First));
    }
}
