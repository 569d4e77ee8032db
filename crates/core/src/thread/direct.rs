//! DirectTransports of a Worker: the applications' ends, by number, as sockets have one.
//!
//! Each end has the [`Port`]s that have been opened for it. What applications send comes into the turn's batch beside what sockets
//! receive; what goes to them is copied out of the send buffer, a run at a time.

mod port;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Weak};

use mafalda_api::id::{ConsumerId, TransportId};
use mafalda_api::waist::{Egress, Ingress, Packets};
use mafalda_media::buffer::{Run, SendBuffer, Sender};
use mafalda_media::worker::OutMessage;
use mafalda_media::{SocketId, Tuple};

use super::mailbox::Bell;
use super::udp::Unsent;
pub(crate) use port::{Opened, Port};

/// Ports of one Transport. An application's process has one, whoever hands its calls on another; more would be a leak, and each is a copy
/// of all that comes out.
const PORTS_MAX: usize = 8;

/// What an application did.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It sent this.
    Sent(SocketId, Ingress),
    /// It was refused that often.
    Refused(SocketId, u64),
}

/// All ends.
#[derive(Debug, Default)]
pub(super) struct Ends {
    ends: HashMap<SocketId, End>,
    sockets: HashMap<TransportId, SocketId>,
    /// Ends that something was sent from and that were not empty at the last look, each once.
    ready: VecDeque<SocketId>,
}

#[derive(Debug)]
struct End {
    transport: TransportId,
    /// Weak: a port is the application's to drop.
    ports: Vec<Weak<Port>>,
}

impl Ends {
    /// A Transport is about to be created under this number.
    pub(super) fn add(&mut self, socket: SocketId, transport: TransportId) {
        self.ends.insert(socket, End { transport, ports: Vec::new() });
        self.sockets.entry(transport).or_insert(socket);
    }

    /// A Transport is gone, and what was sent to it is lost.
    pub(super) fn remove(&mut self, socket: SocketId) {
        if let Some(end) = self.ends.remove(&socket) {
            if self.sockets.get(&end.transport) == Some(&socket) {
                self.sockets.remove(&end.transport);
            }
            self.ready.retain(|ready| *ready != socket);
        }
    }

    /// Connects a port to its Transport, if there is one and it has room.
    pub(super) fn open(&mut self, opened: &Opened, bell: Bell) {
        let Some(socket) = self.sockets.get(&opened.transport) else { return };
        let Some(end) = self.ends.get_mut(socket) else { return };
        end.ports.retain(|port| port.strong_count() > 0);
        if end.ports.len() < PORTS_MAX {
            end.ports.push(Arc::downgrade(&opened.port));
            opened.port.connect(*socket, bell);
        }
    }

    /// Something was sent from an end that had been empty.
    pub(super) fn on_sent(&mut self, socket: SocketId) {
        if self.ends.contains_key(&socket) && !self.ready.contains(&socket) {
            self.ready.push_back(socket);
        }
    }

    /// Whether something waits to be taken.
    pub(super) fn are_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The next of what applications did. Ends take turns, so that none waits for another's flood.
    pub(super) fn take(&mut self) -> Option<Taken> {
        while let Some(socket) = self.ready.pop_front() {
            let taken = self.ends.get(&socket).and_then(End::take);
            if let Some(taken) = taken {
                self.ready.push_back(socket);
                return Some(match taken {
                    port::Taken::Sent(ingress) => Taken::Sent(socket, ingress),
                    port::Taken::Refused(sends) => Taken::Refused(socket, sends),
                });
            }
        }
        None
    }

    /// Puts a message where the application of its Transport finds it; `false` when it doesn't take it.
    pub(super) fn put_message(&mut self, message: OutMessage) -> bool {
        let OutMessage { socket, consumer, message } = message;
        let end = self.ends.get_mut(&socket);
        end.is_some_and(|end| end.put(Egress::Message { data_consumer: consumer, message }))
    }

    /// Puts runs where the application of their Transport finds them. What nobody takes is unsent.
    pub(super) fn put(
        &mut self,
        runs: &[Run],
        out: &SendBuffer,
        whose: impl Fn(Tuple, u32) -> Option<ConsumerId>,
        unsent: &mut Vec<Unsent>,
    ) {
        for run in runs {
            let Some(end) = self.ends.get_mut(&run.socket()) else { continue };
            let bytes = out.bytes().get(run.range()).unwrap_or_default();
            let packets = || Packets::new(bytes.to_vec(), run.segment_size.into());
            let egress = match run.sender {
                Sender::Control => Some(Egress::Rtcp(packets())),
                // It may have closed since.
                Sender::Consumer(ssrc) => {
                    whose(run.tuple, ssrc).map(|consumer| Egress::Rtp { consumer, packets: packets() })
                }
            };
            let Some(egress) = egress else { continue };
            if !end.put(egress) {
                unsent.push(Unsent { tuple: run.tuple, sender: run.sender, packets: run.count.into() });
            }
        }
    }
}

impl End {
    fn take(&self) -> Option<port::Taken> {
        self.ports.iter().filter_map(Weak::upgrade).find_map(|port| port.take())
    }

    /// Whether somebody took it.
    fn put(&mut self, egress: Egress) -> bool {
        let mut ports = self.ports.iter().filter_map(Weak::upgrade).peekable();
        let mut egress = Some(egress);
        let mut taken = false;
        while let Some(port) = ports.next() {
            let copy = if ports.peek().is_some() { egress.clone() } else { egress.take() };
            taken |= copy.is_some_and(|egress| port.put(egress));
        }
        taken
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.ports.iter().filter_map(Weak::upgrade).for_each(|port| port.end());
    }
}

#[cfg(test)]
mod tests;
