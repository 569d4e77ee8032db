//! From a path to keys: the DTLS handshake as client, the check of the server's certificate, and the SRTP contexts.

use std::collections::VecDeque;

use mafalda_media::Now;
use mafalda_media::dtls::{
    Certificate, Connected, Dtls, DtlsFailure, DtlsOutput, Fingerprint, FingerprintError, Role,
};
use mafalda_media::srtp::{SrtpError, SrtpKeys};

use super::super::protection::Protection;

/// Longest DTLS packet that is taken out.
const PACKET_LEN_MAX: usize = 1500;

/// Why there are no keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionFailure {
    /// The handshake failed, or the server's end of it did later.
    #[error(transparent)]
    Handshake(#[from] DtlsFailure),
    /// The server is not who was signaled.
    #[error(transparent)]
    Fingerprint(#[from] FingerprintError),
    /// The keys don't fit their profile.
    #[error(transparent)]
    Keys(#[from] SrtpError),
    /// The server closed the connection.
    #[error("the server closed the DTLS connection")]
    Closed,
}

/// One DTLS connection and what came out of it.
pub(super) struct Session {
    dtls: Dtls,
    fingerprints: Vec<Fingerprint>,
    /// Packets to send: a flight or two, which is what a handshake has at once.
    packets: VecDeque<Vec<u8>>,
    failure: Option<SessionFailure>,
    pub(super) protection: Option<Protection>,
}

impl Session {
    pub(super) fn new(certificate: &Certificate, fingerprints: Vec<Fingerprint>, now: Now) -> Self {
        let mut session = Self {
            dtls: Dtls::new(certificate, Role::Client, now),
            fingerprints,
            packets: VecDeque::new(),
            failure: None,
            protection: None,
        };
        session.collect();
        session
    }

    /// Keys are there when this returns, if the handshake is over: media may come right behind its last message.
    pub(super) fn handle(&mut self, now: Now, datagram: &[u8]) {
        // What had no effect comes again, or the handshake's own deadline tells.
        let _ = self.dtls.handle(now, datagram);
        self.collect();
    }

    pub(super) fn handle_timeout(&mut self, now: Now) {
        self.dtls.handle_timeout(now);
        self.collect();
    }

    pub(super) fn timeout(&self) -> Option<std::time::Instant> {
        self.dtls.timeout()
    }

    pub(super) fn close(&mut self, now: Now) {
        self.dtls.close(now);
        self.collect();
    }

    /// The next packet to send.
    pub(super) fn poll(&mut self) -> Option<Vec<u8>> {
        self.packets.pop_front()
    }

    /// Why there are no keys, or no longer.
    pub(super) fn failure(&self) -> Option<SessionFailure> {
        self.failure
    }

    fn collect(&mut self) {
        let mut packet = [0; PACKET_LEN_MAX];
        while let Some(output) = self.dtls.poll(&mut packet) {
            let failure = match output {
                DtlsOutput::Packet(len) => {
                    self.packets.extend(packet.get(..len).map(<[u8]>::to_vec));
                    None
                }
                DtlsOutput::Connected(connected) => self.take_keys(&connected).err(),
                // There are no data channels yet.
                DtlsOutput::ApplicationData(_) => None,
                DtlsOutput::Closed => Some(SessionFailure::Closed),
                DtlsOutput::Failed(failure) => Some(failure.into()),
            };
            self.failure = self.failure.or(failure);
        }
    }

    fn take_keys(&mut self, connected: &Connected) -> Result<(), SessionFailure> {
        Fingerprint::verify(&self.fingerprints, &connected.peer_certificate)?;
        let keying = &connected.keying;
        let profile = keying.profile();
        let local = SrtpKeys::new(profile, keying.local_key(), keying.local_salt())?;
        let remote = SrtpKeys::new(profile, keying.remote_key(), keying.remote_salt())?;
        self.protection = Some(Protection::srtp(local, remote));
        Ok(())
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("protection", &self.protection).finish_non_exhaustive()
    }
}
