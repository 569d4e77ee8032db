//! What was sent under which number, so that it can be sent again: 16 bytes per packet.
//!
//! Payloads lie in the Producer's ring; this log says where, and what the Consumer's own header extensions held. A packet that is sent
//! again under the same SSRC must be the same to the byte (RFC 3711 §9.1: one keystream for two texts reveals both, and under GCM the
//! authentication key), so the values of the first time are repeated.

use std::{
    num::NonZeroU8,
    time::{Duration, Instant},
};

use crate::{
    Now,
    stream::{index::extend_low32, window::IndexWindow},
};

/// Consecutive numbers covered at most: a power of two because memory grows by doubling; 32 KiB. At 500 packets a second (5 Mbit/s)
/// it reaches back for 4 s as the ring does, at 20 Mbit/s for one, which is still several round trips.
const SPAN_MAX: usize = 2048;
/// No ring keeps a packet for longer.
const AGE: Duration = Duration::from_millis(4000);

/// A packet as it goes out for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SentPacket {
    /// Its index in the Producer's stream.
    pub in_index: u64,
    /// Its index in the Consumer's stream.
    pub out_index: u64,
    /// RTP timestamp as sent.
    pub timestamp: u32,
    /// Length of the whole RTP packet.
    pub len: usize,
    /// Length of its payload.
    pub payload_len: usize,
    /// What its transport-wide-cc-01 extension held; anything if it has none.
    pub transport_cc: u16,
    /// What its abs-send-time extension held, 24 bits; anything if it has none.
    pub abs_send_time: u32,
}

/// A packet to send again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resend {
    /// Where its payload lies in the Producer's ring.
    pub in_index: u64,
    /// Its index in the Consumer's stream.
    pub out_index: u64,
    /// What its transport-wide-cc-01 extension held the first time. Under the same SSRC it has to hold that again.
    pub transport_cc: u16,
    /// The same for its abs-send-time extension.
    pub abs_send_time: u32,
    /// Whether it wasn't sent again before.
    pub first: bool,
}

#[derive(Clone, Copy, Debug)]
struct Sent {
    /// Low half of the in index.
    in_index: u32,
    /// When it was last sent, in milliseconds since the log began, modulo 2^32.
    at_ms: u32,
    abs_send_time: u32,
    transport_cc: u16,
    times: NonZeroU8,
    /// Later packets had been sent before, so that the receiver may have asked for it already.
    late: bool,
}

const _: () = assert!(size_of::<Option<Sent>>() == 16, "a Consumer keeps at most 16 bytes per packet sent");

/// The last packets of one Consumer stream, by out index. Allocates with the first packet, then as much as its rate needs; those that
/// are too old stay until their place is needed.
#[derive(Clone, Debug)]
pub struct SentLog {
    epoch: Option<Instant>,
    /// The time of the last look at the clock, and that in milliseconds since the epoch: packets come many to a turn.
    last: Option<Instant>,
    last_ms: u32,
    highest_in: u64,
    window: IndexWindow<Sent>,
}

impl SentLog {
    /// An empty log.
    #[must_use]
    pub fn new() -> Self {
        Self { epoch: None, last: None, last_ms: 0, highest_in: 0, window: IndexWindow::new(SPAN_MAX) }
    }

    /// Notes a packet; `late` says that later ones were sent before it: it was missing here too. Of two with one number the first stays.
    pub fn on_sent(&mut self, now: Now, packet: SentPacket, late: bool) {
        let at_ms = self.ms(now);
        self.highest_in = self.highest_in.max(packet.in_index);
        self.window.make_room(packet.out_index, |oldest| age(at_ms, *oldest) > AGE);
        let sent = Sent {
            in_index: packet.in_index as u32,
            at_ms,
            abs_send_time: packet.abs_send_time,
            transport_cc: packet.transport_cc,
            times: NonZeroU8::MIN,
            late,
        };
        // A number that is there already or lies before the window is one that nobody can ask for in time.
        let _ = self.window.insert(packet.out_index, sent);
    }

    /// Brings the places of the next `count` packets near.
    pub(super) fn warm(&self, count: usize) {
        self.window.warm(count);
    }

    /// What to send again for `out_index`; it counts as sent now. `None` if it is unknown or was sent again within the last `rtt`:
    /// then the repeat is still on its way. So it is with a late one that was sent for the first time: who asks now has asked before
    /// it came, and where a publisher's losses are repaired all its receivers have.
    pub fn on_nack(&mut self, now: Now, out_index: u64, rtt: Duration) -> Option<Resend> {
        let at_ms = self.ms(now);
        let sent = self.window.get_mut(out_index)?;
        let first = sent.times == NonZeroU8::MIN;
        let repeats = !first || sent.late;
        if age(at_ms, *sent) > AGE || repeats && age(at_ms, *sent) < rtt {
            return None;
        }
        sent.times = sent.times.saturating_add(1);
        sent.at_ms = at_ms;
        Some(Resend {
            in_index: extend_low32(self.highest_in, sent.in_index)?,
            out_index,
            transport_cc: sent.transport_cc,
            abs_send_time: sent.abs_send_time,
            first,
        })
    }

