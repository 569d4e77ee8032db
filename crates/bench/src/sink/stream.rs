//! One subscriber's stream: what came, what is missing, whether it is what was sent, and how long it took.

use mafalda_media::rtp::RtpHeader;
use mafalda_media::srtp::SrtpReceiver;
use serde::Serialize;

use crate::delay::Delays;
use crate::packet;

/// One packet in so many is decrypted: enough to find a wrong key or a wrong number at once, too few to keep the sink from
/// draining. It shares no divisor with the sizes of bursts: at one in 64 all that were looked at were the first of a frame of 16.
const DECRYPTED_INTERVAL: u64 = 61;

/// The payload type of the peer's probes for bandwidth, which may come before any media.
const PROBE_TYPE: u8 = 127;

#[derive(Debug)]
pub(super) struct Stream {
    is_protected: bool,
    receiver: Option<SrtpReceiver>,
    /// The source's stream, as it is called here: the first that is no probe. Others are retransmissions.
    ssrc: Option<u32>,
    /// Packets of others.
    others: u64,
    /// The highest sequence number so far.
    highest: Option<u16>,
    packets: u64,
    bytes: u64,
    rtcp: u64,
    /// Sequence numbers that were skipped and have not come since.
    missing: u64,
    verified: u64,
    /// Packets that are not what was sent.
    wrong: u64,
}

impl Stream {
    pub(super) fn new(is_protected: bool) -> Self {
        Self {
            is_protected,
            receiver: None,
            ssrc: None,
            others: 0,
            highest: None,
            packets: 0,
            bytes: 0,
            rtcp: 0,
            missing: 0,
            verified: 0,
            wrong: 0,
        }
    }

    pub(super) fn set_receiver(&mut self, receiver: Option<SrtpReceiver>) {
        self.receiver = receiver;
    }

    /// Counts from here on; the sequence goes on.
    pub(super) fn reset(&mut self) {
        (self.packets, self.bytes, self.rtcp, self.others) = (0, 0, 0, 0);
        (self.missing, self.verified, self.wrong) = (0, 0, 0);
    }

    pub(super) fn take(&mut self, packet: &mut [u8], nanos: u64, delays: &mut Delays) {
        let &mut [first, kind, high, low, ..] = packet else {
            self.wrong += 1;
            return;
        };
        // RFC 7983 §7: what is no RTP or RTCP is of a handshake, and late.
        if !(128..=191).contains(&first) {
            return;
        }
        // RFC 5761 §4: the types of RTCP.
        if (192..=223).contains(&kind) {
            self.rtcp += 1;
            return;
        }
        let Some(ssrc) = packet.get(8..).and_then(<[u8]>::first_chunk).copied().map(u32::from_be_bytes)
        else {
            self.wrong += 1;
            return;
        };
        if kind & 0x7f == PROBE_TYPE || ssrc != *self.ssrc.get_or_insert(ssrc) {
            self.others += 1;
            return;
        }
        self.follow(u16::from_be_bytes([high, low]));
        let is_looked_at = !self.is_protected || self.packets.is_multiple_of(DECRYPTED_INTERVAL);
        self.packets += 1;
        self.bytes += packet.len() as u64;
        if is_looked_at {
            self.check(packet, nanos, delays);
        }
    }

    /// Numbers that were skipped are missing, until they come late.
    fn follow(&mut self, sequence: u16) {
        let Some(highest) = self.highest else {
            self.highest = Some(sequence);
            return;
        };
        let ahead = sequence.wrapping_sub(highest);
        if ahead == 0 || ahead >= 1 << 15 {
            self.missing = self.missing.saturating_sub(1);
        } else {
            self.missing += u64::from(ahead) - 1;
            self.highest = Some(sequence);
        }
    }

    fn check(&mut self, packet: &mut [u8], nanos: u64, delays: &mut Delays) {
        match self.plain(packet).and_then(packet::read) {
            Some(mark) => {
                self.verified += 1;
                // No stamp, no delay; and what the clock was set back between is none either.
                if let Some(delay) = nanos.checked_sub(mark.nanos) {
                    delays.add(delay);
                }
            }
            None => self.wrong += 1,
        }
    }

    fn plain<'a>(&mut self, packet: &'a mut [u8]) -> Option<&'a [u8]> {
        if !self.is_protected {
            return Some(packet);
        }
        let header_len = RtpHeader::parse_encrypted(packet).ok()?.payload_range().start;
        let unprotected = self.receiver.as_mut()?.unprotect_rtp(packet, header_len).ok()?;
        packet.get(..unprotected.len)
    }
}

