//! How much the machine is given at once, so that calls and deadlines get their turn in time.
//!
//! What a datagram costs differs by a factor of a thousand: it goes to nobody, or to hundreds. So it is measured, turn by turn.

use std::time::Duration;

/// How long one input should keep the machine busy. Longer, and what came behind it waits for longer; shorter, and a frame's packets
/// are taken in pieces and leave in smaller runs, which is what forwarding costs most for: at one millisecond a frame of 16 packets
/// for 100 Consumers was in three.
const INPUT_TIME: Duration = Duration::from_micros(1800);
/// The fewest datagrams at once, if there are that many. With fewer a frame's packets leave in runs so small that each costs several
/// times as much, which would call for still fewer: the measured cost would chase itself down to single packets (seen with 400
/// Consumers of one stream). Where so many take longer than a turn may, the driver rests in between.
const DATAGRAMS_MIN: usize = 32;
/// Weight of what was measured before: an eighth of the new one is taken over, so that one slow turn (the machine was
/// interrupted) does not cut the next ones to pieces.
const SMOOTHING: u64 = 8;

/// The measured cost of a datagram.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    /// Nanoseconds; 0 before the first measurement.
    datagram_ns: u64,
}

impl Pace {
    /// So many datagrams took so long.
    pub(super) fn on_input(&mut self, datagrams: usize, took: Duration) {
        let Some(measured) = (took.as_nanos() as u64).checked_div(datagrams as u64) else { return };
        self.datagram_ns = match self.datagram_ns {
            0 => measured,
            before => (before * (SMOOTHING - 1) + measured) / SMOOTHING,
        };
    }

    /// How many may be taken in at once.
    pub(super) fn datagrams(&self) -> usize {
        (INPUT_TIME.as_nanos() as u64)
            .checked_div(self.datagram_ns)
            .map_or(usize::MAX, |count| (count as usize).max(DATAGRAMS_MIN))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_held_back_before_something_was_measured() {
        let mut pace = Pace::default();
        assert_eq!(pace.datagrams(), usize::MAX);
        pace.on_input(0, Duration::from_secs(1));
        assert_eq!(pace.datagrams(), usize::MAX);
    }

    #[test]
    fn dear_datagrams_come_fewer_at_a_time_but_never_one_by_one() {
        let mut pace = Pace::default();
        pace.on_input(50, Duration::from_millis(1));
        assert_eq!(pace.datagrams(), 90);
        (0..100).for_each(|_| pace.on_input(1, Duration::from_millis(100)));
        assert_eq!(pace.datagrams(), DATAGRAMS_MIN);
        (0..200).for_each(|_| pace.on_input(100, Duration::from_micros(100)));
        assert!(pace.datagrams() > 1700, "{pace:?}");
    }

    #[test]
    fn one_interruption_does_not_cut_turns_to_pieces() {
        let mut pace = Pace::default();
        (0..50).for_each(|_| pace.on_input(16, Duration::from_micros(160)));
        pace.on_input(16, Duration::from_micros(1600));
        assert!(pace.datagrams() >= 80, "{pace:?}");
    }
}
