//! The sockets of a Worker, by number, and the kernel's word on which of them are ready.

use std::collections::{HashMap, VecDeque};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};
use std::{io, mem};

use mafalda_api::types::data_structures::Protocol;
use mafalda_media::{SocketId, Tuple};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use socket2::Socket as Raw;

use super::mailbox::Mailbox;
use super::tcp::Connection;
use super::udp::Udp;

/// How long listeners rest when the process has no file descriptors left. The poller would tell of their waiting connections
/// over and over; shorter costs turns for nothing, longer keeps peers waiting that there would be room for again.
const REST: Duration = Duration::from_millis(100);
/// Sockets that one wait reports. The others are reported by the next one.
const READY_MAX: usize = 128;
/// The mailbox's place among the socket numbers.
const BELL: u64 = u64::MAX;

/// What a number stands for.
#[derive(Debug)]
pub(super) enum Socket {
    Udp(Udp),
    Listener(TcpListener),
    Connection(Connection),
}

/// A socket that has something to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ready {
    pub(super) id: SocketId,
    pub(super) readable: bool,
    pub(super) writable: bool,
}

/// What came of accepting.
#[derive(Debug)]
pub(super) enum Accept {
    Connection(Tuple),
    /// The connection was over before it began; there may be others.
    Failed,
    /// No connection waits, or there is nothing to accept it with.
    Nothing,
}

#[derive(Debug)]
struct Entry {
    socket: Socket,
    /// Whether the poller tells when it can be written to.
    watched: bool,
}

#[derive(Debug)]
pub(super) struct Sockets {
    poller: Epoll,
    sockets: HashMap<SocketId, Entry>,
    next: u32,
    events: Vec<EpollEvent>,
    /// Listeners that are not polled, and until when.
    resting: Vec<SocketId>,
    rest_end: Option<Instant>,
}

impl Sockets {
    pub(super) fn new(mailbox: &Mailbox) -> io::Result<Self> {
        let poller = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        poller.add(mailbox.bell(), EpollEvent::new(EpollFlags::EPOLLIN, BELL))?;
        Ok(Self {
            poller,
            sockets: HashMap::new(),
            next: 0,
            events: vec![EpollEvent::empty(); READY_MAX],
            resting: Vec::new(),
            rest_end: None,
        })
    }

    /// Takes over a socket that was bound for this protocol.
    pub(super) fn insert(&mut self, protocol: Protocol, socket: Raw) -> io::Result<SocketId> {
        let socket = match protocol {
            Protocol::Udp => Socket::Udp(Udp::new(UdpSocket::from(socket))),
            Protocol::Tcp => Socket::Listener(TcpListener::from(socket)),
        };
        self.add(socket)
    }

    /// A number that no socket has: numbers are never used again, and there are four thousand million for the life of a Worker.
    pub(super) fn number(&mut self) -> SocketId {
        let id = SocketId(self.next);
        self.next += 1;
        id
    }

    fn add(&mut self, socket: Socket) -> io::Result<SocketId> {
        let id = self.number();
        let event = EpollEvent::new(EpollFlags::EPOLLIN, u64::from(id.0));
        self.poller.add(socket.as_fd(), event)?;
        self.sockets.insert(id, Entry { socket, watched: false });
        Ok(id)
    }

    pub(super) fn get_mut(&mut self, id: SocketId) -> Option<&mut Socket> {
        self.sockets.get_mut(&id).map(|entry| &mut entry.socket)
    }

    /// Closes a socket. Connections outlive their listener until they are closed themselves.
    pub(super) fn remove(&mut self, id: SocketId) {
        // Closing the descriptor takes it out of the poller too.
        self.sockets.remove(&id);
    }

    /// Accepts one connection. How many there may be is the machine's to say.
    pub(super) fn accept(&mut self, listener: SocketId, now: Instant) -> Accept {
        let Some(Socket::Listener(socket)) = self.get_mut(listener) else { return Accept::Nothing };
        match socket.accept() {
            Ok((stream, remote)) => match self.take_over(stream, remote) {
                Ok(connection) => Accept::Connection(connection),
                Err(_) => Accept::Failed,
            },
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Accept::Nothing,
            Err(error) if is_passing(&error) => Accept::Failed,
            Err(_) => {
                self.rest(listener, now);
                Accept::Nothing
            }
        }
    }

