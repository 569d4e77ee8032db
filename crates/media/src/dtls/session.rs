//! An open connection: what is left of a handshake, and the engine while it is needed.
//!
//! The engine has eleven kilobytes, most of them the transcript of a handshake that is over, and most connections are there for
//! SRTP's keys alone: they carry nothing until they close. So it goes with the handshake; its state (epochs, numbers, secrets)
//! stays, in the engine's own encoding, and an engine is made of it when there is something to send, or when the peer has sent
//! something that this state opens. From then on it stays: there may be data channels.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_dtls::state::State;
use zeroize::Zeroizing;

use super::output::{Outbox, Queued};
use super::record::{ALERT, APPLICATION_DATA, HANDSHAKE, Record};
use super::{Certificate, DropReason, DtlsFailure};

/// The engine keys its connections by address. Here each has an engine of its own, and the peer's address may change.
pub(super) const PEER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1);

/// The least time between two repetitions of the last flight. Peers repeat theirs no faster than that; and who only pretends to be
/// the peer can't have it sent more often. It is never spent, so that nobody can use it up in the peer's place.
const REPETITION_INTERVAL: Duration = Duration::from_millis(50);

/// What the engine wants its encoded state aligned to, and more than that.
const ALIGNMENT: usize = 16;

/// One end of an open connection.
pub(super) struct Session {
    certificate: Certificate,
    engine: Engine,
    /// What a server sent last, for a client that missed it; empty for a client.
    last_flight: Box<[u8]>,
    repeated: Option<Instant>,
}

enum Engine {
    /// Its state, with the master secret.
    Resting(Zeroizing<Box<[u8]>>),
    Working(Box<Endpoint>),
}

impl Session {
    /// What an engine's handshake has led to. Its last flight is one datagram: a ChangeCipherSpec and a Finished.
    pub(super) fn new(certificate: Certificate, engine: Endpoint, last_flight: Option<&[u8]>) -> Self {
        let state = engine.get_connection_state(PEER).and_then(|state| state.marshal_binary().ok());
        let engine = match state {
            Some(state) => Engine::Resting(Zeroizing::new(state.into_boxed_slice())),
            None => Engine::Working(Box::new(engine)),
        };
        Self { certificate, engine, last_flight: last_flight.unwrap_or_default().into(), repeated: None }
    }

    /// Takes a record from the peer; what is to be told last, if that ends the connection.
    pub(super) fn handle(
        &mut self,
        now: Instant,
        record: &Record<'_>,
        outbox: &mut Outbox,
    ) -> Result<Option<Queued>, DropReason> {
        match (record.epoch, record.kind) {
            (1, HANDSHAKE) => self.repeat(now, outbox).map(|()| None),
            (1, ALERT | APPLICATION_DATA) if record.may_be_sealed() => self.open(now, record, outbox),
            (1, ALERT | APPLICATION_DATA) => Err(DropReason::Malformed),
            // Plaintext has no meaning for an open connection: anyone could have sent it. The engine doesn't ask a ChangeCipherSpec for its
            // seal, whatever its epoch.
            _ => Err(DropReason::Unexpected),
        }
    }

    #[cfg(test)]
    pub(super) fn rests(&self) -> bool {
        matches!(self.engine, Engine::Resting(_))
    }

    /// Sends data; whether it could.
    pub(super) fn send(&mut self, now: Instant, data: &[u8], outbox: &mut Outbox) -> bool {
        let Some(engine) = self.engine(now) else { return false };
        let sent = engine.write(now, PEER, data).is_ok();
        collect(engine, outbox);
        sent
    }

    /// Says close_notify.
    pub(super) fn close(mut self, now: Instant, outbox: &mut Outbox) {
        if let Some(engine) = self.engine(now) {
            engine.stop(now, PEER);
            collect(engine, outbox);
        }
    }

