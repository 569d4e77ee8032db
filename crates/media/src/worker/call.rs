//! Operations: what applications ask of a Worker.

use std::sync::Arc;

use mafalda_api::id::{ConsumerId, ObjectId, ProducerId, RouterId, TransportId};
use mafalda_api::waist::{
    Call, CloseCause, Command, Consume, CreateRouter, CreateWebRtcTransport, Done, ErrorCode, Event, Failure,
    ObjectState, Origin, Produce, Reply,
};
use mafalda_api::worker::WorkerDump;
use mafalda_api::{ortc, waist};
use rand::RngExt;

use crate::producer::MAPPED_SSRC_RANGE;
use crate::router::{Router, RouterKey};
use crate::transport::Transport;

use super::{ListenSocket, TransportAt, Worker};

impl Worker {
    pub(super) fn on_call(&mut self, request: u64, call: Call, sockets: &[ListenSocket]) {
        let result = self.carry_out(call, sockets);
        if result.is_err() {
            self.turn.effects.closing.extend(sockets.iter().map(|socket| socket.socket));
        }
        self.replies.push_back((request, result));
    }

    fn carry_out(&mut self, call: Call, sockets: &[ListenSocket]) -> Result<Reply, Failure> {
        let origin = Origin { owner: Some(call.owner), labels: call.labels, tags: call.tags };
        match call.command {
            Command::CreateWorker(_) => {
                Err(Failure::new(ErrorCode::Unsupported, "a worker can't create workers"))
            }
            Command::DumpWorker(_) => Ok(self.dump().into()),
            Command::CreateWebRtcServer(it) => self.create_server(&it, origin, sockets).map(Into::into),
            Command::DumpWebRtcServer(it) => self.dump_server(it.id).map(Into::into),
            Command::CreateRouter(it) => self.create_router(&it, origin).map(Into::into),
            Command::DumpRouter(it) => Ok(self.router(it.id)?.dump().into()),
            Command::CreateWebRtcTransport(it) => self.create_transport(&it, origin, sockets).map(Into::into),
            Command::ConnectWebRtcTransport(it) => self.connect(&it).map(Into::into),
            Command::CreatePlainTransport(it) => {
                self.create_plain_transport(&it, origin, sockets).map(Into::into)
            }
            Command::ConnectPlainTransport(it) => self.connect_plain(&it).map(Into::into),
            Command::DumpPlainTransport(it) => {
                let at = self.transport_at(it.id)?;
                let router = self.routers.get(at.router);
                let dump = router.and_then(|router| router.dump_plain_transport(at.transport));
                dump.map(|dump| Box::new(dump).into()).ok_or_else(|| Failure::not_found(it.id))
            }
            Command::GetPlainTransportStats(it) => {
                let at = self.transport_at(it.id)?;
                let router = self.routers.get(at.router);
                let stats =
                    router.and_then(|router| router.plain_transport_stats(self.turn.now, at.transport));
                stats.map(|stats| vec![stats].into()).ok_or_else(|| Failure::not_found(it.id))
            }
            Command::RestartIce(it) => self.restart_ice(it.id).map(Into::into),
            Command::SetMaxIncomingBitrate(it) => self.limit_incoming(it.id, it.bitrate).map(Into::into),
            Command::DumpTransport(it) => {
                let at = self.transport_at(it.id)?;
                let dump = self.routers.get(at.router).and_then(|router| router.dump_transport(at.transport));
                dump.map(|dump| Box::new(dump).into()).ok_or_else(|| Failure::not_found(it.id))
            }
            Command::GetTransportStats(it) => {
                let at = self.transport_at(it.id)?;
                let stats = self
                    .routers
                    .get(at.router)
                    .and_then(|it| it.transport_stats(self.turn.now, at.transport));
                stats.map(|stats| vec![stats].into()).ok_or_else(|| Failure::not_found(it.id))
            }
            Command::Produce(it) => self.produce(&it, origin).map(Into::into),
            Command::PauseProducer(it) => self.set_producer_paused(it.id, true).map(Into::into),
            Command::ResumeProducer(it) => self.set_producer_paused(it.id, false).map(Into::into),
            Command::DumpProducer(it) => {
                let dump = self.router_of_producer(it.id)?.dump_producer(it.id);
                dump.map(|dump| Box::new(dump).into()).ok_or_else(|| Failure::not_found(it.id))
            }
            Command::GetProducerStats(it) => {
                let stats = self.router_of_producer(it.id)?.producer_stats(self.turn.now, it.id);
                stats.map(Into::into).ok_or_else(|| Failure::not_found(it.id))
            }
            Command::Consume(it) => self.consume(&it, origin).map(Into::into),
            Command::PauseConsumer(it) => self.set_consumer_paused(it.id, true).map(Into::into),
            Command::ResumeConsumer(it) => self.set_consumer_paused(it.id, false).map(Into::into),
            Command::RequestKeyFrame(it) => {
                let at = self.consumer_at(it.id)?;
                let (router, turn, _) = self.split(at).ok_or_else(|| Failure::not_found(it.id))?;
                router.request_key_frame_for(turn, at.transport, it.id).map(|()| Done.into())
            }
            Command::DumpConsumer(it) => {
                let at = self.consumer_at(it.id)?;
                let dump =
                    self.routers.get(at.router).and_then(|router| router.dump_consumer(at.transport, it.id));
                dump.map(|dump| Box::new(dump).into()).ok_or_else(|| Failure::not_found(it.id))
            }
            Command::GetConsumerStats(it) => {
                let at = self.consumer_at(it.id)?;
                let router = self.routers.get(at.router);
                let stats =
                    router.and_then(|router| router.consumer_stats(self.turn.now, at.transport, it.id));
                stats.map(Into::into).ok_or_else(|| Failure::not_found(it.id))
            }
            Command::Close(it) => {
                it.ids.into_iter().for_each(|id| self.close(id));
                self.forget_closed();
                Ok(Done.into())
            }
            Command::Detach(it) => {
                it.ids.into_iter().for_each(|id| self.detach(id));
                Ok(Done.into())
            }
        }
    }

