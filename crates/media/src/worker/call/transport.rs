//! Operations on Transports.

use std::sync::Arc;

use mafalda_api::id::TransportId;
use mafalda_api::pipe_transport::{PipeTransportDump, PipeTransportStat};
use mafalda_api::plain_transport::{PlainTransportDump, PlainTransportStat};
use mafalda_api::types::data_structures::IceParameters;
use mafalda_api::waist::{ConnectWebRtcTransport, CreateWebRtcTransport, Done, Event, Failure, Origin};
use mafalda_api::webrtc_transport::{WebRtcTransportDump, WebRtcTransportStat};

use crate::transport::Transport;
use crate::worker::{ListenSocket, TransportAt, Worker};

impl Worker {
    pub(super) fn create_transport(
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

    pub(super) fn connect(&mut self, command: &ConnectWebRtcTransport) -> Result<Done, Failure> {
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

    pub(super) fn restart_ice(&mut self, id: TransportId) -> Result<IceParameters, Failure> {
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

    pub(super) fn limit_incoming(&mut self, id: TransportId, bitrate: u64) -> Result<Done, Failure> {
        let at = self.transport_at(id)?;
        let (router, turn, _) = self.split(at).ok_or_else(|| Failure::not_found(id))?;
        let transport = router.transports.get_mut(at.transport).ok_or_else(|| Failure::not_found(id))?;
        transport.limit_incoming(turn.now, (bitrate > 0).then_some(bitrate));
        router.set_transport_alarm(turn, at.transport);
        Ok(Done)
    }

    pub(super) fn dump_transport(&self, id: TransportId) -> Result<Box<WebRtcTransportDump>, Failure> {
        let at = self.transport_at(id)?;
        let dump = self.routers.get(at.router).and_then(|router| router.dump_transport(at.transport));
        dump.map(Box::new).ok_or_else(|| Failure::not_found(id))
    }

    pub(super) fn transport_stats(&self, id: TransportId) -> Result<Vec<WebRtcTransportStat>, Failure> {
        let at = self.transport_at(id)?;
        let router = self.routers.get(at.router);
        let stats = router.and_then(|router| router.transport_stats(self.turn.now, at.transport));
        stats.map(|stats| vec![stats]).ok_or_else(|| Failure::not_found(id))
    }

    pub(super) fn dump_plain_transport(&self, id: TransportId) -> Result<Box<PlainTransportDump>, Failure> {
        let at = self.transport_at(id)?;
        let dump = self.routers.get(at.router).and_then(|router| router.dump_plain_transport(at.transport));
        dump.map(Box::new).ok_or_else(|| Failure::not_found(id))
    }

    pub(super) fn plain_transport_stats(&self, id: TransportId) -> Result<Vec<PlainTransportStat>, Failure> {
        let at = self.transport_at(id)?;
        let router = self.routers.get(at.router);
        let stats = router.and_then(|router| router.plain_transport_stats(self.turn.now, at.transport));
        stats.map(|stats| vec![stats]).ok_or_else(|| Failure::not_found(id))
    }

    pub(super) fn dump_pipe_transport(&self, id: TransportId) -> Result<Box<PipeTransportDump>, Failure> {
        let at = self.transport_at(id)?;
        let dump = self.routers.get(at.router).and_then(|router| router.dump_pipe_transport(at.transport));
        dump.map(Box::new).ok_or_else(|| Failure::not_found(id))
    }

    pub(super) fn pipe_transport_stats(&self, id: TransportId) -> Result<Vec<PipeTransportStat>, Failure> {
        let at = self.transport_at(id)?;
        let router = self.routers.get(at.router);
        let stats = router.and_then(|router| router.pipe_transport_stats(self.turn.now, at.transport));
        stats.map(|stats| vec![stats]).ok_or_else(|| Failure::not_found(id))
    }

    pub(in crate::worker) fn transport_at(&self, id: TransportId) -> Result<TransportAt, Failure> {
        self.transports.get(&id).copied().ok_or_else(|| Failure::not_found(id))
    }
}
