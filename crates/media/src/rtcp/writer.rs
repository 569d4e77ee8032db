//! A bounded compound packet under construction.

/// Most bytes of a compound packet.
///
/// Below every path's MTU that matters with IP, UDP and SRTCP around it, and what mediasoup uses. More would save a datagram
/// now and then, and lose all the reports in it where the path fragments.
pub const COMPOUND_LEN_MAX: usize = 1200;

/// The packet, or the first item of its list, doesn't fit any more: send what is there and begin another compound packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no room in the compound packet")]
pub struct Full;

/// Writes RTCP packets one behind the other into a buffer, up to [`COMPOUND_LEN_MAX`] bytes.
///
/// A packet that doesn't fit leaves no trace. Methods that take a list write as many of its items as fit, at most one packet's
/// worth, and return that number; it is 0 for an empty list only, so that a caller who goes on with the rest, and with an
/// empty buffer on [`Full`], comes to an end.
///
/// RFC 3550 §6.1 wants a report first in a compound packet, RFC 5506 allows feedback alone; the order is the caller's.
#[derive(Debug)]
pub struct CompoundWriter<'b> {
    out: &'b mut [u8],
    len: usize,
}

impl<'b> CompoundWriter<'b> {
    /// Starts at the beginning of `out`, whose bytes beyond [`COMPOUND_LEN_MAX`] are left alone.
    #[must_use]
    pub fn new(out: &'b mut [u8]) -> Self {
        let len = out.len().min(COMPOUND_LEN_MAX);
        let (out, _) = out.split_at_mut(len);
        Self { out, len: 0 }
    }

    /// Bytes written so far.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing is written yet.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Room for the body of another packet.
    pub(super) const fn body_room(&self) -> Result<usize, Full> {
        match (self.out.len() - self.len).checked_sub(4) {
            // A packet is whole words long.
            Some(room) => Ok(room / 4 * 4),
            None => Err(Full),
        }
    }

    /// How many of `count` items of `item_len` bytes fit behind the `fixed_len` bytes of a body; no more than `max`.
    pub(super) fn fitting(
        &self,
        fixed_len: usize,
        item_len: usize,
        count: usize,
        max: usize,
    ) -> Result<usize, Full> {
        let room = self.body_room()?.checked_sub(fixed_len).ok_or(Full)?;
        match (room / item_len).min(max).min(count) {
            0 if count != 0 => Err(Full),
            fitting => Ok(fitting),
        }
    }

    /// Adds a packet: its common header (RFC 3550 §6.4.1), a body of `body_len` bytes for the caller to fill, and padding up
    /// to a whole word.
    pub(super) fn packet(&mut self, packet_type: u8, fmt: u8, body_len: usize) -> Result<Body<'_>, Full> {
        let padded_len = body_len.next_multiple_of(4);
        if padded_len > self.body_room()? {
            return Err(Full);
        }
        let padding = padded_len - body_len;
        let start = self.len;
        self.len += 4 + padded_len;
        let (head, body) = self.out[start..self.len].split_at_mut(4);
        let [w0, w1] = ((padded_len / 4) as u16).to_be_bytes();
        head.copy_from_slice(&[0x80 | u8::from(padding != 0) << 5 | fmt & 0x1f, packet_type, w0, w1]);
        let (body, pad) = body.split_at_mut(body_len);
        pad.fill(0);
        if let Some(last) = pad.last_mut() {
            *last = padding as u8;
        }
        Ok(Body(body))
    }
}

/// The part of a body that is still to be filled. Writing more than was asked for is a bug, and panics.
#[derive(Debug)]
pub(super) struct Body<'b>(pub(super) &'b mut [u8]);

impl Body<'_> {
    pub(super) fn put(&mut self, bytes: &[u8]) {
        let (head, tail) = std::mem::take(&mut self.0)
            .split_at_mut_checked(bytes.len())
            .expect("a body is as long as its fields");
        head.copy_from_slice(bytes);
        self.0 = tail;
    }

    pub(super) fn put_u16(&mut self, value: u16) {
        self.put(&value.to_be_bytes());
    }

    pub(super) fn put_u32(&mut self, value: u32) {
        self.put(&value.to_be_bytes());
    }

    pub(super) fn put_u64(&mut self, value: u64) {
        self.put(&value.to_be_bytes());
    }
}
