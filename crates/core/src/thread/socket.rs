//! The sockets of a Worker, by number, and the kernel's word on which of them are ready.

use std::collections::HashMap;
use std::io;
use std::net::{TcpListener, UdpSocket};
use std::time::Duration;

use mafalda_api::types::data_structures::Protocol;
use mafalda_media::{SocketId, Tuple};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use socket2::Socket as Raw;

use super::mailbox::Mailbox;
use super::tcp::Connection;
use super::udp::Udp;

/// Connections that one listener has open at a time. A peer needs one; a page that is reloaded a few times over a bad network
/// leaves some behind. Further ones are refused, so that nobody can use up the process's file descriptors.
const CONNECTIONS_MAX: usize = 32;
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
#[derive(Clone, Copy, Debug)]
pub(super) enum Ready {
    Bell,
    Socket { id: SocketId, readable: bool, writable: bool },
}

#[derive(Debug)]
pub(super) struct Sockets {
    poller: Epoll,
    sockets: HashMap<SocketId, Socket>,
    next: u32,
    ready: Vec<EpollEvent>,
}

impl Sockets {
    pub(super) fn new(mailbox: &Mailbox) -> io::Result<Self> {
        let poller = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        poller.add(mailbox.bell(), EpollEvent::new(EpollFlags::EPOLLIN, BELL))?;
        Ok(Self { poller, sockets: HashMap::new(), next: 0, ready: vec![EpollEvent::empty(); READY_MAX] })
    }

    /// Takes over a socket that was bound for this protocol.
    pub(super) fn insert(&mut self, protocol: Protocol, socket: Raw) -> io::Result<SocketId> {
        let socket = match protocol {
            Protocol::Udp => Socket::Udp(Udp::new(UdpSocket::from(socket))),
            Protocol::Tcp => Socket::Listener(TcpListener::from(socket)),
        };
        self.add(socket)
    }

    fn add(&mut self, socket: Socket) -> io::Result<SocketId> {
        let id = SocketId(self.next);
        // Four thousand million sockets in the life of a Worker: numbers are never used again.
        self.next += 1;
        let event = EpollEvent::new(EpollFlags::EPOLLIN, u64::from(id.0));
        match &socket {
            Socket::Udp(udp) => self.poller.add(udp.socket(), event)?,
            Socket::Listener(listener) => self.poller.add(listener, event)?,
            Socket::Connection(connection) => self.poller.add(connection.stream(), event)?,
        }
        self.sockets.insert(id, socket);
        Ok(id)
    }

    pub(super) fn get_mut(&mut self, id: SocketId) -> Option<&mut Socket> {
        self.sockets.get_mut(&id)
    }

    /// Closes a socket. Connections outlive their listener until they are closed themselves.
    pub(super) fn remove(&mut self, id: SocketId) {
        // Closing the descriptor takes it out of the poller too.
        self.sockets.remove(&id);
    }

    /// Accepts one connection; `None` when there is none, or the listener has too many.
    pub(super) fn accept(&mut self, listener: SocketId) -> Option<Tuple> {
        let Some(Socket::Listener(socket)) = self.sockets.get(&listener) else { return None };
        let (stream, remote) = socket.accept().ok()?;
        let open = self.sockets.values().filter(
            |socket| matches!(socket, Socket::Connection(connection) if connection.listener == listener),
        );
        if open.count() >= CONNECTIONS_MAX {
            return None;
        }
        // Feedback and retransmissions are small and late is useless: don't wait for more to send.
        stream.set_nonblocking(true).and_then(|()| stream.set_nodelay(true)).ok()?;
        let socket = self.add(Socket::Connection(Connection::new(listener, remote, stream))).ok()?;
        Some(Tuple { socket, remote })
    }

    /// Asks to be told when a socket that has something waiting can be written to, or no longer.
    pub(super) fn watch_writable(&self, id: SocketId) {
        let Some(socket) = self.sockets.get(&id) else { return };
        let (waiting, readable) = match socket {
            Socket::Udp(udp) => (udp.has_waiting(), EpollFlags::EPOLLIN),
            Socket::Connection(connection) => (connection.has_waiting(), EpollFlags::EPOLLIN),
            Socket::Listener(_) => return,
        };
        let flags = if waiting { readable | EpollFlags::EPOLLOUT } else { readable };
        let mut event = EpollEvent::new(flags, u64::from(id.0));
        // It can only fail for a descriptor that isn't in the poller, and each in the table is.
        let _ = match socket {
            Socket::Udp(udp) => self.poller.modify(udp.socket(), &mut event),
            Socket::Connection(connection) => self.poller.modify(connection.stream(), &mut event),
            Socket::Listener(_) => Ok(()),
        };
    }

    /// Waits until something is ready, or for so long at the most.
    pub(super) fn wait(&mut self, timeout: Option<Duration>) -> Vec<Ready> {
        let timeout = timeout.map_or(EpollTimeout::NONE, round_up);
        // Interrupted: nothing is ready, and the caller looks at its deadlines.
        let count = self.poller.wait(&mut self.ready, timeout).unwrap_or(0);
        self.ready[..count].iter().map(ready).collect()
    }
}

fn ready(event: &EpollEvent) -> Ready {
    if event.data() == BELL {
        return Ready::Bell;
    }
    let flags = event.events();
    let broken = EpollFlags::EPOLLERR | EpollFlags::EPOLLHUP;
    Ready::Socket {
        id: SocketId(event.data() as u32),
        readable: flags.intersects(EpollFlags::EPOLLIN | broken),
        writable: flags.contains(EpollFlags::EPOLLOUT),
    }
}

/// Whole milliseconds, never too early: waking before a deadline would only mean to wait again.
fn round_up(timeout: Duration) -> EpollTimeout {
    let ms = timeout.as_micros().div_ceil(1000);
    EpollTimeout::try_from(i32::try_from(ms).unwrap_or(i32::MAX)).unwrap_or(EpollTimeout::MAX)
}