    fn take_over(&mut self, stream: TcpStream, remote: SocketAddr) -> io::Result<Tuple> {
        stream.set_nonblocking(true)?;
        // Feedback and retransmissions are small and late is useless: don't wait for more to send.
        stream.set_nodelay(true)?;
        let socket = self.add(Socket::Connection(Connection::new(remote, stream)))?;
        Ok(Tuple { socket, remote })
    }

    /// Lets a listener be for a while.
    fn rest(&mut self, listener: SocketId, now: Instant) {
        self.poll_for(listener, EpollFlags::empty());
        self.resting.push(listener);
        self.rest_end.get_or_insert(now + REST);
    }

    /// When listeners that rest are to be polled again.
    pub(super) fn rest_end(&self) -> Option<Instant> {
        self.rest_end
    }

    /// Polls listeners again whose rest is over.
    pub(super) fn end_rest(&mut self, now: Instant) {
        if self.rest_end.take_if(|end| now >= *end).is_some() {
            for listener in mem::take(&mut self.resting) {
                self.poll_for(listener, EpollFlags::EPOLLIN);
            }
        }
    }

    /// Asks to be told when a socket that has something waiting can be written to, or no longer.
    pub(super) fn watch_writable(&mut self, id: SocketId) {
        let Some(Entry { socket, watched }) = self.sockets.get_mut(&id) else { return };
        let waiting = match socket {
            Socket::Udp(udp) => udp.has_waiting(),
            Socket::Connection(connection) => connection.has_waiting(),
            Socket::Listener(_) => false,
        };
        if mem::replace(watched, waiting) != waiting {
            let writable = if waiting { EpollFlags::EPOLLOUT } else { EpollFlags::empty() };
            self.poll_for(id, EpollFlags::EPOLLIN | writable);
        }
    }

    fn poll_for(&self, id: SocketId, flags: EpollFlags) {
        if let Some(Entry { socket, .. }) = self.sockets.get(&id) {
            let mut event = EpollEvent::new(flags, u64::from(id.0));
            // It can only fail for a descriptor that isn't in the poller, and each in the table is.
            let _ = self.poller.modify(socket.as_fd(), &mut event);
        }
    }

    /// Waits until something is ready, or for so long at the most. Whether the bell has rung.
    pub(super) fn wait(&mut self, timeout: Option<Duration>, ready: &mut VecDeque<Ready>) -> bool {
        let timeout = timeout.map_or(EpollTimeout::NONE, round_up);
        // Interrupted: nothing is ready, and the caller looks at its deadlines.
        let count = self.poller.wait(&mut self.events, timeout).unwrap_or(0);
        let events = self.events.get(..count).unwrap_or_default();
        ready.extend(events.iter().filter_map(ready_socket));
        events.iter().any(|event| event.data() == BELL)
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Udp(udp) => udp.socket().as_fd(),
            Self::Listener(listener) => listener.as_fd(),
            Self::Connection(connection) => connection.stream().as_fd(),
        }
    }
}

/// Errors of one connection that is over already, or of the moment (accept(2)).
fn is_passing(error: &io::Error) -> bool {
    use io::ErrorKind::{
        ConnectionAborted, ConnectionReset, HostUnreachable, Interrupted, NetworkUnreachable,
    };
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionReset | HostUnreachable | Interrupted | NetworkUnreachable
    )
}

fn ready_socket(event: &EpollEvent) -> Option<Ready> {
    if event.data() == BELL {
        return None;
    }
    let flags = event.events();
    let broken = EpollFlags::EPOLLERR | EpollFlags::EPOLLHUP;
    Some(Ready {
        id: SocketId(event.data() as u32),
        readable: flags.intersects(EpollFlags::EPOLLIN | broken),
        writable: flags.contains(EpollFlags::EPOLLOUT),
    })
}

/// Whole milliseconds, never too early: waking before a deadline would only mean to wait again.
fn round_up(timeout: Duration) -> EpollTimeout {
    let ms = timeout.as_micros().div_ceil(1000);
    EpollTimeout::try_from(i32::try_from(ms).unwrap_or(i32::MAX)).unwrap_or(EpollTimeout::MAX)
}

#[cfg(test)]
mod tests;
