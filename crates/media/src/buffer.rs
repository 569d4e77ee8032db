//! The buffers of a turn: datagrams that came in together, and packets that leave together.
//!
//! A [`Batch`] belongs to the machine from `handle` until its drain is over, so that packets are decrypted in place and sent on
//! from there; then it goes back to the driver's pool. A [`SendBuffer`] is filled in `poll` and emptied by the driver; a
//! [`Run`] names consecutive packets of one size in it that go to one place, the shape that UDP segmentation offload takes.

use std::net::SocketAddr;
use std::ops::Range;

use crate::{SocketId, Tuple};

/// Datagrams at which a batch counts as full. More would cost memory and cache, fewer would cost system calls. How many of them
/// the machine takes at once is another matter: [`Batch::open`].
pub const BATCH_DATAGRAMS_MAX: usize = 256;

/// Bytes of one batch: 32 messages of the largest size that a kernel joins datagrams to. Memory that no datagram has used is
/// never touched.
pub const BATCH_BYTES_MAX: usize = 32 * DATAGRAM_BYTES_MAX;

/// The largest datagram, or message of joined ones: UDP's own limit. Nothing larger exists, nothing is cut.
pub const DATAGRAM_BYTES_MAX: usize = 65_536;

/// One received datagram: where from, and where it lies in its batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// The socket that it came in through and its sender.
    pub tuple: Tuple,
    start: u32,
    len: u16,
    /// Whether it came in one message with the one before it.
    follows: bool,
}

impl Datagram {
    /// Its bytes within its batch.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.start as usize..self.start as usize + usize::from(self.len)
    }
}

/// Datagrams that came in together, in order.
///
/// The driver fills it, by copy or right from the socket, and may let the machine have it piece by piece, so that under overload
/// calls and deadlines get their turn in between.
#[derive(Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    used: usize,
    datagrams: Vec<Datagram>,
    /// How many the machine has had.
    done: usize,
    /// Up to where it may go next; to the end if nobody said.
    limit: Option<usize>,
}

impl Batch {
    /// An empty batch with all the memory that it may have.
    #[must_use]
    pub fn for_receiving() -> Self {
        Self {
            bytes: vec![0; BATCH_BYTES_MAX],
            datagrams: Vec::with_capacity(BATCH_DATAGRAMS_MAX),
            ..Self::default()
        }
    }

    /// Adds a datagram by copy. `false` when it is too long for one, or the batch is full.
    pub fn push(&mut self, tuple: Tuple, datagram: &[u8]) -> bool {
        let end = self.used + datagram.len();
        if self.is_full() || datagram.len() >= DATAGRAM_BYTES_MAX || end > BATCH_BYTES_MAX {
            return false;
        }
        if end > self.bytes.len() {
            self.bytes.resize(end, 0);
        }
        self.bytes[self.used..end].copy_from_slice(datagram);
        self.add(tuple, 0..datagram.len(), false);
        self.commit(datagram.len());
        true
    }

    /// Memory to receive into: name what came with [`Batch::add`], then say with [`Batch::commit`] how much of it is in use.
    pub fn spare(&mut self) -> &mut [u8] {
        &mut self.bytes[self.used..]
    }

    /// Names a datagram that lies in the spare memory. `follows` says that it came in one message with the one before.
    ///
    /// One that lies elsewhere, or is longer than a datagram can be, is not taken.
    pub fn add(&mut self, tuple: Tuple, range: Range<usize>, follows: bool) {
        let (start, end) = (self.used + range.start, self.used + range.end);
        if let (Ok(start), Ok(len)) = (u32::try_from(start), u16::try_from(range.len()))
            && end <= self.bytes.len()
        {
            self.datagrams.push(Datagram { tuple, start, len, follows });
        }
    }

    /// The first `len` bytes of the spare memory are in use from now on.
    pub fn commit(&mut self, len: usize) {
        self.used = (self.used + len).min(self.bytes.len());
    }

    /// Lets the machine have at most that many of the datagrams next, but at least one. Those of one message stay together; if
    /// there are more of them, they go in pieces of about the same size.
    pub fn open(&mut self, most: usize) {
        let most = most.max(1);
        let end = self.done.saturating_add(most).min(self.datagrams.len());
        let is_bound = |at: &usize| self.datagrams.get(*at).is_none_or(|datagram| !datagram.follows);
        let bound = (self.done + 1..=end).rev().find(is_bound);
        self.limit = Some(bound.unwrap_or_else(|| {
            let message_end = (end..).find(is_bound).unwrap_or(end);
            let left = message_end - self.done;
            self.done + left.div_ceil(left.div_ceil(most))
        }));
    }

