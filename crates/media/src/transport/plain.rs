//! What only a PlainTransport has: one socket or two, and a peer that the application names, or that names itself by its first
//! packet (comedia).

use mafalda_api::socket::SocketDump;
use mafalda_api::types::data_structures::TransportTuple;
use mafalda_api::types::srtp_parameters::SrtpParameters;
use mafalda_api::waist::{ConnectPlainTransport, CreatePlainTransport, ErrorCode, Failure};
use rand::rngs::StdRng;

use super::listening::Endpoint;
use super::protection::{KeyText, Protection};
use crate::demux::Kind;
use crate::worker::ListenSocket;
use crate::worker::drops::DropReason;
use crate::{SocketId, Tuple, sys};

/// Which packets a socket takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    Rtp,
    Rtcp,
}

impl Channel {
    /// Of a datagram; `None` for what a PlainTransport doesn't speak.
    #[inline]
    pub(crate) fn of(kind: Kind) -> Option<Self> {
        match kind {
            Kind::Rtp => Some(Self::Rtp),
            Kind::Rtcp => Some(Self::Rtcp),
            Kind::Dtls | Kind::Stun => None,
        }
    }
}

/// A PlainTransport's way to its peer.
#[derive(Debug)]
pub(crate) struct Plain {
    rtp: Endpoint,
    /// `None`: RTCP comes with RTP.
    rtcp: Option<Endpoint>,
    comedia: bool,
    connected: bool,
    rtp_tuple: Option<Tuple>,
    rtcp_tuple: Option<Tuple>,
    /// Our key, where packets are protected. Whoever connects may choose another suite, and gets another key.
    local_key: Option<Box<KeyText>>,
}

impl Plain {
    /// One with a socket for each of its listen infos: RTP first, then RTCP.
    pub(crate) fn new(
        command: &CreatePlainTransport,
        sockets: &[ListenSocket],
        rng: &mut StdRng,
    ) -> Result<Self, Failure> {
        let endpoint = |index: usize| {
            let socket = sockets.iter().find(|socket| socket.info == index)?;
            command.listen_infos.get(index).map(|info| Endpoint::new(info, socket))
        };
        let missing =
            || invalid("a PlainTransport listens for UDP: on one address, and without rtcp_mux on two");
        Ok(Self {
            rtp: endpoint(0).ok_or_else(missing)?,
            rtcp: if command.rtcp_mux { None } else { Some(endpoint(1).ok_or_else(missing)?) },
            comedia: command.comedia,
            connected: false,
            rtp_tuple: None,
            rtcp_tuple: None,
            local_key: command.srtp_crypto_suite.map(|suite| Box::new(KeyText::draw(suite, rng))),
        })
    }

    /// What its packets are protected with before anybody has connected.
    pub(crate) fn first_protection(&self) -> Protection {
        if self.local_key.is_some() { Protection::Awaited } else { Protection::Absent }
    }

    /// Takes over what the application says of the peer, once; what packets are protected with from now on.
    pub(crate) fn connect(
        &mut self,
        command: &ConnectPlainTransport,
        rng: &mut StdRng,
    ) -> Result<Protection, Failure> {
        if self.connected {
            return Err(Failure::new(ErrorCode::WrongState, "connect() was called before"));
        }
        let tuples = self.check_addresses(command)?;
        let protection = match (&self.local_key, &command.srtp_parameters) {
            (None, None) => Protection::Absent,
            (Some(_), Some(remote)) => self.exchange(remote, rng)?,
            (Some(_), None) => return Err(invalid("srtp_parameters are missing: SRTP is enabled")),
            (None, Some(_)) => return Err(invalid("srtp_parameters are given, but SRTP is not enabled")),
        };
        if let Some((rtp, rtcp)) = tuples {
            (self.rtp_tuple, self.rtcp_tuple) = (Some(rtp), rtcp);
        }
        self.connected = true;
        Ok(protection)
    }

    /// The tuples of the peer that is named; `None` where it is to name itself.
    fn check_addresses(
        &self,
        command: &ConnectPlainTransport,
    ) -> Result<Option<(Tuple, Option<Tuple>)>, Failure> {
        if self.comedia {
            let named = command.ip.is_some() || command.port.is_some() || command.rtcp_port.is_some();
            let refusal = "comedia learns the peer's address: ip, port and rtcp_port must not be given";
            return if named { Err(invalid(refusal)) } else { Ok(None) };
        }
        let ip = command.ip.ok_or_else(|| invalid("ip is missing"))?;
        let port = command.port.ok_or_else(|| invalid("port is missing"))?;
        // Nobody can be reached there, and some systems take it for themselves.
        if ip.is_unspecified() || port == 0 || command.rtcp_port == Some(0) {
            return Err(invalid("ip and ports must name the peer: they must not be 0"));
        }
        if ip.is_ipv4() != self.rtp.local.is_ipv4() {
            return Err(invalid("ip is of another family than the address that this transport listens on"));
        }
        let to = |endpoint: &Endpoint, port| Tuple { socket: endpoint.socket, remote: (ip, port).into() };
        let rtcp = match (&self.rtcp, command.rtcp_port) {
            (None, None) => None,
            (Some(endpoint), Some(port)) => Some(to(endpoint, port)),
            (Some(_), None) => return Err(invalid("rtcp_port is missing: RTCP has a port of its own")),
            (None, Some(_)) => return Err(invalid("rtcp_port is given, but RTCP comes with RTP")),
        };
        Ok(Some((to(&self.rtp, port), rtcp)))
    }

