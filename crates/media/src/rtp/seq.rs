//! Arithmetic on 16-bit sequence numbers, which wrap about every minute of a lively stream.

/// Whether `a` comes after `b`: less than half a turn ahead of it (RFC 1982 §3.2, RFC 3550 §A.1).
///
/// Of two numbers exactly half a turn apart, neither is newer.
#[inline]
#[must_use]
pub const fn is_newer(a: u16, b: u16) -> bool {
    (a.wrapping_sub(b) as i16) > 0
}

/// Extends sequence numbers to an index that never wraps.
///
/// The rule: each number is taken to be the one nearest to the newest seen so far (exactly half a turn counts as older).
/// The first number lies in cycle 1, index `0x1_0000 + first`, so that whatever is older than it still has an index above 0:
/// an index can't underflow, at any history. The index is therefore *not* SRTP's packet index, which starts in cycle 0 (RFC
/// 3711 §3.3.1); only differences of indices mean something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeqExtender {
    newest: u64,
}

impl SeqExtender {
    /// Starts with the first number seen.
    #[must_use]
    pub const fn new(first: u16) -> Self {
        Self { newest: 0x1_0000 + first as u64 }
    }

    /// The index of `sequence`, which isn't remembered as seen.
    #[inline]
    #[must_use]
    pub const fn index_of(self, sequence: u16) -> u64 {
        let distance = sequence.wrapping_sub(self.newest as u16) as i16;
        // `newest` never decreases from 0x1_0000 and a distance is at least -0x8000, so this never wraps.
        self.newest.wrapping_add_signed(distance as i64)
    }

    /// The index of `sequence`, which becomes the newest number seen if it is newer.
    #[inline]
    pub const fn extend(&mut self, sequence: u16) -> u64 {
        let index = self.index_of(sequence);
        if index > self.newest {
            self.newest = index;
        }
        index
    }

    /// The index of the newest number seen.
    #[must_use]
    pub const fn newest(self) -> u64 {
        self.newest
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn newer_wraps() {
        assert!(is_newer(1, 0));
        assert!(is_newer(0, 0xffff));
        assert!(is_newer(0x7fff, 0));
        assert!(!is_newer(0, 0));
        assert!(!is_newer(0xffff, 0));
        assert!(!is_newer(0x8000, 0) && !is_newer(0, 0x8000));
    }

    #[test]
    fn what_came_before_the_first_has_an_index_too() {
        let mut extender = SeqExtender::new(0);
        assert_eq!(extender.extend(0xffff), 0xffff);
        assert_eq!(extender.extend(0x8000), 0x8000);
        assert_eq!(extender.newest(), 0x1_0000);
        assert_eq!(extender.extend(1), 0x1_0001);
        assert_eq!(extender.newest(), 0x1_0001);
    }

    proptest! {
        #[test]
        fn follows_a_walk(first: u16, steps in prop::collection::vec(-0x7000i64..0x7fff, 0..200)) {
            let mut extender = SeqExtender::new(first);
            let mut newest = 0x1_0000 + i64::from(first);
            for step in steps {
                let truth = newest + step;
                prop_assert_eq!(extender.extend(truth as u16), truth as u64);
                newest = newest.max(truth);
            }
        }

        #[test]
        fn newer_is_antisymmetric(a: u16, b: u16) {
            prop_assert!(!(is_newer(a, b) && is_newer(b, a)));
        }
    }
}
