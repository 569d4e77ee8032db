//! After something has happened to ICE or DTLS: what changed is told, tables follow, keys are taken into use.

use mafalda_api::id::ObjectId;
use mafalda_api::types::data_structures as api;
use mafalda_api::waist::{CloseCause, Event};

use super::handshake::HandshakeEvent;
use super::{Protection, Srtp, Transport};
use crate::Now;
use crate::ice::{IceEvent, IceState};
use crate::log::note;
use crate::worker::turn::{Effects, Wrap};
use crate::worker::{Paths, TransportAt, Turn};

/// What the Router must know of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settled {
    /// Media can flow from now on.
    pub(crate) connected: bool,
    /// There is a way to the peer again.
    pub(crate) reachable: bool,
}

impl Transport {
    /// Tells, and does, what follows from what happened. Call it after each input to ICE or DTLS.
    pub(crate) fn settle(&mut self, turn: &mut Turn, paths: &mut Paths, at: TransportAt) -> Settled {
        let mut settled = Settled::default();
        while let Some(event) = self.as_webrtc_mut().and_then(|webrtc| webrtc.ice.poll_event()) {
            settled.reachable |= self.on_ice(turn, paths, at, event);
        }
        while let Some(event) = self.poll_handshake(turn.now, &mut turn.effects) {
            settled.connected |= self.on_handshake(turn, event);
        }
        settled
    }

    /// Says goodbye to the peer (RFC 5246 §7.2.1), if there is a way to it, and tells nobody else.
    pub(crate) fn say_goodbye(&mut self, now: Now, effects: &mut Effects) {
        let Some(webrtc) = self.as_webrtc_mut() else { return };
        webrtc.handshake.close(now);
        while self.poll_handshake(now, effects).is_some() {}
    }

    /// Tells that its Router has taken it along, and it what lives in it.
    pub(crate) fn tell_closed(&self, effects: &mut Effects) {
        effects.tell(Event::Closed { id: self.id.into(), cause: CloseCause::RouterClosed });
        let producers = self.producers.iter().map(|id| ObjectId::from(*id));
        let ends = self.data.iter();
        let data = ends.flat_map(|ends| {
            let producers = ends.producers.iter().map(|id| ObjectId::from(*id));
            producers.chain(ends.consumers.iter().map(|id| ObjectId::from(*id)))
        });
        for id in producers.chain(self.consumers.keys().map(|id| ObjectId::from(*id))).chain(data) {
            effects.tell(Event::Closed { id, cause: CloseCause::TransportClosed });
        }
    }

    fn on_ice(&mut self, turn: &mut Turn, paths: &mut Paths, at: TransportAt, event: IceEvent) -> bool {
        let id = self.id;
        let Some(webrtc) = self.as_webrtc_mut() else { return false };
        match event {
            IceEvent::TupleAdded(tuple) => paths.add_tuple(tuple, at),
            IceEvent::TupleRemoved(tuple) => {
                paths.remove_tuple(tuple, at);
                if webrtc.endpoints.remove_connection(tuple.socket) {
                    paths.remove_socket(tuple.socket);
                    turn.effects.closing.push(tuple.socket);
                }
            }
            IceEvent::SelectedTupleChanged(tuple) => {
                let tuple = webrtc.endpoints.describe(tuple);
                turn.effects.tell(Event::IceSelectedTupleChanged { id, tuple });
            }
            IceEvent::StateChanged(state) => {
                let lost = std::mem::replace(&mut webrtc.lost, state == IceState::Disconnected);
                turn.effects.tell(Event::IceStateChanged { id, state: ice_state(state) });
                match state {
                    IceState::Connected | IceState::Completed => webrtc.handshake.on_reachable(turn.now),
                    IceState::Disconnected => {
                        turn.effects.tell(Event::IceSelectedTupleChanged { id, tuple: None });
                    }
                    IceState::New => {}
                }
                return lost && matches!(state, IceState::Connected | IceState::Completed);
            }
            IceEvent::CredentialsRetired(name) => paths.remove_name(name),
        }
        false
    }

    fn poll_handshake(&mut self, now: Now, effects: &mut Effects) -> Option<HandshakeEvent> {
        let webrtc = self.as_webrtc_mut()?;
        let selected = webrtc.ice.selected();
        webrtc.handshake.poll(now, |datagram| {
            // Without a way to the peer a flight is lost, and repeated later.
            if let Some(tuple) = selected {
                effects.send(Wrap::Plain(tuple), datagram);
            }
        })
    }

    fn on_handshake(&mut self, turn: &mut Turn, event: HandshakeEvent) -> bool {
        let (state, remote_cert, connected) = match event {
            HandshakeEvent::State(state) => (state, None, false),
            HandshakeEvent::Connected { keying, peer_certificate } => match Srtp::new(&keying) {
                Ok(srtp) => {
                    note!(turn.log, Debug, Srtp, transport = %self.id, profile = ?keying.profile(), "keys");
                    self.protection = Protection::Srtp(srtp);
                    self.begin_reports(turn.now);
                    (api::DtlsState::Connected, Some(pem(&peer_certificate).into()), true)
                }
                // The lengths are the profile's own, so this can't happen; if it does, nothing flows.
                Err(_) => (api::DtlsState::Failed, None, false),
            },
        };
        if !connected && state != api::DtlsState::Connecting {
            self.protection = Protection::Awaited;
        }
        turn.effects.tell(Event::DtlsStateChanged { id: self.id, state, remote_cert });
        connected
    }
}

/// A certificate as PEM has it (RFC 7468 §5.1).
fn pem(der: &[u8]) -> String {
    pem::encode(&pem::Pem::new("CERTIFICATE", der))
}

pub(super) fn ice_state(state: IceState) -> api::IceState {
    match state {
        IceState::New => api::IceState::New,
        IceState::Connected => api::IceState::Connected,
        IceState::Completed => api::IceState::Completed,
        IceState::Disconnected => api::IceState::Disconnected,
    }
}
