//! One end's handshake: the engine, what guards it, and its clock.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rtc_dtls::endpoint::{Endpoint, EndpointEvent};

use super::backoff::Backoff;
use super::inbox::{Inbox, Message};
use super::output::{Connected, Outbox, Queued};
use super::record::{
    ALERT, CHANGE_CIPHER_SPEC, CLIENT_HELLO, CLOSE_NOTIFY, FATAL, Fragment, HANDSHAKE, HANDSHAKE_FAILURE,
    HELLO_VERIFY_REQUEST, Record, fragments, records, whole_message, write_record,
};
use super::session::{PEER, Session, engine};
use super::{Certificate, DropReason, DtlsFailure, KeyingMaterial, Role, message};
use crate::srtp::SrtpProfile;

/// How long a handshake may take, mediasoup's figure. Longer keeps dead transports, shorter gives up on bad networks.
const HANDSHAKE_MAX: Duration = Duration::from_secs(30);

/// How many encrypted records are kept while the messages before them are missing: Finished, and one to spare for each of
/// three repetitions.
const EARLY_MAX: usize = 4;

/// The longest encrypted handshake record. There is only Finished, whose body has 48 bytes with AES-GCM.
const ENCRYPTED_HANDSHAKE_LEN_MAX: usize = 128;

/// How many encrypted handshake records the engine may see in all: it keeps those it can't place, and walks them
/// recursively. A peer repeats its last flight a few dozen times at most.
const ENCRYPTED_HANDSHAKE_MAX: u16 = 256;

/// The label of RFC 5764 §4.2.
const EXPORTER: &str = "EXTRACTOR-dtls_srtp";

/// How a handshake ended.
pub(super) enum Outcome {
    /// The peer has proven its key.
    Open(Session, Connected),
    /// The peer closed.
    Closed,
    /// It won't come to anything.
    Failed(DtlsFailure),
}

/// A handshake. Once there is an outcome nothing else happens.
pub(super) struct Handshake {
    certificate: Certificate,
    role: Role,
    deadline: Instant,
    outcome: Option<Outcome>,
    /// What is to be sent.
    pub(super) outbox: Outbox,
    engine: Endpoint,
    inbox: Inbox,
    early: Early,
    backoff: Backoff,
    /// The number of the next plaintext record given to the engine, which refuses numbers it has seen.
    plaintext_records: u32,
    encrypted_handshake_records: u16,
    /// The answer to a first ClientHello, sent again as often as that comes (RFC 6347 §4.2.1).
    hello_verify_request: Option<Vec<u8>>,
}

/// Records that must wait until the engine has keys.
#[derive(Default)]
struct Early {
    /// The peer's ChangeCipherSpec has come.
    change_cipher_spec: bool,
    /// It was handed on: the engine decrypts from now on.
    open: bool,
    records: VecDeque<Vec<u8>>,
}

impl Handshake {
    /// A handshake whose time begins now; a client's first packet goes out.
    pub(super) fn new(certificate: &Certificate, role: Role, now: Instant) -> Self {
        let mut handshake = Self {
            certificate: certificate.clone(),
            role,
            deadline: now + HANDSHAKE_MAX,
            outcome: None,
            outbox: Outbox::default(),
            engine: engine(),
            inbox: Inbox::new(role),
            early: Early::default(),
            backoff: Backoff::default(),
            plaintext_records: 0,
            encrypted_handshake_records: 0,
            hello_verify_request: None,
        };
        if role == Role::Client {
            handshake.connect(now);
        }
        handshake
    }

    /// What came of it, once.
    pub(super) fn take_outcome(&mut self) -> Option<Outcome> {
        self.outcome.take()
    }

    /// When [`Handshake::handle_timeout`] is to be called.
    pub(super) fn timeout(&self) -> Instant {
        self.backoff.due().map_or(self.deadline, |due| due.min(self.deadline))
    }

