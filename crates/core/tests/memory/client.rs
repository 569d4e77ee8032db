//! The peer of a WebRtcTransport, as far as it takes to connect: one check of ICE, and the handshake of DTLS.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use mafalda_core::prelude::*;
use mafalda_media::Now;
use mafalda_media::dtls::{Certificate, Dtls, DtlsOutput, Role};
use mafalda_media::stun::{AttributeType, BINDING, Class, TransactionId, Writer};

/// Long, for a machine that is busy: nothing is lost on loopback, so nobody waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Connects from a socket that is to be kept: a tuple stays with the Transport that proved it first, so nobody may get its port again.
pub(crate) fn connect(transport: &WebRtcTransport, certificate: &Certificate) -> UdpSocket {
    let candidate = transport.ice_candidates().remove(0);
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    socket.connect((candidate.address, candidate.port)).expect("an address");
    check(&socket, &transport.ice_parameters());
    shake_hands(&socket, certificate);
    socket
}

/// A check that nominates (RFC 8445 §7.2.2, §8.1.1).
fn check(socket: &UdpSocket, credentials: &IceParameters) {
    let mut request = [0; 256];
    let mut writer =
        Writer::new(Class::Request, BINDING, TransactionId([7; 12]), &mut request).expect("room");
    let username = format!("{}:client", credentials.username_fragment);
    let attributes: [(AttributeType, &[u8]); 4] = [
        (AttributeType::USERNAME, username.as_bytes()),
        (AttributeType::PRIORITY, &1_u32.to_be_bytes()),
        (AttributeType::ICE_CONTROLLING, &1_u64.to_be_bytes()),
        (AttributeType::USE_CANDIDATE, &[]),
    ];
    for (kind, value) in attributes {
        writer.attribute(kind, value).expect("room");
    }
    let len = writer.finish(Some(credentials.password.as_bytes())).expect("room");
    socket.send(&request[..len]).expect("loopback takes it");
    socket.recv(&mut request).expect("an answer");
}

fn shake_hands(socket: &UdpSocket, certificate: &Certificate) {
    let mut dtls = Dtls::new(certificate, Role::Client, now());
    let mut datagram = [0; 2048];
    loop {
        while let Some(output) = dtls.poll(&mut datagram) {
            match output {
                DtlsOutput::Packet(len) => drop(socket.send(&datagram[..len]).expect("loopback takes it")),
                DtlsOutput::Connected(_) => return,
                other => panic!("{other:?}"),
            }
        }
        let len = socket.recv(&mut datagram).expect("an answer");
        dtls.handle(now(), &datagram[..len]).expect("nothing comes twice");
    }
}

#[expect(clippy::disallowed_methods, reason = "the driver of a handshake")]
fn now() -> Now {
    Now { at: Instant::now(), unix: Duration::from_secs(1_700_000_000) }
}
