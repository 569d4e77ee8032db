//! Puts a peer's plaintext handshake together: fragments into messages, messages into order, messages into whole flights.
//!
//! The engine behind it neither bounds what it stores nor recovers from a flight that comes in part, out of order, or cut
//! differently the second time. So it is fed whole flights only, each message once. A message that was handed on is never
//! taken again; whoever misses our answer gets it from our retransmission timer.

use std::collections::VecDeque;

use super::record::{
    CERTIFICATE, CERTIFICATE_VERIFY, CLIENT_HELLO, CLIENT_KEY_EXCHANGE, Fragment, HELLO_VERIFY_REQUEST,
    SERVER_HELLO_DONE,
};
use super::{DropReason, Role, message};

/// The longest handshake message. A chain of two RSA-4096 certificates has 3 kB, a ClientHello with post-quantum key shares
/// 1.7 kB; times [`WINDOW_MAX`] this is what a hostile peer can make an endpoint hold.
const MESSAGE_MAX: usize = 8 * 1024;

/// How many messages are put together at once. The longest plaintext flight, the server's, has five (RFC 6347 §4.2.4).
const WINDOW_MAX: usize = 8;

/// A whole handshake message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) kind: u8,
    pub(super) sequence: u16,
    pub(super) body: Vec<u8>,
}

/// The messages that haven't been handed on, in the sender's order.
#[derive(Debug)]
pub(super) struct Inbox {
    /// This end's role: it tells what the peer's flights look like.
    role: Role,
    /// The number of the first message in `window`.
    next: u16,
    window: VecDeque<Option<Partial>>,
}

impl Inbox {
    pub(super) fn new(role: Role) -> Self {
        Self { role, next: 0, window: VecDeque::new() }
    }

    /// How many messages have been handed on.
    pub(super) fn taken(&self) -> u16 {
        self.next
    }

    /// Keeps a fragment.
    pub(super) fn accept(&mut self, fragment: &Fragment<'_>) -> Result<(), DropReason> {
        let ahead = usize::from(fragment.sequence.checked_sub(self.next).ok_or(DropReason::Repeated)?);
        if ahead >= WINDOW_MAX || fragment.length > MESSAGE_MAX {
            return Err(DropReason::OutOfBounds);
        }
        if self.window.len() <= ahead {
            self.window.resize_with(ahead + 1, || None);
        }
        let slot = self.window.get_mut(ahead).ok_or(DropReason::OutOfBounds)?;
        slot.get_or_insert_with(|| Partial::new(fragment)).add(fragment)?;
        if slot.as_ref().is_some_and(Partial::is_unfit) {
            *slot = None;
            return Err(DropReason::Malformed);
        }
        Ok(())
    }

    /// Takes the peer's next flight if all of it is here; empty otherwise.
    pub(super) fn take_flight(&mut self) -> Vec<Message> {
        let Some(length) = self.flight_length() else { return Vec::new() };
        let partials = self.window.drain(..length).flatten();
        let flight: Vec<_> = (self.next..)
            .zip(partials)
            .map(|(sequence, partial)| Message { kind: partial.kind, sequence, body: partial.body })
            .collect();
        self.next = self.next.saturating_add(u16::try_from(flight.len()).unwrap_or(u16::MAX));
        flight
    }

    /// The number of messages up to the end of the first flight, if there are no gaps (RFC 6347 §4.2.4).
    fn flight_length(&self) -> Option<usize> {
        let mut certified = false;
        for (index, slot) in self.window.iter().enumerate() {
            let partial = slot.as_ref().filter(|partial| partial.missing == 0)?;
            // The body of a Certificate message without certificates is just the length of its list.
            certified |= partial.kind == CERTIFICATE && partial.body.len() > 3;
            let ends = match (self.role, partial.kind) {
                (Role::Client, HELLO_VERIFY_REQUEST | SERVER_HELLO_DONE) => true,
                (Role::Server, CLIENT_HELLO | CERTIFICATE_VERIFY) => true,
                (Role::Server, CLIENT_KEY_EXCHANGE) => !certified,
                _ => false,
            };
            if ends {
                return Some(index + 1);
            }
        }
        None
    }
}

/// A message of which some bytes may be missing.
#[derive(Debug)]
struct Partial {
    kind: u8,
    body: Vec<u8>,
    /// One bit for each byte of `body` that has come: a sender may cut a message anew each time it sends it.
    present: Vec<u64>,
    missing: usize,
}

impl Partial {
    fn new(fragment: &Fragment<'_>) -> Self {
        let length = fragment.length;
        Self {
            kind: fragment.kind,
            body: vec![0; length],
            present: vec![0; length.div_ceil(64)],
            missing: length,
        }
    }

    fn add(&mut self, fragment: &Fragment<'_>) -> Result<(), DropReason> {
        if fragment.kind != self.kind || fragment.length != self.body.len() {
            return Err(DropReason::Malformed);
        }
        let range = fragment.offset..fragment.offset + fragment.data.len();
        self.body.get_mut(range.clone()).ok_or(DropReason::Malformed)?.copy_from_slice(fragment.data);
        for byte in range {
            let (word, bit) = (byte / 64, 1 << (byte % 64));
            if let Some(word) = self.present.get_mut(word).filter(|word| **word & bit == 0) {
                *word |= bit;
                self.missing -= 1;
            }
        }
        Ok(())
    }

