//! The sockets of a thread, who sits at them, and the kernel's word on which are ready.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::time::Duration;

use hashbrown::HashMap;
use mafalda_media::Now;
use mafalda_net::{Message, Outbox, Receiver, Refusal, SLOT_LEN, join_received};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::socket::{setsockopt, sockopt};

use super::mailbox::Mailbox;
use super::snapshot::Snapshot;
use crate::wire::Wire;

/// Messages of one receive call: 2 MiB of buffer, of which only what comes is touched.
const MESSAGES_PER_RECEIVE: usize = 32;

/// What the kernel may keep for a socket: a second of 500 Mbit/s. Smaller loses packets that the server has sent well, and a load
/// generator that loses measures itself.
const RECEIVE_BUFFER: usize = 64 * 1024 * 1024;
const SEND_BUFFER: usize = 4 * 1024 * 1024;

/// Sockets that one wait reports; the others are reported by the next one.
const READY_MAX: usize = 256;

/// The mailbox's place among the socket numbers.
const BELL: u64 = u64::MAX;

/// A socket and the clients that share it, by their server's address.
#[derive(Debug)]
struct Seat {
    socket: UdpSocket,
    peers: HashMap<SocketAddr, usize>,
}

/// All sockets of a thread.
#[derive(Debug)]
pub(super) struct Sockets {
    poller: Epoll,
    seats: Vec<Seat>,
    peers_per_socket: usize,
    events: Vec<EpollEvent>,
    ready: Vec<usize>,
    rung: bool,
    receiver: Receiver,
    buffer: Box<[u8]>,
    outbox: Outbox,
    unsent: u64,
    strangers: u64,
}

impl Sockets {
    pub(super) fn new(mailbox: &Mailbox, peers_per_socket: usize) -> io::Result<Self> {
        let poller = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        poller.add(mailbox.bell(), EpollEvent::new(EpollFlags::EPOLLIN, BELL))?;
        Ok(Self {
            poller,
            seats: Vec::new(),
            peers_per_socket: peers_per_socket.max(1),
            events: vec![EpollEvent::empty(); READY_MAX],
            ready: Vec::new(),
            rung: false,
            receiver: Receiver::new(MESSAGES_PER_RECEIVE),
            buffer: vec![0; MESSAGES_PER_RECEIVE * SLOT_LEN].into_boxed_slice(),
            outbox: Outbox::new(),
            unsent: 0,
            strangers: 0,
        })
    }

    pub(super) fn len(&self) -> usize {
        self.seats.len()
    }

    /// Their ports, to find them in the kernel's tables.
    pub(super) fn ports(&self) -> impl Iterator<Item = u16> {
        self.seats.iter().filter_map(|seat| seat.socket.local_addr().ok()).map(|address| address.port())
    }

    /// A socket for a client of that server: one where nobody else talks to the same address, and that isn't full.
    pub(super) fn seat(&mut self, remote: SocketAddr, peer: usize) -> io::Result<usize> {
        let fits = |seat: &Seat| {
            seat.peers.len() < self.peers_per_socket
                && !seat.peers.contains_key(&remote)
                && seat.socket.local_addr().is_ok_and(|local| local.is_ipv4() == remote.is_ipv4())
        };
        let index = match self.seats.iter().position(fits) {
            Some(index) => index,
            None => self.open(remote)?,
        };
        if let Some(seat) = self.seats.get_mut(index) {
            seat.peers.insert(remote, peer);
        }
        Ok(index)
    }

    fn open(&mut self, remote: SocketAddr) -> io::Result<usize> {
        let any: IpAddr =
            if remote.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let socket = UdpSocket::bind((any, 0))?;
        socket.set_nonblocking(true)?;
        enlarge(&socket);
        // An older kernel hands out one datagram at a time; slower, not wrong.
        let _ = join_received(socket.as_fd());
        let index = self.seats.len();
        self.poller.add(&socket, EpollEvent::new(EpollFlags::EPOLLIN, index as u64))?;
        self.seats.push(Seat { socket, peers: HashMap::new() });
        Ok(index)
    }

    /// Waits until a socket is ready, the bell rings, or the time is over.
    pub(super) fn wait(&mut self, timeout: Duration) {
        // Rounded up: a wait of less than a millisecond would spin.
        let ms = u16::try_from(timeout.as_micros().div_ceil(1000)).unwrap_or(u16::MAX);
        let count = self.poller.wait(&mut self.events, EpollTimeout::from(ms)).unwrap_or(0);
        for event in self.events.iter().take(count) {
            match event.data() {
                BELL => self.rung = true,
                index => self.ready.push(index as usize),
            }
        }
    }

    /// Whether there may be commands.
    pub(super) fn take_bell(&mut self) -> bool {
        std::mem::take(&mut self.rung)
    }

    /// A socket that has something for us.
    pub(super) fn next_ready(&mut self) -> Option<usize> {
        self.ready.pop()
    }