    /// Repeats what is due, or gives up.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if now >= self.deadline {
            self.fail(DtlsFailure::Timeout);
        } else if self.backoff.due().is_some_and(|due| now >= due) {
            self.repeat(now);
        }
    }

    /// Takes a record from the peer.
    pub(super) fn handle(&mut self, now: Instant, record: &Record<'_>) -> Result<(), DropReason> {
        match (record.epoch, record.kind) {
            (0, HANDSHAKE) => self.handle_messages(now, record),
            (0, CHANGE_CIPHER_SPEC) => self.handle_change_cipher_spec(now, record),
            (0, ALERT) => self.handle_plaintext_alert(record),
            // Data in front of Finished would pile up in the engine; SCTP repeats it.
            (1, HANDSHAKE | ALERT) => self.handle_encrypted(now, record),
            _ => Err(DropReason::Unexpected),
        }
    }

    fn handle_messages(&mut self, now: Instant, record: &Record<'_>) -> Result<(), DropReason> {
        for fragment in fragments(record.body) {
            let fragment = fragment?;
            self.inbox.accept(&fragment).inspect_err(|_| self.repeat_hello_verify_request(&fragment))?;
        }
        loop {
            let flight = self.inbox.take_flight();
            if flight.is_empty() || self.outcome.is_some() {
                return Ok(());
            }
            self.handle_flight(now, &flight);
        }
    }

    /// The engine answers a ClientHello once. Its answer may get lost, and isn't repeated by a timer (RFC 6347 §4.2.1).
    fn repeat_hello_verify_request(&mut self, fragment: &Fragment<'_>) {
        let is_first = fragment.sequence == 0 && fragment.offset == 0 && self.inbox.taken() == 1;
        if let Some(answer) = self.hello_verify_request.as_ref().filter(|_| is_first) {
            self.outbox.push(Queued::Packet(answer.clone()));
        }
    }

    fn handle_flight(&mut self, now: Instant, flight: &[Message]) {
        if let [Message { kind: CLIENT_HELLO, sequence: 0, body }] = flight {
            let Some(profile) = message::best_profile(body) else { return self.refuse_hello() };
            self.engine.set_server_config(Some(self.certificate.server(profile)));
        }
        let mut datagram = Vec::new();
        for Message { kind, sequence, body } in flight {
            self.write_plaintext(&mut datagram, HANDSHAKE, &whole_message(*kind, *sequence, body));
        }
        self.feed(now, &datagram);
        self.release_early(now);
    }

    fn handle_change_cipher_spec(&mut self, now: Instant, record: &Record<'_>) -> Result<(), DropReason> {
        if record.body != [1] {
            return Err(DropReason::Malformed);
        }
        if self.early.change_cipher_spec {
            return Err(DropReason::Repeated);
        }
        self.early.change_cipher_spec = true;
        self.release_early(now);
        Ok(())
    }

    /// Nothing vouches for a plaintext alert, but a peer that gives up has no other way to say so. A warning has no effect.
    fn handle_plaintext_alert(&mut self, record: &Record<'_>) -> Result<(), DropReason> {
        match *record.body {
            [FATAL, alert] => {
                self.fail(DtlsFailure::PeerAlert { alert });
                Ok(())
            }
            [_, _] => Err(DropReason::Unexpected),
            _ => Err(DropReason::Malformed),
        }
    }

    fn handle_encrypted(&mut self, now: Instant, record: &Record<'_>) -> Result<(), DropReason> {
        if !record.may_be_sealed() {
            return Err(DropReason::Malformed);
        }
        if record.kind == HANDSHAKE && record.body.len() > ENCRYPTED_HANDSHAKE_LEN_MAX {
            return Err(DropReason::OutOfBounds);
        }
        if self.early.open {
            return self.decrypt(now, record.kind, record.whole);
        }
        if record.kind != HANDSHAKE {
            return Err(DropReason::Unexpected);
        }
        if self.early.records.len() >= EARLY_MAX {
            self.early.records.pop_front();
        }
        self.early.records.push_back(record.whole.to_vec());
        self.release_early(now);
        Ok(())
    }

    /// Hands on ChangeCipherSpec and what came after it, once the engine has keys: before, it would store them unbounded.
    fn release_early(&mut self, now: Instant) {
        let has_keys = self
            .engine
            .get_connection_state(PEER)
            .and_then(|state| state.cipher_suite())
            .is_some_and(|suite| suite.is_initialized());
        if self.early.open || !self.early.change_cipher_spec || !has_keys {
            return;
        }
        self.early.open = true;
        let mut datagram = Vec::new();
        self.write_plaintext(&mut datagram, CHANGE_CIPHER_SPEC, &[1]);
        self.feed(now, &datagram);
        for record in std::mem::take(&mut self.early.records) {
            // What is dropped here was counted as handled when it came.
            let _ = self.decrypt(now, HANDSHAKE, &record);
        }
    }

    fn decrypt(&mut self, now: Instant, kind: u8, record: &[u8]) -> Result<(), DropReason> {
        if kind == HANDSHAKE {
            if self.encrypted_handshake_records >= ENCRYPTED_HANDSHAKE_MAX {
                return Err(DropReason::OutOfBounds);
            }
            self.encrypted_handshake_records += 1;
        }
        self.feed(now, record);
        Ok(())
    }

    fn write_plaintext(&mut self, datagram: &mut Vec<u8>, kind: u8, body: &[u8]) {
        write_record(datagram, kind, self.plaintext_records, body);
        self.plaintext_records += 1;
    }

    /// Gives records to the engine and collects what it makes of them.
    fn feed(&mut self, now: Instant, datagram: &[u8]) {
        if self.outcome.is_some() {
            return;
        }
        let result = self.engine.read(now, PEER, None, datagram.into());
        let sent = self.collect_packets();
        match result {
            Ok(events) => events.iter().for_each(|event| self.handle_event(event, &sent)),
            Err(_) if sent.alert.is_none() => self.fail(DtlsFailure::Engine),
            Err(_) => {}
        }
        // Not each refusal is an error to the engine: after some it would go on waiting.
        if let Some(alert) = sent.alert {
            self.fail(DtlsFailure::Refused { alert });
        }
        if sent.last.is_some() && self.outcome.is_none() {
            self.backoff.restart(now);
        }
    }

    fn handle_event(&mut self, event: &EndpointEvent, sent: &Sent) {
        match event {
            EndpointEvent::HandshakeComplete => match self.connected() {
                Ok(connected) => {
                    let engine = std::mem::replace(&mut self.engine, engine());
                    let last_flight = sent.last.as_deref().filter(|_| self.role == Role::Server);
                    let session = Session::new(self.certificate.clone(), engine, last_flight);
                    self.outcome.get_or_insert(Outcome::Open(session, connected));
                }
                Err(failure) => self.fail(failure),
            },
            EndpointEvent::PeerClosed => drop(self.outcome.get_or_insert(Outcome::Closed)),
            // Data comes to an open connection only.
            _ => {}
        }
    }

    fn connected(&self) -> Result<Connected, DtlsFailure> {
        let state = self.engine.get_connection_state(PEER).ok_or(DtlsFailure::Engine)?;
        let id = state.srtp_protection_profile() as u16;
        let profile = SrtpProfile::PREFERENCE
            .into_iter()
            .find(|profile| profile.id() == id)
            .ok_or(DtlsFailure::NoSrtpProfile)?;
        let peer_certificate = state.peer_certificates.first().cloned().ok_or(DtlsFailure::Engine)?;
        let block = state
            .export_keying_material(EXPORTER, &[], profile.exporter_len())
            .map_err(|_| DtlsFailure::Engine)?;
        let keying = KeyingMaterial::split(profile, self.role, block.as_ref()).ok_or(DtlsFailure::Engine)?;
        Ok(Connected { keying, peer_certificate })
    }

    /// Begins a client's handshake, with an engine that knows nothing yet.
    fn connect(&mut self, now: Instant) {
        self.engine = engine();
        if self.engine.connect(now, PEER, self.certificate.client(), None).is_err() {
            return self.fail(DtlsFailure::Engine);
        }
        self.collect_packets();
        self.backoff.restart(now);
    }

    fn repeat(&mut self, now: Instant) {
        if !self.backoff.is_spent() {
            // The engine's own clock has a fixed interval, so it is told that its time has come when ours has.
            if let Some(due) = self.engine.poll_timeout(&PEER) {
                if self.engine.handle_timeout(PEER, due).is_err() {
                    return self.fail(DtlsFailure::Engine);
                }
                self.collect_packets();
            }
            self.backoff.advance(now);
        } else if self.role == Role::Client && self.inbox.taken() == 0 {
            // Nobody has answered yet: a late peer can as well be asked anew.
            self.connect(now);
        } else {
            self.backoff.stop();
        }
    }

    fn collect_packets(&mut self) -> Sent {
        let mut sent = Sent::default();
        while let Some(transmit) = self.engine.poll_transmit() {
            let packet = transmit.message.to_vec();
            sent.note(&packet);
            if self.hello_verify_request.is_none() && is_hello_verify_request(&packet) {
                self.hello_verify_request = Some(packet.clone());
            }
            self.outbox.push(Queued::Packet(packet));
        }
        sent
    }

    /// Tells a client that it offered nothing usable. Its ClientHello is the first thing that came, so this record is the
    /// first that leaves.
    fn refuse_hello(&mut self) {
        let mut packet = Vec::new();
        write_record(&mut packet, ALERT, 0, &[FATAL, HANDSHAKE_FAILURE]);
        self.outbox.push(Queued::Packet(packet));
        self.fail(DtlsFailure::NoSrtpProfile);
    }

    fn fail(&mut self, failure: DtlsFailure) {
        self.outcome.get_or_insert(Outcome::Failed(failure));
    }
}

/// What the engine sent in one go.
#[derive(Default)]
struct Sent {
    /// The last packet.
    last: Option<Vec<u8>>,
    /// A fatal alert in the clear.
    alert: Option<u8>,
}

impl Sent {
    fn note(&mut self, packet: &[u8]) {
        let alert =
            records(packet).flatten().find_map(|record| match (record.kind, record.epoch, record.body) {
                (ALERT, 0, [FATAL, alert]) if *alert != CLOSE_NOTIFY => Some(*alert),
                _ => None,
            });
        self.alert = self.alert.or(alert);
        self.last = Some(packet.to_vec());
    }
}

fn is_hello_verify_request(packet: &[u8]) -> bool {
    records(packet).flatten().any(|record| {
        record.kind == HANDSHAKE && record.epoch == 0 && record.body.first() == Some(&HELLO_VERIFY_REQUEST)
    })
}
