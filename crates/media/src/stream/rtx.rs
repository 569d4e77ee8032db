//! RTX streams (RFC 4588): retransmissions under an SSRC and a numbering of their own.
//!
//! An RTX packet is the original one with another header and two bytes before its payload, the original sequence number. These
//! structs count the RTX stream itself; the packet inside goes to [`RecvStream`](super::RecvStream) as repaired.

use super::{recv::Reception, report::ReportBlock, sequence::RecvDrop};
use crate::Now;

/// The RTX stream that comes with a media stream.
#[derive(Clone, Debug)]
pub struct RtxRecvStream {
    ssrc: u32,
    reception: Reception,
    packets: u64,
    bytes: u64,
}

impl RtxRecvStream {
    /// A stream that takes the first packet as it comes; `clock_rate` is that of the media stream.
    #[must_use]
    pub fn new(ssrc: u32, clock_rate: u32) -> Self {
        Self { ssrc, reception: Reception::new(ssrc, clock_rate), packets: 0, bytes: 0 }
    }

    /// Its SSRC.
    #[must_use]
    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Judges and counts an RTX packet by its own numbers; `len` is that of the whole packet.
    ///
    /// # Errors
    /// Why to drop it.
    pub fn receive(&mut self, now: Now, sequence: u16, timestamp: u32, len: usize) -> Result<(), RecvDrop> {
        self.reception.receive(now, sequence, timestamp, false)?;
        self.packets += 1;
        self.bytes += len as u64;
        Ok(())
    }

    /// A sender report came for this stream.
    pub fn on_sender_report(&mut self, now: Now, ntp: u64, rtp_timestamp: u32) {
        self.reception.on_sender_report(now, ntp, rtp_timestamp);
    }

    /// The block for a receiver report; `None` before the first packet.
    pub fn report(&mut self, now: Now) -> Option<ReportBlock> {
        self.reception.report(now)
    }

    /// Packets accepted.
    #[must_use]
    pub fn packets(&self) -> u64 {
        self.packets
    }

    /// Their bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Packets dropped for numbers that fit nowhere or came before.
    #[must_use]
    pub fn discarded(&self) -> u64 {
        self.reception.discarded() + self.reception.duplicates()
    }
}

/// The RTX stream that goes out with a media stream.
#[derive(Clone, Debug)]
pub struct RtxSendStream {
    ssrc: u32,
    next: u64,
    packets: u64,
    bytes: u64,
    discarded: u64,
}

impl RtxSendStream {
    /// A stream that numbers its packets from `first_sequence` on, which should be random in
    /// [`SequenceMap::FIRST`](super::SequenceMap::FIRST).
    #[must_use]
    pub fn new(ssrc: u32, first_sequence: u16) -> Self {
        Self { ssrc, next: first_sequence.into(), packets: 0, bytes: 0, discarded: 0 }
    }

    /// Its SSRC.
    #[must_use]
    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Counts a packet of `len` bytes that is being sent, and gives its index. No index is given twice.
    pub fn take_index(&mut self, len: usize) -> u64 {
        let index = self.next;
        self.next += 1;
        self.packets += 1;
        self.bytes += len as u64;
        index
    }

    /// A packet that was to be sent again is not to be had any more.
    pub fn on_discarded(&mut self) {
        self.discarded += 1;
    }

    /// Packets that were to be sent again, and were not to be had any more.
    #[must_use]
    pub fn discarded(&self) -> u64 {
        self.discarded
    }

    /// Packets sent.
    #[must_use]
    pub fn packets(&self) -> u64 {
        self.packets
    }

    /// Their bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::virtual_time::at_ms;

    #[test]
    fn a_received_stream_is_reported_on_by_its_own_numbers() {
        let mut rtx = RtxRecvStream::new(9, 90_000);
        assert_eq!(rtx.report(at_ms(0)), None);
        rtx.receive(at_ms(0), 65_535, 0, 100).unwrap();
        rtx.receive(at_ms(0), 1, 0, 100).unwrap();
        assert_eq!(rtx.receive(at_ms(0), 1, 0, 100), Err(RecvDrop::Duplicate));
        rtx.on_sender_report(at_ms(0), 0x0001_0002_0003_0004, 0);
        let report = rtx.report(at_ms(1000)).unwrap();
        assert_eq!((report.ssrc, report.extended_highest), (9, 65_537));
        assert_eq!((report.last_sr, report.delay_since_last_sr), (0x0002_0003, 65_536));
        assert_eq!((rtx.packets(), rtx.bytes(), rtx.discarded(), rtx.ssrc()), (2, 200, 1, 9));
    }

    #[test]
    fn a_sent_stream_counts_up_through_the_wrap() {
        let mut rtx = RtxSendStream::new(9, 32_767);
        assert_eq!(rtx.take_index(100), 32_767);
        let last = (0..40_000).map(|_| rtx.take_index(100)).last();
        assert_eq!(last, Some(72_767));
        assert_eq!((rtx.packets(), rtx.bytes(), rtx.ssrc()), (40_001, 4_000_100, 9));
        rtx.on_discarded();
        assert_eq!(rtx.discarded(), 1);
    }
}
