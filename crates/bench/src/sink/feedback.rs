//! What a browser answers to packets with transport-wide numbers: ten times a second, when each of them arrived
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3).

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};

use anyhow::{Context as _, Result};
use mafalda_media::rtcp::{Arrival, CompoundWriter, FeedbackInfo};
use mafalda_media::rtp::RtpHeader;
use mafalda_media::srtp::SrtpSender;

/// How often it is sent, in nanoseconds: what browsers begin with.
pub(super) const INTERVAL_NANOS: u64 = 100_000_000;

/// Numbers that are kept until they are sent. A subject that sends more than a gigabit per second to one subscriber gets no word of the
/// rest, as of lost packets.
const ARRIVALS_MAX: usize = 1 << 13;

/// The longest compound, and what SRTCP adds to one (RFC 3711 §3.4, RFC 7714 §13.2).
const COMPOUND_LEN_MAX: usize = 1200;
const SRTCP_LEN_MAX: usize = COMPOUND_LEN_MAX + 4 + 16;

/// Who answers; nobody looks at it.
const SENDER_SSRC: u32 = 1;

/// One subscriber's answers.
#[derive(Debug)]
pub(super) struct Feedback {
    to: SocketAddr,
    sender: SrtpSender,
    arrivals: Vec<Arrival>,
    /// The number behind the last one that was answered.
    next: Option<u16>,
    media_ssrc: u32,
    count: u8,
}

impl Feedback {
    pub(super) fn new(to: SocketAddr, sender: SrtpSender) -> Self {
        Self { to, sender, arrivals: Vec::new(), next: None, media_ssrc: 0, count: 0 }
    }

    /// Notes a packet. The number is in the one extension element that subscribers ask for.
    pub(super) fn take(&mut self, packet: &[u8], nanos: u64) {
        let Ok(header) = RtpHeader::parse_encrypted(packet) else { return };
        let number = header.elements(packet).find_map(|(_, value)| <[u8; 2]>::try_from(value).ok());
        let Some(number) = number.filter(|_| self.arrivals.len() < ARRIVALS_MAX) else { return };
        self.media_ssrc = header.ssrc;
        self.arrivals.push(Arrival { sequence: u16::from_be_bytes(number), at_us: nanos / 1000 });
    }

    /// Sends what was noted since the last time.
    pub(super) fn send(&mut self, socket: &UdpSocket) -> Result<()> {
        let mut protected = [0; SRTCP_LEN_MAX];
        while let Some(len) = self.write(&mut protected)? {
            match socket.send_to(&protected[..len], self.to) {
                Ok(_) => {}
                // It is lost then, as on any way.
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error).with_context(|| format!("no feedback to {}", self.to)),
            }
        }
        Ok(())
    }

    /// The next packet; `None` when there is nothing left to tell.
    fn write(&mut self, out: &mut [u8]) -> Result<Option<usize>> {
        let Some(first) = self.arrivals.first() else { return Ok(None) };
        let base_sequence = self.next.unwrap_or(first.sequence);
        // What comes after its number was told of as lost is not told of again.
        let ahead = |arrival: &Arrival| arrival.sequence.wrapping_sub(base_sequence);
        self.arrivals.retain(|arrival| ahead(arrival) < 1 << 15);
        self.arrivals.sort_by_key(ahead);
        self.arrivals.dedup_by_key(|arrival| arrival.sequence);
        let info = FeedbackInfo {
            sender_ssrc: SENDER_SSRC,
            media_ssrc: self.media_ssrc,
            base_sequence,
            feedback_count: self.count,
        };
        let mut compound = [0; COMPOUND_LEN_MAX];
        let mut writer = CompoundWriter::new(&mut compound);
        let taken = writer.transport_feedback(&info, &self.arrivals)?;
        let len = writer.len();
        let Some(last) = self.arrivals.drain(..taken).next_back() else { return Ok(None) };
        self.next = Some(last.sequence.wrapping_add(1));
        self.count = self.count.wrapping_add(1);
        Ok(Some(self.sender.protect_rtcp(&compound[..len], out)?))
    }
}

#[cfg(test)]
mod tests {
    use mafalda_media::rtcp::{RtcpPacket, packets};
    use mafalda_media::srtp::SrtpReceiver;

    use super::*;
    use crate::suite::Suite;

    fn packet(number: u16) -> Vec<u8> {
        let mut packet = vec![0x90, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9, 0xbe, 0xde, 0, 1, 0x51];
        packet.extend(number.to_be_bytes());
        packet.extend([0; 21]);
        packet
    }

    /// The numbers that are told of, with whether they arrived, in all packets.
    fn told(feedback: &mut Feedback, receiver: &mut SrtpReceiver) -> Vec<(u16, bool)> {
        let (mut all, mut out) = (Vec::new(), [0; SRTCP_LEN_MAX]);
        while let Some(len) = feedback.write(&mut out).unwrap() {
            let len = receiver.unprotect_rtcp(&mut out[..len]).unwrap();
            let Some(Ok(RtcpPacket::TransportFeedback(packet))) = packets(&out[..len]).next() else {
                panic!("no feedback")
            };
            assert_eq!(packet.media_ssrc, 9);
            all.extend(packet.statuses().map(|(number, delta)| (number, delta.is_some())));
        }
        all
    }

    #[test]
    fn everything_is_told_of_once_in_order() {
        let keys = || Suite::Gcm.keys(&Suite::Gcm.key_base64(1).unwrap()).unwrap().unwrap();
        let mut feedback = Feedback::new(([127, 0, 0, 1], 9).into(), SrtpSender::new(keys()));
        let mut receiver = SrtpReceiver::new(keys());
        assert!(told(&mut feedback, &mut receiver).is_empty());
        for number in [65_534, 0, 65_535] {
            feedback.take(&packet(number), 1_000_000);
        }
        let expected = [(65_534, true), (65_535, true), (0, true)];
        assert_eq!(told(&mut feedback, &mut receiver), expected);
        // One before those, twice the same, and one lost.
        for number in [65_000, 3, 3, 1] {
            feedback.take(&packet(number), 2_000_000);
        }
        assert_eq!(told(&mut feedback, &mut receiver), [(1, true), (2, false), (3, true)]);
        feedback.take(&[0x80, 96], 3_000_000);
        assert!(told(&mut feedback, &mut receiver).is_empty());
    }

    #[test]
    fn there_is_a_bound_to_what_is_kept() {
        let keys = Suite::Gcm.keys(&Suite::Gcm.key_base64(1).unwrap()).unwrap().unwrap();
        let mut feedback = Feedback::new(([127, 0, 0, 1], 9).into(), SrtpSender::new(keys));
        (0..10_000).for_each(|number| feedback.take(&packet(number), 0));
        assert_eq!(feedback.arrivals.len(), ARRIVALS_MAX);
    }
}
