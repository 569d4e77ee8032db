//! Which of a stream's last packets were accepted (RFC 3711 §3.3.2).

use super::SrtpError;

/// How far behind the newest packet one is still accepted, in packets.
///
/// RFC 3711 asks for at least 64. At 1024 a retransmission of a 4 Mbit/s stream may come 2.5 s late; more costs memory per SSRC
/// (this is 128 bytes). libsrtp's users, Chrome and mediasoup among them, take the same.
pub const REPLAY_WINDOW: u64 = 1024;

const WORDS: usize = (REPLAY_WINDOW / 64) as usize;

/// The accepted indices of one stream: everything up to a limit that slides, exact for the last [`REPLAY_WINDOW`].
#[derive(Debug)]
pub(super) struct ReplayWindow {
    /// One more than the highest accepted index, zero before the first.
    next: u64,
    /// A ring of bits, by index modulo its size: accepted.
    accepted: [u64; WORDS],
}

impl ReplayWindow {
    /// A stream of which nothing was accepted.
    pub(super) const fn new() -> Self {
        Self { next: 0, accepted: [0; WORDS] }
    }

    /// A stream of which all before `next` counts as accepted.
    pub(super) const fn resume(next: u64) -> Self {
        Self { next, accepted: [u64::MAX; WORDS] }
    }

    /// One more than the highest accepted index, zero before the first.
    pub(super) const fn next(&self) -> u64 {
        self.next
    }

    /// The highest accepted index.
    pub(super) const fn highest(&self) -> Option<u64> {
        self.next.checked_sub(1)
    }

    /// Whether a packet with this index may be accepted; to be asked before the effort of authentication.
    pub(super) fn check(&self, index: u64) -> Result<(), SrtpError> {
        if index >= self.next {
            return Ok(());
        }
        if self.next - index > REPLAY_WINDOW {
            return Err(SrtpError::TooOld);
        }
        let (word, bit) = place(index);
        if self.accepted[word] & bit == 0 { Ok(()) } else { Err(SrtpError::Replayed) }
    }

    /// Notes a packet that was [checked](Self::check) and then authenticated.
    pub(super) fn accept(&mut self, index: u64) {
        self.slide_to(index);
        let (word, bit) = place(index);
        self.accepted[word] |= bit;
    }

    /// Makes `index` the highest if it is higher: the bits of all in between become free.
    fn slide_to(&mut self, index: u64) {
        if index < self.next {
            return;
        }
        if index - self.next >= REPLAY_WINDOW {
            self.accepted = [0; WORDS];
        } else {
            for skipped in self.next..=index {
                let (word, bit) = place(skipped);
                self.accepted[word] &= !bit;
            }
        }
        self.next = index + 1;
    }
}

/// The word and the bit in it that stand for an index.
const fn place(index: u64) -> (usize, u64) {
    ((index % REPLAY_WINDOW / 64) as usize, 1 << (index % 64))
}