    /// Whether no further datagram of any length fits.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.datagrams.len() >= BATCH_DATAGRAMS_MAX || self.used + DATAGRAM_BYTES_MAX > BATCH_BYTES_MAX
    }

    /// Whether the machine has had all that was in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.done == self.datagrams.len()
    }

    /// How many datagrams the machine has not had yet.
    #[must_use]
    pub fn len(&self) -> usize {
        self.datagrams.len() - self.done
    }

    /// What the machine is to have now.
    pub(crate) fn window(&self) -> Range<usize> {
        self.done..self.limit.unwrap_or(self.datagrams.len())
    }

    /// The machine is through with these: what is behind them is next. Keeps the memory.
    pub(crate) fn close(&mut self) {
        self.done = self.window().end;
        self.limit = None;
        if self.is_empty() {
            self.datagrams.clear();
            self.used = 0;
            self.done = 0;
        }
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

    /// All that was written, which runs name parts of.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.used]
    }

    /// Writes packets of one run, as the machine would: for tests of what becomes of runs. All but the last have one size.
    ///
    /// # Panics
    /// When the packets make no run, or don't fit.
    pub fn write_run(&mut self, tuple: Tuple, sender: Sender, packets: &[&[u8]]) -> Run {
        let mut run: Option<Run> = None;
        for packet in packets {
            self.spare()[..packet.len()].copy_from_slice(packet);
            let next = Run::new(tuple, sender, self.commit(packet.len()), packet.len());
            match &mut run {
                Some(run) => assert!(run.join(&next), "these packets make no run"),
                None => run = Some(next),
            }
        }
        run.expect("a run has packets")
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
        let alike = self.tuple == next.tuple && self.sender == next.sender && next.count == 1;
        alike && self.extend(next.start, next.len)
    }

    /// Adds another packet of the same sender for the same destination; `false` when it needs a run of its own.
    #[inline]
    pub(crate) fn extend(&mut self, start: usize, len: usize) -> bool {
        let whole = self.len == usize::from(self.segment_size) * usize::from(self.count);
        let fits = len <= usize::from(self.segment_size) && self.len + len <= Self::BYTES_MAX;
        let follows = self.start + self.len == start && len > 0;
        if !(whole && fits && follows && self.count < Self::PACKETS_MAX) {
            return false;
        }
        self.len += len;
        self.count += 1;
        true
    }

    /// Where its packets lie in the send buffer, one behind the other.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
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
        let mut batch = Batch::default();
        for index in 0..BATCH_DATAGRAMS_MAX {
            assert!(batch.push(tuple(1), &[index as u8; 3]));
        }
        assert!(!batch.push(tuple(1), &[0]));
        let seventh = batch.datagram(7).unwrap();
        assert_eq!(batch.bytes(seventh.range()), [7; 3]);
        batch.close();
        assert!(batch.is_empty() && batch.push(tuple(1), &[0]));
    }

    #[test]
    fn a_batch_has_no_more_memory_than_it_may_have() {
        let mut batch = Batch::default();
        let large = vec![0; DATAGRAM_BYTES_MAX - 1];
        let pushed = (0..BATCH_DATAGRAMS_MAX).take_while(|_| batch.push(tuple(1), &large)).count();
        assert_eq!(pushed, BATCH_BYTES_MAX / DATAGRAM_BYTES_MAX);
        assert!(batch.is_full() && batch.bytes.len() <= BATCH_BYTES_MAX);
        assert!(!Batch::default().push(tuple(1), &vec![0; DATAGRAM_BYTES_MAX]), "no datagram is that long");
    }

    #[test]
    fn what_was_received_into_spare_memory_is_there() {
        let mut batch = Batch::for_receiving();
        batch.push(tuple(1), &[9]);
        batch.spare()[..5].copy_from_slice(&[1, 2, 3, 4, 5]);
        batch.add(tuple(2), 0..2, false);
        batch.add(tuple(2), 2..5, true);
        batch.add(tuple(2), 0..BATCH_BYTES_MAX, true);
        batch.commit(5);
        assert_eq!(batch.len(), 3, "what can't be a datagram is none");
        assert_eq!(batch.bytes(batch.datagram(2).unwrap().range()), [3, 4, 5]);
        assert_eq!(batch.spare().len(), BATCH_BYTES_MAX - 6);
    }

    #[test]
    fn pieces_end_between_messages_where_they_can() {
        let mut batch = Batch::for_receiving();
        for (count, follows) in [(3, true), (5, true), (2, false)] {
            (0..count).for_each(|index| batch.add(tuple(1), 0..1, follows && index > 0));
        }
        let mut pieces = Vec::new();
        while !batch.is_empty() {
            batch.open(4);
            pieces.push(batch.window().len());
            batch.close();
        }
        assert_eq!(pieces, [3, 3, 4], "five don't go at once, and their last ones go with what follows");
        batch.add(tuple(1), 0..1, false);
        batch.open(0);
        assert_eq!(batch.window(), 0..1, "something always goes");
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
