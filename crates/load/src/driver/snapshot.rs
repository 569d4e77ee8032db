//! What a thread tells of its clients: sums while it runs, everything when it ends.

use std::time::{Duration, Instant};

use mafalda_media::Now;

use super::PeerId;
use crate::client::{
    Client, ClientDrops, ClientFailure, ClientState, FeedbackCounters, ReceiveCounters, SendCounters, Verdict,
};
use crate::histogram::Histogram;

/// Sums over the clients of a thread, or of all of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snapshot {
    /// Clients.
    pub(crate) peers: usize,
    /// Those that have keys.
    pub(crate) joined: usize,
    /// Those that are over before their time.
    pub(crate) failed: usize,
    /// Why the first of them is.
    pub(crate) failure: Option<ClientFailure>,
    /// Streams that are received.
    pub(crate) streams: usize,
    /// Those of them from which nothing new has come for a second.
    pub(crate) silent: usize,
    /// Those of them whose client is over, so that nothing will come any more.
    pub(crate) orphaned: usize,
    /// What was sent.
    pub(crate) sent: SendCounters,
    /// What came, and what of it was wrong.
    pub(crate) received: ReceiveCounters,
    /// Packets lost.
    pub(crate) lost: u64,
    /// What was said to the server about it.
    pub(crate) feedback: FeedbackCounters,
    /// How long packets were on their way.
    pub(crate) delays: Histogram,
    /// The first thing that was wrong.
    pub(crate) complaint: Option<Verdict>,
    /// Packets that each stream has made.
    pub(crate) made: Vec<(u32, u64)>,
    /// Sockets.
    pub(crate) sockets: usize,
    /// Clients that got no socket.
    pub(crate) refused_sockets: usize,
    /// Datagrams that this machine did not take for sending.
    pub(crate) unsent: u64,
    /// Datagrams from addresses that are no client's server.
    pub(crate) strangers: u64,
    /// Datagrams that had no effect.
    pub(crate) drops: ClientDrops,
    /// Datagrams that the pretended network lost.
    pub(crate) link_losses: u64,
}

impl Snapshot {
    /// Adds a client; streams that were silent since `silence` are counted.
    pub(super) fn add(&mut self, client: &Client, now: Now, silence: Option<Instant>) {
        self.add_client(client, silence);
        for (_, counters, complaint) in client.received(now, |_| None) {
            self.add_received(counters, complaint);
        }
    }

    fn add_client(&mut self, client: &Client, silence: Option<Instant>) {
        self.peers += 1;
        match client.state() {
            ClientState::Joining => {}
            ClientState::Connected | ClientState::Closed => self.joined += 1,
            ClientState::Failed(failure) => {
                self.failed += 1;
                self.failure.get_or_insert(failure);
            }
        }
        let silent = silence.map_or(0, |silence| client.silent_since(silence));
        self.silent += silent;
        self.orphaned += if matches!(client.state(), ClientState::Failed(_)) { silent } else { 0 };
        for (stream, made, counters) in client.sent() {
            self.made.push((stream, made));
            add_sent(&mut self.sent, counters);
        }
        self.delays.add(client.delays());
        add_feedback(&mut self.feedback, client.feedback());
        add_drops(&mut self.drops, client.drops());
        self.link_losses += client.link_losses();
    }

    fn add_received(&mut self, counters: ReceiveCounters, complaint: Option<Verdict>) {
        self.streams += 1;
        self.lost += counters.lost();
        add_received(&mut self.received, counters);
        self.complaint = self.complaint.or(complaint);
    }

    /// Adds what another thread tells.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.peers += other.peers;
        self.joined += other.joined;
        self.failed += other.failed;
        self.failure = self.failure.or(other.failure);
        self.streams += other.streams;
        self.silent += other.silent;
        self.orphaned += other.orphaned;
        add_sent(&mut self.sent, other.sent);
        add_received(&mut self.received, other.received);
        self.lost += other.lost;
        self.delays.add(&other.delays);
        self.complaint = self.complaint.or(other.complaint);
        self.made.extend_from_slice(&other.made);
        self.sockets += other.sockets;
        self.refused_sockets += other.refused_sockets;
        self.unsent += other.unsent;
        self.strangers += other.strangers;
        add_feedback(&mut self.feedback, other.feedback);
        add_drops(&mut self.drops, other.drops);
        self.link_losses += other.link_losses;
    }
}

