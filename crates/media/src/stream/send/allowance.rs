//! How much a receiver may have again.
//!
//! Requests for packets cost their sender next to nothing, and each is answered by a whole packet. So a receiver has as many again as it
//! has been sent, and a burst on top: who misses more than half of everything has no use for repairs.

/// What may be asked for at once, when nothing was asked for in a while: as many packets as receivers keep on their lists before they
/// ask for a key frame instead. Larger lets one that asks for everything take more from the others, smaller leaves the holes of an outage
/// open that repairs could mend.
const BURST: u32 = 1000;

/// What is left to one receiver.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    left: u32,
    /// The low half of the number up to which packets were counted.
    counted: u32,
}

impl Default for Allowance {
    fn default() -> Self {
        Self { left: BURST, counted: 0 }
    }
}

impl Allowance {
    /// Whether there is anything left, now that numbers up to `highest` have been sent.
    pub(super) fn is_left(&mut self, highest: u64) -> bool {
        let sent = (highest as u32).wrapping_sub(self.counted);
        self.counted = highest as u32;
        self.left = self.left.saturating_add(sent).min(BURST);
        self.left > 0
    }

    /// A packet is sent again.
    pub(super) fn take(&mut self) {
        self.left = self.left.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of the packets it asks for one gets.
    fn granted(allowance: &mut Allowance, highest: u64, asked: usize) -> usize {
        let mut grant = || {
            let is_left = allowance.is_left(highest);
            if is_left {
                allowance.take();
            }
            is_left
        };
        (0..asked).filter(|_| grant()).count()
    }

    #[test]
    fn a_burst_then_one_for_one() {
        let mut allowance = Allowance::default();
        assert_eq!(granted(&mut allowance, 70_000, 5000), BURST as usize);
        assert_eq!(granted(&mut allowance, 70_040, 5000), 40);
        assert_eq!(granted(&mut allowance, 70_040, 5000), 0);
        assert_eq!(
            granted(&mut allowance, 100_000, 5000),
            BURST as usize,
            "what was not used is not saved up"
        );
    }

    #[test]
    fn numbers_beyond_32_bits_count_on() {
        let mut allowance = Allowance::default();
        granted(&mut allowance, (1 << 32) - 10, 5000);
        assert_eq!(granted(&mut allowance, (1 << 32) + 10, 5000), 20);
    }
}
