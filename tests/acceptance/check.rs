//! A connectivity check as a browser sends it (RFC 8445 §7.2), over real sockets: as much of STUN as that takes.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use mafalda_api::types::data_structures::IceParameters;
use ring::hmac;

/// How long an answer may take on a machine that is very busy.
const PATIENCE: Duration = Duration::from_secs(20);

/// A Binding request that nominates.
fn request(ice: &IceParameters) -> Vec<u8> {
    let mut message = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    message.extend([7; 12]);
    attribute(&mut message, 0x0006, format!("{}:peer", ice.username_fragment).as_bytes());
    attribute(&mut message, 0x0024, &[1, 2, 3, 4]);
    attribute(&mut message, 0x0025, &[]);
    attribute(&mut message, 0x802a, &[9; 8]);
    // Each of the last two sums up what is before it, under a length that counts it in (RFC 8489 §14.5, §14.7).
    set_len(&mut message, 24);
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, ice.password.as_bytes());
    let tag = hmac::sign(&key, &message);
    attribute(&mut message, 0x0008, tag.as_ref());
    set_len(&mut message, 8);
    let sum = crc32(&message) ^ 0x5354_554e;
    attribute(&mut message, 0x8028, &sum.to_be_bytes());
    message
}

fn attribute(message: &mut Vec<u8>, kind: u16, value: &[u8]) {
    message.extend(kind.to_be_bytes());
    message.extend(u16::try_from(value.len()).expect("attributes are short").to_be_bytes());
    message.extend(value);
    message.resize(message.len().next_multiple_of(4), 0);
}

fn set_len(message: &mut [u8], to_come: usize) {
    let len = u16::try_from(message.len() - 20 + to_come).expect("a check is short");
    message[2..4].copy_from_slice(&len.to_be_bytes());
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1));
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}

fn is_success(answer: &[u8]) -> bool {
    answer.starts_with(&[1, 1]) && answer.get(8..20) == Some(&[7; 12])
}

/// Sends a check from that socket; whether it was answered with success.
pub(crate) fn over_udp(socket: &UdpSocket, server: SocketAddr, ice: &IceParameters) -> bool {
    socket.set_read_timeout(Some(PATIENCE)).expect("it can be set");
    socket.send_to(&request(ice), server).expect("sent");
    let mut answer = [0; 512];
    let len = socket.recv(&mut answer).expect("an answer");
    is_success(&answer[..len])
}

/// Sends a check over that connection, in the frame of RFC 4571; whether it was answered with success.
pub(crate) fn over_tcp(stream: &mut TcpStream, ice: &IceParameters) -> bool {
    stream.set_read_timeout(Some(PATIENCE)).expect("it can be set");
    let request = request(ice);
    let len = u16::try_from(request.len()).expect("a check is short").to_be_bytes();
    stream.write_all(&[&len[..], &request].concat()).expect("sent");
    let mut len = [0; 2];
    stream.read_exact(&mut len).expect("an answer");
    let mut answer = vec![0; u16::from_be_bytes(len).into()];
    stream.read_exact(&mut answer).expect("the whole answer");
    is_success(&answer)
}
