//! One end of one DTLS connection, from its first packet to its end.

use std::time::Instant;

use super::handshake::{Handshake, Outcome};
use super::output::{DtlsOutput, Outbox, Queued, SendError};
use super::record::{Record, records};
use super::session::Session;
use super::{Certificate, DropReason, Role};
use crate::Now;

enum Phase {
    Handshake(Box<Handshake>),
    Open(Box<Session>),
    Ended,
}

/// One end of one DTLS connection.
///
/// While it is open and carries nothing it is small: see `session`.
pub struct Dtls {
    role: Role,
    phase: Phase,
    outbox: Outbox,
}

impl Dtls {
    /// A new connection. Its 30 s begin now; a client's first packet is ready to be polled.
    #[must_use]
    pub fn new(certificate: &Certificate, role: Role, now: Now) -> Self {
        let handshake = Box::new(Handshake::new(certificate, role, now.at));
        let mut dtls = Self { role, phase: Phase::Handshake(handshake), outbox: Outbox::default() };
        dtls.settle();
        dtls
    }

    /// This end's role.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// Takes a datagram from the peer.
    ///
    /// # Errors
    /// [`DropReason`] of the first record in it that had no effect; the others were handled, but for those behind one that the
    /// peer's keys don't open. To be counted, not logged.
    pub fn handle(&mut self, now: Now, datagram: &[u8]) -> Result<(), DropReason> {
        let mut verdict = Ok(());
        for record in records(datagram) {
            let handled = record.and_then(|record| self.handle_record(now.at, &record));
            verdict = verdict.and(handled);
            // All of a datagram is from one sender, and each try costs as much as a few media packets.
            if handled == Err(DropReason::Unsealed) {
                break;
            }
        }
        verdict
    }

    /// Repeats what is due, or gives up.
    pub fn handle_timeout(&mut self, now: Now) {
        if let Phase::Handshake(handshake) = &mut self.phase {
            handshake.handle_timeout(now.at);
            self.settle();
        }
    }

    /// When [`Dtls::handle_timeout`] is to be called; `None` when there is nothing to wait for.
    #[must_use]
    pub fn timeout(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Handshake(handshake) => Some(handshake.timeout()),
            Phase::Open(_) | Phase::Ended => None,
        }
    }

    /// The next packet or event. Data goes to the front of `out`; data that is longer than `out` is lost, as it would be on
    /// a way with a smaller MTU. 1500 bytes suit every peer of WebRTC.
    pub fn poll(&mut self, out: &mut [u8]) -> Option<DtlsOutput> {
        self.outbox.pop(out)
    }

    /// Sends data to the peer, in one datagram that is 37 bytes longer.
    ///
    /// # Errors
    /// [`SendError`]; nothing was sent then.
    pub fn send(&mut self, now: Now, data: &[u8]) -> Result<(), SendError> {
        let Phase::Open(session) = &mut self.phase else { return Err(SendError::NotOpen) };
        if self.outbox.is_full() {
            return Err(SendError::Full);
        }
        if session.send(now.at, data, &mut self.outbox) { Ok(()) } else { Err(SendError::NotOpen) }
    }

    /// Closes the connection; an open one says so to the peer with close_notify (RFC 5246 §7.2.1).
    pub fn close(&mut self, now: Now) {
        match std::mem::replace(&mut self.phase, Phase::Ended) {
            Phase::Ended => return,
            Phase::Handshake(_) => {}
            Phase::Open(session) => session.close(now.at, &mut self.outbox),
        }
        self.outbox.push(Queued::Closed);
    }

    #[cfg(test)]
    pub(super) fn rests(&self) -> bool {
        matches!(&self.phase, Phase::Open(session) if session.rests())
    }

    fn handle_record(&mut self, now: Instant, record: &Record<'_>) -> Result<(), DropReason> {
        match &mut self.phase {
            Phase::Handshake(handshake) => {
                let handled = handshake.handle(now, record);
                self.settle();
                handled
            }
            Phase::Open(session) => {
                if let Some(last) = session.handle(now, record, &mut self.outbox)? {
                    self.end(last);
                }
                Ok(())
            }
            Phase::Ended => Err(DropReason::Ended),
        }
    }

    /// Takes over what the handshake has to send, and what has become of it.
    fn settle(&mut self) {
        let Phase::Handshake(handshake) = &mut self.phase else { return };
        self.outbox.append(&mut handshake.outbox);
        match handshake.take_outcome() {
            None => {}
            Some(Outcome::Open(session, connected)) => {
                self.phase = Phase::Open(Box::new(session));
                self.outbox.push(Queued::Connected(connected));
            }
            Some(Outcome::Closed) => self.end(Queued::Closed),
            Some(Outcome::Failed(failure)) => self.end(Queued::Failed(failure)),
        }
    }

    fn end(&mut self, last: Queued) {
        self.phase = Phase::Ended;
        self.outbox.push(last);
    }
}

impl std::fmt::Debug for Dtls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let phase = match &self.phase {
            Phase::Handshake(_) => "handshake",
            Phase::Open(_) => "open",
            Phase::Ended => "ended",
        };
        f.debug_struct("Dtls").field("role", &self.role).field("phase", &phase).finish_non_exhaustive()
    }
}
