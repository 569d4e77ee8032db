//! A network between hosts, in virtual time: each host hangs on two links, one to the network and one from it, and each link
//! loses, doubles, delays, reorders and queues as it is told to.
//!
//! All chance is drawn from one seed in the order of sending, so the same sends give the same fate. It carries datagrams, which
//! may get lost; a stream-like connection is a link without loss, which keeps the order.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use rand::SeedableRng;
use rand::rngs::StdRng;

mod link;
pub use link::{Conditions, LinkStats};

use link::Link;

/// What travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Who sent it.
    pub from: SocketAddr,
    /// Where it goes.
    pub to: SocketAddr,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// Which of a host's two links.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// From the host to the network.
    Up,
    /// From the network to the host.
    Down,
}

/// The network.
#[derive(Debug)]
pub struct Network {
    rng: StdRng,
    links: HashMap<(IpAddr, Access), Link>,
    flights: BinaryHeap<Reverse<Flight>>,
    launched: u64,
}

/// A packet on a link. Its order is by arrival, then by launch.
#[derive(Debug)]
struct Flight {
    arrival: Instant,
    launch: u64,
    over: Access,
    packet: Packet,
}

impl Network {
    /// A network of perfect links, whose chance comes from this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            rng: StdRng::seed_from_u64(seed),
            links: HashMap::new(),
            flights: BinaryHeap::new(),
            launched: 0,
        }
    }

    /// Changes what one link of a host does, from the next packet on.
    pub fn set(&mut self, host: IpAddr, access: Access, conditions: Conditions) {
        self.link(host, access).conditions = conditions;
    }

    /// Changes what both links of a host do, from the next packet on.
    pub fn set_both(&mut self, host: IpAddr, conditions: Conditions) {
        self.set(host, Access::Up, conditions);
        self.set(host, Access::Down, conditions);
    }

    /// Plugs a host in or out: while it is out, nothing passes its links. What is under way on them still arrives.
    pub fn plug(&mut self, host: IpAddr, in_: bool) {
        self.link(host, Access::Up).plugged = in_;
        self.link(host, Access::Down).plugged = in_;
    }

    /// What passed a link so far.
    #[must_use]
    pub fn stats(&self, host: IpAddr, access: Access) -> LinkStats {
        self.links.get(&(host, access)).map(|link| link.stats).unwrap_or_default()
    }

    /// Sends a packet off.
    pub fn send(&mut self, now: Instant, packet: Packet) {
        let host = packet.from.ip();
        self.launch(now, host, Access::Up, packet);
    }

    /// When something arrives next, at a host or between two links.
    #[must_use]
    pub fn next(&self) -> Option<Instant> {
        self.flights.peek().map(|Reverse(flight)| flight.arrival)
    }

    /// A packet that has reached its host by now; to be called until there is none.
    pub fn arrived(&mut self, now: Instant) -> Option<Packet> {
        while self.next()? <= now {
            let Reverse(flight) = self.flights.pop()?;
            match flight.over {
                Access::Up => {
                    let host = flight.packet.to.ip();
                    self.launch(flight.arrival, host, Access::Down, flight.packet);
                }
                Access::Down => return Some(flight.packet),
            }
        }
        None
    }

    fn launch(&mut self, now: Instant, host: IpAddr, over: Access, packet: Packet) {
        let link = self.links.entry((host, over)).or_default();
        for arrival in link.pass(now, packet.bytes.len(), &mut self.rng).into_iter().flatten() {
            self.launched += 1;
            let packet = packet.clone();
            self.flights.push(Reverse(Flight { arrival, launch: self.launched, over, packet }));
        }
    }

    fn link(&mut self, host: IpAddr, access: Access) -> &mut Link {
        self.links.entry((host, access)).or_default()
    }
}

impl Flight {
    fn key(&self) -> (Instant, u64) {
        (self.arrival, self.launch)
    }
}

impl PartialEq for Flight {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Flight {}

impl PartialOrd for Flight {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Flight {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

#[cfg(test)]
mod tests;
