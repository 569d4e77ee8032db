//! A thread that drives many clients: wait, take in, drain, send.
//!
//! Clients share sockets where their servers' addresses differ, so that one call into the kernel takes in what came for many of
//! them. A turn handles one socket after the other, and what its clients have to say leaves in one flush.

mod clock;
mod deadline;
mod mailbox;
mod snapshot;
mod socket;

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mafalda_media::Now;

use crate::client::{Client, ClientConfig, ReceiveTrack, SendTrack};
use crate::media::Shape;
use crate::wire::Wire;
use deadline::Deadlines;
use mailbox::Mailbox;
use socket::Sockets;

pub(crate) use clock::{clock, now};
pub(crate) use mailbox::{Poster, mailbox};
pub use snapshot::StreamReport;
pub(crate) use snapshot::{Final, Snapshot};

/// Time between two snapshots: a progress line each second, and steps of a few seconds, want no more.
const SNAPSHOT_INTERVAL: Duration = Duration::from_millis(200);

/// Without anything new for so long a stream counts as silent.
const SILENCE: Duration = Duration::from_secs(1);

/// Commands carried out per turn: a join takes some ten microseconds, so media waits less than a millisecond.
const COMMANDS_PER_TURN: usize = 32;

/// Receive calls per socket and turn, so that one busy socket doesn't hold up the others and the deadlines.
const RECEIVES_PER_TURN: usize = 8;

/// How long a thread sleeps at most.
const SLEEP_MAX: Duration = Duration::from_millis(100);

/// A client of this run, across all threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PeerId(pub(crate) u32);

/// What a thread is told.
#[derive(Debug)]
pub(crate) enum Command {
    /// A client begins; the time is that of its first signalling.
    Join { peer: PeerId, config: Box<ClientConfig>, begun: Instant },
    /// It sends this as well.
    Send { peer: PeerId, track: SendTrack },
    /// It receives this as well.
    Receive { peer: PeerId, track: ReceiveTrack, transport_cc: Option<u8> },
    /// All streams of its codec have this shape from now on.
    Shape(Shape),
    /// No more media.
    EndMedia,
    /// All clients leave and the thread ends; with the packets that each stream has made.
    Stop(Arc<hashbrown::HashMap<u32, u64>>),
}

/// A client and what the driver keeps of it.
#[derive(Debug)]
struct Peer {
    id: PeerId,
    client: Client,
    socket: usize,
    begun: Instant,
    /// Whether it waits to be drained in this turn.
    dirty: bool,
}

/// The thread's own.
#[derive(Debug)]
pub(crate) struct Driver {
    mailbox: Mailbox,
    sockets: Sockets,
    peers: Vec<Peer>,
    by_id: hashbrown::HashMap<PeerId, usize>,
    deadlines: Deadlines,
    dirty: Vec<usize>,
    wire: Wire,
    shared: Arc<Mutex<Snapshot>>,
    snapshot_due: Instant,
}

impl Driver {
    pub(crate) fn new(
        mailbox: Mailbox,
        peers_per_socket: usize,
        shared: Arc<Mutex<Snapshot>>,
    ) -> io::Result<Self> {
        Ok(Self {
            sockets: Sockets::new(&mailbox, peers_per_socket)?,
            mailbox,
            peers: Vec::new(),
            by_id: hashbrown::HashMap::new(),
            deadlines: Deadlines::default(),
            dirty: Vec::new(),
            wire: Wire::new(),
            shared,
            snapshot_due: clock(),
        })
    }

    /// Turns until it is told to stop.
    pub(crate) fn run(mut self) -> Final {
        loop {
            self.wait();
            let now = now();
            if let Some(made) = self.take_commands(now) {
                return self.stop(&made);
            }
            self.take_datagrams();
            self.drain_due();
            self.publish();
        }
    }

    fn wait(&mut self) {
        let next = self.deadlines.next().map_or(self.snapshot_due, |due| due.min(self.snapshot_due));
        let timeout = next.saturating_duration_since(clock()).min(SLEEP_MAX);
        self.sockets.wait(timeout);
    }

    /// `Some` when it is told to stop.
    fn take_commands(&mut self, now: Now) -> Option<Arc<hashbrown::HashMap<u32, u64>>> {
        if !self.sockets.take_bell() {
            return None;
        }
        // Before the look, so that nothing is missed.
        self.mailbox.hush();
        for _ in 0..COMMANDS_PER_TURN {
            match self.mailbox.take()? {
                Command::Stop(made) => return Some(made),
                command => self.on_command(now, command),
            }
        }
        self.mailbox.ring_again();
        None
    }

