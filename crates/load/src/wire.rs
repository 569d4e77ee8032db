//! Packets on their way out: written one behind the other, joined into runs as UDP segmentation takes them.

use std::net::SocketAddr;

use mafalda_net::{Message, SEGMENTS_MAX};

/// Bytes of the buffer. A turn's key frames of a few publishers; when it is full the driver sends and goes on.
const WIRE_LEN: usize = 512 * 1024;

/// What must be free for a client to be drained: its largest frame, its repairs and its feedback at once.
const DRAIN_LEN: usize = 256 * 1024;

/// Most bytes of a run: what one UDP datagram can say, and so what one message of segmentation may hold.
const RUN_LEN_MAX: usize = 65_507;

/// Consecutive packets for one destination: all of one size but for the last, which may be shorter.
#[derive(Clone, Copy, Debug)]
struct Run {
    remote: SocketAddr,
    start: usize,
    len: usize,
    segment_size: usize,
    count: usize,
}

/// The buffer, filled by clients and emptied by the driver.
#[derive(Debug)]
pub(crate) struct Wire {
    bytes: Box<[u8]>,
    used: usize,
    runs: Vec<Run>,
}

impl Wire {
    pub(crate) fn new() -> Self {
        Self { bytes: vec![0; WIRE_LEN].into_boxed_slice(), used: 0, runs: Vec::new() }
    }

    /// Whether a client may be drained into it.
    pub(crate) fn has_room(&self) -> bool {
        self.bytes.len() - self.used >= DRAIN_LEN
    }

    /// Where the next packet goes.
    pub(crate) fn spare(&mut self) -> &mut [u8] {
        &mut self.bytes[self.used..]
    }

    /// Takes the first `len` bytes of [`Wire::spare`] as a packet for `remote`.
    pub(crate) fn commit(&mut self, remote: SocketAddr, len: usize) {
        let start = self.used;
        self.used = (start + len).min(self.bytes.len());
        if !self.runs.last_mut().is_some_and(|run| run.join(remote, len)) {
            self.runs.push(Run { remote, start, len, segment_size: len, count: 1 });
        }
    }

    /// Adds a copy of a packet; `false` when there is no room.
    pub(crate) fn push(&mut self, remote: SocketAddr, packet: &[u8]) -> bool {
        let Some(room) = self.spare().get_mut(..packet.len()) else { return false };
        room.copy_from_slice(packet);
        self.commit(remote, packet.len());
        true
    }

    /// All that is to be sent.
    pub(crate) fn messages(&self) -> impl ExactSizeIterator<Item = Message<'_>> + Clone {
        self.runs.iter().map(|run| Message {
            remote: run.remote,
            bytes: self.bytes.get(run.start..run.start + run.len).unwrap_or_default(),
            segment_size: u16::try_from(run.segment_size).unwrap_or(u16::MAX),
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Forgets what was written.
    pub(crate) fn clear(&mut self) {
        self.used = 0;
        self.runs.clear();
    }
}

impl Run {
    /// Adds the packet behind it; `false` when that needs a run of its own.
    fn join(&mut self, remote: SocketAddr, len: usize) -> bool {
        let whole = self.len == self.segment_size * self.count;
        let fits = len <= self.segment_size && self.len + len <= RUN_LEN_MAX && self.count < SEGMENTS_MAX;
        if !(whole && fits && len > 0 && remote == self.remote) {
            return false;
        }
        self.len += len;
        self.count += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remote(port: u16) -> SocketAddr {
        ([127, 0, 0, 1], port).into()
    }

    fn sizes(wire: &Wire) -> Vec<(u16, usize, u16)> {
        wire.messages().map(|it| (it.remote.port(), it.bytes.len(), it.segment_size)).collect()
    }

    #[test]
    fn equal_packets_join_until_a_shorter_one_a_longer_one_or_another_destination() {
        let mut wire = Wire::new();
        for (port, len) in [(1, 100), (1, 100), (1, 40), (1, 40), (1, 41), (2, 41), (2, 41)] {
            assert!(wire.push(remote(port), &vec![7; len]));
        }
        assert_eq!(sizes(&wire), [(1, 240, 100), (1, 40, 40), (1, 41, 41), (2, 82, 41)]);
        wire.clear();
        assert!(wire.is_empty() && wire.has_room());
    }

    #[test]
    fn a_run_keeps_the_limits_of_segmentation() {
        let mut wire = Wire::new();
        (0..130).for_each(|_| assert!(wire.push(remote(1), &[1; 10])));
        assert_eq!(sizes(&wire), [(1, 640, 10), (1, 640, 10), (1, 20, 10)]);
        wire.clear();
        (0..60).for_each(|_| assert!(wire.push(remote(1), &[1; 1200])));
        assert_eq!(sizes(&wire), [(1, 54 * 1200, 1200), (1, 6 * 1200, 1200)]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut wire = Wire::new();
        let large = vec![1; 60_000];
        while wire.push(remote(1), &large) {}
        assert!(!wire.has_room());
        assert!(wire.messages().map(|message| message.bytes.len()).sum::<usize>() <= WIRE_LEN);
    }
}