    fn ms(&mut self, now: Now) -> u32 {
        if self.last != Some(now.at) {
            let epoch = *self.epoch.get_or_insert(now.at);
            self.last = Some(now.at);
            self.last_ms = now.at.saturating_duration_since(epoch).as_millis() as u32;
        }
        self.last_ms
    }
}

impl Default for SentLog {
    fn default() -> Self {
        Self::new()
    }
}

fn age(now_ms: u32, sent: Sent) -> Duration {
    Duration::from_millis(now_ms.wrapping_sub(sent.at_ms).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::virtual_time::at_ms;

    const RTT: Duration = Duration::from_millis(50);

    fn packet(in_index: u64, out_index: u64) -> SentPacket {
        let (transport_cc, abs_send_time) = (out_index as u16 ^ 0x5555, out_index as u32 & 0xff_ffff);
        SentPacket { in_index, out_index, timestamp: 0, len: 0, payload_len: 0, transport_cc, abs_send_time }
    }

    #[test]
    fn a_resend_repeats_the_values_of_the_first_time() {
        let mut log = SentLog::new();
        log.on_sent(at_ms(0), packet(70_000, 1000), false);
        log.on_sent(at_ms(1), SentPacket { transport_cc: 1, ..packet(70_000, 1000) }, false);
        let resend = log.on_nack(at_ms(100), 1000, RTT).unwrap();
        let expected = Resend {
            in_index: 70_000,
            out_index: 1000,
            transport_cc: 1000 ^ 0x5555,
            abs_send_time: 1000,
            first: true,
        };
        assert_eq!(resend, expected);
        assert_eq!(log.on_nack(at_ms(200), 1000, RTT), Some(Resend { first: false, ..expected }));
    }

    #[test]
    fn a_repeat_on_its_way_is_not_repeated() {
        let mut log = SentLog::new();
        log.on_sent(at_ms(0), packet(1, 1), false);
        assert!(log.on_nack(at_ms(10), 1, RTT).is_some(), "the first time needs no wait");
        assert_eq!(log.on_nack(at_ms(59), 1, RTT), None);
        assert!(log.on_nack(at_ms(60), 1, RTT).is_some());
    }

    #[test]
    fn a_late_packet_is_on_its_way_to_those_who_have_asked_for_it_before() {
        let mut log = SentLog::new();
        log.on_sent(at_ms(0), packet(2, 2), false);
        log.on_sent(at_ms(30), packet(1, 1), true);
        assert_eq!(log.on_nack(at_ms(79), 1, RTT), None);
        let resend = log.on_nack(at_ms(80), 1, RTT).unwrap();
        assert!(resend.first, "it has been lost for the first time since");
        assert_eq!(log.on_nack(at_ms(100), 1, RTT), None);
    }

    #[test]
    fn unknown_old_and_overrun_numbers_are_refused() {
        let mut log = SentLog::new();
        assert_eq!(log.on_nack(at_ms(0), 1, RTT), None);
        log.on_sent(at_ms(0), packet(1, 1), false);
        log.on_sent(at_ms(0), packet(3, 3), false);
        assert_eq!(log.on_nack(at_ms(0), 2, RTT), None);
        assert_eq!(log.on_nack(at_ms(0), 4, RTT), None);
        assert_eq!(log.on_nack(at_ms(4001), 3, RTT), None);
        log.on_sent(at_ms(0), packet(2049, 2049), false);
        assert_eq!(log.on_nack(at_ms(0), 1, RTT), None);
        assert!(log.on_nack(at_ms(0), 3, RTT).is_some());
    }

    #[test]
    fn a_slow_stream_keeps_a_small_log() {
        let mut log = SentLog::new();
        for n in 0..10_000 {
            log.on_sent(at_ms(n * 20), packet(n, n), false);
        }
        assert!(log.on_nack(at_ms(9999 * 20), 9799, RTT).is_some());
        assert!(log.on_nack(at_ms(9999 * 20), 9798, RTT).is_none(), "too old");
        assert!(log.window.get(9999 - 256).is_none(), "200 packets of 4 s take no more memory than 256");
    }

    #[test]
    fn in_indices_beyond_32_bits_come_back_whole() {
        let mut log = SentLog::new();
        let start = (1_u64 << 32) - 5;
        (0..10).for_each(|n| log.on_sent(at_ms(0), packet(start + n, 1000 + n), false));
        for n in 0..10 {
            assert_eq!(log.on_nack(at_ms(0), 1000 + n, RTT).unwrap().in_index, start + n);
        }
    }

    #[test]
    fn an_eternity_of_resends_saturates() {
        let mut log = SentLog::new();
        log.on_sent(at_ms(0), packet(1, 1), false);
        let resends = (1..600).filter(|n| log.on_nack(at_ms(n * 50), 1, RTT).is_some()).count();
        assert_eq!(resends, 599);
    }
}
