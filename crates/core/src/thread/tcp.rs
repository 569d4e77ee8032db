//! An accepted TCP connection: frames of RFC 4571 in both directions, with a bounded queue of what waits to be written.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};

use mafalda_media::SocketId;
use mafalda_media::tcp::{Deframer, frame_header};

/// Bytes that wait for a slow peer: about a second of one video stream. More would only arrive too late.
const WAITING_BYTES_MAX: usize = 256 * 1024;

/// A TCP connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) listener: SocketId,
    pub(super) remote: SocketAddr,
    stream: TcpStream,
    deframer: Deframer,
    /// Whole frames, but for the first, which may have been written in part.
    waiting: Vec<u8>,
}

impl Connection {
    pub(super) fn new(listener: SocketId, remote: SocketAddr, stream: TcpStream) -> Self {
        Self { listener, remote, stream, deframer: Deframer::new(), waiting: Vec::new() }
    }

    pub(super) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Reads once and hands each whole packet on.
    ///
    /// # Errors
    /// When the connection is over: at its end, by an error, or because it doesn't speak RFC 4571.
    pub(super) fn receive(&mut self, buffer: &mut [u8], mut on_packet: impl FnMut(&[u8])) -> io::Result<()> {
        let len = match self.stream.read(buffer) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(len) => len,
            Err(error) if is_passing(&error) => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut chunk = &mut buffer[..len];
        while let Some(packet) = self.deframer.next_packet(&mut chunk).map_err(io::Error::other)? {
            on_packet(packet);
        }
        Ok(())
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
