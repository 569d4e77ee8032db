//! One peer of a server: a machine without I/O that joins, sends and receives over one Transport.
//!
//! [`Client`] is the other end of one Transport: its [`Way`] through to keys, SRTP both ways, media of its own and the feedback of a
//! browser for what it gets. Time and datagrams go in, packets come out on a wire; the verbs are those of all
//! machines of the project, and after each input comes the drain.
//!
//! Not in here: signalling, sockets, which streams there are, what is made of the numbers.

mod egress;
mod feedback;
mod incoming;
mod intake;
mod outgoing;
mod protection;
mod sample;
mod state;
mod way;

use std::net::SocketAddr;
use std::time::Instant;

use hashbrown::HashMap;
use mafalda_media::Now;
use mafalda_media::rtcp::{COMPOUND_LEN_MAX, CompoundWriter};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::histogram::Histogram;
use crate::link::{Fate, Link};
use crate::media::Shape;
use crate::wire::Wire;
use egress::Egress;
use feedback::Feedback;
use incoming::Incoming;
use outgoing::{Clock, Outgoing};
use protection::Protection;
use way::Way;

pub use feedback::FeedbackCounters;
pub use incoming::ReceiveCounters;
pub(crate) use incoming::ReceiveTrack;
pub use outgoing::SendCounters;
pub(crate) use outgoing::SendTrack;
pub use sample::Verdict;
pub(crate) use state::{Access, ClientConfig, ClientState, Traits, WebRtcAccess};
pub use state::{ClientDrops, ClientFailure};
pub use way::SessionFailure;

/// Compound packets of feedback per drain: more streams than one client can have in a turn's worth of reports.
const COMPOUNDS_MAX: usize = 32;

/// What an SSRC stands for.
#[derive(Clone, Copy, Debug)]
struct Source {
    stream: usize,
    rtx: bool,
}

/// One peer.
#[derive(Debug)]
pub(crate) struct Client {
    remote: SocketAddr,
    traits: Traits,
    state: ClientState,
    joined: Option<Instant>,
    way: Way,
    outgoing: Vec<Outgoing>,
    incoming: Vec<Incoming>,
    sources: HashMap<u32, Source>,
    feedback: Feedback,
    delays: Histogram,
    next_transport_cc: u16,
    transport_cc_id: Option<u8>,
    ended: bool,
    links: Links,
    drops: ClientDrops,
    rng: StdRng,
}

/// Both directions of the pretended network.
#[derive(Debug)]
struct Links {
    out: Link,
    back: Link,
}

impl Client {
    /// A client that begins at once.
    pub(crate) fn new(config: ClientConfig, now: Now) -> Self {
        let ClientConfig { remote, access, traits } = config;
        let mut rng = StdRng::seed_from_u64(traits.seed);
        let links =
            Links { out: Link::new(traits.link, rng.random()), back: Link::new(traits.link, rng.random()) };
        Self {
            state: ClientState::Joining,
            joined: None,
            way: Way::new(access, now.at, StdRng::from_rng(&mut rng)),
            outgoing: Vec::new(),
            incoming: Vec::new(),
            sources: HashMap::new(),
            feedback: Feedback::new(rng.random()),
            delays: Histogram::new(),
            next_transport_cc: rng.random(),
            transport_cc_id: None,
            ended: false,
            links,
            drops: ClientDrops::default(),
            rng,
            remote,
            traits,
        }
    }

    /// Adds a stream to send, from now on.
    pub(crate) fn send(&mut self, track: SendTrack, now: Now) {
        self.outgoing.push(Outgoing::new(track, now.at, StdRng::from_rng(&mut self.rng)));
    }

    /// Adds a stream to receive. `transport_cc` is the id under which its packets carry transport-wide numbers, if they do.
    pub(crate) fn receive(&mut self, track: ReceiveTrack, transport_cc: Option<u8>, now: Now) {
        let stream = self.incoming.len();
        self.sources.insert(track.ssrc, Source { stream, rtx: false });
        if let Some(ssrc) = track.rtx_ssrc {
            self.sources.insert(ssrc, Source { stream, rtx: true });
        }
        self.transport_cc_id = transport_cc.or(self.transport_cc_id);
        self.incoming.push(Incoming::new(track, self.traits.verify_every));
        self.feedback.on_stream(now.at);
    }

    /// Sends no more media; repairs and feedback go on.
    pub(crate) fn end_media(&mut self) {
        self.ended = true;
    }

    /// Gives each stream of that codec another shape, from its next frame on.
    pub(crate) fn set_shape(&mut self, shape: Shape) {
        let alike = |stream: &&mut Outgoing| stream.track().shape.codec() == shape.codec();
        self.outgoing.iter_mut().filter(alike).for_each(|stream| stream.set_shape(shape));
    }

    /// Leaves. What it says to the server is to be drained.
    pub(crate) fn close(&mut self, now: Now) {
        self.way.close(now);
        if !matches!(self.state, ClientState::Failed(_)) {
            self.state = ClientState::Closed;
        }
    }

    /// Takes a datagram from the server; media is decrypted in place.
    pub(crate) fn handle(&mut self, now: Now, datagram: &mut [u8]) {
        if self.links.back.offer(now.at, datagram) == Fate::Passes {
            self.take(now, datagram);
        }
    }

