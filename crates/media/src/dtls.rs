//! DTLS for media: agrees with one peer on SRTP's keys, and carries data channels (RFC 5764, RFC 6347, RFC 8827).
//!
//! [`Dtls`] is one end of one connection, in either role, made when the peer is reachable. It has no socket and no clock:
//! datagrams and time go in by [`Dtls::handle`] and [`Dtls::handle_timeout`], packets and events come out of
//! [`Dtls::poll`], until that returns `None`.
//!
//! The peer must show a certificate and prove its key, but whose certificate it is can't be known in here. **Whoever gets
//! [`DtlsOutput::Connected`] checks the certificate with [`Fingerprint::verify`] before it uses the keys or any data.**
//!
//! DTLS 1.2 is spoken, in whole flights, by the crate `rtc-dtls`; what stands between it and the network, and why, is told
//! in `docs/decisions/0001-dtls.md`. Which datagrams are DTLS is decided by `demux`, not here.

mod backoff;
mod certificate;
mod endpoint;
mod fingerprint;
mod handshake;
mod inbox;
mod keying;
mod message;
mod output;
mod provider;
mod record;
mod session;

pub use certificate::{Certificate, CertificateError};
pub use endpoint::Dtls;
pub use fingerprint::{Fingerprint, FingerprintAlgorithm, FingerprintError};
pub use keying::KeyingMaterial;
pub use output::{Connected, DtlsOutput, SendError};

/// Who begins the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Sends the ClientHello: `setup:active`.
    Client,
    /// Waits for it: `setup:passive`.
    Server,
}

impl Role {
    /// The peer's role.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// Why something that came from the network had no effect. None of these ends a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DropReason {
    /// It isn't framed as DTLS is.
    Malformed,
    /// A handshake message that was already handled; most often the peer missed an answer.
    Repeated,
    /// More than an endpoint stores for a peer: a message too long, too far ahead, or sent too often.
    OutOfBounds,
    /// Well-formed, but nothing that may come at this point of the connection.
    Unexpected,
    /// Not sealed with the peer's keys, at a connection that carries nothing.
    Unsealed,
    /// The connection has ended.
    Ended,
}

/// Why a connection failed. Alerts are those of RFC 5246 §7.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum DtlsFailure {
    /// The handshake took longer than 30 s.
    #[error("the DTLS handshake took too long")]
    Timeout,
    /// The peer gave up with this fatal alert.
    #[error("the DTLS peer sent the fatal alert {alert}")]
    PeerAlert {
        /// AlertDescription
        alert: u8,
    },
    /// This end refused what the peer sent, and told it so with this fatal alert.
    #[error("the DTLS peer was refused with the fatal alert {alert}")]
    Refused {
        /// AlertDescription
        alert: u8,
    },
    /// The peer has no SRTP profile of ours, or doesn't speak of SRTP at all.
    #[error("no SRTP profile in common with the DTLS peer")]
    NoSrtpProfile,
    /// The engine gave up without an alert, or the peer of an open connection sent a fatal one (which is encrypted then).
    #[error("the DTLS connection broke")]
    Engine,
}

#[cfg(test)]
mod tests;
