//! A WebRtcServer in the machine: sockets that many WebRtcTransports share, and connections that have yet to say whose they are.
//!
//! Which Transport a datagram is for is not known here but in the Worker's tables of paths.

mod waiting;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use mafalda_api::id::{TransportId, WebRtcServerId, WorkerId};
use mafalda_api::types::data_structures::IceCandidate;
use mafalda_api::waist::{CreateWebRtcServer, ErrorCode, Failure, Origin, WebRtcServerState};

use crate::SocketId;
use crate::transport::{Listening, Preference};
use crate::worker::ListenSocket;
use crate::worker::timers::Alarm;

pub(crate) use waiting::WaitingRoom;
#[cfg(test)]
pub(crate) use waiting::{WAITING_CONNECTIONS_MAX, WAITING_TIME_MAX};

/// A WebRtcServer.
#[derive(Debug)]
pub(crate) struct WebRtcServer {
    pub(crate) id: WebRtcServerId,
    pub(crate) origin: Origin,
    pub(crate) listening: Listening,
    /// Those of its Transports, which are the same for all that want the same of UDP and TCP: there are nine ways to.
    candidates: HashMap<Preference, Arc<[IceCandidate]>>,
    /// The Transports that listen on it.
    pub(crate) transports: HashSet<TransportId>,
    pub(crate) waiting: WaitingRoom,
    pub(crate) alarm: Alarm,
}

impl WebRtcServer {
    /// # Errors
    /// When there is no socket.
    pub(crate) fn new(
        command: &CreateWebRtcServer,
        origin: Origin,
        sockets: &[ListenSocket],
    ) -> Result<Self, Failure> {
        let listening = Listening::new(&command.listen_infos, sockets);
        if listening.sockets().next().is_none() {
            let detail = "a webrtc server needs an address to listen on";
            return Err(Failure::new(ErrorCode::InvalidArgument, detail));
        }
        Ok(Self {
            id: command.id,
            origin,
            listening,
            candidates: HashMap::new(),
            transports: HashSet::new(),
            waiting: WaitingRoom::default(),
            alarm: Alarm::default(),
        })
    }

    /// The candidates of a Transport that listens on it.
    pub(crate) fn candidates(&mut self, preference: Preference) -> Arc<[IceCandidate]> {
        let made = self.candidates.entry(preference);
        made.or_insert_with(|| self.listening.candidates(preference)).clone()
    }

    /// What others know of it.
    pub(crate) fn state(&self, worker: WorkerId) -> WebRtcServerState {
        WebRtcServerState { id: self.id, origin: self.origin.clone(), worker }
    }

    /// Its own sockets: listening ones, and connections of nobody. Those that a Transport uses are that Transport's.
    pub(crate) fn sockets(&self) -> impl Iterator<Item = SocketId> {
        self.listening.sockets().chain(self.waiting.connections())
    }
}
