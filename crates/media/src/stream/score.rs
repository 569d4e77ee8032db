//! How well a stream arrives, from 0 to 10.

/// Samples in the average, mediasoup's figure: with a report each second or so the score looks back half a minute.
const SAMPLES: usize = 24;

/// What became of the packets of one report interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Packets that should have arrived.
    pub expected: u64,
    /// Those that didn't at first.
    pub lost: u64,
    /// Lost ones that a retransmission brought.
    pub repaired: u64,
    /// Retransmissions made, of use or not.
    pub retransmitted: u64,
}

impl Delivery {
    /// The score of this interval: the fourth power of the share that was delivered.
    ///
    /// A repaired packet is worth less the more there are of them, and the more retransmissions they took. An interval in which
    /// nothing was expected is perfect.
    #[must_use]
    pub fn score(self) -> u8 {
        if self.expected == 0 {
            return 10;
        }
        let expected = self.expected as f64;
        let lost = self.lost.min(self.expected) as f64;
        let repaired = (self.repaired as f64).min(lost);
        let yield_of_repair = (repaired / self.retransmitted.max(1) as f64).min(1.0);
        let worth = (1.0 / (repaired / expected + 1.0)).powi(4) * yield_of_repair;
        let delivered = (expected - lost + repaired * worth) / expected;
        (delivered.powi(4) * 10.0).round() as u8
    }

    /// What came to these totals after `before`.
    pub(super) fn since(self, before: Self) -> Self {
        Self {
            expected: self.expected.saturating_sub(before.expected),
            lost: self.lost.saturating_sub(before.lost),
            repaired: self.repaired.saturating_sub(before.repaired),
            retransmitted: self.retransmitted.saturating_sub(before.retransmitted),
        }
    }
}

/// The score of a stream: the average of its last samples, the newest weighing most.
#[derive(Clone, Debug)]
pub struct Score {
    samples: [u8; SAMPLES],
    len: usize,
    value: u8,
}

impl Score {
    /// A stream that was not measured yet counts as perfect.
    #[must_use]
    pub fn new() -> Self {
        Self { samples: [0; SAMPLES], len: 0, value: 10 }
    }

    /// The score, 0 to 10.
    #[must_use]
    pub fn value(&self) -> u8 {
        self.value
    }

    /// Takes one sample; the new score if it is another.
    pub fn add(&mut self, sample: u8) -> Option<u8> {
        if self.len == SAMPLES {
            self.samples.rotate_left(1);
            self.len -= 1;
        }
        self.samples[self.len] = sample.min(10);
        self.len += 1;
        let weighted: usize =
            (1..).zip(&self.samples[..self.len]).map(|(weight, &s)| weight * usize::from(s)).sum();
        let weights = self.len * (self.len + 1) / 2;
        self.set(((weighted + weights / 2) / weights) as u8)
    }

    /// Forgets the samples and starts at `value`; the new score if it is another.
    pub fn reset(&mut self, value: u8) -> Option<u8> {
        self.len = 0;
        self.set(value.min(10))
    }

    fn set(&mut self, value: u8) -> Option<u8> {
        let changed = value != self.value;
        self.value = value;
        changed.then_some(value)
    }
}

impl Default for Score {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(expected: u64, lost: u64, repaired: u64, retransmitted: u64) -> u8 {
        Delivery { expected, lost, repaired, retransmitted }.score()
    }

    #[test]
    fn the_score_of_an_interval() {
        assert_eq!(score(0, 0, 0, 0), 10);
        assert_eq!(score(100, 0, 0, 0), 10);
        // 0.9^4 = 0.656, 0.5^4 = 0.0625
        assert_eq!(score(100, 10, 0, 0), 7);
        assert_eq!(score(100, 50, 0, 0), 1);
        assert_eq!(score(100, 200, 0, 0), 0);
    }

    #[test]
    fn repairs_help_less_the_more_there_are_and_the_more_they_cost() {
        assert_eq!(score(100, 4, 4, 4), 10);
        assert_eq!(score(100, 4, 0, 4), 8);
        assert_eq!(score(100, 20, 20, 20), 6);
        assert_eq!(score(100, 20, 20, 200), 4);
        assert_eq!(score(100, 4, 9, 4), 10, "more repairs than losses are losses of the interval before");
    }

    #[test]
    fn the_newest_sample_weighs_most_and_only_changes_are_told() {
        let mut score = Score::new();
        assert_eq!(score.add(10), None);
        // (1*10 + 2*4) / 3
        assert_eq!(score.add(4), Some(6));
        assert_eq!(score.add(6), None);
        assert_eq!(score.value(), 6);
    }

    #[test]
    fn a_sample_is_forgotten_after_24() {
        let mut score = Score::new();
        score.add(0);
        (0..24).for_each(|_| _ = score.add(10));
        assert_eq!(score.value(), 10);
        assert_eq!(score.reset(0), Some(0));
        assert_eq!(score.reset(0), None);
        assert_eq!(score.add(10), Some(10));
    }
}
