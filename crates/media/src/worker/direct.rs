//! DirectTransports in a Worker: they are created, and their driver is told whose packets come out.

use mafalda_api::direct_transport::{DirectTransportDump, DirectTransportStat};
use mafalda_api::id::{ConsumerId, DataConsumerId, DataProducerId, TransportId};
use mafalda_api::waist::{Audience, CreateDirectTransport, DataMessage, Done, Event, Failure, Origin};

use super::paths::SocketOwner;
use super::{DropReason, ListenSocket, TransportAt, Worker};
use crate::transport::Transport;
use crate::{SocketId, Tuple};

impl Worker {
    /// The Consumer whose packets leave over a path under this SSRC.
    #[must_use]
    pub fn consumer_of(&self, tuple: Tuple, ssrc: u32) -> Option<ConsumerId> {
        let at = self.paths.by_tuple(tuple)?;
        let transport = self.routers.get(at.router)?.transports.get(at.transport)?;
        transport.targets.get(&ssrc).map(|target| target.consumer)
    }

    pub(super) fn create_direct_transport(
        &mut self,
        command: &CreateDirectTransport,
        origin: Origin,
        sockets: &[ListenSocket],
    ) -> Result<Done, Failure> {
        if self.transports.contains_key(&command.id) {
            return Err(Failure::already_exists(command.id));
        }
        let key = self.router_key(command.router)?;
        let router = self.routers.get_mut(key).ok_or_else(|| Failure::not_found(command.router))?;
        let turn = &mut self.turn;
        let transport = Transport::direct(turn, command, origin, sockets)?;
        turn.effects.tell(Event::Appeared(transport.state(command.router)));
        let transport = router.add_transport(turn, transport);
        self.remember(TransportAt { router: key, transport });
        Ok(Done)
    }

    /// A message of an application. It is for its own Transport's DataProducers.
    pub(super) fn on_message(
        &mut self,
        socket: SocketId,
        id: DataProducerId,
        message: &DataMessage,
        audience: &Audience,
    ) {
        let Some(SocketOwner::Transport(at)) = self.paths.owner(socket) else {
            return self.turn.effects.drops.count(DropReason::UnknownSource);
        };
        let Some((router, turn, _)) = self.split(at) else { return };
        if let Err(reason) = router.on_message(turn, at.transport, id, message, audience) {
            self.turn.effects.drops.count(reason);
        }
    }

    pub(super) fn on_message_lost(&mut self, id: DataConsumerId, bytes: usize) {
        let router = self.data_consumers.get(&id).and_then(|key| self.routers.get_mut(*key));
        if let Some(router) = router {
            router.on_message_lost(id, bytes);
        }
    }

    /// The driver had no room for what an application sent.
    pub(super) fn on_refused(&mut self, socket: SocketId, sends: u64) {
        self.turn.effects.drops.count_many(DropReason::ApplicationAhead, sends as usize);
        let Some(SocketOwner::Transport(at)) = self.paths.owner(socket) else { return };
        let Some((router, ..)) = self.split(at) else { return };
        if let Some(direct) = router.transports.get_mut(at.transport).and_then(|it| it.as_direct_mut()) {
            direct.sends_refused += sends;
        }
    }

    pub(super) fn dump_direct_transport(&self, id: TransportId) -> Result<Box<DirectTransportDump>, Failure> {
        let at = self.transport_at(id)?;
        let dump = self.routers.get(at.router).and_then(|router| router.dump_direct_transport(at.transport));
        dump.map(Box::new).ok_or_else(|| Failure::not_found(id))
    }

    pub(super) fn direct_transport_stats(
        &self,
        id: TransportId,
    ) -> Result<Vec<DirectTransportStat>, Failure> {
        let at = self.transport_at(id)?;
        let router = self.routers.get(at.router);
        let stats = router.and_then(|router| router.direct_transport_stats(self.turn.now, at.transport));
        stats.map(|stats| vec![stats]).ok_or_else(|| Failure::not_found(id))
    }
}