    /// An encrypted handshake record can only be the peer's last flight again: it has missed ours (RFC 6347 §4.2.4). It gets the
    /// same bytes once more, which its protection against replays lets in, as they have not come yet.
    fn repeat(&mut self, now: Instant, outbox: &mut Outbox) -> Result<(), DropReason> {
        if self.last_flight.is_empty() {
            return Err(DropReason::Repeated);
        }
        if self.repeated.is_some_and(|before| now < before + REPETITION_INTERVAL) {
            return Err(DropReason::OutOfBounds);
        }
        self.repeated = Some(now);
        outbox.push(Queued::Packet(self.last_flight.to_vec()));
        Ok(())
    }

    fn open(
        &mut self,
        now: Instant,
        record: &Record<'_>,
        outbox: &mut Outbox,
    ) -> Result<Option<Queued>, DropReason> {
        let state = match &mut self.engine {
            Engine::Working(engine) => return Ok(conclude(read(engine, now, record, outbox).0, outbox)),
            Engine::Resting(state) => state,
        };
        let mut engine = wake(now, &self.certificate, state).ok_or(DropReason::Unsealed)?;
        let (events, sent) = read(&mut engine, now, record, outbox);
        if events.as_ref().is_some_and(|events| events.is_empty() && !sent) {
            // Nothing has changed.
            return Err(DropReason::Unsealed);
        }
        self.engine = Engine::Working(Box::new(engine));
        Ok(conclude(events, outbox))
    }

    /// The engine, made anew if it rests.
    fn engine(&mut self, now: Instant) -> Option<&mut Endpoint> {
        if let Engine::Resting(state) = &self.engine {
            self.engine = Engine::Working(Box::new(wake(now, &self.certificate, state)?));
        }
        match &mut self.engine {
            Engine::Working(engine) => Some(engine),
            Engine::Resting(_) => None,
        }
    }
}

/// What an engine makes of a record; `None`: it has given up.
type Events = Option<Vec<EndpointEvent>>;

/// Gives the engine a record; what it makes of it, and whether it has sent anything.
fn read(engine: &mut Endpoint, now: Instant, record: &Record<'_>, outbox: &mut Outbox) -> (Events, bool) {
    let events = engine.read(now, PEER, None, record.whole.into()).ok();
    (events, collect(engine, outbox))
}

/// Takes over what came of a record; what is to be told last, if the connection is over.
fn conclude(events: Events, outbox: &mut Outbox) -> Option<Queued> {
    let Some(events) = events else { return Some(Queued::Failed(DtlsFailure::Engine)) };
    for event in events {
        match event {
            EndpointEvent::ApplicationData(data) => outbox.push(Queued::Data(data.to_vec())),
            EndpointEvent::PeerClosed => return Some(Queued::Closed),
            _ => {}
        }
    }
    None
}

/// An engine without a connection.
pub(super) fn engine() -> Endpoint {
    Endpoint::new(PEER, Default::default(), None)
}

/// An engine with the connection whose state this is. What the engine's handshake would need of its role and configuration is of no
/// matter any more: records are protected as the state says.
///
/// Its window against replays is new. Nothing but the peer's Finished was let in before, and handshake records never reach it.
fn wake(now: Instant, certificate: &Certificate, encoded: &[u8]) -> Option<Endpoint> {
    let provider = rtc_crypto::default_provider().ok()?;
    let mut state = State::new(provider, true);
    let mut aligned = Zeroizing::new(vec![0; encoded.len() + ALIGNMENT]);
    let start = aligned.as_ptr().align_offset(ALIGNMENT);
    let copy = aligned.get_mut(start..start.checked_add(encoded.len())?)?;
    copy.copy_from_slice(encoded);
    state.unmarshal_binary(copy).ok()?;
    let mut engine = engine();
    engine.connect(now, PEER, certificate.client(), Some(state)).ok()?;
    Some(engine)
}

/// Takes over what the engine sends; whether there was anything.
fn collect(engine: &mut Endpoint, outbox: &mut Outbox) -> bool {
    let mut any = false;
    while let Some(transmit) = engine.poll_transmit() {
        any = true;
        outbox.push(Queued::Packet(transmit.message.to_vec()));
    }
    any
}
