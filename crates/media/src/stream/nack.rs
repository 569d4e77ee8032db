//! What to ask for again: the list of packets that are missing from one stream (RFC 4585 §6.2.1).
//!
//! It learns of packets by their index after duplicates are gone, and gives out sequence numbers to put into NACK messages. It does
//! not know whether a repair comes through RTX or under the same SSRC. A packet is asked for the first time a little after its gap
//! was seen, then once per round trip, until it comes, is too old, or was asked for too often.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::report::DEFAULT_RTT;
use crate::Now;

/// Packets missing at once. More than this is an outage that a key frame mends sooner than 1000 repairs; 16 KiB at most.
const MISSING_MAX: usize = 1000;
/// How far behind the newest a packet may be and still be wanted, in packets.
const AGE_MAX: u64 = 10_000;
/// Times that one packet is asked for: each answer may get lost too, but a sender that ten times didn't have it won't find it.
const RETRIES_MAX: u8 = 10;
/// The wait before a gap counts as loss: shorter asks for packets that are only reordered, longer delays each repair.
const FIRST_DELAY: Duration = Duration::from_millis(10);
/// The grid on which the list is scanned for repeats: finer costs scans, coarser makes repeats late.
const INTERVAL: Duration = Duration::from_millis(40);
/// Key frames remembered as points up to which an overfull list can be dropped; some codecs flag several packets of one frame.
const KEY_FRAMES_MAX: usize = 16;

/// What a packet meant for the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NackOutcome {
    /// Nothing more to do.
    Noted,
    /// The packet had been missing.
    Recovered {
        /// Whether it had been asked for: if not, it was only reordered.
        asked: bool,
    },
    /// So much is missing that the list was cleared: only a key frame helps.
    KeyFrameNeeded,
}

/// The list of what is missing from one stream.
#[derive(Clone, Debug, Default)]
pub struct NackGenerator {
    /// When [`Missing::since_ms`] was zero.
    epoch: Option<Instant>,
    highest: Option<u64>,
    /// In order of index.
    missing: VecDeque<Missing>,
    /// In order of index.
    key_frames: VecDeque<u64>,
    deadline: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Missing {
    index: u64,
    /// When the gap was seen or the packet last asked for. Only differences below a day are taken, so that it may wrap.
    since_ms: u32,
    retries: u8,
}

impl NackGenerator {
    /// An empty list, which takes the first packet as it comes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Learns of a packet that is no duplicate; `key_frame` says that a decoder can start with it.
    pub fn on_packet(&mut self, now: Now, index: u64, key_frame: bool) -> NackOutcome {
        self.epoch.get_or_insert(now.at);
        let previous = *self.highest.get_or_insert(index);
        if index < previous {
            return self.found(index).map_or(NackOutcome::Noted, |asked| NackOutcome::Recovered { asked });
        }
        self.highest = Some(index);
        if key_frame {
            if self.key_frames.len() == KEY_FRAMES_MAX {
                self.key_frames.pop_front();
            }
            self.key_frames.push_back(index);
        }
        self.drop_before(index.saturating_sub(AGE_MAX));
        if index > previous + 1 { self.lost(now, previous + 1, index) } else { NackOutcome::Noted }
    }

    /// Writes the sequence numbers to ask for now into `out`, in order of index, and returns how many.
    ///
    /// When `out` comes back full, there may be more: poll again. `rtt` is the path's round-trip time if it was measured.
    pub fn poll(&mut self, now: Now, rtt: Option<Duration>, out: &mut [u16]) -> usize {
        if self.deadline.is_none_or(|deadline| now.at < deadline) {
            return 0;
        }
        let again = rtt.unwrap_or(DEFAULT_RTT).max(INTERVAL);
        let now_ms = self.ms(now);
        let (mut count, mut next) = (0, INTERVAL);
        self.missing.retain_mut(|entry| {
            let waited = Duration::from_millis(now_ms.wrapping_sub(entry.since_ms).into());
            let wait = if entry.retries == 0 { FIRST_DELAY } else { again };
            if waited < wait {
                next = next.min(if entry.retries == 0 { wait - waited } else { INTERVAL });
                return true;
            }
            if entry.retries == RETRIES_MAX {
                return false;
            }
            let Some(slot) = out.get_mut(count) else {
                next = Duration::ZERO;
                return true;
            };
            *slot = entry.index as u16;
            count += 1;
            entry.retries += 1;
            entry.since_ms = now_ms;
            true
        });
        self.deadline = (!self.missing.is_empty()).then(|| now.at + next);
        count
    }

    /// When to poll next; `None` while nothing is missing.
    #[must_use]
    pub fn timeout(&self) -> Option<Instant> {
        self.deadline
    }

    /// How many packets are missing and still wanted.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.missing.len()
    }

    /// Forgets everything: the stream was paused or its numbering restarted.
    pub fn reset(&mut self) {
        self.highest = None;
        self.missing.clear();
        self.key_frames.clear();
        self.deadline = None;
    }

    /// Takes `index` off the list; whether it had been asked for, `None` if it wasn't on the list.
    fn found(&mut self, index: u64) -> Option<bool> {
        let place = self.missing.binary_search_by_key(&index, |entry| entry.index).ok()?;
        let found = self.missing.remove(place)?;
        if self.missing.is_empty() {
            self.deadline = None;
        }
        Some(found.retries > 0)
    }

    /// Puts the gap from `first` up to but without `end` on the list.
    fn lost(&mut self, now: Now, first: u64, end: u64) -> NackOutcome {
        let gap = usize::try_from(end - first).unwrap_or(usize::MAX);
        while self.missing.len().saturating_add(gap) > MISSING_MAX {
            let Some(key_frame) = self.key_frames.pop_front() else {
                self.missing.clear();
                self.deadline = None;
                return NackOutcome::KeyFrameNeeded;
            };
            self.drop_before(key_frame);
        }
        let since_ms = self.ms(now);
        self.missing.extend((first..end).map(|index| Missing { index, since_ms, retries: 0 }));
        let due = now.at + FIRST_DELAY;
        self.deadline = Some(self.deadline.map_or(due, |deadline| deadline.min(due)));
        NackOutcome::Noted
    }

    fn drop_before(&mut self, index: u64) {
        while self.missing.front().is_some_and(|entry| entry.index < index) {
            self.missing.pop_front();
        }
        if self.missing.is_empty() {
            self.deadline = None;
        }
    }

    /// Milliseconds since the epoch, modulo 2^32.
    fn ms(&self, now: Now) -> u32 {
        self.epoch.map_or(0, |epoch| now.at.saturating_duration_since(epoch).as_millis() as u32)
    }
}

#[cfg(test)]
mod tests;
