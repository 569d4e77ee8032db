//! PipeTransports in a Worker: they are created and told where the other end is.

use mafalda_api::waist::{ConnectPipeTransport, CreatePipeTransport, Done, Event, Failure, Origin};

use super::{ListenSocket, TransportAt, Worker};
use crate::transport::{Settled, Transport};

impl Worker {
    pub(super) fn create_pipe_transport(
        &mut self,
        command: &CreatePipeTransport,
        origin: Origin,
        sockets: &[ListenSocket],
    ) -> Result<Done, Failure> {
        if self.transports.contains_key(&command.id) {
            return Err(Failure::already_exists(command.id));
        }
        let key = self.router_key(command.router)?;
        let router = self.routers.get_mut(key).ok_or_else(|| Failure::not_found(command.router))?;
        let turn = &mut self.turn;
        let transport = Transport::pipe(turn, command, origin, sockets)?;
        turn.effects.tell(Event::Appeared(transport.state(command.router)));
        let transport = router.add_transport(turn, transport);
        self.remember(TransportAt { router: key, transport });
        Ok(Done)
    }

    pub(super) fn connect_pipe(&mut self, command: &ConnectPipeTransport) -> Result<Done, Failure> {
        let id = command.id;
        let at = self.transport_at(id)?;
        let (router, turn, paths) = self.split(at).ok_or_else(|| Failure::not_found(id))?;
        let transport = router.transports.get_mut(at.transport).ok_or_else(|| Failure::not_found(id))?;
        let pipe = transport.as_pipe_mut().ok_or_else(|| Failure::not_found(id))?;
        let protection = pipe.connect(command)?;
        if let Some(tuple) = pipe.tuple() {
            paths.add_tuple(tuple, at);
        }
        turn.effects.tell(Event::TupleChanged { id, tuple: pipe.describe() });
        transport.protection = protection;
        transport.begin_reports(turn.now);
        router.on_settled(turn, at.transport, Settled { connected: true, reachable: false });
        Ok(Done)
    }
}
