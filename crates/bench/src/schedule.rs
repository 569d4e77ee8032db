//! When a source sends what: the bursts of its streams, each at a steady rate.

/// The bursts of one stream, evenly spaced.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Flow {
    /// Packets that leave together.
    pub(crate) burst: u16,
    /// How many of them per second, where a schedule's rate is the sum of all streams'.
    pub(crate) bursts_per_s: f64,
}

/// A burst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Due {
    /// In nanoseconds after the beginning.
    pub(crate) nanos: u64,
    /// Whose.
    pub(crate) flow: usize,
}

/// How long and how much.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Schedule {
    /// Packets per second of all streams together.
    rate: f64,
    /// For how long.
    seconds: f64,
}

impl Schedule {
    /// Parses `RATE SECONDS`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace().map(str::parse);
        let (rate, seconds) = (words.next()?.ok()?, words.next()?.ok()?);
        let is_sane = |value: f64| value.is_finite() && value > 0.0;
        (words.next().is_none() && is_sane(rate) && is_sane(seconds)).then_some(Self { rate, seconds })
    }

    /// All bursts in order, at least one of each stream. Streams keep their shares of the rate, and their bursts lie between each
    /// other's.
    pub(crate) fn bursts(&self, flows: &[Flow]) -> Vec<Due> {
        let natural: f64 = flows.iter().map(|flow| f64::from(flow.burst) * flow.bursts_per_s).sum();
        let scale = self.rate / natural;
        let mut all: Vec<Due> = Vec::new();
        for (index, flow) in flows.iter().enumerate() {
            let interval = 1e9 / (flow.bursts_per_s * scale);
            let phase = index as f64 / flows.len() as f64;
            let count = ((self.seconds * 1e9 / interval).round() as u64).max(1);
            all.extend(
                (0..count).map(|at| Due { nanos: ((at as f64 + phase) * interval) as u64, flow: index }),
            );
        }
        all.sort_unstable();
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bursts_are_as_far_apart_as_the_rate_says() {
        let flow = Flow { burst: 16, bursts_per_s: 1.0 };
        let bursts = Schedule::parse("1600 2.5").unwrap().bursts(&[flow]);
        assert_eq!(bursts.len(), 250);
        assert_eq!(bursts[..2], [Due { nanos: 0, flow: 0 }, Due { nanos: 10_000_000, flow: 0 }]);
    }

    #[test]
    fn streams_keep_their_shares_and_lie_between_each_other() {
        let flows = [Flow { burst: 1, bursts_per_s: 50.0 }, Flow { burst: 2, bursts_per_s: 30.0 }];
        let bursts = Schedule::parse("220 10").unwrap().bursts(&flows);
        let of = |flow| bursts.iter().filter(|due| due.flow == flow).count();
        assert_eq!((of(0), of(1)), (1000, 600));
        assert!(bursts.is_sorted());
        let first = bursts.iter().find(|due| due.flow == 1).unwrap();
        assert_eq!(first.nanos, 8_333_333);
    }

    #[test]
    fn a_short_schedule_has_a_burst_of_each() {
        let flow = Flow { burst: 16, bursts_per_s: 1.0 };
        assert_eq!(Schedule::parse("1 0.1").unwrap().bursts(&[flow; 3]).len(), 3);
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        for text in ["", "1", "1 2 3", "x 1", "1 -1", "inf 1", "0 1", "NaN 1"] {
            assert_eq!(Schedule::parse(text), None, "{text}");
        }
    }
}