    /// Whether the message is whole and must not reach the engine.
    fn is_unfit(&self) -> bool {
        self.missing == 0 && self.kind == CERTIFICATE && !message::certificates_fit(&self.body)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fragment(kind: u8, sequence: u16, body: &[u8], offset: usize, length: usize) -> Fragment<'_> {
        Fragment { kind, sequence, length: body.len(), offset, data: &body[offset..offset + length] }
    }

    fn whole(kind: u8, sequence: u16, body: &[u8]) -> Fragment<'_> {
        fragment(kind, sequence, body, 0, body.len())
    }

    #[test]
    fn a_flight_is_handed_on_when_its_last_gap_closes() {
        let mut inbox = Inbox::new(Role::Client);
        inbox.accept(&whole(SERVER_HELLO_DONE, 2, b"")).unwrap();
        inbox.accept(&whole(12, 1, b"key exchange")).unwrap();
        assert!(inbox.take_flight().is_empty());
        inbox.accept(&fragment(2, 0, b"hello", 3, 2)).unwrap();
        assert!(inbox.take_flight().is_empty());
        inbox.accept(&fragment(2, 0, b"hello", 0, 4)).unwrap();
        let flight = inbox.take_flight();
        assert_eq!(flight.iter().map(|message| message.kind).collect::<Vec<_>>(), [2, 12, SERVER_HELLO_DONE]);
        assert_eq!(flight[0].body, b"hello");
        assert_eq!(inbox.taken(), 3);
        assert_eq!(inbox.accept(&whole(2, 0, b"hello")), Err(DropReason::Repeated));
    }

    #[test]
    fn a_clients_last_flight_ends_with_its_proof() {
        let certificate = [0, 0, 4, 0, 0, 1, 9];
        let mut inbox = Inbox::new(Role::Server);
        inbox.accept(&whole(CERTIFICATE, 0, &certificate)).unwrap();
        inbox.accept(&whole(CLIENT_KEY_EXCHANGE, 1, b"key")).unwrap();
        assert!(inbox.take_flight().is_empty());
        inbox.accept(&whole(CERTIFICATE_VERIFY, 2, b"proof")).unwrap();
        assert_eq!(inbox.take_flight().len(), 3);

        let mut inbox = Inbox::new(Role::Server);
        inbox.accept(&whole(CERTIFICATE, 0, &[0, 0, 0])).unwrap();
        inbox.accept(&whole(CLIENT_KEY_EXCHANGE, 1, b"key")).unwrap();
        assert_eq!(inbox.take_flight().len(), 2, "a client without a certificate proves nothing");
    }

    #[test]
    fn bounds_hold() {
        let mut inbox = Inbox::new(Role::Server);
        let long = vec![0; MESSAGE_MAX + 1];
        assert_eq!(inbox.accept(&whole(CLIENT_HELLO, 0, &long)), Err(DropReason::OutOfBounds));
        assert!(inbox.accept(&whole(CERTIFICATE, 7, &[0, 0, 0])).is_ok());
        assert_eq!(inbox.accept(&whole(CERTIFICATE, 8, &[0, 0, 0])), Err(DropReason::OutOfBounds));
        assert_eq!(inbox.window.len(), WINDOW_MAX);
    }

    #[test]
    fn a_message_that_changes_its_frame_is_refused() {
        let mut inbox = Inbox::new(Role::Server);
        inbox.accept(&fragment(CLIENT_HELLO, 0, b"hello", 0, 2)).unwrap();
        assert_eq!(inbox.accept(&whole(CLIENT_HELLO, 0, b"hello there")), Err(DropReason::Malformed));
        assert_eq!(inbox.accept(&whole(CERTIFICATE, 0, b"hello")), Err(DropReason::Malformed));
    }

    #[test]
    fn certificates_that_reach_beyond_their_message_are_forgotten() {
        let mut inbox = Inbox::new(Role::Server);
        let unfit = [0, 0, 9, 0, 0, 1, 9];
        inbox.accept(&fragment(CERTIFICATE, 0, &unfit, 0, 4)).unwrap();
        let last = fragment(CERTIFICATE, 0, &unfit, 4, 3);
        assert_eq!(inbox.accept(&last), Err(DropReason::Malformed), "told when it is whole");
        inbox.accept(&whole(CERTIFICATE, 0, &[0, 0, 4, 0, 0, 1, 9])).unwrap();
    }

    proptest! {
        /// However a message is cut, repeated and shuffled, it comes out as it was once each byte has come.
        #[test]
        fn any_cover_restores_the_message(
            body in prop::collection::vec(any::<u8>(), 1..400),
            cuts in prop::collection::vec((0usize..400, 0usize..200), 0..60),
        ) {
            let mut inbox = Inbox::new(Role::Server);
            let mut covered = vec![false; body.len()];
            for (offset, length) in cuts {
                let offset = offset % body.len();
                let length = length.min(body.len() - offset);
                prop_assert!(inbox.accept(&fragment(CLIENT_HELLO, 0, &body, offset, length)).is_ok());
                covered[offset..offset + length].fill(true);
                let flight = inbox.take_flight();
                prop_assert_eq!(!flight.is_empty(), covered.iter().all(|byte| *byte));
                if let Some(message) = flight.first() {
                    prop_assert_eq!(&message.body, &body);
                    break;
                }
            }
        }
    }
}