    fn dump(&self) -> WorkerDump {
        WorkerDump {
            router_ids: self.routers.values().map(|router| router.id).collect(),
            webrtc_server_ids: self.servers.keys().copied().collect(),
        }
    }

    fn create_router(&mut self, command: &CreateRouter, origin: Origin) -> Result<Done, Failure> {
        if self.router_ids.contains_key(&command.id) {
            return Err(Failure::already_exists(command.id));
        }
        let capabilities = ortc::generate_router_rtp_capabilities(command.media_codecs.clone())?;
        let first_mapped_ssrc = self.turn.rng.random_range(MAPPED_SSRC_RANGE);
        let key = self
            .routers
            .insert_with_key(|key| Router::new(key, command.id, origin, capabilities, first_mapped_ssrc));
        self.router_ids.insert(command.id, key);
        if let Some(router) = self.routers.get(key) {
            let state = router.state(self.id);
            self.turn.effects.tell(Event::Appeared(ObjectState::Router(Arc::new(state))));
        }
        Ok(Done)
    }

    fn create_transport(
        &mut self,
        command: &CreateWebRtcTransport,
        origin: Origin,
        sockets: &[ListenSocket],
    ) -> Result<Done, Failure> {
        if self.transports.contains_key(&command.id) {
            return Err(Failure::already_exists(command.id));
        }
        let key = self.router_key(command.router)?;
        let endpoints = self.endpoints(command, sockets)?;
        let mut transport = Transport::webrtc(&mut self.turn, command, origin, &self.identity, endpoints)?;
        if let Some(webrtc) = transport.as_webrtc_mut() {
            self.paths.draw_unlike(&mut webrtc.ice, &mut self.turn.rng);
        }
        let router = self.routers.get_mut(key).ok_or_else(|| Failure::not_found(command.router))?;
        let turn = &mut self.turn;
        turn.effects.tell(Event::Appeared(transport.state(command.router)));
        let transport = router.add_transport(turn, transport);
        self.remember(TransportAt { router: key, transport });
        Ok(Done)
    }

    fn connect(&mut self, command: &waist::ConnectWebRtcTransport) -> Result<Done, Failure> {
        let at = self.transport_at(command.id)?;
        let (router, turn, paths) = self.split(at).ok_or_else(|| Failure::not_found(command.id))?;
        let transport =
            router.transports.get_mut(at.transport).ok_or_else(|| Failure::not_found(command.id))?;
        let webrtc = transport.as_webrtc_mut().ok_or_else(|| Failure::not_found(command.id))?;
        webrtc.handshake.connect(turn.now, &command.dtls_parameters)?;
        let parameters = webrtc.handshake.parameters().clone();
        turn.effects.tell(Event::DtlsParametersChanged { id: command.id, parameters });
        let settled = transport.settle(turn, paths, at);
        router.on_settled(turn, at.transport, settled);
        Ok(Done)
    }

