//! What only a PipeTransport has: one socket for RTP and RTCP, and another PipeTransport that the application names.

use mafalda_api::types::data_structures::TransportTuple;
use mafalda_api::types::srtp_parameters::{SrtpCryptoSuite, SrtpParameters};
use mafalda_api::waist::{ConnectPipeTransport, CreatePipeTransport, ErrorCode, Failure};
use rand::rngs::StdRng;

use super::listening::Endpoint;
use super::protection::{KeyText, Protection};
use crate::worker::ListenSocket;
use crate::{SocketId, Tuple, sys};

/// The one suite of pipes: both ends are Routers, and this is the strongest.
const SUITE: SrtpCryptoSuite = SrtpCryptoSuite::AeadAes256Gcm;

/// A PipeTransport's way to the other one.
#[derive(Debug)]
pub(crate) struct Pipe {
    /// Where media goes, from `connect` on.
    tuple: Option<Tuple>,
    rtx: bool,
    endpoint: Endpoint,
    /// Our key, where packets are protected.
    local_key: Option<Box<KeyText>>,
}

impl Pipe {
    pub(crate) fn new(
        command: &CreatePipeTransport,
        sockets: &[ListenSocket],
        rng: &mut StdRng,
    ) -> Result<Self, Failure> {
        let socket = sockets.first().ok_or_else(|| invalid("a PipeTransport listens for UDP"))?;
        Ok(Self {
            tuple: None,
            rtx: command.enable_rtx,
            endpoint: Endpoint::new(&command.listen_info, socket),
            local_key: command.enable_srtp.then(|| Box::new(KeyText::draw(SUITE, rng))),
        })
    }

    /// What its packets are protected with before anybody has connected.
    pub(crate) fn first_protection(&self) -> Protection {
        if self.local_key.is_some() { Protection::Awaited } else { Protection::Absent }
    }

    /// Takes over what the application says of the other end, once; what packets are protected with from now on.
    pub(crate) fn connect(&mut self, command: &ConnectPipeTransport) -> Result<Protection, Failure> {
        if self.tuple.is_some() {
            return Err(Failure::new(ErrorCode::WrongState, "connect() was called before"));
        }
        // Nobody can be reached there, and some systems take it for themselves.
        if command.ip.is_unspecified() || command.port == 0 {
            return Err(invalid("ip and port must name the other end: they must not be 0"));
        }
        if command.ip.is_ipv4() != self.endpoint.local.is_ipv4() {
            return Err(invalid("ip is of another family than the address that this transport listens on"));
        }
        let protection = match (&self.local_key, &command.srtp_parameters) {
            (None, None) => Protection::Absent,
            (Some(ours), Some(remote)) => exchange(ours, remote)?,
            (Some(_), None) => return Err(invalid("srtp_parameters are missing: SRTP is enabled")),
            (None, Some(_)) => return Err(invalid("srtp_parameters are given, but SRTP is not enabled")),
        };
        let remote = (command.ip, command.port).into();
        self.tuple = Some(Tuple { socket: self.endpoint.socket, remote });
        Ok(protection)
    }

    pub(super) fn warm(&self) {
        sys::prefetch(&self.tuple);
    }

    pub(crate) fn tuple(&self) -> Option<Tuple> {
        self.tuple
    }

    pub(crate) fn socket(&self) -> SocketId {
        self.endpoint.socket
    }

    /// Whether lost packets are sent again.
    pub(crate) fn rtx(&self) -> bool {
        self.rtx
    }

    /// The tuple as applications know it.
    pub(crate) fn describe(&self) -> TransportTuple {
        self.endpoint.describe(self.tuple)
    }

    pub(crate) fn srtp_parameters(&self) -> Option<SrtpParameters> {
        self.local_key.as_ref().map(|key| key.to_parameters())
    }
}

fn exchange(ours: &KeyText, remote: &SrtpParameters) -> Result<Protection, Failure> {
    if remote.crypto_suite != SUITE {
        return Err(invalid(&format!(
            "pipes have one suite, {SUITE:?}: {:?} is another",
            remote.crypto_suite
        )));
    }
    let theirs = KeyText::parse(remote)?;
    if ours.is_same_as(&theirs) {
        // RFC 3711 §9.1: two senders with one key use nonces twice.
        return Err(invalid("the other end's key is ours: each direction needs its own"));
    }
    Protection::new(ours, &theirs)
}

fn invalid(detail: &str) -> Failure {
    Failure::new(ErrorCode::InvalidArgument, detail)
}
