//! What a connection gives its owner, and where it waits to be polled.

use std::collections::VecDeque;

use super::{DtlsFailure, KeyingMaterial};

/// How many packets and pieces of data wait to be polled. One flight has at most five packets; more waits only if the owner
/// sends without polling.
const WAITING_MAX: usize = 64;

/// What [`Dtls::poll`](super::Dtls::poll) gives. Lengths are of bytes written to its buffer.
#[derive(Debug)]
pub enum DtlsOutput {
    /// A datagram to send, of at most 1200 bytes unless [`Dtls::send`](super::Dtls::send) was given more.
    Packet(usize),
    /// The handshake is over. Comes once; the peer is still to be verified.
    Connected(Connected),
    /// Data from the peer.
    ApplicationData(usize),
    /// The connection was closed, by the peer or by [`Dtls::close`](super::Dtls::close). Comes last.
    Closed,
    /// The connection failed. Comes last.
    Failed(DtlsFailure),
}

/// What a handshake yields.
#[derive(Debug)]
pub struct Connected {
    /// SRTP's profile and keys: not to be used before the certificate has been verified.
    pub keying: KeyingMaterial,
    /// The peer's certificate in DER, whose key the peer has proven to hold.
    pub peer_certificate: Vec<u8>,
}

/// Why data can't be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The handshake isn't over, or the connection has ended.
    #[error("the DTLS connection isn't open")]
    NotOpen,
    /// Earlier packets have not been polled.
    #[error("too many DTLS packets wait to be polled")]
    Full,
}

pub(super) enum Queued {
    Packet(Vec<u8>),
    Connected(Connected),
    Data(Vec<u8>),
    Closed,
    Failed(DtlsFailure),
}

/// What waits to be polled. Packets and data beyond the bound are dropped; events come a few times in a connection's life and
/// never are.
#[derive(Default)]
pub(super) struct Outbox(VecDeque<Queued>);

impl Outbox {
    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= WAITING_MAX
    }

    pub(super) fn push(&mut self, queued: Queued) {
        let may_be_lost = matches!(queued, Queued::Packet(_) | Queued::Data(_));
        if !(may_be_lost && self.is_full()) {
            self.0.push_back(queued);
        }
    }

    /// Takes over what waits in another, behind what waits here.
    pub(super) fn append(&mut self, other: &mut Self) {
        std::mem::take(&mut other.0).into_iter().for_each(|queued| self.push(queued));
    }

    /// Takes the first that isn't longer than `out`; what is longer is dropped.
    pub(super) fn pop(&mut self, out: &mut [u8]) -> Option<DtlsOutput> {
        loop {
            let Some(first) = self.0.pop_front() else {
                // Most connections never have anything to say again.
                self.0 = VecDeque::new();
                return None;
            };
            let output = match first {
                Queued::Packet(bytes) => copy(&bytes, out).map(DtlsOutput::Packet),
                Queued::Data(bytes) => copy(&bytes, out).map(DtlsOutput::ApplicationData),
                Queued::Connected(connected) => Some(DtlsOutput::Connected(connected)),
                Queued::Closed => Some(DtlsOutput::Closed),
                Queued::Failed(failure) => Some(DtlsOutput::Failed(failure)),
            };
            if output.is_some() {
                return output;
            }
        }
    }
}

fn copy(bytes: &[u8], out: &mut [u8]) -> Option<usize> {
    out.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_have_a_bound_and_events_do_not() {
        let mut outbox = Outbox::default();
        for _ in 0..WAITING_MAX + 9 {
            outbox.push(Queued::Packet(vec![1]));
        }
        outbox.push(Queued::Closed);
        let mut out = [0; 10];
        let packets = std::iter::from_fn(|| outbox.pop(&mut out))
            .filter(|output| matches!(output, DtlsOutput::Packet(1)));
        assert_eq!(packets.count(), WAITING_MAX);
    }

    #[test]
    fn what_is_longer_than_the_buffer_is_passed_over() {
        let mut outbox = Outbox::default();
        outbox.push(Queued::Data(vec![7; 11]));
        outbox.push(Queued::Data(vec![8; 10]));
        let mut out = [0; 10];
        assert!(matches!(outbox.pop(&mut out), Some(DtlsOutput::ApplicationData(10))));
        assert_eq!(out, [8; 10]);
        assert!(outbox.pop(&mut out).is_none());
    }
}