/// All streams together.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct Count {
    packets: u64,
    bytes: u64,
    rtcp: u64,
    /// Of other streams: retransmissions and probes.
    others: u64,
    missing: u64,
    verified: u64,
    wrong: u64,
    delays: u64,
    p50_us: Option<f64>,
    p99_us: Option<f64>,
    max_us: f64,
}

impl Count {
    pub(super) fn of<'a>(streams: impl Iterator<Item = &'a Stream>, delays: &Delays) -> Self {
        let micros = |nanos: u64| nanos as f64 / 1000.0;
        let mut count = Self {
            delays: delays.count(),
            p50_us: delays.percentile(0.50).map(micros),
            p99_us: delays.percentile(0.99).map(micros),
            max_us: micros(delays.max()),
            ..Self::default()
        };
        for stream in streams {
            count.packets += stream.packets;
            count.bytes += stream.bytes;
            count.rtcp += stream.rtcp;
            count.others += stream.others;
            count.missing += stream.missing;
            count.verified += stream.verified;
            count.wrong += stream.wrong;
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use mafalda_media::srtp::{PlainRtp, SrtpSender};

    use super::*;
    use crate::packet::Outgoing;
    use crate::suite::Suite;

    fn packet(number: u64, nanos: u64) -> Vec<u8> {
        let mut bytes = vec![0; 12 + packet::PAYLOAD_MIN];
        packet::write(
            &mut bytes,
            Outgoing {
                stream: packet::Stream::Video,
                number,
                frame: 1,
                is_first: true,
                is_last: true,
                nanos,
            },
        );
        bytes
    }

    #[test]
    fn gaps_are_missing_until_they_are_filled() {
        let (mut stream, mut delays) = (Stream::new(false), Delays::new());
        for (number, missing) in [(65_534, 0), (65_535, 0), (65_538, 2), (65_537, 1), (65_539, 1)] {
            stream.take(&mut packet(number, 5), 1005, &mut delays);
            assert_eq!(stream.missing, missing, "{number}");
        }
        let count = Count::of([&stream].into_iter(), &delays);
        assert_eq!((count.packets, count.verified, count.wrong), (5, 5, 0));
        assert_eq!((count.delays, count.p50_us), (5, Some(1.0)));
    }

    #[test]
    fn what_was_not_sent_is_wrong_and_rtcp_is_no_media() {
        let (mut stream, mut delays) = (Stream::new(false), Delays::new());
        stream.take(&mut [0x80, 200, 0, 1, 0, 0, 0, 1], 0, &mut delays);
        stream.take(&mut [22, 254, 253, 0, 0], 0, &mut delays);
        stream.take(&mut [0x80], 0, &mut delays);
        let mut tampered = packet(1, 0);
        tampered[30] ^= 1;
        stream.take(&mut tampered, 0, &mut delays);
        assert_eq!((stream.rtcp, stream.packets, stream.wrong, stream.verified), (1, 1, 2, 0));
        stream.reset();
        assert_eq!((stream.rtcp, stream.packets, stream.wrong), (0, 0, 0));
    }

    #[test]
    fn the_first_stream_is_the_one_and_others_are_counted_apart() {
        let (mut stream, mut delays) = (Stream::new(false), Delays::new());
        let mut other = packet(500, 5);
        other[11] ^= 1;
        let mut probe = other.clone();
        probe[1] = 127;
        stream.take(&mut probe, 1005, &mut delays);
        stream.take(&mut packet(1, 5), 1005, &mut delays);
        stream.take(&mut other, 1005, &mut delays);
        stream.take(&mut packet(2, 5), 1005, &mut delays);
        assert_eq!((stream.packets, stream.others, stream.missing, stream.wrong), (2, 2, 0, 0));
    }

    #[test]
    fn one_protected_packet_in_61_is_decrypted() {
        for suite in [Suite::Gcm, Suite::Cm] {
            let keys = || suite.keys(&suite.key_base64(3).unwrap()).unwrap().unwrap();
            let sender = SrtpSender::new(keys());
            let (mut stream, mut delays) = (Stream::new(true), Delays::new());
            stream.set_receiver(Some(SrtpReceiver::new(keys())));
            for number in 1..=130 {
                let plain = packet(number, 1000);
                let (header, payload) = plain.split_at(12);
                let mut out = [0; 200];
                let plain = PlainRtp { header, prefix: &[], payload };
                let len = sender.protect_rtp(number, plain, &mut out).unwrap();
                // The last one that is looked at was tampered with: the first, and every 61st behind it.
                out[len - 1] ^= u8::from(number == 123);
                stream.take(&mut out[..len], 4000, &mut delays);
            }
            assert_eq!((stream.packets, stream.verified, stream.wrong), (130, 2, 1));
            assert_eq!(delays.percentile(1.0), Some(3000));
        }
    }
}