    /// Both keys are there: ours of the suite that the peer has chosen.
    fn exchange(&mut self, remote: &SrtpParameters, rng: &mut StdRng) -> Result<Protection, Failure> {
        let suite = remote.crypto_suite;
        let theirs = KeyText::parse(remote)?;
        if self.local_key.as_ref().is_some_and(|ours| ours.is_same_as(&theirs)) {
            // RFC 3711 §9.1: two senders with one key use nonces twice.
            return Err(invalid("the peer's key is ours: each direction needs its own"));
        }
        let ours = self.local_key.as_mut().filter(|ours| ours.suite() == suite);
        let ours = match ours {
            Some(ours) => ours,
            None => self.local_key.insert(Box::new(KeyText::draw(suite, rng))),
        };
        Protection::new(ours, &theirs)
    }

    pub(super) fn warm(&self) {
        sys::prefetch(&self.rtp_tuple);
    }

    pub(crate) fn rtp_tuple(&self) -> Option<Tuple> {
        self.rtp_tuple
    }

    pub(crate) fn rtcp_tuple(&self) -> Option<Tuple> {
        if self.rtcp.is_some() { self.rtcp_tuple } else { self.rtp_tuple }
    }

    pub(crate) fn tuples(&self) -> impl Iterator<Item = Tuple> {
        self.rtp_tuple.into_iter().chain(self.rtcp_tuple)
    }

    pub(crate) fn sockets(&self) -> impl Iterator<Item = SocketId> {
        std::iter::once(self.rtp.socket).chain(self.rtcp.as_ref().map(|rtcp| rtcp.socket))
    }

    /// What its sockets are.
    pub(crate) fn dump_sockets(&self) -> Vec<SocketDump> {
        [Some(&self.rtp), self.rtcp.as_ref()].into_iter().flatten().map(Endpoint::dump).collect()
    }

    /// Whether a stranger's packet may name the peer here: nobody has yet, and the packet came where it belongs.
    pub(crate) fn may_learn(&self, socket: SocketId, channel: Channel) -> bool {
        self.slot(socket, channel).is_some_and(|tuple| tuple.is_none()) && self.comedia
    }

    /// Sees to it that the datagram is of a kind that belongs on this socket.
    #[inline]
    pub(crate) fn check(&self, socket: SocketId, kind: Kind) -> Result<(), DropReason> {
        let channel = Channel::of(kind).ok_or(DropReason::UnexpectedDtls)?;
        let belongs = self.rtcp.is_none() || (socket == self.rtp.socket) == (channel == Channel::Rtp);
        if belongs { Ok(()) } else { Err(DropReason::UnknownTuple) }
    }

    fn slot(&self, socket: SocketId, channel: Channel) -> Option<&Option<Tuple>> {
        match (&self.rtcp, channel) {
            (Some(rtcp), Channel::Rtcp) => (rtcp.socket == socket).then_some(&self.rtcp_tuple),
            _ => (self.rtp.socket == socket).then_some(&self.rtp_tuple),
        }
    }

    /// Takes the sender of a valid packet as the peer; whether it is news.
    pub(crate) fn learn(&mut self, tuple: Tuple, channel: Channel) -> bool {
        let learns = self.may_learn(tuple.socket, channel);
        if learns && self.rtcp.is_some() && channel == Channel::Rtcp {
            self.rtcp_tuple = Some(tuple);
        } else if learns {
            self.rtp_tuple = Some(tuple);
        }
        learns
    }

    /// The tuple of RTP as applications know it.
    pub(crate) fn describe_rtp(&self) -> TransportTuple {
        self.rtp.describe(self.rtp_tuple)
    }

    /// The tuple of RTCP, where it has one of its own.
    pub(crate) fn describe_rtcp(&self) -> Option<TransportTuple> {
        self.rtcp.as_ref().map(|rtcp| rtcp.describe(self.rtcp_tuple))
    }

    pub(crate) fn srtp_parameters(&self) -> Option<SrtpParameters> {
        self.local_key.as_ref().map(|key| key.to_parameters())
    }

    pub(crate) fn rtcp_mux(&self) -> bool {
        self.rtcp.is_none()
    }

    pub(crate) fn comedia(&self) -> bool {
        self.comedia
    }
}

fn invalid(detail: &str) -> Failure {
    Failure::new(ErrorCode::InvalidArgument, detail)
}

#[cfg(test)]
mod tests;
