//! A network between hosts, in virtual time: each host hangs on two links, one to the network and one from it, and each link
//! loses, doubles, delays, reorders and queues as it is told to.
//!
//! Each link draws its chance from a seed of its own, in the order of its packets: the same packets on a link meet the same
//! fate, whatever happens on others.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

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
    seed: u64,
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
        Self { seed, links: HashMap::new(), flights: BinaryHeap::new(), launched: 0 }
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
    pub fn send(&mut self, now: Instant, packet: &Packet) {
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
                    self.launch(flight.arrival, host, Access::Down, &flight.packet);
                }
                Access::Down => return Some(flight.packet),
            }
        }
        None
    }

    fn launch(&mut self, now: Instant, host: IpAddr, over: Access, packet: &Packet) {
        let arrivals = self.link(host, over).pass(now, packet.bytes.len());
        for arrival in arrivals.into_iter().flatten() {
            self.launched += 1;
            let packet = packet.clone();
            self.flights.push(Reverse(Flight { arrival, launch: self.launched, over, packet }));
        }
    }

    fn link(&mut self, host: IpAddr, access: Access) -> &mut Link {
        let seed = self.seed;
        self.links.entry((host, access)).or_insert_with(|| Link::new(seed_of(seed, host, access)))
    }
}

/// The seed of one link: each bit of it depends on each bit of what names the link (FNV-1a).
fn seed_of(seed: u64, host: IpAddr, access: Access) -> u64 {
    let host = match host {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    };
    let name = seed.to_be_bytes().into_iter().chain(host.octets()).chain([u8::from(access == Access::Up)]);
    name.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
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