    /// One receive call; each datagram goes to its client. `false` when there was not as much as there might have been.
    pub(super) fn receive(
        &mut self,
        socket: usize,
        now: impl FnOnce() -> Now,
        mut take: impl FnMut(Now, usize, &mut [u8]),
    ) -> bool {
        let Some(seat) = self.seats.get(socket) else { return false };
        let Ok(received) = self.receiver.receive(seat.socket.as_fd(), &mut self.buffer) else { return false };
        let (now, full) = (now(), received.len() == MESSAGES_PER_RECEIVE);
        for message in received {
            let Some(peer) = seat.peers.get(&message.remote) else {
                self.strangers += 1;
                continue;
            };
            for range in message.datagrams() {
                if let Some(datagram) = self.buffer.get_mut(range) {
                    take(now, *peer, datagram);
                }
            }
        }
        full
    }

    /// Sends all that is on the wire and clears it.
    pub(super) fn flush(&mut self, socket: Option<usize>, wire: &mut Wire) {
        if let Some(seat) = socket.and_then(|socket| self.seats.get(socket))
            && !wire.is_empty()
        {
            self.unsent += send(&mut self.outbox, &seat.socket, &wire.messages());
        }
        wire.clear();
    }

    pub(super) fn count(&self, snapshot: &mut Snapshot) {
        snapshot.unsent += self.unsent;
        snapshot.strangers += self.strangers;
        snapshot.sockets += self.seats.len();
    }
}

/// Sends messages and gives the number of datagrams that could not be sent.
fn send<'a>(
    outbox: &mut Outbox,
    socket: &UdpSocket,
    messages: &(impl ExactSizeIterator<Item = Message<'a>> + Clone),
) -> u64 {
    let (mut done, mut unsent) = (0, 0);
    while done < messages.len() {
        let sent = outbox.send(socket.as_fd(), &messages.clone().skip(done));
        done += sent.messages;
        let (Some(refusal), Some(message)) = (sent.refusal, messages.clone().nth(done)) else { break };
        let segments = message.bytes.chunks(usize::from(message.segment_size).max(1));
        match refusal {
            Refusal::Unsegmented => {
                unsent += segments.filter(|one| socket.send_to(one, message.remote).is_err()).count() as u64;
            }
            Refusal::Full | Refusal::TooLong | Refusal::Destination | Refusal::Other(_) => {
                unsent += segments.count() as u64;
            }
        }
        done += 1;
    }
    unsent
}

/// As large as it may be: beyond the system's limit where this process has the right to, up to it elsewhere.
fn enlarge(socket: &UdpSocket) {
    if setsockopt(socket, sockopt::RcvBufForce, &RECEIVE_BUFFER).is_err() {
        let _ = setsockopt(socket, sockopt::RcvBuf, &RECEIVE_BUFFER);
    }
    if setsockopt(socket, sockopt::SndBufForce, &SEND_BUFFER).is_err() {
        let _ = setsockopt(socket, sockopt::SndBuf, &SEND_BUFFER);
    }
}

#[cfg(test)]
mod tests {
    use super::super::mailbox::mailbox;
    use super::*;

    fn sockets(peers_per_socket: usize) -> Sockets {
        let (_, mailbox) = mailbox().unwrap();
        Sockets::new(&mailbox, peers_per_socket).unwrap()
    }

    #[test]
    fn clients_share_a_socket_unless_it_is_full_or_their_server_has_one_address() {
        let mut sockets = sockets(2);
        let server = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        assert_eq!(sockets.seat(server(1), 0).unwrap(), 0);
        assert_eq!(sockets.seat(server(1), 1).unwrap(), 1, "one address, two sockets");
        assert_eq!(sockets.seat(server(2), 2).unwrap(), 0);
        assert_eq!(sockets.seat(server(3), 3).unwrap(), 1, "the first is full");
        assert_eq!(sockets.len(), 2);
        assert_eq!(sockets.ports().count(), 2);
    }

    #[test]
    fn datagrams_go_to_the_client_of_their_sender_and_strangers_are_counted() {
        let mut sockets = sockets(8);
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
        let seat = sockets.seat(server.local_addr().unwrap(), 7).unwrap();
        let to = SocketAddr::from(([127, 0, 0, 1], sockets.ports().next().unwrap()));
        server.send_to(&[1], to).unwrap();
        stranger.send_to(&[2], to).unwrap();
        sockets.wait(Duration::from_secs(10));
        assert_eq!(sockets.next_ready(), Some(seat));
        let mut got = Vec::new();
        let more =
            sockets.receive(seat, super::super::now, |_, peer, datagram| got.push((peer, datagram.to_vec())));
        assert!(!more);
        assert_eq!(got, [(7, vec![1])]);
        let mut snapshot = Snapshot::default();
        sockets.count(&mut snapshot);
        assert_eq!((snapshot.strangers, snapshot.unsent, snapshot.sockets), (1, 0, 1));
    }

    #[test]
    fn what_can_not_be_sent_is_counted_and_holds_nothing_up() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
        let bytes = vec![9; 2000];
        let message = |remote, segment_size| Message { remote, bytes: &bytes, segment_size };
        // An IPv4 socket can't send to an IPv6 address.
        let wrong = message("[::1]:9".parse().unwrap(), 1000);
        let good = message(receiver.local_addr().unwrap(), 1000);
        let unsent = send(&mut Outbox::new(), &socket, &[wrong, good].into_iter());
        assert_eq!(unsent, 2);
        let mut buffer = [0; 1500];
        for _ in 0..2 {
            assert_eq!(receiver.recv(&mut buffer).unwrap(), 1000);
        }
    }
}