    /// Does what is due, and puts what is to be sent on the wire.
    pub(crate) fn drain(&mut self, now: Now, wire: &mut Wire) {
        while let Some(mut datagram) = self.links.back.take(now.at) {
            self.take(now, &mut datagram);
        }
        let mut egress = Egress { now, remote: self.remote, link: &mut self.links.out, wire };
        egress.release_late();
        match self.state {
            ClientState::Failed(_) => return,
            ClientState::Closed => return self.way.drain_last(&mut egress),
            ClientState::Joining | ClientState::Connected => {}
        }
        if let Err(failure) = self.way.drain(&mut egress) {
            self.state = ClientState::Failed(failure);
            return;
        }
        self.note_connected(now);
        if self.state == ClientState::Connected {
            self.send_media(now, wire);
        }
    }

    /// When to call [`Client::drain`] again, if nothing comes.
    pub(crate) fn timeout(&self) -> Option<Instant> {
        let links = [self.links.out.timeout(), self.links.back.timeout()];
        let mut due = links.into_iter().flatten().min();
        let mut sooner = |at: Option<Instant>| due = due.into_iter().chain(at).min();
        match self.state {
            ClientState::Failed(_) | ClientState::Closed => return due,
            ClientState::Joining => {}
            ClientState::Connected => {
                sooner(self.feedback.timeout());
                self.outgoing.iter().for_each(|stream| sooner(stream.timeout(self.ended)));
            }
        }
        sooner(self.way.timeout());
        due
    }

    /// How far it has come.
    pub(crate) fn state(&self) -> ClientState {
        self.state
    }

    /// When it got its keys.
    pub(crate) fn joined(&self) -> Option<Instant> {
        self.joined
    }

    /// When its first media packet came.
    pub(crate) fn first_media(&self) -> Option<Instant> {
        self.incoming.iter().filter_map(Incoming::begun).min()
    }

    /// What each stream has sent: its number, how many packets it has made, and its counters.
    pub(crate) fn sent(&self) -> impl Iterator<Item = (u32, u64, SendCounters)> {
        self.outgoing.iter().map(|stream| (stream.track().stream, stream.packets_made(), stream.counters()))
    }

    /// What came of each stream; `made` tells how many packets a stream has made, once it has ended.
    pub(crate) fn received(
        &self,
        now: Now,
        made: impl Fn(u32) -> Option<u64>,
    ) -> impl Iterator<Item = (u32, ReceiveCounters, Option<Verdict>)> {
        self.incoming.iter().map(move |stream| {
            let number = stream.track().stream;
            (number, stream.counters(now, made(number)), stream.complaint())
        })
    }

    /// How many streams it receives from which nothing new has come since then.
    pub(crate) fn silent_since(&self, since: Instant) -> usize {
        self.incoming.iter().filter(|stream| stream.newest_at().is_none_or(|at| at < since)).count()
    }

    /// How long packets were on their way, of those that were verified and no repairs.
    pub(crate) fn delays(&self) -> &Histogram {
        &self.delays
    }

    /// What it said to the server.
    pub(crate) fn feedback(&self) -> FeedbackCounters {
        self.feedback.counters()
    }

    /// Datagrams that had no effect.
    pub(crate) fn drops(&self) -> ClientDrops {
        self.drops
    }

    /// Datagrams that its pretended network lost, both ways.
    pub(crate) fn link_losses(&self) -> u64 {
        self.links.out.lost() + self.links.back.lost()
    }

    fn note_connected(&mut self, now: Now) {
        if self.state == ClientState::Joining && self.way.is_ready() {
            self.state = ClientState::Connected;
            self.joined = Some(now.at);
        }
    }

    fn send_media(&mut self, now: Now, wire: &mut Wire) {
        // Media tells the server as well that the client is here.
        if self.way.greets(now.at) && self.outgoing.is_empty() {
            self.feedback.hurry(now.at);
        }
        let Some(Protection { sender, .. }) = self.way.protection_mut() else { return };
        let mut egress = Egress { now, remote: self.remote, link: &mut self.links.out, wire };
        let clock = Clock { since_epoch_ns: since(self.traits.epoch, now), ended: self.ended };
        for stream in &mut self.outgoing {
            stream.send_due(&mut egress, sender, &mut self.next_transport_cc, clock);
        }
        for _ in 0..COMPOUNDS_MAX {
            let mut plain = [0; COMPOUND_LEN_MAX];
            let mut writer = CompoundWriter::new(&mut plain);
            for stream in self.outgoing.iter_mut().filter(|_| !self.ended) {
                // What found no room is due a second later again.
                let _ = stream.report(now, b"mafalda-load", &mut writer);
            }
            self.feedback.write(now, &mut self.incoming, &mut self.rng, &mut writer);
            let len = writer.len();
            if !egress.send_rtcp(sender, plain.get(..len).unwrap_or_default()) {
                return;
            }
        }
    }
}

fn since(epoch: Instant, now: Now) -> u64 {
    u64::try_from(now.at.saturating_duration_since(epoch).as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
