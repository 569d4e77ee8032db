//! The walk over the packets of a datagram, and the common header that they share (RFC 3550 §6.4.1).

use super::{
    Bye, ExtendedReport, Fir, Nack, Pli, ReceiverReport, Remb, Sdes, SenderReport, TransportFeedback,
};

/// Packet types (the header's second byte) and, of feedback, formats.
pub mod packet_type {
    /// Sender report (RFC 3550 §6.4.1).
    pub const SENDER_REPORT: u8 = 200;
    /// Receiver report (RFC 3550 §6.4.2).
    pub const RECEIVER_REPORT: u8 = 201;
    /// Source description (RFC 3550 §6.5).
    pub const SDES: u8 = 202;
    /// Goodbye (RFC 3550 §6.6).
    pub const BYE: u8 = 203;
    /// Transport layer feedback (RFC 4585 §6.2).
    pub const TRANSPORT_FEEDBACK: u8 = 205;
    /// Payload-specific feedback (RFC 4585 §6.3).
    pub const PAYLOAD_FEEDBACK: u8 = 206;
    /// Extended report (RFC 3611 §2).
    pub const EXTENDED_REPORT: u8 = 207;

    pub(in crate::rtcp) const FORMAT_NACK: u8 = 1;
    pub(in crate::rtcp) const FORMAT_TRANSPORT_CC: u8 = 15;
    pub(in crate::rtcp) const FORMAT_PLI: u8 = 1;
    pub(in crate::rtcp) const FORMAT_FIR: u8 = 4;
    pub(in crate::rtcp) const FORMAT_APPLICATION: u8 = 15;
}

