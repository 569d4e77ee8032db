//! RTCP packets (RFC 3550 §6 and its many extensions) as views into a buffer, and a writer of compound packets.
//!
//! [`packets`] walks a datagram, compound or of reduced size (RFC 5506): what WebRTC uses has a view, everything else is
//! [`RtcpPacket::Unknown`]. [`CompoundWriter`] has a method per packet type; it is bounded, and where it takes a list it says
//! how much of it went in. Each packet type has a file with both directions.
//!
//! Not here: when something is sent, what it means to a stream, encryption.

mod bye;
mod extended_report;
mod fir;
mod nack;
mod packet;
mod pli;
mod receiver_report;
mod remb;
mod report_block;
mod sdes;
mod sender_report;
mod transport_feedback;
mod writer;

pub use bye::Bye;
pub use extended_report::{DlrrReport, DlrrReports, ExtendedReport, XrBlock};
pub use fir::{Fir, FirEntry};
pub use nack::{Lost, Nack};
pub use packet::{Packets, RtcpError, RtcpPacket, packet_type, packets};
pub use pli::Pli;
pub use receiver_report::ReceiverReport;
pub use remb::Remb;
pub use report_block::{ReportBlock, ReportBlocks};
pub use sdes::{CNAME_LEN_MAX, Sdes, SdesChunk};
pub use sender_report::{SenderInfo, SenderReport};
pub use transport_feedback::{Arrival, FeedbackInfo, Statuses, TransportFeedback};
pub use writer::{COMPOUND_LEN_MAX, CompoundWriter, Full};

#[cfg(test)]
mod tests;
