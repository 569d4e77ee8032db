//! What leaves in one flush: one buffer, and runs of equal packets in it.

use std::net::SocketAddr;
use std::os::fd::BorrowedFd;

use mafalda_media::srtp::OVERHEAD_MAX;
use mafalda_net::{Message, Outbox, Refusal, SEGMENTS_MAX};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::dialogue::SubjectCount;

/// Bytes of one flush. As much as 100 destinations get of a frame of 16: more would be cut into several flushes.
const CAPACITY: usize = 2 << 20;

/// UDP's own limit for one message (RFC 768 with IPv4's header).
const MESSAGE_LEN_MAX: usize = 65_507;

/// How long to wait for a socket whose buffer is full, in milliseconds, before what doesn't fit is given up.
const PATIENCE_MS: u16 = 5;

/// Packets for one destination: all of one size, but for the last, which may be shorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    remote: SocketAddr,
    start: usize,
    len: usize,
    segment_size: usize,
}

impl Run {
    fn packets(&self) -> usize {
        self.len.div_ceil(self.segment_size)
    }

    /// Whether a packet of that length may stand behind it.
    fn takes(&self, remote: SocketAddr, len: usize) -> bool {
        self.remote == remote
            && len <= self.segment_size
            && self.len.is_multiple_of(self.segment_size)
            && self.packets() < SEGMENTS_MAX
            && self.len + len <= MESSAGE_LEN_MAX
    }
}

#[derive(Debug)]
pub(super) struct Outgoing {
    bytes: Vec<u8>,
    used: usize,
    runs: Vec<Run>,
    outbox: Outbox,
    count: SubjectCount,
}

impl Outgoing {
    pub(super) fn new() -> Self {
        let (bytes, runs) = (vec![0; CAPACITY], Vec::new());
        Self { bytes, used: 0, runs, outbox: Outbox::new(), count: SubjectCount::default() }
    }

    pub(super) fn count(&self) -> SubjectCount {
        self.count
    }

    /// Room for a packet of that many bytes and its protection; flushes if there is none.
    pub(super) fn room(&mut self, socket: BorrowedFd<'_>, len: usize) -> &mut [u8] {
        if self.used + len + OVERHEAD_MAX > self.bytes.len() {
            self.flush(socket);
        }
        &mut self.bytes[self.used..]
    }

    /// Takes the first `len` bytes of the room as written.
    pub(super) fn push(&mut self, remote: SocketAddr, len: usize) {
        match self.runs.last_mut() {
            Some(run) if run.takes(remote, len) => run.len += len,
            _ => self.runs.push(Run { remote, start: self.used, len, segment_size: len }),
        }
        self.used += len;
    }

    /// Gives everything to the kernel.
    pub(super) fn flush(&mut self, socket: BorrowedFd<'_>) {
        let bytes = &self.bytes;
        let mut done = 0;
        let mut has_waited = false;
        while done < self.runs.len() {
            let message = |run: &Run| Message {
                remote: run.remote,
                bytes: &bytes[run.start..run.start + run.len],
                segment_size: run.segment_size as u16,
            };
            let sent = self.outbox.send(socket, &self.runs[done..].iter().map(message));
            let (taken, rest) = self.runs[done..].split_at(sent.messages);
            self.count.packets += taken.iter().map(|run| run.packets() as u64).sum::<u64>();
            done += sent.messages;
            match (sent.refusal, rest.first()) {
                (Some(Refusal::Full), _) if !has_waited => {
                    has_waited = true;
                    let mut writable = [PollFd::new(socket, PollFlags::POLLOUT)];
                    // Whether it became writable is what the next try says.
                    let _ = poll(&mut writable, PollTimeout::from(PATIENCE_MS));
                }
                (Some(_), Some(refused)) => {
                    self.count.refused += refused.packets() as u64;
                    done += 1;
                }
                _ => {}
            }
        }
        self.runs.clear();
        self.used = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::os::fd::AsFd as _;
    use std::time::Duration;

    use super::*;

    fn remote(port: u16) -> SocketAddr {
        ([127, 0, 0, 1], port).into()
    }

    fn runs(pushed: &[(u16, usize)]) -> Vec<(u16, usize)> {
        let mut outgoing = Outgoing::new();
        pushed.iter().for_each(|(port, len)| outgoing.push(remote(*port), *len));
        outgoing.runs.iter().map(|run| (run.remote.port(), run.packets())).collect()
    }

    #[test]
    fn equal_packets_for_one_destination_are_one_run() {
        assert_eq!(runs(&[(1, 100), (1, 100), (2, 100), (1, 100)]), [(1, 2), (2, 1), (1, 1)]);
    }

    #[test]
    fn a_shorter_packet_ends_a_run_and_a_longer_one_begins_the_next() {
        assert_eq!(runs(&[(1, 100), (1, 60), (1, 60)]), [(1, 2), (1, 1)]);
        assert_eq!(runs(&[(1, 60), (1, 100)]), [(1, 1), (1, 1)]);
    }

    #[test]
    fn a_run_has_its_limits() {
        assert_eq!(runs(&[(1, 10); 65]), [(1, 64), (1, 1)]);
        assert_eq!(runs(&[(1, 1300); 51]), [(1, 50), (1, 1)]);
    }

    #[test]
    fn a_flush_sends_all_and_counts_packets() {
        let (from, to) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
        to.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut outgoing = Outgoing::new();
        for (len, byte) in [(40, 1), (40, 2), (20, 3), (40, 4)] {
            outgoing.room(from.as_fd(), len)[..len].fill(byte);
            outgoing.push(to.local_addr().unwrap(), len);
        }
        outgoing.flush(from.as_fd());
        assert_eq!(outgoing.count(), SubjectCount { packets: 4, refused: 0 });
        let mut buffer = [0; 100];
        for (len, byte) in [(40, 1), (40, 2), (20, 3), (40, 4)] {
            assert_eq!(to.recv(&mut buffer).unwrap(), len);
            assert_eq!(buffer[0], byte);
        }
        assert!(outgoing.runs.is_empty() && outgoing.used == 0);
    }

    #[test]
    fn what_does_not_fit_is_flushed_before() {
        let (from, to) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
        let mut outgoing = Outgoing::new();
        outgoing.push(to.local_addr().unwrap(), 100);
        outgoing.used = CAPACITY - 50;
        assert_eq!(outgoing.room(from.as_fd(), 100).len(), CAPACITY);
        assert_eq!(outgoing.count().packets, 1);
    }
}
