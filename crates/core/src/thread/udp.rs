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
        self.keep(remote, datagram)
    }

    fn keep(&mut self, remote: SocketAddr, datagram: &[u8]) -> bool {
        let room = self.waiting_bytes + datagram.len() <= WAITING_BYTES_MAX;
        if room {
            self.waiting_bytes += datagram.len();
            self.waiting.push_back((remote, datagram.into()));
        }
        room
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

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (Udp, UdpSocket, SocketAddr) {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
        let remote = peer.local_addr().unwrap();
        (Udp::new(socket), peer, remote)
    }

    #[test]
    fn what_waits_goes_out_in_order_and_before_what_comes_later() {
        let (mut udp, peer, remote) = pair();
        assert!(udp.keep(remote, &[1]) && udp.keep(remote, &[2]));
        assert!(udp.send(remote, &[3]), "it queues behind the others");
        assert_eq!((udp.waiting.len(), udp.waiting_bytes), (3, 3));
        udp.on_writable();
        assert!(!udp.has_waiting() && udp.waiting_bytes == 0);
        assert!(udp.send(remote, &[4]));
        let mut buffer = [0; 8];
        for expected in 1..=4 {
            let len = peer.recv(&mut buffer).unwrap();
            assert_eq!(buffer[..len], [expected]);
        }
    }

    #[test]
    fn no_more_waits_than_may() {
        let (mut udp, _peer, remote) = pair();
        let datagram = [0; 1000];
        let kept = (0..1000).filter(|_| udp.keep(remote, &datagram)).count();
        assert_eq!(kept, WAITING_BYTES_MAX / 1000);
        assert!(udp.keep(remote, &[0; 100]), "a smaller one still fits");
    }

    #[test]
    fn a_socket_without_datagrams_gives_none() {
        let (udp, peer, _) = pair();
        assert_eq!(udp.receive(&mut [0; 8]), None);
        peer.send_to(&[7], udp.socket().local_addr().unwrap()).unwrap();
        assert_eq!(udp.receive(&mut [0; 8]).map(|(len, _)| len), Some(1));
    }
}
