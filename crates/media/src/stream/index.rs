//! From 16-bit sequence numbers to indices that don't wrap.

/// The index nearest to `reference` whose low 16 bits are `sequence`; of two equally near ones the lower.
///
/// `None` if that index would lie before zero.
#[must_use]
pub fn extend(reference: u64, sequence: u16) -> Option<u64> {
    let distance = sequence.wrapping_sub(reference as u16).cast_signed();
    reference.checked_add_signed(distance.into())
}

/// The index nearest to `reference` whose low 32 bits are `low`.
pub(super) fn extend_low32(reference: u64, low: u32) -> Option<u64> {
    let distance = low.wrapping_sub(reference as u32).cast_signed();
    reference.checked_add_signed(distance.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_nearest_index_is_found_across_wraps() {
        assert_eq!(extend(65_535, 0), Some(65_536));
        assert_eq!(extend(65_536, 65_535), Some(65_535));
        assert_eq!(extend(0, 65_535), None);
        assert_eq!(extend(100_000, 100_000_u32 as u16 ^ 0x8000), Some(100_000 - 32_768));
        assert_eq!(extend_low32(1 << 32, u32::MAX), Some((1 << 32) - 1));
        assert_eq!(extend_low32(u64::from(u32::MAX), 0), Some(1 << 32));
    }

    proptest! {
        #[test]
        fn any_index_near_enough_is_recovered(reference in 40_000_u64..1 << 48, distance in -32_768_i64..32_768) {
            let index = reference.checked_add_signed(distance).unwrap();
            prop_assert_eq!(extend(reference, index as u16), Some(index));
        }
    }
}
