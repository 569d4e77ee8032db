//! A bound UDP socket with what waits to be sent.
//!
//! A run leaves as one message that the kernel cuts apart. Where a destination can't have that, its datagrams go one by one from
//! then on. What the kernel has no room for waits until the socket is writable, for a few milliseconds and in its order; then it
//! is given up, and its sender is told, so that the rest of those frames isn't sent either.

use std::collections::{HashSet, VecDeque};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use mafalda_media::buffer::{Batch, Run, SendBuffer, Sender};
use mafalda_media::{SocketId, Tuple};
use mafalda_net::{Refusal, SLOT_LEN, join_received, let_fragment};

use super::packet_io::{MESSAGES_PER_CALL, PacketIo, Piece};

/// Bytes that wait while the kernel's buffer is full.
const WAITING_BYTES_MAX: usize = 256 * 1024;
/// How long they wait. A full buffer drains within milliseconds; what is older than that is better dropped than sent late.
const WAITING_TIME_MAX: Duration = Duration::from_millis(5);
/// Destinations that are known not to take runs. One too many, and all are learned anew, at the cost of a refused message each.
const UNSEGMENTED_MAX: usize = 4096;

/// Packets that could not be sent, and whose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unsent {
    pub(super) tuple: Tuple,
    pub(super) sender: Sender,
    pub(super) packets: u32,
}

/// What a flush works with.
#[derive(Debug)]
pub(super) struct Desk<'a, I> {
    pub(super) io: &'a mut I,
    pub(super) now: Instant,
    /// Memory for the pieces, empty in between.
    pub(super) pieces: &'a mut Vec<Piece>,
    pub(super) unsent: &'a mut Vec<Unsent>,
}

/// A run, or one packet of it, that waits.
#[derive(Debug)]
struct Waiting {
    run: Run,
    piece: Piece,
    bytes: Box<[u8]>,
    since: Instant,
}

impl Waiting {
    fn packets(&self) -> u32 {
        self.piece.range.len().div_ceil(usize::from(self.piece.segment_size).max(1)) as u32
    }
}

/// A UDP socket.
#[derive(Debug)]
pub(super) struct Udp {
    socket: UdpSocket,
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
    unsegmented: HashSet<SocketAddr>,
    /// Whether a destination has been met whose path is narrower than a packet.
    may_fragment: bool,
}

impl Udp {
    pub(super) fn new(socket: UdpSocket) -> Self {
        if let Err(error) = join_received(socket.as_fd()) {
            tracing::debug!(%error, "the kernel doesn't join datagrams");
        }
        if let Err(error) = let_fragment(socket.as_fd(), false) {
            tracing::debug!(%error, "the kernel draws an identification for each message");
        }
        Self {
            socket,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            unsegmented: HashSet::new(),
            may_fragment: false,
        }
    }

    pub(super) fn socket(&self) -> &UdpSocket {
        &self.socket
    }

    /// Takes what waits at the socket into the batch, in one call; whether there may be more.
    pub(super) fn receive(&mut self, io: &mut impl PacketIo, id: SocketId, batch: &mut Batch) -> bool {
        let slots = (batch.spare().len() / SLOT_LEN).min(MESSAGES_PER_CALL);
        let Ok(received) = io.receive(self.socket.as_fd(), batch.spare()) else { return false };
        for message in received {
            let tuple = Tuple { socket: id, remote: message.remote };
            for (index, range) in message.datagrams().enumerate() {
                batch.add(tuple, range, index > 0);
            }
        }
        // The next call's slots begin behind the last message.
        let used = received.last().map_or(0, |last| last.start + last.len);
        let more = received.len() >= slots;
        batch.commit(used);
        more
    }

    /// Sends runs, or keeps them until the socket is writable.
    pub(super) fn send(&mut self, desk: &mut Desk<'_, impl PacketIo>, out: &SendBuffer, runs: &[Run]) {
        if self.has_waiting() {
            // In a long turn there may have become room since.
            self.on_writable(desk);
        }
        let mut next = 0;
        while next < runs.len() {
            if self.has_waiting() {
                return runs[next..].iter().for_each(|run| self.keep_run(desk, out, run));
            }
            next += self.send_until_refused(desk, out, &runs[next..]);
        }
    }

    /// Sends runs up to the first refusal and deals with that; how many are done.
    fn send_until_refused(
        &mut self,
        desk: &mut Desk<'_, impl PacketIo>,
        out: &SendBuffer,
        runs: &[Run],
    ) -> usize {
        if self.unsegmented.contains(&runs[0].destination()) {
            self.send_apart(desk, out, &runs[0]);
            return 1;
        }
        // Those that have to go apart end the row.
        let together = runs.iter().take_while(|run| !self.goes_apart(run));
        desk.pieces.clear();
        desk.pieces.extend(together.map(whole));
        let sent = desk.io.send(self.socket.as_fd(), out.bytes(), desk.pieces);
        let Some(refusal) = sent.refusal else { return desk.pieces.len() };
        let run = &runs[sent.messages];
        match refusal {
            Refusal::Unsegmented => {
                self.remember(run.destination());
                self.send_apart(desk, out, run);
            }
            Refusal::Full => self.keep_run(desk, out, run),
            Refusal::TooLong if self.begin_to_fragment() => return sent.messages,
            Refusal::TooLong | Refusal::Destination | Refusal::Other(_) => {
                desk.give_up(run, run.count.into());
            }
        }
        sent.messages + 1
    }