fn add_drops(sum: &mut ClientDrops, drops: ClientDrops) {
    sum.malformed += drops.malformed;
    sum.early += drops.early;
    sum.unknown_ssrc += drops.unknown_ssrc;
    sum.forged += drops.forged;
}

fn add_feedback(sum: &mut FeedbackCounters, counters: FeedbackCounters) {
    sum.nacked += counters.nacked;
    sum.reports += counters.reports;
    sum.arrivals += counters.arrivals;
    sum.key_frame_requests += counters.key_frame_requests;
}

fn add_sent(sum: &mut SendCounters, counters: SendCounters) {
    sum.packets += counters.packets;
    sum.bytes += counters.bytes;
    sum.repairs += counters.repairs;
    sum.unrepaired += counters.unrepaired;
    sum.key_frame_requests += counters.key_frame_requests;
    sum.frames_skipped += counters.frames_skipped;
}

fn add_received(sum: &mut ReceiveCounters, counters: ReceiveCounters) {
    sum.packets += counters.packets;
    sum.bytes += counters.bytes;
    sum.expected += counters.expected;
    sum.repaired += counters.repaired;
    sum.duplicates += counters.duplicates;
    sum.verified += counters.verified;
    sum.broken += counters.broken;
    sum.left_out += counters.left_out;
    sum.discarded += counters.discarded;
    sum.key_frame_requests += counters.key_frame_requests;
}

/// What came of one stream at one receiver.
#[derive(Clone, Copy, Debug)]
pub struct StreamReport {
    /// The receiver's number.
    pub peer: u32,
    /// The stream's.
    pub stream: u32,
    /// What came.
    pub received: ReceiveCounters,
}

/// How long a client took to get that far, from its first signalling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Milestone {
    /// Until it had keys.
    pub(crate) joined: Duration,
    /// Until its first media came, for those that receive.
    pub(crate) first_media: Option<Duration>,
}

/// All that a thread has to tell when it ends.
#[derive(Clone, Debug, Default)]
pub(crate) struct Final {
    /// The sums.
    pub(crate) totals: Snapshot,
    /// Each received stream.
    pub(crate) streams: Vec<StreamReport>,
    /// Each client that got its keys.
    pub(crate) milestones: Vec<Milestone>,
    /// The ports of the thread's sockets.
    pub(crate) ports: Vec<u16>,
}

impl Final {
    pub(super) fn add(
        &mut self,
        peer: PeerId,
        begun: Instant,
        client: &Client,
        now: Now,
        made: impl Fn(u32) -> Option<u64>,
    ) {
        self.totals.add_client(client, None);
        for (stream, received, complaint) in client.received(now, made) {
            self.totals.add_received(received, complaint);
            self.totals.silent += usize::from(received.packets == 0);
            self.streams.push(StreamReport { peer: peer.0, stream, received });
        }
        if let Some(joined) = client.joined() {
            let since = |at: Instant| at.saturating_duration_since(begun);
            let first_media = client.first_media().map(since);
            self.milestones.push(Milestone { joined: since(joined), first_media });
        }
    }

    pub(super) fn own_losses(&mut self, counts: &Snapshot, ports: impl Iterator<Item = u16>) {
        self.totals.unsent = counts.unsent;
        self.totals.strangers = counts.strangers;
        self.totals.sockets = counts.sockets;
        self.totals.refused_sockets = counts.refused_sockets;
        self.ports.extend(ports);
    }

    /// Adds what another thread tells.
    pub(crate) fn merge(&mut self, other: Self) {
        self.totals.merge(&other.totals);
        self.streams.extend(other.streams);
        self.milestones.extend(other.milestones);
        self.ports.extend(other.ports);
    }
}
