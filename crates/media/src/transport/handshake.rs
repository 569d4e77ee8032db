//! DTLS of a WebRtcTransport: when it begins, in which role, and when its keys may be used.
//!
//! The handshake may begin before the application has said who the peer is: as server, with the peer's first datagram, so that
//! waiting for it costs no time. Keys are handed out only when the peer's certificate fits a fingerprint that the application
//! gave (RFC 8122 §5).

use std::time::Instant;

use mafalda_api::types::data_structures::{DtlsFingerprint, DtlsParameters, DtlsRole, DtlsState};
use mafalda_api::waist::{ErrorCode, Failure};
use std::sync::Arc;

use super::Identity;
use crate::Now;
use crate::dtls::{Connected, Dtls, DtlsOutput, Fingerprint, FingerprintAlgorithm, KeyingMaterial, Role};
use crate::worker::drops::DropReason;

/// Largest DTLS datagram that is ever written: flights are cut at 1200 bytes, application data isn't sent yet.
const DATAGRAM_MAX: usize = 1500;

/// What came of some progress.
#[derive(Debug)]
pub(crate) enum HandshakeEvent {
    /// The state is another, but not connected.
    State(DtlsState),
    /// The peer is who it should be: media may flow with these keys.
    Connected {
        /// SRTP's keys.
        keying: KeyingMaterial,
        /// In DER.
        peer_certificate: Vec<u8>,
    },
}

/// One Transport's DTLS.
#[derive(Debug)]
pub(crate) struct Handshake {
    identity: Identity,
    role: DtlsRole,
    /// What the application said of the peer; `None` before `connect`, empty when it has been checked.
    remote: Option<Box<[Fingerprint]>>,
    dtls: Option<Dtls>,
    state: DtlsState,
    /// Over, but nobody has said yet who the peer should be.
    unverified: Option<Connected>,
    /// Whether there is a way to the peer.
    reachable: bool,
}

impl Handshake {
    pub(crate) fn new(identity: &Identity) -> Self {
        Self {
            identity: identity.clone(),
            role: DtlsRole::Auto,
            remote: None,
            dtls: None,
            state: DtlsState::New,
            unverified: None,
            reachable: false,
        }
    }

    pub(crate) fn parameters(&self) -> &Arc<DtlsParameters> {
        self.identity.parameters(self.role)
    }

    pub(crate) fn state(&self) -> DtlsState {
        self.state
    }

    /// Takes in who the peer is and which role it has.
    ///
    /// # Errors
    /// When that was said before, or no fingerprint was given.
    pub(crate) fn connect(&mut self, now: Now, remote: &DtlsParameters) -> Result<(), Failure> {
        if self.remote.is_some() {
            return Err(Failure::new(ErrorCode::WrongState, "connect() was called before"));
        }
        let fingerprints: Box<[_]> = remote.fingerprints.iter().filter_map(from_api).collect();
        if fingerprints.is_empty() {
            return Err(Failure::new(ErrorCode::InvalidArgument, "the DTLS parameters have no fingerprint"));
        }
        // RFC 8842 §5: who offers to be either is taken as the server, so that the handshake begins with us.
        let role = if remote.role == DtlsRole::Client { DtlsRole::Server } else { DtlsRole::Client };
        self.role = role;
        self.remote = Some(fingerprints);
        let begun_as_server = self.dtls.as_ref().is_some_and(|dtls| dtls.role() == Role::Server);
        if role == DtlsRole::Client && begun_as_server {
            self.dtls = None;
            self.unverified = None;
        }
        self.begin_as_client(now);
        Ok(())
    }

    /// There is a way to the peer: the handshake may begin.
    pub(crate) fn on_reachable(&mut self, now: Now) {
        self.reachable = true;
        self.begin_as_client(now);
    }

    fn begin_as_client(&mut self, now: Now) {
        if self.role == DtlsRole::Client && self.may_begin() {
            self.dtls = Some(Dtls::new(self.identity.certificate(), Role::Client, now));
        }
    }

    fn may_begin(&self) -> bool {
        let over = matches!(self.state, DtlsState::Failed | DtlsState::Closed);
        self.dtls.is_none() && self.reachable && !over
    }

