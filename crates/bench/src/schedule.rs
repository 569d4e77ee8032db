//! When a source sends what: bursts at a steady rate.

/// Bursts of packets, evenly spaced.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Schedule {
    /// Packets per second.
    pub(crate) rate: f64,
    /// Packets that leave together.
    pub(crate) burst: u16,
    /// For how long.
    pub(crate) seconds: f64,
}

impl Schedule {
    /// Parses `RATE SECONDS`.
    pub(crate) fn parse(text: &str, burst: u16) -> Option<Self> {
        let mut words = text.split_whitespace().map(str::parse);
        let (rate, seconds) = (words.next()?.ok()?, words.next()?.ok()?);
        let is_sane = |value: f64| value.is_finite() && value > 0.0;
        (words.next().is_none() && is_sane(rate) && is_sane(seconds)).then_some(Self { rate, burst, seconds })
    }

    /// How many bursts there are, at least one.
    pub(crate) fn bursts(&self) -> u64 {
        ((self.rate * self.seconds / f64::from(self.burst)).round() as u64).max(1)
    }

    /// When burst `index` is due, in nanoseconds after the first.
    pub(crate) fn due(&self, index: u64) -> u64 {
        (index as f64 * f64::from(self.burst) * 1e9 / self.rate) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bursts_are_as_far_apart_as_the_rate_says() {
        let schedule = Schedule::parse("1600 2.5", 16).unwrap();
        assert_eq!(schedule.bursts(), 250);
        assert_eq!(schedule.due(0), 0);
        assert_eq!(schedule.due(1), 10_000_000);
        assert_eq!(schedule.due(250), 2_500_000_000);
    }

    #[test]
    fn a_short_schedule_has_one_burst() {
        assert_eq!(Schedule::parse("1 0.1", 16).unwrap().bursts(), 1);
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        for text in ["", "1", "1 2 3", "x 1", "1 -1", "inf 1", "0 1", "NaN 1"] {
            assert_eq!(Schedule::parse(text, 1), None, "{text}");
        }
    }
}
