//! A peer over a real socket, as far as DTLS: enough of a browser to bring a WebRtcTransport up and to leave it.

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant, SystemTime};

use mafalda_api::prelude::*;
use mafalda_api::types::data_structures::{DtlsFingerprint, DtlsRole};
use mafalda_media::Now;
use mafalda_media::dtls::{Certificate, Dtls, DtlsOutput, FingerprintAlgorithm, Role};

use crate::check;

/// How long a handshake waits for the next datagram before it looks at its clock.
const TICK: Duration = Duration::from_millis(20);

pub(crate) struct Peer {
    socket: UdpSocket,
    server: SocketAddr,
    certificate: Certificate,
    dtls: Option<Dtls>,
}

#[expect(clippy::disallowed_methods, reason = "a peer over real sockets lives in real time")]
fn now() -> Now {
    let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("it is later than 1970");
    Now { at: Instant::now(), unix }
}

impl Peer {
    /// A peer of that Transport, at an address of its own.
    pub(crate) fn of(transport: &WebRtcTransport) -> Self {
        let candidate = transport.ice_candidates().remove(0);
        let server = SocketAddr::new(candidate.address.parse().expect("an address"), candidate.port);
        let certificate = Certificate::generate().expect("a certificate");
        Self { socket: socket(), server, certificate, dtls: None }
    }

    /// Begins the handshake itself.
    pub(crate) fn parameters(&self) -> WebRtcTransportRemoteParameters {
        let digest = self.certificate.fingerprint(FingerprintAlgorithm::Sha256);
        let value = digest.digest().try_into().expect("32 bytes");
        let fingerprints = vec![DtlsFingerprint::Sha256 { value }];
        WebRtcTransportRemoteParameters {
            dtls_parameters: DtlsParameters { role: DtlsRole::Client, fingerprints },
        }
    }

    /// Nominates its address.
    pub(crate) fn check(&self, transport: &WebRtcTransport) {
        assert!(check::over_udp(&self.socket, self.server, &transport.ice_parameters()));
    }

    /// Goes to another address.
    pub(crate) fn moves(&mut self) {
        self.socket = socket();
    }

    pub(crate) fn port(&self) -> u16 {
        self.socket.local_addr().expect("it is bound").port()
    }

    /// Agrees on keys.
    pub(crate) fn shake_hands(&mut self) {
        self.socket.set_read_timeout(Some(TICK)).expect("it can be set");
        let mut dtls = Dtls::new(&self.certificate, Role::Client, now());
        let mut datagram = [0; 1500];
        while !self.flush(&mut dtls) {
            match self.socket.recv(&mut datagram) {
                // Checks of consent may be among what comes; what is no DTLS has no effect.
                Ok(len) => drop(dtls.handle(now(), &datagram[..len])),
                Err(_) => dtls.handle_timeout(now()),
            }
        }
        self.dtls = Some(dtls);
    }

    /// Says goodbye.
    pub(crate) fn close(&mut self) {
        let mut dtls = self.dtls.take().expect("hands were shaken");
        dtls.close(now());
        self.flush(&mut dtls);
    }

    /// Sends what there is to send; whether keys are agreed on.
    fn flush(&self, dtls: &mut Dtls) -> bool {
        let (mut out, mut is_connected) = ([0; 1500], false);
        while let Some(output) = dtls.poll(&mut out) {
            match output {
                DtlsOutput::Packet(len) => {
                    self.socket.send_to(&out[..len], self.server).expect("loopback takes it");
                }
                DtlsOutput::Connected(_) => is_connected = true,
                DtlsOutput::Failed(failure) => panic!("{failure}"),
                DtlsOutput::ApplicationData(_) | DtlsOutput::Closed => {}
            }
        }
        is_connected
    }
}

fn socket() -> UdpSocket {
    UdpSocket::bind("127.0.0.1:0").expect("a port is free")
}
