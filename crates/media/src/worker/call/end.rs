//! How objects end, and how they are left to themselves.

use mafalda_api::id::{ObjectId, ProducerId, RouterId, TransportId};
use mafalda_api::waist::{CloseCause, Event, Origin};

use crate::worker::{TransportAt, Worker};

impl Worker {
    pub(super) fn close_all(&mut self, ids: Vec<ObjectId>) {
        ids.into_iter().for_each(|id| self.close(id));
        self.forget_closed();
    }

    fn close(&mut self, id: ObjectId) {
        match id {
            // A Worker ends with its thread, which is not the machine's to end.
            ObjectId::Worker(_) => {}
            ObjectId::WebRtcServer(id) => self.close_server(id),
            ObjectId::Router(id) => self.close_router(id),
            ObjectId::Transport(id) => self.close_transport(id, CloseCause::Requested),
            ObjectId::Producer(id) => self.close_producer(id),
            ObjectId::Consumer(id) => {
                let Some(at) = self.consumers.get(&id).copied() else { return };
                if let Some((router, turn, _)) = self.split(at) {
                    router.close_consumer(turn, at.transport, id, CloseCause::Requested);
                }
            }
            ObjectId::RtpObserver(id) => self.close_observer(id),
            ObjectId::DataProducer(id) => {
                let router = self.data_producers.get(&id).and_then(|key| self.routers.get_mut(*key));
                if let Some(router) = router {
                    router.close_data_producer(&mut self.turn, id, CloseCause::Requested);
                }
            }
            ObjectId::DataConsumer(id) => {
                let router = self.data_consumers.get(&id).and_then(|key| self.routers.get_mut(*key));
                if let Some(router) = router {
                    router.close_data_consumer(&mut self.turn, id, CloseCause::Requested);
                }
            }
        }
    }

    /// A Router goes as a whole: each object in it is told once, Transports before what lives in them.
    fn close_router(&mut self, id: RouterId) {
        let Some(key) = self.router_ids.remove(&id) else { return };
        let Some(mut router) = self.routers.remove(key) else { return };
        self.turn.effects.tell(Event::Closed { id: id.into(), cause: CloseCause::Requested });
        for transport in router.transports.values_mut() {
            transport.say_goodbye(self.turn.now, &mut self.turn.effects);
            transport.tell_closed(&mut self.turn.effects);
            self.turn.effects.closing.extend(transport.way.sockets());
        }
        for observer in router.observers.values() {
            let cause = CloseCause::RouterClosed;
            self.turn.effects.tell(Event::Closed { id: observer.id.into(), cause });
            self.observers.remove(&observer.id);
        }
        for (transport, it) in &router.transports {
            self.forget(TransportAt { router: key, transport }, it);
        }
    }

    pub(in crate::worker) fn close_transport(&mut self, id: TransportId, cause: CloseCause) {
        let Some(at) = self.transports.get(&id).copied() else { return };
        let Some((router, turn, _)) = self.split(at) else { return };
        let Some(transport) = router.transports.get_mut(at.transport) else { return };
        transport.say_goodbye(turn.now, &mut turn.effects);
        if let Some(transport) = router.close_transport(turn, at.transport, cause) {
            self.turn.effects.closing.extend(transport.way.sockets());
            self.forget(at, &transport);
        }
    }

    fn close_producer(&mut self, id: ProducerId) {
        let Some(key) = self.producers.get(&id).copied() else { return };
        let Some(router) = self.routers.get_mut(key) else { return };
        let turn = &mut self.turn;
        router.close_producer(turn, id, CloseCause::Requested);
    }

    /// What has closed in this call is no longer to be found.
    fn forget_closed(&mut self) {
        for event in &self.turn.effects.events {
            match event {
                Event::Closed { id: ObjectId::Producer(id), .. } => drop(self.producers.remove(id)),
                Event::Closed { id: ObjectId::Consumer(id), .. } => drop(self.consumers.remove(id)),
                Event::Closed { id: ObjectId::DataProducer(id), .. } => drop(self.data_producers.remove(id)),
                Event::Closed { id: ObjectId::DataConsumer(id), .. } => drop(self.data_consumers.remove(id)),
                _ => {}
            }
        }
    }

    pub(super) fn detach(&mut self, id: ObjectId) {
        if let Some(origin) = self.origin_mut(id) {
            origin.owner = None;
            self.turn.effects.tell(Event::Detached { id });
        }
    }

    fn origin_mut(&mut self, id: ObjectId) -> Option<&mut Origin> {
        match id {
            ObjectId::Worker(_) => None,
            ObjectId::WebRtcServer(id) => self.servers.get_mut(&id).map(|server| &mut server.origin),
            ObjectId::Router(id) => {
                let key = self.router_ids.get(&id)?;
                self.routers.get_mut(*key).map(|router| &mut router.origin)
            }
            ObjectId::Transport(id) => {
                let at = self.transports.get(&id)?;
                let transport = self.routers.get_mut(at.router)?.transports.get_mut(at.transport)?;
                Some(&mut transport.origin)
            }
            ObjectId::Producer(id) => {
                let key = self.producers.get(&id)?;
                self.routers.get_mut(*key)?.producers.get_mut(&id).map(|producer| &mut producer.origin)
            }
            ObjectId::Consumer(id) => {
                let at = self.consumers.get(&id)?;
                let transport = self.routers.get_mut(at.router)?.transports.get_mut(at.transport)?;
                transport.consumers.get_mut(&id).map(|consumer| &mut consumer.origin)
            }
            ObjectId::DataProducer(id) => {
                let key = self.data_producers.get(&id)?;
                self.routers.get_mut(*key)?.data.producers.get_mut(&id).map(|producer| &mut producer.origin)
            }
            ObjectId::DataConsumer(id) => {
                let key = self.data_consumers.get(&id)?;
                self.routers.get_mut(*key)?.data.consumers.get_mut(&id).map(|consumer| &mut consumer.origin)
            }
            ObjectId::RtpObserver(id) => {
                let (router, observer) = self.observers.get(&id)?;
                let observer = self.routers.get_mut(*router)?.observers.get_mut(*observer)?;
                Some(&mut observer.origin)
            }
        }
    }
}
