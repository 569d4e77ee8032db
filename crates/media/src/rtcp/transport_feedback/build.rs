//! Writes a feedback packet from a list of arrivals.
//!
//! The deltas lie behind the chunks, whose number is only known in the end, so the list is walked twice: once to plan how
//! much of it fits, once to write. Nothing is kept in between but the plan.

use super::chunk::{Chunk, Chunker, LARGE, LOST, SMALL};
use super::{DELTA_US, FIXED_LEN, REFERENCE_US};
use crate::rtcp::writer::Body;
use crate::rtcp::{CompoundWriter, Full, packet_type};

/// The head of a feedback packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedbackInfo {
    /// Who received the packets.
    pub sender_ssrc: u32,
    /// Any stream of the Transport.
    pub media_ssrc: u32,
    /// Transport-wide number of the first packet to report on, received or not.
    pub base_sequence: u16,
    /// Number of this feedback.
    pub feedback_count: u8,
}

/// A packet that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Its transport-wide number.
    pub sequence: u16,
    /// When it arrived, in µs on any clock.
    pub at_us: u64,
}

impl CompoundWriter<'_> {
    /// Adds a feedback packet and returns how many of `arrivals` it took.
    ///
    /// `arrivals` are in ascending order of their numbers (their times may go back). The first gives the reference time. The
    /// packet ends where there is no room, where two arrivals are more than 8.19 s apart, which no delta can say, or at a
    /// number that doesn't ascend; the rest belongs in a next packet. A base that lies behind the first arrival (by less than
    /// half a turn) is taken to be that arrival. Nothing is written when there are no arrivals.
    ///
    /// # Errors
    /// When not even one arrival fits.
    pub fn transport_feedback(&mut self, info: &FeedbackInfo, arrivals: &[Arrival]) -> Result<usize, Full> {
        let Some(first) = arrivals.first() else { return Ok(0) };
        let start = Start::new(info.base_sequence, *first);
        let plan = Plan::new(start, arrivals, self.body_room()?);
        if plan.taken == 0 {
            return Err(Full);
        }
        let format = packet_type::FORMAT_TRANSPORT_CC;
        let mut body = self.packet(packet_type::TRANSPORT_FEEDBACK, format, plan.body_len())?;
        body.put_u32(info.sender_ssrc);
        body.put_u32(info.media_ssrc);
        body.put_u16(start.base_sequence);
        body.put_u16(plan.status_count);
        body.put_u32(start.reference_time << 8 | u32::from(info.feedback_count));
        let (chunks, deltas) = body.0.split_at_mut(plan.chunks_len);
        write_statuses(start.steps(arrivals).take(plan.taken), &mut Body(chunks), &mut Body(deltas));
        Ok(plan.taken)
    }
}

/// Where the packet starts counting.
#[derive(Clone, Copy, Debug)]
struct Start {
    base_sequence: u16,
    /// In units of [`REFERENCE_US`], 24 bits.
    reference_time: u32,
    reference_us: u64,
}

impl Start {
    fn new(base_sequence: u16, first: Arrival) -> Self {
        let ahead = first.sequence.wrapping_sub(base_sequence).cast_signed();
        let units = first.at_us / REFERENCE_US;
        Self {
            base_sequence: if ahead < 0 { first.sequence } else { base_sequence },
            reference_time: units as u32 & 0x00ff_ffff,
            reference_us: units * REFERENCE_US,
        }
    }

    fn steps(self, arrivals: &[Arrival]) -> Steps<'_> {
        Steps { arrivals: arrivals.iter(), next_sequence: self.base_sequence, start: self, ticks: 0 }
    }
}

/// One arrival as the packet says it: how many packets before it are lost, and its delta.
#[derive(Clone, Copy, Debug)]
struct Step {
    gap: u16,
    delta: i16,
}

impl Step {
    const fn symbol(self) -> u16 {
        if self.delta >= 0 && self.delta <= u8::MAX as i16 { SMALL } else { LARGE }
    }
}

/// Iterator over the steps of a list of arrivals, up to one that can't be said.
#[derive(Debug)]
struct Steps<'a> {
    arrivals: std::slice::Iter<'a, Arrival>,
    next_sequence: u16,
    start: Start,
    /// Time of the last arrival since the reference time. Deltas are differences of these, so rounding doesn't add up.
    ticks: i64,
}

impl Iterator for Steps<'_> {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        let arrival = self.arrivals.next()?;
        let gap = arrival.sequence.wrapping_sub(self.next_sequence);
        let since = arrival.at_us.wrapping_sub(self.start.reference_us).cast_signed();
        let ticks = since.div_euclid(i64::from(DELTA_US));
        let delta = i16::try_from(ticks.checked_sub(self.ticks)?).ok()?;
        self.next_sequence = arrival.sequence.wrapping_add(1);
        self.ticks = ticks;
        (gap.cast_signed() >= 0).then_some(Step { gap, delta })
    }
}

/// How much goes into the packet.
#[derive(Clone, Copy, Debug, Default)]
struct Plan {
    taken: usize,
    status_count: u16,
    chunks_len: usize,
    deltas_len: usize,
}

impl Plan {
    fn new(start: Start, arrivals: &[Arrival], room: usize) -> Self {
        let mut plan = Self::default();
        let mut chunker = Chunker::default();
        let mut complete_len = 0;
        for step in start.steps(arrivals) {
            let mut count = |_: Chunk| complete_len += size_of::<Chunk>();
            chunker.push(LOST, step.gap, &mut count);
            chunker.push(step.symbol(), 1, &mut count);
            let Some(status_count) =
                plan.status_count.checked_add(step.gap).and_then(|sum| sum.checked_add(1))
            else {
                break;
            };
            let longer = Self {
                taken: plan.taken + 1,
                status_count,
                // What waits in the chunker becomes one more chunk.
                chunks_len: complete_len + size_of::<Chunk>(),
                deltas_len: plan.deltas_len + usize::from(step.symbol()),
            };
            if longer.body_len() > room {
                break;
            }
            plan = longer;
        }
        plan
    }

    const fn body_len(&self) -> usize {
        FIXED_LEN + self.chunks_len + self.deltas_len
    }
}

fn write_statuses(steps: impl Iterator<Item = Step>, chunks: &mut Body<'_>, deltas: &mut Body<'_>) {
    let mut chunker = Chunker::default();
    for step in steps {
        chunker.push(LOST, step.gap, |chunk| chunks.put_u16(chunk.0));
        chunker.push(step.symbol(), 1, |chunk| chunks.put_u16(chunk.0));
        let [high, low] = step.delta.to_be_bytes();
        if step.symbol() == SMALL {
            deltas.put(&[low]);
        } else {
            deltas.put(&[high, low]);
        }
    }
    if let Some(chunk) = chunker.finish() {
        chunks.put_u16(chunk.0);
    }
}
