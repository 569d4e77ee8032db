//! The other end of a PlainTransport with comedia: keys are there from the beginning, and the client's address is told by its packets.
//!
//! There is nothing to be proven and no consent, so nothing says that the server is gone but that nothing comes.

use std::time::{Duration, Instant};

use mafalda_media::srtp::SrtpKeys;

use super::super::protection::Protection;

/// The wait before the first repetition of a greeting; it doubles. Shorter costs packets, longer a moment where the first was lost.
const REPEAT_FIRST: Duration = Duration::from_millis(50);

/// The longest such wait: a server that says nothing has nothing to say yet.
const REPEAT_MAX: Duration = Duration::from_secs(1);

/// Keys of both directions: the client's, then the server's.
pub(crate) type KeyPair = (SrtpKeys, SrtpKeys);

/// Keys, and greetings until the server speaks.
#[derive(Debug)]
pub(in crate::client) struct Plain {
    protection: Protection,
    /// When to greet, until the server is heard.
    due: Option<Instant>,
    wait: Duration,
}

impl Plain {
    pub(super) fn new(keys: Option<KeyPair>, now: Instant) -> Self {
        let protection =
            keys.map_or_else(Protection::absent, |(ours, theirs)| Protection::srtp(ours, theirs));
        Self { protection, due: Some(now), wait: REPEAT_FIRST }
    }

    pub(super) fn protection_mut(&mut self) -> &mut Protection {
        &mut self.protection
    }

    pub(super) fn on_media(&mut self) {
        self.due = None;
    }

    pub(super) fn greets(&mut self, now: Instant) -> bool {
        let greets = self.due.is_some_and(|due| now >= due);
        if greets {
            self.due = Some(now + self.wait);
            self.wait = (self.wait * 2).min(REPEAT_MAX);
        }
        greets
    }

    pub(super) fn timeout(&self) -> Option<Instant> {
        self.due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "virtual time starts somewhere")]
    fn it_greets_ever_more_rarely_until_the_server_speaks() {
        let now = Instant::now();
        let mut plain = Plain::new(None, now);
        let mut waits = Vec::new();
        let mut at = now;
        for _ in 0..7 {
            assert!(plain.greets(at) && !plain.greets(at));
            let next = plain.timeout().unwrap();
            waits.push((next - at).as_millis());
            at = next;
        }
        assert_eq!(waits, [50, 100, 200, 400, 800, 1000, 1000]);
        plain.on_media();
        assert!(!plain.greets(at) && plain.timeout().is_none());
    }
}
