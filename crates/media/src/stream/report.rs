//! The numbers of sender and receiver reports (RFC 3550 §6.4), as values; encoding is somebody else's.

use std::time::Duration;

use crate::Now;

/// The round-trip time to assume before one was measured: mediasoup's. Too low repeats what is still on its way, too high repairs late.
pub const DEFAULT_RTT: Duration = Duration::from_millis(100);

/// One report block that we send about a stream that we receive (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportBlock {
    /// The stream that is reported on.
    pub ssrc: u32,
    /// Share of packets lost since the last report, in 1/256.
    pub fraction_lost: u8,
    /// Packets lost since the start, within the 24 bits of the wire; negative when duplicates outweigh losses.
    pub cumulative_lost: i32,
    /// The highest sequence number received, extended by its cycles.
    pub extended_highest: u32,
    /// Interarrival jitter in units of the stream's clock.
    pub jitter: u32,
    /// Middle 32 bits of the NTP time of the last sender report; zero if none came.
    pub last_sr: u32,
    /// Delay since that sender report in 1/65536 s.
    pub delay_since_last_sr: u32,
}

/// What a receiver told us about a stream that we send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceivedReport {
    /// Packets lost since the start, as the receiver counts them.
    pub cumulative_lost: i32,
    /// The highest sequence number that it received, extended by its own count of cycles.
    pub extended_highest: u32,
    /// Interarrival jitter in units of the stream's clock.
    pub jitter: u32,
    /// Middle 32 bits of the NTP time of the last sender report that it got; zero if none.
    pub last_sr: u32,
    /// Delay since that sender report in 1/65536 s.
    pub delay_since_last_sr: u32,
}

/// The sender's part of a sender report (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderInfo {
    /// The stream.
    pub ssrc: u32,
    /// Wall clock time of this report, 64-bit NTP.
    pub ntp: u64,
    /// The same moment on the stream's own clock.
    pub rtp_timestamp: u32,
    /// Packets sent, modulo 2^32.
    pub packets: u32,
    /// Payload bytes sent without headers and padding, modulo 2^32.
    pub octets: u32,
}

/// The middle 32 bits of a 64-bit NTP time: units of 1/65536 s (RFC 3550 §4).
pub(super) fn middle(ntp: u64) -> u32 {
    (ntp >> 16) as u32
}

/// The round-trip time from an echo of our own time (RFC 3550 §6.4.1, RFC 3611 §4.5).
///
/// `last` is the middle of the NTP time that we sent, `delay` how long the peer kept it, in 1/65536 s. `None` if `last` is zero
/// (the peer has nothing to echo) or the result is negative or beyond 10 s: a clock step or a lie.
#[must_use]
pub fn round_trip(now: Now, last: u32, delay: u32) -> Option<Duration> {
    /// Beyond this the echo can't be a measurement: such a path carries no conversation.
    const ROUND_TRIP_MAX: u32 = 10 << 16;
    let passed = middle(now.ntp()).wrapping_sub(last).wrapping_sub(delay);
    // Rounding of the peer's delay may make a very short trip come out just below zero.
    let passed = if passed > u32::MAX - 64 { 0 } else { passed };
    (last != 0 && passed <= ROUND_TRIP_MAX)
        .then(|| Duration::from_micros((u64::from(passed) * 1_000_000) >> 16).max(Duration::from_millis(1)))
}

/// A duration in 1/65536 s, as in DLSR and DLRR.
pub(super) fn compact(duration: Duration) -> u32 {
    u32::try_from((duration.as_micros() << 16) / 1_000_000).unwrap_or(u32::MAX)
}

/// `duration` in ticks of an RTP clock, wrapping as RTP timestamps do.
pub(super) fn rtp_ticks(duration: Duration, clock_rate: u32) -> u32 {
    (duration.as_nanos() * u128::from(clock_rate) / 1_000_000_000) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::virtual_time::at_ms;

    #[test]
    fn the_round_trip_is_what_the_peer_did_not_keep() {
        let sent = middle(at_ms(0).ntp());
        let delay = compact(Duration::from_millis(400));
        let rtt = round_trip(at_ms(450), sent, delay).unwrap();
        assert!((49..=51).contains(&rtt.as_millis()), "{rtt:?}");
    }

    #[test]
    fn an_echo_of_nothing_or_nonsense_is_no_measurement() {
        let sent = middle(at_ms(0).ntp());
        assert_eq!(round_trip(at_ms(450), 0, 0), None);
        assert_eq!(round_trip(at_ms(450), sent, compact(Duration::from_secs(2))), None);
        assert_eq!(round_trip(at_ms(20_000), sent, 0), None);
        // Five seconds after the middle bits wrapped to zero, zero would pass for a time.
        let wrapped = Now { unix: Duration::from_secs(1_723_171_205), ..at_ms(0) };
        assert_eq!((middle(wrapped.ntp()), round_trip(wrapped, 0, 0)), (5 << 16, None));
        assert_eq!(round_trip(at_ms(0), sent, 3), Some(Duration::from_millis(1)));
    }

    #[test]
    fn ticks_wrap_like_timestamps() {
        assert_eq!(rtp_ticks(Duration::from_secs(1), 90_000), 90_000);
        assert_eq!(rtp_ticks(Duration::from_secs(50_000), 90_000), (50_000_u64 * 90_000) as u32);
    }
}
