//! The buffers of a turn: datagrams that came in together, and packets that leave together.
//!
//! A [`Batch`] belongs to the machine from `handle` until its drain is over, so that packets are decrypted in place and sent on
//! from there; then it goes back to the driver's pool. A [`SendBuffer`] is filled in `poll` and emptied by the driver; a
//! [`Run`] names consecutive packets of one size in it that go to one place, the shape that UDP segmentation offload takes.

use std::net::SocketAddr;
use std::ops::Range;

use crate::{SocketId, Tuple};

/// Most datagrams of one batch. More would make timers and commands late under overload, fewer would cost system calls.
pub const BATCH_DATAGRAMS_MAX: usize = 256;

/// One received datagram: where from, and where it lies in its batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// The socket that it came in through and its sender.
    pub tuple: Tuple,
    start: u32,
    len: u32,
}

impl Datagram {
    /// Its bytes within its batch.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.start as usize..(self.start + self.len) as usize
    }
}

/// Datagrams that came in together, in order.
#[derive(Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    datagrams: Vec<Datagram>,
}

impl Batch {
    /// An empty batch that holds so many bytes before it allocates.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), datagrams: Vec::with_capacity(BATCH_DATAGRAMS_MAX) }
    }

    /// Adds a datagram by copy. `false` when the batch holds [`BATCH_DATAGRAMS_MAX`] already, or 4 GiB.
    pub fn push(&mut self, tuple: Tuple, datagram: &[u8]) -> bool {
        let start = self.bytes.len();
        let (Ok(start), Ok(len)) = (u32::try_from(start), u32::try_from(datagram.len())) else {
            return false;
        };
        if self.is_full() || start.checked_add(len).is_none() {
            return false;
        }
        self.bytes.extend_from_slice(datagram);
        self.datagrams.push(Datagram { tuple, start, len });
        true
    }

    /// Whether no further datagram fits.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.datagrams.len() >= BATCH_DATAGRAMS_MAX
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.datagrams.is_empty()
    }

    /// How many datagrams it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.datagrams.len()
    }

    /// Forgets the datagrams, keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.datagrams.clear();
    }

    /// The datagram at this place, in the order of arrival.
    pub(crate) fn datagram(&self, index: usize) -> Option<Datagram> {
        self.datagrams.get(index).copied()
    }

    pub(crate) fn bytes(&self, range: Range<usize>) -> &[u8] {
        self.bytes.get(range).unwrap_or_default()
    }

    pub(crate) fn bytes_mut(&mut self, range: Range<usize>) -> &mut [u8] {
        self.bytes.get_mut(range).unwrap_or_default()
    }
}

/// Packets that leave together. Its size is fixed: when it is full, the machine asks for a flush.
#[derive(Debug)]
pub struct SendBuffer {
    bytes: Box<[u8]>,
    used: usize,
}

impl SendBuffer {
    /// Least sensible capacity: the largest datagram that the machine ever writes fits even when nothing else does.
    pub const CAPACITY_MIN: usize = 4096;

    /// An empty buffer of that many bytes, at least [`SendBuffer::CAPACITY_MIN`].
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { bytes: vec![0; capacity.max(Self::CAPACITY_MIN)].into_boxed_slice(), used: 0 }
    }

    /// Forgets what was written. The driver calls it after it has sent all [`Run`]s that it was given.
    pub fn clear(&mut self) {
        self.used = 0;
    }

    /// The packets of a run, one slice each.
    pub fn packets(&self, run: &Run) -> impl Iterator<Item = &[u8]> {
        self.bytes.get(run.range()).unwrap_or_default().chunks(usize::from(run.segment_size).max(1))
    }

    /// The bytes of a run.
    #[must_use]
    pub fn run(&self, run: &Run) -> &[u8] {
        self.bytes.get(run.range()).unwrap_or_default()
    }

    /// Where the next packet goes.
    pub(crate) fn spare(&mut self) -> &mut [u8] {
        &mut self.bytes[self.used..]
    }

    /// Takes the first `len` bytes of [`SendBuffer::spare`] as written and says where they lie.
    pub(crate) fn commit(&mut self, len: usize) -> usize {
        let start = self.used;
        self.used = (start + len).min(self.bytes.len());
        start
    }

    pub(crate) fn room(&self) -> usize {
        self.bytes.len() - self.used
    }
}

