//! The other end of a WebRtcTransport: the controlling side of ICE, then the client of DTLS.

use std::time::Instant;

use mafalda_media::Now;
use mafalda_media::demux::Kind;
use rand::rngs::StdRng;

use super::super::egress::Egress;
use super::super::protection::{Protection, join};
use super::super::state::{ClientFailure, WebRtcAccess};
use super::checks::{CHECK_LEN_MAX, Checks};
use super::session::Session;

/// Checks, and the connection that follows the first answer.
#[derive(Debug)]
pub(in crate::client) struct WebRtc {
    access: WebRtcAccess,
    checks: Checks,
    session: Option<Session>,
}

impl WebRtc {
    /// Begins to check at once.
    pub(super) fn new(access: WebRtcAccess, now: Instant, rng: StdRng) -> Self {
        Self { checks: Checks::new(&access.ice, now, rng), session: None, access }
    }

    pub(super) fn protection_mut(&mut self) -> Option<&mut Protection> {
        self.session.as_mut()?.protection.as_mut()
    }

    pub(super) fn is_ready(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.protection.is_some())
    }

    /// `false` for DTLS before there is a path.
    pub(super) fn handle(&mut self, now: Now, kind: Kind, datagram: &[u8]) -> bool {
        match (kind, &mut self.session) {
            (Kind::Dtls, Some(session)) => session.handle(now, datagram),
            (Kind::Dtls, None) => return false,
            (_, session) => {
                if self.checks.handle(now.at, datagram) && session.is_none() {
                    let fingerprints = self.access.fingerprints.clone();
                    *session = Some(Session::new(&self.access.certificate, fingerprints, now));
                }
            }
        }
        true
    }

    pub(super) fn drain(&mut self, egress: &mut Egress<'_>) -> Result<(), ClientFailure> {
        let now = egress.now.at;
        if self.checks.is_over(now) {
            let reachable = self.checks.is_reachable();
            return Err(if reachable { ClientFailure::ConsentLost } else { ClientFailure::Unreachable });
        }
        let mut check = [0; CHECK_LEN_MAX];
        if let Some(len) = self.checks.poll(now, &mut check) {
            egress.send(|out| join(&[check.get(..len)?], out));
        }
        self.drain_last(egress);
        self.session.as_ref().and_then(Session::failure).map_or(Ok(()), |failure| Err(failure.into()))
    }

    /// What the connection has to say, and nothing about the path.
    pub(super) fn drain_last(&mut self, egress: &mut Egress<'_>) {
        let Some(session) = &mut self.session else { return };
        session.handle_timeout(egress.now);
        while let Some(packet) = session.poll() {
            egress.send(|out| join(&[&packet], out));
        }
    }

    pub(super) fn timeout(&self) -> Instant {
        let handshake = self.session.as_ref().filter(|session| session.protection.is_none());
        let handshake = handshake.and_then(Session::timeout);
        handshake.map_or(self.checks.timeout(), |at| at.min(self.checks.timeout()))
    }

    pub(super) fn close(&mut self, now: Now) {
        if let Some(session) = &mut self.session {
            session.close(now);
        }
    }
}
