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
    /// Whether retransmissions came under the stream's own SSRC.
    pub under_own_ssrc: bool,
}

impl Delivery {
    /// The score of an interval that the receiver tells of: against the packets that were sent.
    #[must_use]
    pub fn score_of_sent(self) -> u8 {
        self.score(self.expected)
    }

    /// The score of an interval that was received here: against the packets that came, as in mediasoup. So a loss on the way
    /// here weighs a little more than one on the way from here.
    #[must_use]
    pub fn score_of_received(self) -> u8 {
        self.score(self.expected.saturating_sub(self.lost))
    }

    /// The fourth power of the share of these packets that was delivered.
    ///
    /// A repaired packet is worth less the more there are of them, and the more retransmissions they took. What remains lost is
    /// counted in whole packets. An interval in which nothing was expected is perfect.
    fn score(self, packets: u64) -> u8 {
        if self.expected == 0 {
            return 10;
        }
        if packets == 0 {
            return 0;
        }
        let mut lost = self.lost.min(packets);
        let mut repaired = self.repaired.min(packets);
        if self.under_own_ssrc {
            // Those aren't among the lost ones: they came under the number that was missing.
            lost = lost.max(repaired);
        } else {
            repaired = repaired.min(lost);
        }
        let packets = packets as f64;
        let yield_of_repair = (repaired as f64 / self.retransmitted.max(1) as f64).min(1.0);
        let repaired = repaired as f64;
        let worth = (1.0 / (repaired / packets + 1.0)).powi(4) * yield_of_repair;
        let left = (lost as f64 - repaired * worth).floor();
        (((packets - left) / packets).powi(4) * 10.0).round() as u8
    }

    /// What came to these totals after `before`.
    pub(super) fn since(self, before: Self) -> Self {
        Self {
            expected: self.expected.saturating_sub(before.expected),
            lost: self.lost.saturating_sub(before.lost),
            repaired: self.repaired.saturating_sub(before.repaired),
            retransmitted: self.retransmitted.saturating_sub(before.retransmitted),
            under_own_ssrc: self.under_own_ssrc,
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

    fn delivery(expected: u64, lost: u64, repaired: u64, retransmitted: u64) -> Delivery {
        Delivery { expected, lost, repaired, retransmitted, under_own_ssrc: false }
    }

    /// Of what was sent, and of what was received.
    fn scores(expected: u64, lost: u64, repaired: u64, retransmitted: u64) -> (u8, u8) {
        let delivery = delivery(expected, lost, repaired, retransmitted);
        (delivery.score_of_sent(), delivery.score_of_received())
    }

    #[test]
    fn the_score_of_an_interval() {
        assert_eq!(scores(0, 0, 0, 0), (10, 10));
        assert_eq!(scores(100, 0, 0, 0), (10, 10));
        // 0.9^4 = 0.656 and 0.5^4 = 0.0625; (80/90)^4 = 0.624.
        assert_eq!(scores(100, 10, 0, 0), (7, 6));
        assert_eq!(scores(100, 50, 0, 0), (1, 0));
        assert_eq!(scores(100, 200, 0, 0), (0, 0));
    }

    #[test]
    fn repairs_help_less_the_more_there_are_and_the_more_they_cost() {
        assert_eq!(scores(100, 4, 4, 4), (10, 10));
        assert_eq!(scores(100, 4, 0, 4), (8, 8));
        assert_eq!(scores(100, 20, 20, 20), (7, 6));
        assert_eq!(scores(100, 20, 20, 200), (4, 3));
        // More repairs than losses are losses of the interval before, as their retransmissions are.
        assert_eq!(scores(100, 4, 9, 9), (9, 9));
    }

    #[test]
    fn repairs_under_the_own_ssrc_were_losses() {
        // No number is missing, but 20 packets had to be sent twice.
        let own = Delivery { under_own_ssrc: true, ..delivery(100, 0, 20, 20) };
        assert_eq!((own.score_of_sent(), own.score_of_received()), (7, 7));
        assert_eq!(scores(100, 0, 20, 20), (10, 10));
    }

    /// The same in whole numbers: `lost - repaired * (packets / (packets + repaired))^4 * repaired / retransmitted`, rounded down,
    /// then `10 * (delivered / packets)^4`, rounded.
    fn oracle(packets: u128, lost: u128, repaired: u128, retransmitted: u128, own: bool) -> u8 {
        if packets == 0 {
            return 0;
        }
        let (lost, repaired) = match (own, repaired.min(packets), lost.min(packets)) {
            (true, repaired, lost) => (lost.max(repaired), repaired),
            (false, repaired, lost) => (lost, repaired.min(lost)),
        };
        let retransmitted = retransmitted.max(1).max(repaired);
        let below = (packets + repaired).pow(4) * retransmitted;
        let above = (lost * below).saturating_sub(repaired * repaired * packets.pow(4));
        let delivered = packets - above / below;
        ((delivered.pow(4) * 20 + packets.pow(4)) / (2 * packets.pow(4))) as u8
    }

    #[test]
    fn scores_are_those_of_a_naive_oracle() {
        for (expected, lost) in
            (1..=30_u64).flat_map(|expected| (0..=expected + 1).map(move |lost| (expected, lost)))
        {
            for (repaired, surplus, own) in (0..=expected + 1)
                .flat_map(|repaired| [(repaired, 0), (repaired, 1), (repaired, repaired * 2)])
                .flat_map(|(repaired, surplus)| [(repaired, surplus, false), (repaired, surplus, true)])
            {
                let it = Delivery {
                    under_own_ssrc: own,
                    ..delivery(expected, lost, repaired, repaired + surplus)
                };
                let wide = |packets: u64| {
                    let [packets, lost, repaired, retransmitted] =
                        [packets, lost, repaired, repaired + surplus].map(u128::from);
                    oracle(packets, lost, repaired, retransmitted, own)
                };
                assert_eq!(it.score_of_sent(), wide(expected), "{it:?}");
                assert_eq!(it.score_of_received(), wide(expected.saturating_sub(lost)), "{it:?}");
            }
        }
    }

    #[test]
    fn the_average_is_that_of_a_naive_oracle() {
        let mut score = Score::new();
        let mut samples: Vec<u32> = Vec::new();
        let mut told = 10;
        let mut random = 12_345_u32;
        for _ in 0..2000 {
            random = random.wrapping_mul(1_103_515_245).wrapping_add(12_345);
            let sample = random >> 16 & 15;
            samples.push(sample.min(10));
            let last = &samples[samples.len().saturating_sub(24)..];
            let sum: u32 = last.iter().zip(1..).map(|(sample, weight)| sample * weight).sum();
            let weights: u32 = (1..=last.len() as u32).sum();
            let wanted = (f64::from(sum) / f64::from(weights)).round() as u8;
            let news = score.add(sample as u8);
            assert_eq!((score.value(), news), (wanted, (wanted != told).then_some(wanted)));
            told = wanted;
        }
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