    /// Takes a datagram from the peer; a server begins with the first that makes sense.
    ///
    /// # Errors
    /// Why it was of no use.
    pub(crate) fn handle(&mut self, now: Now, datagram: &[u8]) -> Result<(), DropReason> {
        if self.may_begin() {
            let mut dtls = Dtls::new(self.identity.certificate(), Role::Server, now);
            dtls.handle(now, datagram).map_err(|_| DropReason::MalformedDtls)?;
            self.dtls = Some(dtls);
            return Ok(());
        }
        let dtls = self.dtls.as_mut().ok_or(DropReason::UnexpectedDtls)?;
        dtls.handle(now, datagram).map_err(|_| DropReason::MalformedDtls)
    }

    pub(crate) fn timeout(&self) -> Option<Instant> {
        self.dtls.as_ref().and_then(Dtls::timeout)
    }

    pub(crate) fn handle_timeout(&mut self, now: Now) {
        if let Some(dtls) = &mut self.dtls {
            dtls.handle_timeout(now);
        }
    }

    /// Says goodbye to the peer.
    pub(crate) fn close(&mut self, now: Now) {
        if let Some(dtls) = &mut self.dtls {
            dtls.close(now);
        }
    }

    /// What there is to send and to tell. Poll until it gives nothing.
    pub(crate) fn poll(&mut self, now: Now, mut send: impl FnMut(&[u8])) -> Option<HandshakeEvent> {
        if let Some(connected) = self.unverified.take_if(|_| self.remote.is_some()) {
            return Some(self.verify(now, connected));
        }
        if self.reachable && self.state == DtlsState::New {
            return Some(self.go(DtlsState::Connecting));
        }
        let mut buffer = [0; DATAGRAM_MAX];
        loop {
            match self.dtls.as_mut()?.poll(&mut buffer)? {
                DtlsOutput::Packet(len) => send(&buffer[..len]),
                // Nothing speaks over DTLS yet: data channels come with SCTP.
                DtlsOutput::ApplicationData(_) => {}
                DtlsOutput::Connected(connected) if self.remote.is_some() => {
                    return Some(self.verify(now, connected));
                }
                DtlsOutput::Connected(connected) => self.unverified = Some(connected),
                DtlsOutput::Closed => return self.end(DtlsState::Closed),
                DtlsOutput::Failed(_) => return self.end(DtlsState::Failed),
            }
        }
    }

    /// The peer's certificate against what the application said.
    fn verify(&mut self, now: Now, connected: Connected) -> HandshakeEvent {
        let signaled = self.remote.as_deref().unwrap_or_default();
        if Fingerprint::verify(signaled, &connected.peer_certificate).is_err() {
            // RFC 5763 §5: the session is torn down, and the peer, which believes itself connected, hears of it.
            self.close(now);
            return self.go(DtlsState::Failed);
        }
        self.state = DtlsState::Connected;
        self.remote = Some(Box::default());
        HandshakeEvent::Connected { keying: connected.keying, peer_certificate: connected.peer_certificate }
    }

    fn end(&mut self, state: DtlsState) -> Option<HandshakeEvent> {
        self.dtls = None;
        (self.state != state && self.state != DtlsState::Failed).then(|| self.go(state))
    }

    fn go(&mut self, state: DtlsState) -> HandshakeEvent {
        self.state = state;
        HandshakeEvent::State(state)
    }
}

fn from_api(fingerprint: &DtlsFingerprint) -> Option<Fingerprint> {
    let (algorithm, digest): (_, &[u8]) = match fingerprint {
        DtlsFingerprint::Sha1 { value } => (FingerprintAlgorithm::Sha1, value),
        DtlsFingerprint::Sha224 { value } => (FingerprintAlgorithm::Sha224, value),
        DtlsFingerprint::Sha256 { value } => (FingerprintAlgorithm::Sha256, value),
        DtlsFingerprint::Sha384 { value } => (FingerprintAlgorithm::Sha384, value),
        DtlsFingerprint::Sha512 { value } => (FingerprintAlgorithm::Sha512, value),
    };
    Fingerprint::new(algorithm, digest)
}
