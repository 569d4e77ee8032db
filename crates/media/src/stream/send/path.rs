//! Which of the losses that a receiver reports happened between here and there.
//!
//! A receiver counts each number that it didn't get. Numbers that never came here (lost on the way from the producer) were never
//! sent to it; they are remembered until a report covers them, and subtracted.

use std::collections::VecDeque;

use crate::stream::{index::extend, report::ReceivedReport, score::Delivery};

/// Numbers never sent that wait for a report: mediasoup's figure, several seconds of a bad uplink. More count as covered at once,
/// which shows losses to the wrong side of one report. 16 KiB at most, none for a clean uplink.
const UNSENT_MAX: usize = 2000;

/// The loss from here to the receiver of one stream.
#[derive(Clone, Debug, Default)]
pub(super) struct PathLoss {
    /// Numbers not sent and not reported on yet, in order.
    unsent: VecDeque<u64>,
    /// Numbers not sent that a report covered.
    covered: u64,
    /// The index behind the last that a report covered.
    reported: u64,
    total: Delivery,
    fraction: u8,
}

impl PathLoss {
    /// A packet goes out for the first time; `highest` is the highest sent before.
    pub(super) fn on_sent(&mut self, out_index: u64, highest: Option<u64>) {
        let Some(highest) = highest else {
            self.reported = out_index;
            return;
        };
        if out_index > highest {
            self.on_gap(highest + 1, out_index);
        } else if let Ok(place) = self.unsent.binary_search(&out_index) {
            self.unsent.remove(place);
        } else {
            // The receiver will take it back from its count too.
            self.covered = self.covered.saturating_sub(1);
        }
    }

    /// The receiver reports. Returns what became of the packets since its last report; `None` if it covers nothing new.
    pub(super) fn on_report(
        &mut self,
        report: ReceivedReport,
        highest_sent: u64,
        repaired: u64,
        retransmitted: u64,
    ) -> Option<Delivery> {
        // The receiver's count of cycles may differ from ours (it joined later), its low half can't.
        let end = extend(highest_sent, report.extended_highest as u16)?.min(highest_sent) + 1;
        let numbers = end.checked_sub(self.reported).filter(|&numbers| numbers > 0)?;
        let before_cover = self.covered;
        while self.unsent.pop_front_if(|unsent| *unsent < end).is_some() {
            self.covered += 1;
        }
        self.reported = end;
        let lost = u64::try_from(report.cumulative_lost).unwrap_or(0).saturating_sub(self.covered);
        let sent = numbers.saturating_sub(self.covered.saturating_sub(before_cover));
        let total = Delivery {
            expected: self.total.expected + sent,
            lost,
            repaired,
            retransmitted,
            under_own_ssrc: false,
        };
        let interval = total.since(self.total);
        self.total = total;
        self.fraction = (interval.lost * 256).checked_div(interval.expected).unwrap_or(0).min(255) as u8;
        Some(interval)
    }

    /// Packets lost since the start.
    pub(super) fn lost(&self) -> u64 {
        self.total.lost
    }

    /// Share lost in the last interval, in 1/256.
    pub(super) fn fraction(&self) -> u8 {
        self.fraction
    }

    fn on_gap(&mut self, first: u64, end: u64) {
        let remembered = first.max(end.saturating_sub(UNSENT_MAX as u64));
        self.covered += remembered - first;
        self.unsent.extend(remembered..end);
        while self.unsent.len() > UNSENT_MAX {
            self.unsent.pop_front();
            self.covered += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(extended_highest: u32, cumulative_lost: i32) -> ReceivedReport {
        ReceivedReport { cumulative_lost, extended_highest, jitter: 0, last_sr: 0, delay_since_last_sr: 0 }
    }

    /// A path on which the given numbers were sent.
    fn sent(indices: impl IntoIterator<Item = u64>) -> (PathLoss, u64) {
        let mut path = PathLoss::default();
        let highest = indices.into_iter().fold(None, |highest: Option<u64>, index| {
            path.on_sent(index, highest);
            highest.max(Some(index))
        });
        (path, highest.unwrap())
    }

    #[test]
    fn what_was_never_sent_is_not_the_paths_loss() {
        let (mut path, highest) = sent((1000..1100).filter(|n| n % 10 != 5));
        let delivery = path.on_report(report(1099, 13), highest, 0, 0).unwrap();
        assert_eq!((delivery.expected, delivery.lost, path.lost()), (90, 3, 3));
        assert_eq!(path.fraction(), 8);
    }

    #[test]
    fn only_gaps_that_the_report_covers_are_subtracted() {
        let (mut path, highest) = sent((1000..1100).filter(|n| n % 10 != 5));
        let delivery = path.on_report(report(1049, 5), highest, 0, 0).unwrap();
        assert_eq!((delivery.expected, delivery.lost), (45, 0));
        let delivery = path.on_report(report(1099, 11), highest, 0, 0).unwrap();
        assert_eq!((delivery.expected, delivery.lost), (45, 1));
    }

    #[test]
    fn a_gap_that_is_filled_late_counts_as_sent() {
        let (mut path, highest) = sent([1000, 1001, 1004]);
        path.on_sent(1002, Some(highest));
        path.on_report(report(1004, 1), highest, 0, 0).unwrap();
        assert_eq!(path.lost(), 0);
        path.on_sent(1003, Some(highest));
        path.on_sent(1005, Some(highest));
        path.on_report(report(1005, 0), 1005, 0, 0).unwrap();
        assert_eq!((path.lost(), path.covered), (0, 0));
    }

    #[test]
    fn reports_that_repeat_or_lie_change_nothing() {
        let (mut path, highest) = sent(1000..1100);
        assert!(path.on_report(report(1050, 7), highest, 0, 0).is_some());
        assert_eq!(path.on_report(report(1050, 7), highest, 0, 0), None);
        assert_eq!(path.on_report(report(1040, 99), highest, 0, 0), None);
        assert_eq!(path.lost(), 7);
        let rest = path.on_report(report(20_000, -3), highest, 0, 0).unwrap();
        assert_eq!((rest.expected, rest.lost, path.reported), (49, 0, 1100));
    }

    #[test]
    fn cycles_of_the_receiver_do_not_matter() {
        let (mut path, highest) = sent(65_000..66_000);
        let delivery = path.on_report(report((7 << 16) + 463, 0), highest, 0, 0).unwrap();
        assert_eq!(delivery.expected, 1000);
    }

    #[test]
    fn the_memory_of_unsent_ones_is_bounded() {
        let (mut path, highest) = sent([0, 1, 5000, 6000]);
        assert_eq!((path.unsent.len(), path.covered), (2000, 4998 + 999 - 2000));
        path.on_report(report(6000, 5997), highest, 0, 0).unwrap();
        assert_eq!(path.lost(), 0);
    }
}
