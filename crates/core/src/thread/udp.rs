//! A bound UDP socket with what waits to be sent.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, UdpSocket};

/// Bytes that wait while the kernel's buffer is full. It drains within milliseconds; what is older than that is better
/// dropped than sent late.
const WAITING_BYTES_MAX: usize = 256 * 1024;

/// A UDP socket.
#[derive(Debug)]
pub(super) struct Udp {
    socket: UdpSocket,
    waiting: VecDeque<(SocketAddr, Box<[u8]>)>,
    waiting_bytes: usize,
}

impl Udp {
    pub(super) fn new(socket: UdpSocket) -> Self {
        Self { socket, waiting: VecDeque::new(), waiting_bytes: 0 }
    }

    pub(super) fn socket(&self) -> &UdpSocket {
        &self.socket
    }

    /// One datagram, or `None` when there is none. Errors of earlier sends that the kernel reports here are passed over.
    pub(super) fn receive(&self, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        loop {
            match self.socket.recv_from(buffer) {
                Ok(received) => return Some(received),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
                Err(error) if is_about_a_peer(&error) => {}
                Err(_) => return None,
            }
        }
    }

    /// Sends, or keeps until the socket is writable; `false` when it could do neither.
    pub(super) fn send(&mut self, remote: SocketAddr, datagram: &[u8]) -> bool {
        if self.waiting.is_empty() {
            match self.socket.send_to(datagram, remote) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return is_about_a_peer(&error),
                Ok(_) => return true,
            }
        }
        if self.waiting_bytes + datagram.len() > WAITING_BYTES_MAX {
            return false;
        }
        self.waiting_bytes += datagram.len();
        self.waiting.push_back((remote, datagram.into()));
        true
    }

    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Goes on with what waits, now that the socket is writable.
    pub(super) fn on_writable(&mut self) {
        while let Some((remote, datagram)) = self.waiting.front() {
            let sent = self.socket.send_to(datagram, *remote);
            if matches!(&sent, Err(error) if error.kind() == io::ErrorKind::WouldBlock) {
                return;
            }
            self.waiting_bytes -= datagram.len();
            self.waiting.pop_front();
        }
    }
}

/// An ICMP answer to an earlier datagram, not a state of the socket.
fn is_about_a_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, HostUnreachable, Interrupted, NetworkUnreachable};
    matches!(error.kind(), ConnectionRefused | HostUnreachable | NetworkUnreachable | Interrupted)
}
