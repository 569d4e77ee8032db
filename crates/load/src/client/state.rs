//! What a client is made of, and how far it has come.

use std::net::SocketAddr;
use std::time::Instant;

use mafalda_api::types::data_structures::IceParameters;
use mafalda_media::dtls::{Certificate, Fingerprint};

use super::way::{KeyPair, SessionFailure};
use crate::link::LinkQuality;

/// What a client is made of.
#[derive(Debug)]
pub(crate) struct ClientConfig {
    /// The server's address for it.
    pub(crate) remote: SocketAddr,
    /// How it gets through.
    pub(crate) access: Access,
    /// What all clients of a run have alike, but for the seed.
    pub(crate) traits: Traits,
}

/// What it takes to get through to a server.
#[derive(Debug)]
pub(crate) enum Access {
    /// To a WebRtcTransport.
    WebRtc(Box<WebRtcAccess>),
    /// To a PlainTransport with comedia: keys, or none where packets go as they are.
    Plain(Option<Box<KeyPair>>),
}

/// What it takes to get through to a WebRtcTransport.
#[derive(Debug)]
pub(crate) struct WebRtcAccess {
    /// The server's ICE credentials.
    pub(crate) ice: IceParameters,
    /// What the server's certificate must have.
    pub(crate) fingerprints: Vec<Fingerprint>,
    /// What the client shows.
    pub(crate) certificate: Certificate,
}

/// How a client behaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traits {
    /// Where markers count time from; the same for all clients of a run.
    pub(crate) epoch: Instant,
    /// One packet in so many is decrypted and compared; 1 for all.
    pub(crate) verify_every: u32,
    /// The network that it pretends to sit behind.
    pub(crate) link: LinkQuality,
    /// Where all its randomness comes from.
    pub(crate) seed: u64,
}

/// How far a client has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientState {
    /// No answer to its checks, or no keys yet.
    Joining,
    /// Media can flow.
    Connected,
    /// It is over.
    Failed(ClientFailure),
    /// It has left.
    Closed,
}

/// Why a client is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientFailure {
    /// No check was answered.
    #[error("the server doesn't answer")]
    Unreachable,
    /// Checks are no longer answered.
    #[error("the server no longer answers")]
    ConsentLost,
    /// There are no keys.
    #[error(transparent)]
    Session(#[from] SessionFailure),
}

/// Datagrams that had no effect, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClientDrops {
    /// Of no protocol, or malformed.
    pub malformed: u64,
    /// Media or feedback before there were keys, STUN or DTLS where there is none.
    pub early: u64,
    /// Media of a stream that isn't received.
    pub unknown_ssrc: u64,
    /// Feedback that isn't authentic.
    pub forged: u64,
}
