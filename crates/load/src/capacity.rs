//! How many receivers, or what rate, a server bears: which step to try next. Pure; measuring is somebody else's.

use std::time::Duration;

/// Each step is so much more than the last, in percent: the answer is that exact.
const GROWTH_PERCENT: usize = 20;

/// What is found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ramp {
    /// Most subscribers, or members of a meeting.
    Receivers,
    /// Highest bitrate of each video stream.
    Bitrate,
}

/// What counts as too much.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Share of packets lost.
    pub loss: f64,
    /// 99th percentile of the added delay.
    pub p99: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { loss: 0.005, p99: Duration::from_millis(20) }
    }
}

/// What came of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StepOutcome {
    /// Share of packets lost.
    pub loss: f64,
    /// 99th percentile of the added delay.
    pub p99: Duration,
    /// Streams from which nothing came.
    pub silent: usize,
    /// Delays that were measured.
    pub samples: u64,
}

impl StepOutcome {
    /// Whether the server bore it.
    #[must_use]
    pub fn is_good(&self, limits: &Limits) -> bool {
        self.loss <= limits.loss && self.p99 <= limits.p99 && self.silent == 0 && self.samples > 0
    }
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Measure at this size.
    Try(usize),
    /// It is found: the last size that was good.
    Done(End),
}

/// Why it is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// A step was too much.
    TooMuch,
    /// The largest size that may be was good.
    Bound,
    /// The server let nobody else in, for this reason.
    Refused(String),
    /// Somebody wanted it to stop.
    Stopped,
}

/// Steps up until one is too much twice: a single bad moment of the machine is not the server's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Climb {
    size: usize,
    max: usize,
    failed_once: bool,
}

impl Climb {
    /// Begins at `first`, never goes above `max`.
    pub(crate) fn new(first: usize, max: usize) -> Self {
        Self { size: first.clamp(1, max.max(1)), max: max.max(1), failed_once: false }
    }

    /// The size to measure first.
    pub(crate) fn first(&self) -> usize {
        self.size
    }

    /// Takes what came of the current size.
    pub(crate) fn next(&mut self, good: bool) -> Next {
        if !good {
            if std::mem::replace(&mut self.failed_once, true) {
                return Next::Done(End::TooMuch);
            }
            return Next::Try(self.size);
        }
        self.failed_once = false;
        if self.size >= self.max {
            return Next::Done(End::Bound);
        }
        self.size = (self.size + (self.size * GROWTH_PERCENT / 100).max(1)).min(self.max);
        Next::Try(self.size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sizes that are tried until the end, where the server bears what `good` says.
    fn climb(first: usize, max: usize, mut good: impl FnMut(usize) -> bool) -> (Vec<usize>, Next) {
        let mut climb = Climb::new(first, max);
        let mut tried = vec![climb.first()];
        loop {
            match climb.next(good(tried[tried.len() - 1])) {
                Next::Try(size) => tried.push(size),
                done => return (tried, done),
            }
        }
    }

    #[test]
    fn it_goes_up_until_a_step_is_too_much_twice() {
        let (tried, done) = climb(10, 1000, |size| size <= 17);
        assert_eq!(tried, [10, 12, 14, 16, 19, 19]);
        assert_eq!(done, Next::Done(End::TooMuch));
    }

    #[test]
    fn one_bad_moment_is_forgiven() {
        let mut bad = [12, 16].to_vec();
        let (tried, done) = climb(10, 20, |size| {
            let moment = bad.iter().position(|it| *it == size);
            moment.map(|at| bad.remove(at)).is_none()
        });
        assert_eq!(tried, [10, 12, 12, 14, 16, 16, 19, 20]);
        assert_eq!(done, Next::Done(End::Bound));
    }

    #[test]
    fn nothing_may_be_good() {
        assert_eq!(climb(1, 5, |_| false), (vec![1, 1], Next::Done(End::TooMuch)));
        assert_eq!(climb(0, 0, |_| true), (vec![1], Next::Done(End::Bound)));
    }

    #[test]
    fn a_step_is_good_within_all_limits() {
        let good = StepOutcome { loss: 0.005, p99: Duration::from_millis(20), silent: 0, samples: 1 };
        let is_good = |outcome: StepOutcome| outcome.is_good(&Limits::default());
        assert!(is_good(good));
        assert!(!is_good(StepOutcome { loss: 0.0051, ..good }));
        assert!(!is_good(StepOutcome { p99: Duration::from_millis(21), ..good }));
        assert!(!is_good(StepOutcome { silent: 1, ..good }));
        assert!(!is_good(StepOutcome { samples: 0, ..good }), "nothing was measured");
    }
}
