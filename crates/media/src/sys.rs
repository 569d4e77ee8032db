//! What has no safe form: a hint to the CPU about memory that will be needed.

/// Asks the CPU to bring a value near, so that it is there when it is needed some hundred nanoseconds later. It changes nothing but
/// the caches, and is nothing at all on CPUs that it isn't written for.
#[inline]
pub(crate) fn prefetch<T>(value: &T) {
    prefetch_from(value, size_of::<T>());
}

/// The same for `len` bytes from the beginning of a value on, which may be less than it has, or more.
#[inline]
pub(crate) fn prefetch_from<T>(value: &T, len: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

        const LINE: usize = 64;
        let start = std::ptr::from_ref(value).cast::<i8>();
        for offset in (0..len).step_by(LINE) {
            // SAFETY: the instruction reads nothing that the program sees, and never faults, wherever the pointer leads.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(offset)) };
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (value, len);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_any_size_stay_what_they_are() {
        let large = [7_u8; 1000];
        prefetch(&large);
        prefetch(&());
        prefetch_from(&large, 100_000);
        assert_eq!(large, [7; 1000]);
    }
}
