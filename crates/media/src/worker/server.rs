//! WebRtcServers of a Worker: they come and go, and connections find from them to their Transport.

use mafalda_api::id::WebRtcServerId;
use mafalda_api::types::data_structures::Protocol;
use mafalda_api::waist::{
    CloseCause, CreateWebRtcServer, CreateWebRtcTransport, Done, Event, Failure, Listen, Origin,
};
use mafalda_api::webrtc_server::{WebRtcServerDump, WebRtcServerIceUsernameFragment, WebRtcServerIpPort};

use super::paths::SocketOwner;
use super::timers::Timer;
use super::{ListenSocket, TransportAt, Worker};
use crate::server::WebRtcServer;
use crate::transport::{Endpoints, Listening, Preference, Wanted};
use crate::{SocketId, Tuple};

impl Worker {
    pub(super) fn create_server(
        &mut self,
        command: &CreateWebRtcServer,
        origin: Origin,
        sockets: &[ListenSocket],
    ) -> Result<Done, Failure> {
        let id = command.id;
        if self.servers.contains_key(&id) {
            return Err(Failure::already_exists(id));
        }
        let server = WebRtcServer::new(command, origin, sockets)?;
        server.sockets().for_each(|socket| self.paths.set_owner(socket, SocketOwner::Server(id)));
        let state = server.state(self.id);
        self.turn.effects.tell(Event::Appeared(state.into()));
        self.servers.insert(id, server);
        Ok(Done)
    }

    /// A WebRtcServer goes with the Transports that listen on it.
    pub(super) fn close_server(&mut self, id: WebRtcServerId) {
        let Some(server) = self.servers.remove(&id) else { return };
        self.turn.effects.tell(Event::Closed { id: id.into(), cause: CloseCause::Requested });
        for transport in &server.transports {
            self.close_transport(*transport, CloseCause::WebRtcServerClosed);
        }
        for socket in server.sockets() {
            self.paths.remove_socket(socket);
            self.turn.effects.closing.push(socket);
        }
    }

    pub(super) fn dump_server(&self, id: WebRtcServerId) -> Result<WebRtcServerDump, Failure> {
        let server = self.servers.get(&id).ok_or_else(|| Failure::not_found(id))?;
        let addresses = |protocol| {
            let addresses = server.listening.addresses(protocol);
            addresses.map(|it| WebRtcServerIpPort { ip: it.ip(), port: it.port() }).collect()
        };
        let transports = server.transports.iter().filter_map(|id| {
            let at = self.transports.get(id)?;
            Some((*id, self.routers.get(at.router)?.transports.get(at.transport)?.as_webrtc()?))
        });
        let names = transports.flat_map(|(id, webrtc)| {
            webrtc.ice.username_fragments().map(move |name| WebRtcServerIceUsernameFragment {
                local_ice_username_fragment: name.as_str().to_owned(),
                webrtc_transport_id: id,
            })
        });
        Ok(WebRtcServerDump {
            id,
            udp_sockets: addresses(Protocol::Udp),
            tcp_servers: addresses(Protocol::Tcp),
            sockets: server.listening.dump(),
            webrtc_transport_ids: server.transports.clone(),
            local_ice_username_fragments: names.collect(),
        })
    }

    /// What a Transport that is to be made listens on.
    ///
    /// # Errors
    /// When it is a WebRtcServer that this Worker doesn't have.
    pub(super) fn endpoints(
        &mut self,
        command: &CreateWebRtcTransport,
        sockets: &[ListenSocket],
    ) -> Result<Endpoints, Failure> {
        let preference = Preference {
            udp: Wanted::new(command.enable_udp, command.prefer_udp),
            tcp: Wanted::new(command.enable_tcp, command.prefer_tcp),
        };
        match &command.listen {
            Listen::Individual(infos) => Ok(Endpoints::own(Listening::new(infos, sockets), preference)),
            Listen::Server(id) => {
                let Some(server) = self.servers.get_mut(id) else { return Err(self.no_server(*id)) };
                let candidates = server.candidates(preference);
                Ok(Endpoints::shared(*id, server.listening.clone(), candidates))
            }
        }
    }

    /// It may be closed, or live in another Worker: nobody here can tell.
    pub(super) fn no_server(&self, id: WebRtcServerId) -> Failure {
        let failure = Failure::not_found(id);
        let detail = format!("{} in worker {}", failure.detail, self.id);
        Failure { detail, ..failure }
    }

    /// A connection waits for its first check; the oldest may have to go for it. `None` when the server is gone.
    pub(super) fn let_wait(
        &mut self,
        id: WebRtcServerId,
        listener: SocketId,
        connection: SocketId,
    ) -> Option<()> {
        let server = self.servers.get_mut(&id)?;
        let given_up = server.waiting.enter(self.turn.now.at, connection, listener);
        self.paths.set_owner(connection, SocketOwner::Server(id));
        if let Some(given_up) = given_up {
            self.paths.remove_socket(given_up);
            self.turn.effects.closing.push(given_up);
        }
        self.turn.wake(&mut server.alarm, Timer::Server(id), server.waiting.timeout());
        Some(())
    }

    /// A connection that waited is over.
    pub(super) fn stop_waiting(&mut self, id: WebRtcServerId, connection: SocketId) {
        self.paths.remove_socket(connection);
        if let Some(server) = self.servers.get_mut(&id) {
            server.waiting.leave(connection);
        }
    }

    pub(super) fn on_server_alarm(&mut self, id: WebRtcServerId, rang: std::time::Instant) {
        let Some(server) = self.servers.get_mut(&id) else { return };
        if !server.alarm.ring(rang) {
            return;
        }
        while let Some(expired) = server.waiting.expire(self.turn.now.at) {
            self.paths.remove_socket(expired);
            self.turn.effects.closing.push(expired);
        }
        self.turn.wake(&mut server.alarm, Timer::Server(id), server.waiting.timeout());
    }

    /// A connection that waited has passed a check: it is that Transport's from now on.
    pub(super) fn adopt(&mut self, connection: SocketId, at: TransportAt) {
        let Some(SocketOwner::Server(id)) = self.paths.owner(connection) else { return };
        let listener = self.servers.get_mut(&id).and_then(|server| server.waiting.leave(connection));
        // A UDP socket stays the server's.
        let Some(listener) = listener else { return };
        self.paths.set_owner(connection, SocketOwner::Transport(at));
        let transport =
            self.routers.get_mut(at.router).and_then(|router| router.transports.get_mut(at.transport));
        if let Some(webrtc) = transport.and_then(|transport| transport.as_webrtc_mut()) {
            webrtc.endpoints.adopt(listener, connection);
        }
    }

    /// Whom a check over a WebRtcServer's socket is for, by the name in it.
    pub(super) fn by_name(&self, id: WebRtcServerId, username_fragment: &[u8]) -> Option<TransportAt> {
        let at = self.paths.by_name(username_fragment)?;
        let webrtc = self.routers.get(at.router)?.transports.get(at.transport)?.as_webrtc()?;
        (webrtc.endpoints.server() == Some(id)).then_some(at)
    }

    /// Whose a path is: by the tuple, or by a socket that one Transport alone has.
    pub(super) fn by_path(&self, tuple: Tuple) -> Option<TransportAt> {
        self.paths.by_tuple(tuple).or_else(|| match self.paths.owner(tuple.socket)? {
            SocketOwner::Transport(at) => Some(at),
            SocketOwner::Server(_) => None,
        })
    }
}
