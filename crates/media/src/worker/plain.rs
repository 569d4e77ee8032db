//! PlainTransports in a Worker: they are created and told who their peer is, or learn it.

use mafalda_api::waist::{
    ConnectPlainTransport, CreatePlainTransport, Done, Event, Failure, Origin, PlainConnection,
};

use super::paths::SocketOwner;
use super::{ListenSocket, TransportAt, Worker};
use crate::Tuple;
use crate::transport::{Channel, Settled, Transport};

impl Worker {
    pub(super) fn create_plain_transport(
        &mut self,
        command: &CreatePlainTransport,
        origin: Origin,
        sockets: &[ListenSocket],
    ) -> Result<Done, Failure> {
        if self.transports.contains_key(&command.id) {
            return Err(Failure::already_exists(command.id));
        }
        let key = self.router_key(command.router)?;
        let router = self.routers.get_mut(key).ok_or_else(|| Failure::not_found(command.router))?;
        let turn = &mut self.turn;
        let transport = Transport::plain(turn, command, origin, sockets)?;
        turn.effects.tell(Event::Appeared(transport.state(command.router)));
        let transport = router.add_transport(turn, transport);
        self.remember(TransportAt { router: key, transport });
        Ok(Done)
    }

    pub(super) fn connect_plain(&mut self, command: &ConnectPlainTransport) -> Result<Done, Failure> {
        let id = command.id;
        let at = self.transport_at(id)?;
        let (router, turn, paths) = self.split(at).ok_or_else(|| Failure::not_found(id))?;
        let transport = router.transports.get_mut(at.transport).ok_or_else(|| Failure::not_found(id))?;
        let was_open = transport.is_open();
        let plain = transport.as_plain_mut().ok_or_else(|| Failure::not_found(id))?;
        let protection = plain.connect(command, &mut turn.rng)?;
        plain.tuples().for_each(|tuple| paths.add_tuple(tuple, at));
        let connection = PlainConnection {
            tuple: plain.describe_rtp(),
            rtcp_tuple: plain.describe_rtcp(),
            srtp_parameters: plain.srtp_parameters(),
        };
        turn.effects.tell(Event::PlainTransportConnected { id, connection: Box::new(connection) });
        transport.protection = protection;
        self.on_plain_progress(at, was_open);
        Ok(Done)
    }

    /// The Transport whose peer a stranger may turn out to be.
    pub(super) fn newcomer(&self, tuple: Tuple, channel: Channel) -> Option<TransportAt> {
        let Some(SocketOwner::Transport(at)) = self.paths.owner(tuple.socket) else { return None };
        let plain = self.routers.get(at.router)?.transports.get(at.transport)?.as_plain()?;
        plain.may_learn(tuple.socket, channel).then_some(at)
    }

    /// Takes the sender of a valid packet as the peer of a PlainTransport, if it waits for one.
    pub(super) fn learn(&mut self, tuple: Tuple, channel: Channel, at: TransportAt) {
        let Some((router, turn, paths)) = self.split(at) else { return };
        let Some(transport) = router.transports.get_mut(at.transport) else { return };
        let (id, was_open) = (transport.id, transport.is_open());
        let Some(plain) = transport.as_plain_mut() else { return };
        if !plain.learn(tuple, channel) {
            return;
        }
        paths.add_tuple(tuple, at);
        if plain.rtp_tuple() == Some(tuple) {
            turn.effects.tell(Event::TupleChanged { id, tuple: plain.describe_rtp() });
        } else if let Some(tuple) = plain.describe_rtcp() {
            turn.effects.tell(Event::RtcpTupleChanged { id, tuple });
        }
        self.on_plain_progress(at, was_open);
    }

    /// More is known of the peer. Media begin when it is enough, and are not begun again by what comes later, such as the address
    /// of RTCP: video would wait for another key frame.
    fn on_plain_progress(&mut self, at: TransportAt, was_open: bool) {
        let Some((router, turn, _)) = self.split(at) else { return };
        let Some(transport) = router.transports.get_mut(at.transport) else { return };
        let connected = !was_open && transport.is_open();
        if connected {
            transport.begin_reports(turn.now);
        }
        router.on_settled(turn, at.transport, Settled { connected, reachable: false });
    }
}
