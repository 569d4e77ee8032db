//! What has come of a stream: its numbered packets, put back in order, and what was wrong with them.

use std::collections::BTreeSet;

/// A stream as it was received. Its packets are numbered where they are made; those numbers must keep pace with the
/// sequence numbers, or the SFU has lost, invented or swapped something without leaving a gap.
#[derive(Debug, Default)]
pub(crate) struct Received {
    numbers: BTreeSet<u32>,
    /// Number minus sequence number, the same for all.
    offset: Option<u16>,
    newest: Option<u32>,
    /// The first packet of the stream that came.
    pub(crate) first: Option<First>,
    /// Packets that came again.
    pub(crate) repeated: u32,
    /// Packets that came behind a younger one.
    pub(crate) late: u32,
    /// Packets whose content or sequence number is wrong.
    pub(crate) wrong: u32,
}

/// How a stream began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct First {
    pub(crate) number: u32,
    pub(crate) begins_key_frame: bool,
}

impl Received {
    /// Takes a packet; `content` is `None` if it isn't what was sent.
    pub(crate) fn push(&mut self, sequence_number: u16, content: Option<(u32, bool)>) {
        let Some((number, begins_key_frame)) = content else {
            self.wrong += 1;
            return;
        };
        let offset = (number as u16).wrapping_sub(sequence_number);
        self.wrong += u32::from(*self.offset.get_or_insert(offset) != offset);
        self.first.get_or_insert(First { number, begins_key_frame });
        if !self.numbers.insert(number) {
            self.repeated += 1;
        } else if self.newest.is_some_and(|newest| number < newest) {
            self.late += 1;
        }
        self.newest = self.newest.max(Some(number));
    }

    /// How many packets there are from the first one on without a gap.
    pub(crate) fn unbroken(&self) -> usize {
        let Some(First { number, .. }) = self.first else { return 0 };
        self.numbers.range(number..).zip(number..).take_while(|(have, want)| *have == want).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repair_closes_its_gap_and_a_shift_is_wrong() {
        let mut received = Received::default();
        for number in [9, 10, 12, 13, 11, 11] {
            received.push((number as u16).wrapping_add(65_530), Some((number, false)));
        }
        assert_eq!((received.unbroken(), received.late, received.repeated, received.wrong), (5, 1, 1, 0));
        received.push(0, Some((14, false)));
        received.push(9, None);
        assert_eq!(received.wrong, 2);
    }
}
