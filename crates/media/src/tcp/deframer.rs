//! From a byte stream in chunks of any size back to packets.

use std::mem;

use thiserror::Error;

use crate::demux::{DemuxDrop, Kind};

/// The longest packet that is taken from a stream, in bytes.
///
/// The length field reaches 65535, but no peer sends that: RTP and RTCP are taken up to 2048 bytes, SCTP and the DTLS
/// handshake are cut to fit a UDP datagram. Twice the largest packet leaves room for a DTLS flight that somebody
/// didn't cut. More would cost that much memory for each connection, and find out later that a peer doesn't speak this
/// protocol: the first two bytes of an HTTP request or a TLS record are a length far beyond.
pub const FRAME_MAX: usize = 4096;

/// Length of the length (RFC 4571 §2).
const HEADER_LEN: usize = 2;

/// Why a stream can't go on: the places of its frames are lost, and the connection is to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FrameError {
    /// A frame longer than [`FRAME_MAX`].
    #[error("frame of {len} bytes")]
    Oversize {
        /// What the length field said.
        len: u16,
    },
    /// A frame that no protocol of ours starts like.
    #[error("not a packet: {0}")]
    Garbage(#[from] DemuxDrop),
}

/// Finds the packets in one connection's bytes.
///
/// A packet that lies whole in the chunk is returned where it lies; only what is cut by the end of a chunk is copied,
/// into a buffer that is allocated once and never larger than [`FRAME_MAX`] and a header.
#[derive(Debug, Default)]
pub struct Deframer {
    /// The frame that a chunk's end has cut, header first, as far as it is here.
    partial: Vec<u8>,
    /// `partial` was returned as a whole packet, and is to be forgotten.
    returned: bool,
    broken: Option<FrameError>,
}

impl Deframer {
    /// A deframer at the start of a connection's bytes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The next whole packet, of which at least the first byte is right; `None` when `chunk` is used up.
    ///
    /// Cuts what it has read from the front of `chunk`. Call it with the same slice until it returns `None`, then with
    /// the next bytes from the socket. The packet is writable so that it can be decrypted in place. Frames of length 0
    /// (null packets, RFC 4571 §2) are skipped.
    ///
    /// # Errors
    /// [`FrameError`], from then on at every call: close the connection.
    pub fn next_packet<'a, 'chunk: 'a>(
        &'a mut self,
        chunk: &mut &'chunk mut [u8],
    ) -> Result<Option<&'a mut [u8]>, FrameError> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        match self.find(chunk) {
            Ok(Found::InChunk(packet)) => Ok(Some(packet)),
            Ok(Found::InPartial) => Ok(self.partial.get_mut(HEADER_LEN..)),
            Ok(Found::Nothing) => Ok(None),
            Err(error) => {
                self.broken = Some(error);
                Err(error)
            }
        }
    }

    fn find<'chunk>(&mut self, chunk: &mut &'chunk mut [u8]) -> Result<Found<'chunk>, FrameError> {
        if mem::take(&mut self.returned) {
            self.partial.clear();
        }
        if !self.partial.is_empty() {
            return self.complete(chunk);
        }
        while let Some(len) = packet_len(chunk)? {
            if chunk.len() < HEADER_LEN + len {
                break;
            }
            let frame = cut(chunk, HEADER_LEN + len);
            if len > 0 {
                return Ok(frame.get_mut(HEADER_LEN..).map_or(Found::Nothing, Found::InChunk));
            }
        }
        self.keep(chunk, usize::MAX);
        Ok(Found::Nothing)
    }

    /// Goes on with a frame that an earlier chunk has begun.
    fn complete<'chunk>(&mut self, chunk: &mut &'chunk mut [u8]) -> Result<Found<'chunk>, FrameError> {
        loop {
            // The header first; each turn checks what is there, so a wrong packet is never returned.
            let missing = match packet_len(&self.partial)? {
                None | Some(0) => HEADER_LEN.saturating_sub(self.partial.len()),
                Some(len) => (HEADER_LEN + len).saturating_sub(self.partial.len()),
            };
            if missing == 0 {
                return self.completed(chunk);
            }
            if chunk.is_empty() {
                return Ok(Found::Nothing);
            }
            self.keep(chunk, missing);
        }
    }

    fn completed<'chunk>(&mut self, chunk: &mut &'chunk mut [u8]) -> Result<Found<'chunk>, FrameError> {
        self.returned = true;
        if self.partial.len() == HEADER_LEN {
            return self.find(chunk);
        }
        Ok(Found::InPartial)
    }

    /// Moves up to `max` bytes from the front of `chunk` into the buffer.
    fn keep(&mut self, chunk: &mut &mut [u8], max: usize) {
        if chunk.is_empty() {
            return;
        }
        if self.partial.capacity() == 0 {
            self.partial.reserve_exact(HEADER_LEN + FRAME_MAX);
        }
        self.partial.extend_from_slice(cut(chunk, max));
    }
}

/// Where a packet was found.
enum Found<'chunk> {
    InChunk(&'chunk mut [u8]),
    InPartial,
    Nothing,
}

/// The length of the packet in the frame that starts at `frame`, once its header is there; checks the packet's first
/// byte as well, if that is there.
fn packet_len(frame: &[u8]) -> Result<Option<usize>, FrameError> {
    let Some((header, packet)) = frame.split_first_chunk::<HEADER_LEN>() else {
        return Ok(None);
    };
    let len = u16::from_be_bytes(*header);
    if usize::from(len) > FRAME_MAX {
        return Err(FrameError::Oversize { len });
    }
    if len > 0 && !packet.is_empty() {
        check_first_byte(packet)?;
    }
    Ok(Some(usize::from(len)))
}

/// A packet of one byte that would need two to be told apart is not garbage yet, but waits for its own parser's refusal.
fn check_first_byte(packet: &[u8]) -> Result<(), FrameError> {
    match Kind::of(packet) {
        Ok(_) | Err(DemuxDrop::TooShort) => Ok(()),
        Err(other) => Err(FrameError::Garbage(other)),
    }
}

/// Splits up to `max` bytes off the front of `slice`.
fn cut<'a>(slice: &mut &'a mut [u8], max: usize) -> &'a mut [u8] {
    let whole = mem::take(slice);
    let (front, rest) = whole.split_at_mut(max.min(whole.len()));
    *slice = rest;
    front
}

#[cfg(test)]
mod tests;
