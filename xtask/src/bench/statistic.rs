//! Few numbers out of several rounds.

/// The middle one, or the mean of the two in the middle; `None` of nothing.
pub(super) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    let lower = if sorted.len().is_multiple_of(2) { sorted[middle - 1] } else { upper };
    Some(f64::midpoint(lower, upper))
}

/// The smallest and the largest.
pub(super) fn range(values: &[f64]) -> Option<(f64, f64)> {
    let low = values.iter().copied().reduce(f64::min)?;
    Some((low, values.iter().copied().reduce(f64::max)?))
}

/// The median of the quotients of values that were taken in the same round, so that what a busy machine does to a round is done
/// to both.
pub(super) fn median_ratio(dividends: &[f64], divisors: &[f64]) -> Option<f64> {
    let ratios: Vec<f64> =
        dividends.iter().zip(divisors).map(|(dividend, divisor)| dividend / divisor).collect();
    median(&ratios)
}

/// With so many digits that three of them count.
pub(super) fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let digits = 2 - value.abs().log10().floor() as i32;
    let scale = 10_f64.powi(digits);
    // Large numbers keep their whole digits: they are counts as often as not.
    if digits <= 0 { value.round() } else { (value * scale).round() / scale }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[f64::NAN, 1.0]), Some(1.0));
        assert_eq!(range(&[3.0, 1.0, 2.0]), Some((1.0, 3.0)));
        assert_eq!(range(&[]), None);
    }

    #[test]
    fn ratios_are_of_one_round() {
        // Each round is twice as slow as the one before; the ratio is the same in all.
        assert_eq!(median_ratio(&[8.0, 16.0, 32.0], &[1.0, 2.0, 4.0]), Some(8.0));
        assert_eq!(median_ratio(&[1.0], &[]), None);
    }

    #[test]
    fn three_digits_count() {
        assert_eq!(rounded(0.123_456), 0.123);
        assert_eq!(rounded(12.3456), 12.3);
        assert_eq!(rounded(1_234_567.8), 1_234_568.0);
        assert_eq!(rounded(0.0), 0.0);
    }
}