/// Whose packets a [`Run`] holds, so that what could not be sent is counted there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sender {
    /// Handshakes, answers to checks and feedback.
    Control,
    /// Media of a Consumer, which the SSRC of its media stands for. To be given back in `Input::Unsent`.
    Consumer(u32),
}

/// Consecutive packets in a [`SendBuffer`] for one destination: all of `segment_size` bytes, but for the last, which may be
/// shorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The socket to send with, and where to.
    pub tuple: Tuple,
    /// Whose packets these are.
    pub sender: Sender,
    /// Bytes of each packet but the last.
    pub segment_size: u16,
    /// How many packets.
    pub count: u16,
    start: usize,
    len: usize,
}

impl Run {
    /// Most packets of one run, and most bytes: the limits of UDP_SEGMENT on Linux (UDP_MAX_SEGMENTS of older kernels is 64).
    const PACKETS_MAX: u16 = 64;
    const BYTES_MAX: usize = 65_507;

    pub(crate) fn new(tuple: Tuple, sender: Sender, start: usize, len: usize) -> Self {
        let segment_size = u16::try_from(len).unwrap_or(u16::MAX);
        Self { tuple, sender, segment_size, count: 1, start, len }
    }

    /// Adds the one packet of `next`, which lies behind the run; `false` when it needs a run of its own.
    pub(crate) fn join(&mut self, next: &Self) -> bool {
        let whole = self.len == usize::from(self.segment_size) * usize::from(self.count);
        let fits = next.len <= usize::from(self.segment_size) && self.len + next.len <= Self::BYTES_MAX;
        let follows = self.start + self.len == next.start && next.count == 1 && next.len > 0;
        let alike = self.tuple == next.tuple && self.sender == next.sender;
        if !(whole && fits && follows && alike && self.count < Self::PACKETS_MAX) {
            return false;
        }
        self.len += next.len;
        self.count += 1;
        true
    }

    fn range(&self) -> Range<usize> {
        self.start..self.start + self.len
    }

    /// Where it goes.
    #[must_use]
    pub fn destination(&self) -> SocketAddr {
        self.tuple.remote
    }

    /// What to send it with.
    #[must_use]
    pub fn socket(&self) -> SocketId {
        self.tuple.socket
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tuple(port: u16) -> Tuple {
        Tuple { socket: SocketId(1), remote: SocketAddr::from(([127, 0, 0, 1], port)) }
    }

    #[test]
    fn a_batch_gives_back_what_was_pushed_and_refuses_more_than_its_bound() {
        let mut batch = Batch::with_capacity(16);
        for index in 0..BATCH_DATAGRAMS_MAX {
            assert!(batch.push(tuple(1), &[index as u8; 3]));
        }
        assert!(!batch.push(tuple(1), &[0]));
        let seventh = batch.datagram(7).unwrap();
        assert_eq!(batch.bytes(seventh.range()), [7; 3]);
        batch.clear();
        assert!(batch.is_empty());
    }

    #[test]
    fn a_run_takes_equal_packets_and_one_shorter_last() {
        let mut out = SendBuffer::new(4096);
        let mut run = Run::new(tuple(1), Sender::Control, out.commit(100), 100);
        let start = out.commit(100);
        assert!(run.join(&Run::new(tuple(1), Sender::Control, start, 100)));
        let start = out.commit(40);
        assert!(run.join(&Run::new(tuple(1), Sender::Control, start, 40)));
        let start = out.commit(40);
        assert!(!run.join(&Run::new(tuple(1), Sender::Control, start, 40)), "the shorter one was the last");
        assert_eq!(out.packets(&run).map(<[u8]>::len).collect::<Vec<_>>(), [100, 100, 40]);
    }

    #[test]
    fn a_run_ends_at_another_destination_a_larger_packet_and_a_gap() {
        let mut run = Run::new(tuple(1), Sender::Control, 0, 100);
        assert!(!run.join(&Run::new(tuple(2), Sender::Control, 100, 100)));
        assert!(!run.join(&Run::new(tuple(1), Sender::Consumer(1), 100, 100)));
        assert!(!run.join(&Run::new(tuple(1), Sender::Control, 100, 101)));
        assert!(!run.join(&Run::new(tuple(1), Sender::Control, 101, 100)));
    }
}
