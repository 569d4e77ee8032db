//! When to ask a sender for a key frame: many Consumers want one at once, the sender should be asked once.
//!
//! One struct per Producer SSRC. Whether a PLI or a FIR is sent, and whether a Consumer may ask at all, is the caller's.

use std::time::{Duration, Instant};

use crate::Now;

/// How long a key frame may take. Shorter repeats requests on long paths (and each costs the sender a large frame), longer leaves
/// viewers without a picture when a request got lost.
const WAIT: Duration = Duration::from_millis(1000);

/// Browsers pass over a request that comes sooner than this after the last one that they have heeded: libwebrtc's figure.
const REST: Duration = Duration::from_millis(300);

/// How long a key frame may take that is asked for during the rest. A browser heeds the repeat then, whatever it did with the first
/// request; waiting the full time leaves everybody who joins just behind others without a picture for a second. It is for short paths
/// alone that requests follow each other so soon: there was an answer in between. Shorter risks a second key frame from senders that
/// have no rest.
const WAIT_IN_REST: Duration = Duration::from_millis(350);

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFrameAction {
    /// Send it to the producer now.
    Send,
    /// An earlier one is on its way and will be repeated if it isn't answered in time.
    Merged,
    /// It came too soon after the last one and is sent when the delay is over, if no key frame comes before.
    Delayed,
}

/// The requests for one SSRC.
#[derive(Clone, Debug)]
pub struct KeyFrameRequests {
    delay: Duration,
    outstanding: Option<Outstanding>,
    /// When the last request was sent.
    sent_at: Option<Instant>,
    /// The end of the delay after the last request that was let through.
    quiet_until: Option<Instant>,
    /// Whether somebody asked during the delay.
    held: bool,
}

#[derive(Clone, Copy, Debug)]
struct Outstanding {
    deadline: Instant,
    retry: bool,
    /// It may have been passed over, so that the repeat counts as the first.
    in_rest: bool,
}

impl KeyFrameRequests {
    /// No request yet; `delay` is the Producer's `key_frame_request_delay`, zero for none.
    #[must_use]
    pub fn new(delay: Duration) -> Self {
        Self { delay, outstanding: None, sent_at: None, quiet_until: None, held: false }
    }

    /// Somebody wants a key frame.
    pub fn request(&mut self, now: Now) -> KeyFrameAction {
        if self.quiet_until.is_some_and(|until| now.at < until) {
            self.held = true;
            return KeyFrameAction::Delayed;
        }
        self.let_through(now)
    }

    /// A key frame is needed whatever was asked before, because a stream began without one. The caller sends a request.
    pub fn force(&mut self, now: Now) {
        self.sent(now, true);
    }

    /// A key frame came: all who asked are served.
    pub fn on_key_frame(&mut self) {
        self.outstanding = None;
        self.held = false;
    }

    /// When to call [`KeyFrameRequests::handle_timeout`].
    #[must_use]
    pub fn timeout(&self) -> Option<Instant> {
        let held = self.quiet_until.filter(|_| self.held);
        self.outstanding.map(|outstanding| outstanding.deadline).into_iter().chain(held).min()
    }

    /// Time has passed; whether to send a request now.
    pub fn handle_timeout(&mut self, now: Now) -> bool {
        let overdue = self.outstanding.take_if(|outstanding| now.at >= outstanding.deadline);
        let retry = overdue.filter(|overdue| overdue.retry);
        if let Some(overdue) = retry {
            self.sent(now, overdue.in_rest);
        }
        let held = self.held && self.quiet_until.is_some_and(|until| now.at >= until);
        retry.is_some() | (held && self.let_through(now) == KeyFrameAction::Send)
    }

    fn let_through(&mut self, now: Now) -> KeyFrameAction {
        self.held = false;
        self.quiet_until = (!self.delay.is_zero()).then(|| now.at + self.delay);
        if let Some(outstanding) = &mut self.outstanding {
            outstanding.retry = true;
            return KeyFrameAction::Merged;
        }
        self.sent(now, true);
        KeyFrameAction::Send
    }

    /// Each request is repeated once if nothing comes, since RTCP gets lost too; a repeat only if somebody asked again meanwhile.
    fn sent(&mut self, now: Now, retry: bool) {
        let in_rest = self.sent_at.is_some_and(|at| now.at.saturating_duration_since(at) < REST);
        let wait = if in_rest { WAIT_IN_REST } else { WAIT };
        self.outstanding = Some(Outstanding { deadline: now.at + wait, retry, in_rest });
        self.sent_at = Some(now.at);
    }
}

#[cfg(test)]
mod tests;
