//! The receiver's side of transport-wide congestion control (draft-holmer-rmcat-transport-wide-cc-extensions-01): when each packet
//! of a Transport arrived, and when to tell the sender.
//!
//! The log counts all packets of a Transport, of whichever stream. It gives batches of arrivals; the caller encodes a feedback message
//! from each and says how much of it fitted.

use std::time::{Duration, Instant};

use super::index::extend;
use crate::Now;

/// Arrivals kept at most, reported or not, in 128 KiB: 10 000 packets a second for the history and the longest interval together. When
/// it is full the oldest quarter is dropped, which the sender sees as loss if it was not reported.
const ARRIVALS_MAX: usize = 8192;
/// How long reported arrivals are kept: if a packet comes late, all since it is reported anew, and what was reported must not turn
/// into loss.
const HISTORY: Duration = Duration::from_millis(500);
/// A step back of more numbers than this is a sender that started over.
const MISORDER_MAX: u64 = 8192;
/// Numbers that one batch covers at most, since a feedback message counts them in 16 bits.
const SPAN_MAX: u64 = 65_535;
/// The wait before the first feedback.
const FIRST_INTERVAL: Duration = Duration::from_millis(100);
/// The bounds of later waits: sooner wastes the path, later makes the sender's estimator slow.
const INTERVAL_MIN: Duration = Duration::from_millis(50);
const INTERVAL_MAX: Duration = Duration::from_millis(250);
/// Size of a usual feedback message with all headers, in bits.
const FEEDBACK_BITS: u64 = 68 * 8;
/// Feedback may take one part in so many of what comes in: 5 %.
const FEEDBACK_SHARE: u64 = 20;

/// The arrival of one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    index: u64,
    /// When, in microseconds since the first packet of the Transport.
    pub at_us: u64,
}

impl Arrival {
    /// Its transport-wide sequence number.
    #[must_use]
    pub fn sequence(&self) -> u16 {
        self.index as u16
    }
}

/// What the next feedback message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArrivalBatch<'a> {
    /// The first number that the message covers. What isn't among the arrivals from here to the last of them did not arrive.
    pub base: u16,
    /// The number of the message.
    pub feedback_count: u8,
    /// In order of sequence, at least one.
    pub arrivals: &'a [Arrival],
}

/// When the packets of one Transport arrived.
#[derive(Clone, Debug, Default)]
pub struct ArrivalLog {
    epoch: Option<Instant>,
    /// In order of index.
    arrivals: Vec<Arrival>,
    highest: u64,
    /// Where the next message begins.
    next: u64,
    /// All below was reported and forgotten.
    forgotten: u64,
    feedback_count: u8,
    due: Option<Instant>,
}

impl ArrivalLog {
    /// An empty log, which takes the first packet as it comes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a packet with transport-wide number `sequence`. Duplicates and what comes after its history is over are ignored.
    pub fn on_packet(&mut self, now: Now, sequence: u16) {
        let at_us = now.at.saturating_duration_since(*self.epoch.get_or_insert(now.at)).as_micros() as u64;
        if self.due.is_none() {
            self.due = Some(now.at + FIRST_INTERVAL);
            self.start((1 << 16) + u64::from(sequence));
        }
        let index = self.index(sequence);
        if index < self.forgotten {
            return;
        }
        let place = match self.arrivals.last() {
            Some(last) if last.index >= index => {
                self.arrivals.binary_search_by_key(&index, |arrival| arrival.index)
            }
            _ => Err(self.arrivals.len()),
        };
        if let Err(place) = place {
            self.arrivals.insert(place, Arrival { index, at_us });
            self.highest = self.highest.max(index);
            self.next = self.next.min(index);
            self.bound();
        }
    }

    /// When to poll; `None` while there is nothing to report.
    #[must_use]
    pub fn timeout(&self) -> Option<Instant> {
        self.due.filter(|_| self.arrivals.last().is_some_and(|last| last.index >= self.next))
    }

    /// The next batch if one is due. Say with [`ArrivalLog::taken`] how much of it was reported, then poll again.
    #[must_use]
    pub fn poll(&self, now: Now) -> Option<ArrivalBatch<'_>> {
        self.timeout().filter(|due| now.at >= *due)?;
        let from = self.arrivals.partition_point(|arrival| arrival.index < self.next);
        let to = self.arrivals.partition_point(|arrival| arrival.index < self.next + SPAN_MAX);
        let arrivals = self.arrivals.get(from..to)?;
        Some(ArrivalBatch { base: self.next as u16, feedback_count: self.feedback_count, arrivals })
    }

    /// The first `count` arrivals of the last batch were reported in one message. When none is left, the next message is due after an
    /// interval that keeps feedback at 5 % of `incoming_bitrate`, in bits per second.
    pub fn taken(&mut self, now: Now, count: usize, incoming_bitrate: u64) {
        let from = self.arrivals.partition_point(|arrival| arrival.index < self.next);
        let Some(last) = from.checked_add(count).and_then(|end| self.arrivals.get(from..end)?.last()) else {
            return;
        };
        self.next = last.index + 1;
        self.feedback_count = self.feedback_count.wrapping_add(1);
        if self.highest < self.next {
            self.due = Some(now.at + interval(incoming_bitrate));
        }
        self.forget_history(now);
    }

    fn index(&mut self, sequence: u16) -> u64 {
        let index = extend(self.highest, sequence).unwrap_or(0);
        if index + MISORDER_MAX >= self.highest {
            return index;
        }
        // Indices go up through a restart as through a jump ahead.
        let restart = self.highest + u64::from(sequence.wrapping_sub(self.highest as u16));
        self.start(restart);
        restart
    }

    fn start(&mut self, index: u64) {
        self.arrivals.clear();
        self.highest = index;
        self.next = index;
        // Reordered predecessors of the first packet are welcome.
        self.forgotten = index.saturating_sub(MISORDER_MAX);
    }

    /// Drops the oldest quarter if the log is full.
    fn bound(&mut self) {
        if self.arrivals.len() > ARRIVALS_MAX {
            self.forget(ARRIVALS_MAX / 4);
        }
    }

    fn forget_history(&mut self, now: Now) {
        let age = self.epoch.map_or(Duration::ZERO, |epoch| now.at.saturating_duration_since(epoch));
        let oldest_us = age.saturating_sub(HISTORY).as_micros() as u64;
        let next = self.next;
        let count = self.arrivals.iter().take_while(|a| a.index < next && a.at_us < oldest_us).count();
        self.forget(count);
    }

    fn forget(&mut self, count: usize) {
        if let Some(last) = self.arrivals.drain(..count).next_back() {
            self.forgotten = last.index + 1;
            self.next = self.next.max(self.forgotten);
        }
    }
}

fn interval(incoming_bitrate: u64) -> Duration {
    let feedback_bitrate = (incoming_bitrate / FEEDBACK_SHARE).max(1);
    Duration::from_micros(FEEDBACK_BITS * 1_000_000 / feedback_bitrate).clamp(INTERVAL_MIN, INTERVAL_MAX)
}

#[cfg(test)]
mod tests;
