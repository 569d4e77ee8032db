//! The highest rate that a subject keeps up with.

use anyhow::Result;

/// The most that may be lost.
pub(super) const LOSS_MAX: f64 = 0.005;

/// How far rates are apart at first, and how close the answer has to be.
const STEP: f64 = 1.3;
const PRECISION: f64 = 1.06;

/// A search takes no more tries than this, whatever the machine does meanwhile.
const TRIES_MAX: u32 = 12;

/// How a try ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Try {
    /// Packets that arrived per second.
    pub(super) packets_per_s: f64,
    /// Whether few enough were lost.
    pub(super) is_kept_up: bool,
    /// Whether the source could publish so fast: if not, what was found is the source's limit.
    pub(super) is_source_fast: bool,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Capacity {
    /// The highest published rate that was kept up with.
    pub(super) rate: f64,
    /// What arrived per second at that.
    pub(super) packets_per_s: f64,
    /// Whether the source was at its end before the subject was.
    pub(super) is_of_source: bool,
}

/// Goes up or down from `start` until a rate that is kept up with lies just below one that isn't. `None` when nothing was kept up
/// with.
pub(super) fn search(start: f64, mut attempt: impl FnMut(f64) -> Result<Try>) -> Result<Option<Capacity>> {
    let (mut best, mut failed): (Option<Capacity>, Option<f64>) = (None, None);
    let mut rate = start;
    for _ in 0..TRIES_MAX {
        let outcome = attempt(rate)?;
        let is_of_source = !outcome.is_source_fast;
        if outcome.is_kept_up {
            best = Some(Capacity { rate, packets_per_s: outcome.packets_per_s, is_of_source });
        } else {
            failed = Some(rate);
        }
        if is_of_source && outcome.is_kept_up {
            break;
        }
        rate = match (best.map(|best| best.rate), failed) {
            (Some(good), Some(bad)) if bad <= good * PRECISION => break,
            (Some(good), Some(bad)) => (good * bad).sqrt(),
            (Some(good), None) => good * STEP,
            (None, Some(bad)) => bad / STEP,
            (None, None) => break,
        };
    }
    Ok(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A subject that keeps up with `limit`, and a source that reaches `source`.
    fn found(start: f64, limit: f64, source: f64) -> Option<Capacity> {
        search(start, |rate| {
            let rate_in = rate.min(source);
            let is_source_fast = rate <= source;
            Ok(Try { packets_per_s: rate_in * 100.0, is_kept_up: rate_in <= limit, is_source_fast })
        })
        .unwrap()
    }

    #[test]
    fn the_limit_is_found_from_below_and_from_above() {
        for start in [100.0, 900.0, 1000.0, 5000.0] {
            let capacity = found(start, 1000.0, f64::INFINITY).unwrap();
            assert!((943.0..=1000.0).contains(&capacity.rate), "{start}: {capacity:?}");
            assert_eq!(capacity.packets_per_s, capacity.rate * 100.0);
            assert!(!capacity.is_of_source);
        }
    }

    #[test]
    fn a_source_at_its_end_ends_the_search() {
        let capacity = found(500.0, 10_000.0, 800.0).unwrap();
        assert!(capacity.is_of_source);
        assert_eq!(capacity.packets_per_s, 80_000.0);
    }

    #[test]
    fn who_keeps_up_with_nothing_has_no_capacity() {
        assert_eq!(found(1000.0, 0.0, f64::INFINITY), None);
    }
}