    fn on_command(&mut self, now: Now, command: Command) {
        match command {
            Command::Join { peer, config, begun } => self.join(now, peer, *config, begun),
            Command::Send { peer, track } => self.with_client(peer, |client| client.send(track, now)),
            Command::Receive { peer, track, transport_cc } => {
                self.with_client(peer, |client| client.receive(track, transport_cc, now));
            }
            Command::Shape(shape) => {
                self.peers.iter_mut().for_each(|peer| peer.client.set_shape(shape));
            }
            Command::EndMedia => self.peers.iter_mut().for_each(|peer| peer.client.end_media()),
            Command::Stop(_) => {}
        }
    }

    fn join(&mut self, now: Now, id: PeerId, config: ClientConfig, begun: Instant) {
        let index = self.peers.len();
        let socket = match self.sockets.seat(config.remote, index) {
            Ok(socket) => socket,
            Err(_) => {
                self.lock().refused_sockets += 1;
                return;
            }
        };
        self.peers.push(Peer { id, client: Client::new(config, now), socket, begun, dirty: false });
        self.by_id.insert(id, index);
        self.mark(index);
    }

    fn with_client(&mut self, peer: PeerId, then: impl FnOnce(&mut Client)) {
        let Some(index) = self.by_id.get(&peer).copied() else { return };
        if let Some(peer) = self.peers.get_mut(index) {
            then(&mut peer.client);
            self.mark(index);
        }
    }

    fn mark(&mut self, index: usize) {
        if let Some(peer) = self.peers.get_mut(index)
            && !std::mem::replace(&mut peer.dirty, true)
        {
            self.dirty.push(index);
        }
    }

    fn take_datagrams(&mut self) {
        while let Some(socket) = self.sockets.next_ready() {
            for _ in 0..RECEIVES_PER_TURN {
                let Self { sockets, peers, dirty, .. } = self;
                // A clock read per call, of many datagrams each: delays are measured with it.
                let more = sockets.receive(socket, now, |now, index, datagram| {
                    let Some(peer) = peers.get_mut(index) else { return };
                    peer.client.handle(now, datagram);
                    if !std::mem::replace(&mut peer.dirty, true) {
                        dirty.push(index);
                    }
                });
                if !more {
                    break;
                }
            }
            self.drain_dirty();
        }
    }

    fn drain_due(&mut self) {
        let now = clock();
        while let Some(index) = self.deadlines.pop(now) {
            self.mark(index);
        }
        self.drain_dirty();
    }

    /// Drains all clients that are marked, by socket, and sends.
    fn drain_dirty(&mut self) {
        if self.dirty.is_empty() {
            return;
        }
        let mut dirty = std::mem::take(&mut self.dirty);
        let socket_of = |index: &usize| self.peers.get(*index).map(|peer| peer.socket);
        if self.sockets.len() > 1 {
            dirty.sort_unstable_by_key(socket_of);
        }
        let mut socket = None;
        for index in dirty.drain(..) {
            let Some(peer) = self.peers.get_mut(index) else { continue };
            if socket != Some(peer.socket) || !self.wire.has_room() {
                self.sockets.flush(socket, &mut self.wire);
                socket = Some(peer.socket);
            }
            peer.dirty = false;
            peer.client.drain(now(), &mut self.wire);
            self.deadlines.set(index, peer.client.timeout());
        }
        self.sockets.flush(socket, &mut self.wire);
        self.dirty = dirty;
    }

    fn publish(&mut self) {
        let now = now();
        if now.at < self.snapshot_due {
            return;
        }
        self.snapshot_due = now.at + SNAPSHOT_INTERVAL;
        let refused_sockets = self.lock().refused_sockets;
        let mut snapshot = Snapshot { refused_sockets, ..Snapshot::default() };
        for peer in &self.peers {
            snapshot.add(&peer.client, now, now.at.checked_sub(SILENCE));
        }
        self.sockets.count(&mut snapshot);
        *self.lock() = snapshot;
    }

    fn stop(mut self, made: &hashbrown::HashMap<u32, u64>) -> Final {
        let now = now();
        let mut last = Final::default();
        for peer in &self.peers {
            last.add(peer.id, peer.begun, &peer.client, now, |stream| made.get(&stream).copied());
        }
        for index in 0..self.peers.len() {
            if let Some(peer) = self.peers.get_mut(index) {
                peer.client.close(now);
            }
            self.mark(index);
        }
        self.drain_dirty();
        let mut counts = Snapshot { refused_sockets: self.lock().refused_sockets, ..Snapshot::default() };
        self.sockets.count(&mut counts);
        last.own_losses(&counts, self.sockets.ports());
        last
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Snapshot> {
        // A snapshot is replaced as a whole, so a panic elsewhere leaves a good one.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
