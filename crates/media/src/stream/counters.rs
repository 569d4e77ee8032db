//! Counters of RTCP feedback, for statistics.

/// Feedback about one stream: sent by us on the way in, received by us on the way out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeedbackCounters {
    /// NACK messages.
    pub nacks: u64,
    /// Packets that those messages asked for; each time counts.
    pub nacked_packets: u64,
    /// Picture loss indications.
    pub plis: u64,
    /// Full intra requests.
    pub firs: u64,
}

impl FeedbackCounters {
    /// Counts one NACK message for `packets` packets.
    pub fn on_nack(&mut self, packets: usize) {
        self.nacks += 1;
        self.nacked_packets += packets as u64;
    }

    /// Counts one PLI.
    pub fn on_pli(&mut self) {
        self.plis += 1;
    }

    /// Counts one FIR.
    pub fn on_fir(&mut self) {
        self.firs += 1;
    }
}
