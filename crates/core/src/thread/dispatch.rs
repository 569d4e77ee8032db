//! What leaves in a turn: the send buffer, the runs in it, and their way to the sockets.

use std::mem;
use std::time::Instant;

use mafalda_media::SocketId;
use mafalda_media::buffer::{Run, SendBuffer};
use mafalda_media::worker::Worker;

use super::direct::Ends;
use super::packet_io::{PacketIo, Piece};
use super::socket::{Socket, Sockets};
use super::tcp::Connection;
use super::udp::{Desk, Udp, Unsent};

/// Memory for the packets of a flush. Larger means that fewer runs are cut in two by its end, smaller stays in the cache.
const SEND_BYTES: usize = 512 * 1024;

/// The packets on their way out.
#[derive(Debug)]
pub(super) struct Dispatch {
    pub(super) out: SendBuffer,
    runs: Vec<Run>,
    pieces: Vec<Piece>,
    /// What could not be sent, to be told to the machine.
    unsent: Vec<Unsent>,
    /// Connections with something in their queue since the last flush.
    touched: Vec<SocketId>,
    /// Connections that could not be written to.
    broken: Vec<SocketId>,
}

impl Dispatch {
    pub(super) fn new() -> Self {
        Self {
            out: SendBuffer::new(SEND_BYTES),
            runs: Vec::new(),
            pieces: Vec::new(),
            unsent: Vec::new(),
            touched: Vec::new(),
            broken: Vec::new(),
        }
    }

    /// Takes note of a run in the buffer.
    pub(super) fn push(&mut self, run: Run) {
        self.runs.push(run);
    }

    /// Sends all runs: those of one socket that follow each other go together.
    pub(super) fn flush(
        &mut self,
        io: &mut impl PacketIo,
        sockets: &mut Sockets,
        ends: &mut Ends,
        machine: &Worker,
        now: Instant,
    ) {
        let runs = mem::take(&mut self.runs);
        for runs in runs.chunk_by(|one, next| one.socket() == next.socket()) {
            let id = runs[0].socket();
            match sockets.get_mut(id) {
                Some(Socket::Udp(udp)) => {
                    self.send(io, udp, runs, now);
                    sockets.watch_writable(id);
                }
                Some(Socket::Connection(connection)) => self.queue(id, connection, runs),
                Some(Socket::Listener(_)) => {}
                // An application's end, or a socket that is closed.
                None => ends.put(
                    runs,
                    &self.out,
                    |tuple, ssrc| machine.consumer_of(tuple, ssrc),
                    &mut self.unsent,
                ),
            }
        }
        self.runs = runs;
        self.runs.clear();
        self.out.clear();
        self.write_queues(sockets);
    }

    fn send(&mut self, io: &mut impl PacketIo, udp: &mut Udp, runs: &[Run], now: Instant) {
        let mut desk = Desk { io, now, pieces: &mut self.pieces, unsent: &mut self.unsent };
        udp.send(&mut desk, &self.out, runs);
    }

    fn queue(&mut self, id: SocketId, connection: &mut Connection, runs: &[Run]) {
        for run in runs {
            let lost = self.out.packets(run).filter(|packet| !connection.send(packet)).count();
            if lost > 0 {
                self.unsent.push(Unsent { tuple: run.tuple, sender: run.sender, packets: lost as u32 });
            }
        }
        self.touched.push(id);
    }

    fn write_queues(&mut self, sockets: &mut Sockets) {
        while let Some(id) = self.touched.pop() {
            if let Some(Socket::Connection(connection)) = sockets.get_mut(id)
                && connection.flush().is_err()
            {
                self.broken.push(id);
            }
            sockets.watch_writable(id);
        }
    }

    /// A socket can be written to again; whether it is over with it.
    pub(super) fn on_writable(
        &mut self,
        io: &mut impl PacketIo,
        sockets: &mut Sockets,
        id: SocketId,
        now: Instant,
    ) -> bool {
        let over = match sockets.get_mut(id) {
            Some(Socket::Udp(udp)) => {
                let mut desk = Desk { io, now, pieces: &mut self.pieces, unsent: &mut self.unsent };
                udp.on_writable(&mut desk);
                false
            }
            Some(Socket::Connection(connection)) => connection.flush().is_err(),
            Some(Socket::Listener(_)) | None => false,
        };
        sockets.watch_writable(id);
        over
    }

    /// What could not be sent since the last time. The memory is to be given back with [`Dispatch::recycle`].
    pub(super) fn take_unsent(&mut self) -> Vec<Unsent> {
        mem::take(&mut self.unsent)
    }

    /// Takes memory back for what is unsent next. What has come up since stays.
    pub(super) fn recycle(&mut self, mut memory: Vec<Unsent>) {
        memory.clear();
        memory.append(&mut self.unsent);
        self.unsent = memory;
    }

    /// A connection that could not be written to.
    pub(super) fn take_broken(&mut self) -> Option<SocketId> {
        self.broken.pop()
    }
}
