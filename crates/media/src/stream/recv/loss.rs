//! Expected and received packets of one SSRC (RFC 3550 §6.4.1, Appendix A.3).

/// The 24 bits that the wire has for the cumulative number of packets lost.
const CUMULATIVE_MAX: i64 = 0x7f_ffff;

/// Counts what the numbering promises against what came.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LossCounter {
    /// The index that counts as the first; moved so that restarts and their jumps are no loss.
    base: u64,
    highest: Option<u64>,
    received: u64,
    /// Expected and received at the last report.
    reported: (u64, u64),
    fraction: u8,
}

impl LossCounter {
    /// A packet advanced the numbering.
    pub(super) fn on_newest(&mut self, index: u64, restarted: bool) {
        if restarted || self.highest.is_none() {
            // All that was expected before, plus this one, now ends at `index`.
            self.base = index.saturating_sub(self.expected());
        }
        self.highest = Some(index);
    }

    /// A packet behind the newest came; before the first one it moves the start.
    pub(super) fn on_late(&mut self, index: u64) {
        self.base = self.base.min(index);
    }

    /// A packet came under its own SSRC, maybe not for the first time: "received" includes duplicates.
    pub(super) fn on_received(&mut self) {
        self.received += 1;
    }

    pub(super) fn highest(&self) -> Option<u64> {
        self.highest
    }

    pub(super) fn expected(&self) -> u64 {
        self.highest.map_or(0, |highest| highest + 1 - self.base)
    }

    /// Negative when duplicates outweigh losses.
    pub(super) fn lost(&self) -> i64 {
        self.expected().cast_signed() - self.received.cast_signed()
    }

    /// As on the wire.
    pub(super) fn cumulative(&self) -> i32 {
        self.lost().clamp(-CUMULATIVE_MAX - 1, CUMULATIVE_MAX) as i32
    }

    /// The share lost in the last interval that was ended, in 1/256.
    pub(super) fn fraction(&self) -> u8 {
        self.fraction
    }

    /// Ends the interval and returns its share of loss in 1/256 (A.3).
    pub(super) fn end_interval(&mut self) -> u8 {
        let expected = self.expected().saturating_sub(self.reported.0);
        let received = self.received - self.reported.1;
        self.reported = (self.expected(), self.received);
        let lost = expected.saturating_sub(received);
        self.fraction = (lost * 256).checked_div(expected).unwrap_or(0).min(255) as u8;
        self.fraction
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn newest(loss: &mut LossCounter, index: u64) {
        loss.on_newest(index, false);
        loss.on_received();
    }

    #[test]
    fn gaps_are_lost_and_late_packets_are_not() {
        let mut loss = LossCounter::default();
        assert_eq!((loss.expected(), loss.end_interval()), (0, 0));
        newest(&mut loss, 100);
        newest(&mut loss, 104);
        assert_eq!((loss.expected(), loss.lost()), (5, 3));
        loss.on_late(102);
        loss.on_received();
        assert_eq!((loss.lost(), loss.end_interval()), (2, 102));
        loss.on_late(98);
        loss.on_received();
        assert_eq!((loss.expected(), loss.lost()), (7, 3));
    }

    #[test]
    fn each_interval_stands_alone() {
        let mut loss = LossCounter::default();
        newest(&mut loss, 0);
        newest(&mut loss, 2);
        assert_eq!(loss.end_interval(), 85);
        newest(&mut loss, 3);
        assert_eq!(loss.end_interval(), 0);
        loss.on_newest(4, false);
        assert_eq!((loss.end_interval(), loss.fraction()), (255, 255));
    }

    #[test]
    fn a_restart_is_no_loss() {
        let mut loss = LossCounter::default();
        newest(&mut loss, 100);
        newest(&mut loss, 102);
        loss.on_newest(60_000, true);
        loss.on_received();
        assert_eq!((loss.expected(), loss.lost()), (4, 1));
    }

    #[test]
    fn the_wire_has_24_bits() {
        let mut loss = LossCounter::default();
        newest(&mut loss, 1);
        loss.on_newest(1 << 30, false);
        assert_eq!(loss.cumulative(), 0x7f_ffff);
        let mut loss = LossCounter::default();
        newest(&mut loss, 1);
        (0..3).for_each(|_| loss.on_received());
        assert_eq!(loss.cumulative(), -3);
    }
}