    /// Lets the kernel cut apart what is too long for its path, from now on; whether it did not before, and what was refused is
    /// worth another try.
    fn begin_to_fragment(&mut self) -> bool {
        let begins = !self.may_fragment && let_fragment(self.socket.as_fd(), true).is_ok();
        self.may_fragment |= begins;
        begins
    }

    fn goes_apart(&self, run: &Run) -> bool {
        !self.unsegmented.is_empty() && self.unsegmented.contains(&run.destination())
    }

    fn remember(&mut self, destination: SocketAddr) {
        if self.unsegmented.len() >= UNSEGMENTED_MAX {
            self.unsegmented.clear();
        }
        self.unsegmented.insert(destination);
    }

    /// Sends the packets of a run as messages of their own.
    fn send_apart(&mut self, desk: &mut Desk<'_, impl PacketIo>, out: &SendBuffer, run: &Run) {
        desk.pieces.clear();
        desk.pieces.extend(apart(run));
        let mut next = 0;
        while next < desk.pieces.len() {
            let sent = desk.io.send(self.socket.as_fd(), out.bytes(), &desk.pieces[next..]);
            next += sent.messages;
            match sent.refusal {
                None => return,
                Some(Refusal::Full) => break,
                Some(Refusal::TooLong) if self.begin_to_fragment() => {}
                Some(_) => {
                    desk.give_up(run, 1);
                    next += 1;
                }
            }
        }
        for piece in desk.pieces.split_off(next.min(desk.pieces.len())) {
            self.keep(desk, out, run, &piece);
        }
    }

    fn keep_run(&mut self, desk: &mut Desk<'_, impl PacketIo>, out: &SendBuffer, run: &Run) {
        if self.goes_apart(run) {
            apart(run).for_each(|piece| self.keep(desk, out, run, &piece));
        } else {
            self.keep(desk, out, run, &whole(run));
        }
    }

    fn keep(&mut self, desk: &mut Desk<'_, impl PacketIo>, out: &SendBuffer, run: &Run, piece: &Piece) {
        let bytes: Box<[u8]> = out.bytes().get(piece.range.clone()).unwrap_or_default().into();
        let piece = Piece { range: 0..bytes.len(), ..*piece };
        let waiting = Waiting { run: *run, piece, bytes, since: desk.now };
        if self.waiting_bytes + waiting.bytes.len() > WAITING_BYTES_MAX {
            return desk.give_up(run, waiting.packets());
        }
        self.waiting_bytes += waiting.bytes.len();
        self.waiting.push_back(waiting);
    }

    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Goes on with what waits, now that the socket is writable.
    pub(super) fn on_writable(&mut self, desk: &mut Desk<'_, impl PacketIo>) {
        self.expire(desk.now, desk.unsent);
        while let Some(waiting) = self.waiting.front() {
            let pieces = std::slice::from_ref(&waiting.piece);
            let refusal = desk.io.send(self.socket.as_fd(), &waiting.bytes, pieces).refusal;
            let (run, packets) = (waiting.run, waiting.packets());
            match refusal {
                Some(Refusal::Full) => return,
                None => {}
                Some(Refusal::TooLong) if self.begin_to_fragment() => continue,
                Some(refusal) => {
                    if matches!(refusal, Refusal::Unsegmented) {
                        self.remember(run.destination());
                    }
                    desk.give_up(&run, packets);
                }
            }
            self.drop_front();
        }
    }

    /// Gives up what has waited for too long.
    fn expire(&mut self, now: Instant, unsent: &mut Vec<Unsent>) {
        let is_old = |it: &Waiting| now.saturating_duration_since(it.since) > WAITING_TIME_MAX;
        while let Some(old) = self.waiting.front().filter(|waiting| is_old(waiting)) {
            note(unsent, &old.run, old.packets());
            self.drop_front();
        }
    }

    fn drop_front(&mut self) {
        if let Some(waiting) = self.waiting.pop_front() {
            self.waiting_bytes -= waiting.bytes.len();
        }
    }
}

impl<I> Desk<'_, I> {
    fn give_up(&mut self, run: &Run, packets: u32) {
        note(self.unsent, run, packets);
    }
}

fn note(unsent: &mut Vec<Unsent>, run: &Run, packets: u32) {
    unsent.push(Unsent { tuple: run.tuple, sender: run.sender, packets });
}

/// A run as one message.
fn whole(run: &Run) -> Piece {
    Piece { remote: run.destination(), range: run.range(), segment_size: run.segment_size }
}

/// A run as a message for each of its packets.
fn apart(run: &Run) -> impl Iterator<Item = Piece> + use<> {
    let Piece { remote, range, segment_size } = whole(run);
    let size = usize::from(segment_size).max(1);
    range.clone().step_by(size).map(move |start| {
        let range = start..(start + size).min(range.end);
        Piece { remote, range, segment_size }
    })
}

#[cfg(test)]
mod tests;