/// One packet of a datagram. The views borrow from it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RtcpPacket<'a> {
    /// What a sender sent, with its clock.
    SenderReport(SenderReport<'a>),
    /// What a receiver received.
    ReceiverReport(ReceiverReport<'a>),
    /// Names of sources.
    Sdes(Sdes<'a>),
    /// Sources that leave.
    Bye(Bye<'a>),
    /// Packets that are missing.
    Nack(Nack<'a>),
    /// A decoder needs a key frame.
    Pli(Pli),
    /// Somebody needs a key frame.
    Fir(Fir<'a>),
    /// When the packets of a Transport arrived.
    TransportFeedback(TransportFeedback<'a>),
    /// How much a receiver can take.
    Remb(Remb<'a>),
    /// Round-trip time for those who don't send.
    ExtendedReport(ExtendedReport<'a>),
    /// A well-formed packet of another type.
    Unknown {
        /// Packet type, the second byte.
        packet_type: u8,
        /// Count or format, the low five bits of the first byte.
        fmt: u8,
    },
}

/// Why a datagram, or the rest of it, is no RTCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RtcpError {
    /// The datagram ends within a packet.
    #[error("datagram ends within an RTCP packet")]
    Truncated,
    /// The version isn't 2.
    #[error("RTCP version is not 2")]
    Version,
    /// The P bit is set, but the count of padding is 0 or more than there is.
    #[error("count of RTCP padding is wrong")]
    Padding,
    /// The packet is too short for what its type, or a count in it, promises.
    #[error("RTCP packet of type {packet_type} is malformed")]
    Malformed {
        /// Its packet type.
        packet_type: u8,
    },
}

/// The packets of a datagram, in order. After an error there is nothing more: where the next packet would begin is unknown.
///
/// What a packet's view gives out afterwards has been checked; its iterators never reach outside of the packet.
#[must_use]
pub const fn packets(data: &[u8]) -> Packets<'_> {
    Packets { rest: data }
}

/// Iterator over the packets of a datagram: see [`packets`].
#[derive(Clone, Debug)]
pub struct Packets<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Packets<'a> {
    type Item = Result<RtcpPacket<'a>, RtcpError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let packet = split_packet(self.rest).and_then(|(raw, rest)| {
            self.rest = rest;
            raw.parse()
        });
        if packet.is_err() {
            self.rest = &[];
        }
        Some(packet)
    }
}

/// A packet without its common header and padding.
#[derive(Clone, Copy, Debug)]
struct RawPacket<'a> {
    packet_type: u8,
    fmt: u8,
    body: &'a [u8],
}

/// Cuts the first packet from `data`.
fn split_packet(data: &[u8]) -> Result<(RawPacket<'_>, &[u8]), RtcpError> {
    let ([first, packet_type, w0, w1], rest) = data.split_first_chunk::<4>().ok_or(RtcpError::Truncated)?;
    if first >> 6 != 2 {
        return Err(RtcpError::Version);
    }
    // RFC 3550 §6.4.1: the length is in words, without the header's own.
    let len = usize::from(u16::from_be_bytes([*w0, *w1])) * 4;
    let (body, rest) = rest.split_at_checked(len).ok_or(RtcpError::Truncated)?;
    let body = if first & 0x20 != 0 { without_padding(body)? } else { body };
    Ok((RawPacket { packet_type: *packet_type, fmt: first & 0x1f, body }, rest))
}

/// Takes the padding off a body whose last byte counts it.
///
/// RFC 3550 §6.4.1 wants whole words of it, on the last packet only. Transport feedback in the wild is padded by 1 to 3 bytes
/// and anywhere, so neither is asked for.
fn without_padding(body: &[u8]) -> Result<&[u8], RtcpError> {
    let count = usize::from(body.last().copied().unwrap_or(0));
    match body.len().checked_sub(count) {
        Some(len) if count != 0 => body.get(..len).ok_or(RtcpError::Padding),
        _ => Err(RtcpError::Padding),
    }
}

impl<'a> RawPacket<'a> {
    fn parse(self) -> Result<RtcpPacket<'a>, RtcpError> {
        let malformed = RtcpError::Malformed { packet_type: self.packet_type };
        self.parse_body().ok_or(malformed)
    }

    fn parse_body(self) -> Option<RtcpPacket<'a>> {
        let Self { packet_type, fmt, body } = self;
        Some(match (packet_type, fmt) {
            (packet_type::SENDER_REPORT, _) => RtcpPacket::SenderReport(SenderReport::parse(body, fmt)?),
            (packet_type::RECEIVER_REPORT, _) => {
                RtcpPacket::ReceiverReport(ReceiverReport::parse(body, fmt)?)
            }
            (packet_type::SDES, _) => RtcpPacket::Sdes(Sdes::parse(body, fmt)?),
            (packet_type::BYE, _) => RtcpPacket::Bye(Bye::parse(body, fmt)?),
            (packet_type::TRANSPORT_FEEDBACK, packet_type::FORMAT_NACK) => {
                RtcpPacket::Nack(Nack::parse(body)?)
            }
            (packet_type::TRANSPORT_FEEDBACK, packet_type::FORMAT_TRANSPORT_CC) => {
                RtcpPacket::TransportFeedback(TransportFeedback::parse(body)?)
            }
            (packet_type::PAYLOAD_FEEDBACK, packet_type::FORMAT_PLI) => RtcpPacket::Pli(Pli::parse(body)?),
            (packet_type::PAYLOAD_FEEDBACK, packet_type::FORMAT_FIR) => RtcpPacket::Fir(Fir::parse(body)?),
            (packet_type::PAYLOAD_FEEDBACK, packet_type::FORMAT_APPLICATION) if Remb::is_remb(body) => {
                RtcpPacket::Remb(Remb::parse(body)?)
            }
            (packet_type::EXTENDED_REPORT, _) => RtcpPacket::ExtendedReport(ExtendedReport::parse(body)?),
            _ => RtcpPacket::Unknown { packet_type, fmt },
        })
    }
}

/// The sender's and the media source's SSRC that all feedback begins with (RFC 4585 §6.1), and what follows.
pub(super) fn split_feedback(body: &[u8]) -> Option<(u32, u32, &[u8])> {
    let (sender, rest) = body.split_first_chunk()?;
    let (media, rest) = rest.split_first_chunk()?;
    Some((u32::from_be_bytes(*sender), u32::from_be_bytes(*media), rest))
}