    fn restart_ice(
        &mut self,
        id: TransportId,
    ) -> Result<mafalda_api::types::data_structures::IceParameters, Failure> {
        let at = self.transport_at(id)?;
        let (router, turn, paths) = self.split(at).ok_or_else(|| Failure::not_found(id))?;
        let transport = router.transports.get_mut(at.transport).ok_or_else(|| Failure::not_found(id))?;
        let webrtc = transport.as_webrtc_mut().ok_or_else(|| Failure::not_found(id))?;
        if let Some(ended) = webrtc.ice.restart(turn.now, &mut turn.rng) {
            paths.remove_name(ended);
        }
        paths.draw_unlike(&mut webrtc.ice, &mut turn.rng);
        paths.add_name(webrtc.ice.local().username_fragment, at);
        let parameters = webrtc.ice_parameters();
        turn.effects.tell(Event::IceParametersChanged { id, parameters: Arc::new(parameters.clone()) });
        let settled = transport.settle(turn, paths, at);
        router.on_settled(turn, at.transport, settled);
        Ok(parameters)
    }

    fn limit_incoming(&mut self, id: TransportId, bitrate: u64) -> Result<Done, Failure> {
        let at = self.transport_at(id)?;
        let (router, turn, _) = self.split(at).ok_or_else(|| Failure::not_found(id))?;
        let transport = router.transports.get_mut(at.transport).ok_or_else(|| Failure::not_found(id))?;
        transport.limit_incoming(turn.now, (bitrate > 0).then_some(bitrate));
        router.set_transport_alarm(turn, at.transport);
        Ok(Done)
    }

    fn produce(&mut self, command: &Produce, origin: Origin) -> Result<Done, Failure> {
        if self.producers.contains_key(&command.id) {
            return Err(Failure::already_exists(command.id));
        }
        let at = self.transport_at(command.transport)?;
        let (router, turn, _) = self.split(at).ok_or_else(|| Failure::not_found(command.transport))?;
        router.produce(turn, at.transport, command, origin)?;
        self.producers.insert(command.id, at.router);
        Ok(Done)
    }

    fn consume(&mut self, command: &Consume, origin: Origin) -> Result<Done, Failure> {
        if self.consumers.contains_key(&command.id) {
            return Err(Failure::already_exists(command.id));
        }
        let at = self.transport_at(command.transport)?;
        let (router, turn, _) = self.split(at).ok_or_else(|| Failure::not_found(command.transport))?;
        router.consume(turn, at.transport, command, origin)?;
        self.consumers.insert(command.id, at);
        Ok(Done)
    }

    fn set_producer_paused(&mut self, id: ProducerId, paused: bool) -> Result<Done, Failure> {
        let key = self.producers.get(&id).copied().ok_or_else(|| Failure::not_found(id))?;
        let router = self.routers.get_mut(key).ok_or_else(|| Failure::not_found(id))?;
        let turn = &mut self.turn;
        router.set_producer_paused(turn, id, paused).map(|()| Done)
    }

    fn set_consumer_paused(&mut self, id: ConsumerId, paused: bool) -> Result<Done, Failure> {
        let at = self.consumer_at(id)?;
        let (router, turn, _) = self.split(at).ok_or_else(|| Failure::not_found(id))?;
        router.set_consumer_paused(turn, at.transport, id, paused).map(|()| Done)
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
        for (transport, it) in &router.transports {
            self.forget(TransportAt { router: key, transport }, it);
        }
    }

    pub(super) fn close_transport(&mut self, id: TransportId, cause: CloseCause) {
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
                _ => {}
            }
        }
    }

    fn detach(&mut self, id: ObjectId) {
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
        }
    }

    pub(super) fn router_key(&self, id: RouterId) -> Result<RouterKey, Failure> {
        self.router_ids.get(&id).copied().ok_or_else(|| Failure::not_found(id))
    }

    fn router(&self, id: RouterId) -> Result<&Router, Failure> {
        self.routers.get(self.router_key(id)?).ok_or_else(|| Failure::not_found(id))
    }

    fn router_of_producer(&self, id: ProducerId) -> Result<&Router, Failure> {
        let key = self.producers.get(&id).ok_or_else(|| Failure::not_found(id))?;
        self.routers.get(*key).ok_or_else(|| Failure::not_found(id))
    }

    pub(super) fn transport_at(&self, id: TransportId) -> Result<TransportAt, Failure> {
        self.transports.get(&id).copied().ok_or_else(|| Failure::not_found(id))
    }

    fn consumer_at(&self, id: ConsumerId) -> Result<TransportAt, Failure> {
        self.consumers.get(&id).copied().ok_or_else(|| Failure::not_found(id))
    }
}
