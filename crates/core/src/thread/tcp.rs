//! An accepted TCP connection: frames of RFC 4571 in both directions, with a bounded queue of what waits to be written.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};

use mafalda_media::tcp::{Deframer, frame_header};

/// Bytes that wait for a slow peer: about a second of one video stream. More would only arrive too late.
const WAITING_BYTES_MAX: usize = 256 * 1024;

/// A TCP connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) remote: SocketAddr,
    stream: TcpStream,
    deframer: Deframer,
    /// Whole frames, but for the first, which may have been written in part.
    waiting: Vec<u8>,
}

impl Connection {
    pub(super) fn new(remote: SocketAddr, stream: TcpStream) -> Self {
        Self { remote, stream, deframer: Deframer::new(), waiting: Vec::new() }
    }

    pub(super) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Reads once; how many bytes there are for [`Connection::next_packet`].
    ///
    /// # Errors
    /// When the connection is over: at its end or by an error.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.stream.read(buffer) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Err(error) if is_passing(&error) => Ok(0),
            result => result,
        }
    }

    /// The next whole packet in what was read; `None` when `chunk` is used up.
    ///
    /// # Errors
    /// When the peer doesn't speak RFC 4571: the connection is over.
    pub(super) fn next_packet<'a, 'chunk: 'a>(
        &'a mut self,
        chunk: &mut &'chunk mut [u8],
    ) -> io::Result<Option<&'a mut [u8]>> {
        self.deframer.next_packet(chunk).map_err(io::Error::other)
    }

    /// Queues a packet; `false` when the peer is too slow. A frame is queued whole or not at all.
    pub(super) fn send(&mut self, packet: &[u8]) -> bool {
        let Ok(len) = u16::try_from(packet.len()) else { return false };
        if self.waiting.len() + packet.len() + 2 > WAITING_BYTES_MAX {
            return false;
        }
        self.waiting.extend_from_slice(&frame_header(len));
        self.waiting.extend_from_slice(packet);
        true
    }

    /// Writes what the kernel takes.
    ///
    /// # Errors
    /// When the connection is over.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let mut written = 0;
        let result = loop {
            if written == self.waiting.len() {
                break Ok(());
            }
            match self.stream.write(&self.waiting[written..]) {
                Ok(0) => break Err(io::ErrorKind::WriteZero.into()),
                Ok(len) => written += len,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        self.waiting.drain(..written);
        result
    }

    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }
}

fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// A connection whose peer is a plain stream.
    fn pair() -> (Connection, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, remote) = listener.accept().unwrap();
        stream.set_nonblocking(true).unwrap();
        (Connection::new(remote, stream), peer)
    }

    /// Something that looks like RTP, with its number in it.
    fn packet(number: u32) -> Vec<u8> {
        let mut packet = vec![0x80; 1200];
        packet[4..8].copy_from_slice(&number.to_be_bytes());
        packet
    }

    fn numbers(peer: &mut TcpStream) -> Vec<u32> {
        let mut bytes = Vec::new();
        peer.read_to_end(&mut bytes).unwrap();
        let (mut deframer, mut chunk, mut numbers) = (Deframer::new(), bytes.as_mut_slice(), Vec::new());
        while let Some(packet) = deframer.next_packet(&mut chunk).unwrap() {
            assert_eq!(packet.len(), 1200);
            numbers.push(u32::from_be_bytes(packet[4..8].try_into().unwrap()));
        }
        numbers
    }

    #[test]
    fn a_slow_peer_gets_whole_frames_and_no_more_than_may_wait() {
        let (mut connection, mut peer) = pair();
        let mut taken = Vec::new();
        let mut refused = 0;
        for number in 0..20_000 {
            if connection.send(&packet(number)) {
                taken.push(number);
            } else {
                refused += 1;
            }
            connection.flush().unwrap();
            assert!(connection.waiting.len() <= WAITING_BYTES_MAX);
        }
        assert!(refused > 0 && connection.has_waiting(), "24 MB are more than any kernel holds");
        let reader = std::thread::spawn(move || numbers(&mut peer));
        while connection.has_waiting() {
            connection.flush().unwrap();
            std::thread::yield_now();
        }
        drop(connection);
        assert_eq!(reader.join().unwrap(), taken);
    }

    #[test]
    fn a_connection_ends_with_its_peer_and_by_what_is_no_packet() {
        let (mut connection, peer) = pair();
        drop(peer);
        let mut buffer = [0; 64];
        let end = loop {
            match connection.read(&mut buffer) {
                Ok(_) => std::thread::yield_now(),
                Err(error) => break error,
            }
        };
        assert_eq!(end.kind(), io::ErrorKind::UnexpectedEof);
        let mut chunk = b"GET / HTTP/1.1".to_vec();
        assert!(connection.next_packet(&mut chunk.as_mut_slice()).is_err());
    }

    #[test]
    fn a_broken_connection_says_so_when_it_is_written_to() {
        let (mut connection, peer) = pair();
        drop(peer);
        let broken = (0..100_000).any(|number| {
            connection.send(&packet(number));
            connection.flush().is_err()
        });
        assert!(broken);
    }
}
