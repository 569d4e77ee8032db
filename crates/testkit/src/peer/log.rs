//! What a peer has seen, for tests to look at.

use std::collections::HashMap;
use std::time::Duration;

use str0m::bwe::BweKind;
use str0m::media::KeyframeRequestKind;
use str0m::rtp::rtcp::Rtcp;
use str0m::rtp::{RawPacket, RtpPacket};
use str0m::{Event, IceConnectionState};

use crate::media::{Arrival, Inbox};

/// A kind of RTCP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of the RFCs")]
pub enum RtcpKind {
    SenderReport,
    ReceiverReport,
    ExtendedReport,
    SourceDescription,
    Goodbye,
    Nack,
    Pli,
    Fir,
    TransportFeedback,
    Remb,
    Other,
}

/// What happened to a peer. Times are since its beginning.
#[derive(Debug, Default)]
pub struct Log {
    connected_at: Option<Duration>,
    closed_at: Option<Duration>,
    ice: Vec<(Duration, IceConnectionState)>,
    key_frame_requests: Vec<(Duration, KeyframeRequestKind)>,
    rembs: Vec<(Duration, u64)>,
    received: Vec<(Duration, Rtcp)>,
    sent: Vec<(Duration, Rtcp)>,
    inboxes: HashMap<u32, Inbox>,
    unreadable: u64,
}

impl Log {
    /// When DTLS was up for the first time.
    #[must_use]
    pub fn connected_at(&self) -> Option<Duration> {
        self.connected_at
    }

    /// When the other side closed DTLS.
    #[must_use]
    pub fn closed_at(&self) -> Option<Duration> {
        self.closed_at
    }

    /// How ICE went.
    #[must_use]
    pub fn ice(&self) -> &[(Duration, IceConnectionState)] {
        &self.ice
    }

    /// Requests for key frames that came in.
    #[must_use]
    pub fn key_frame_requests(&self) -> &[(Duration, KeyframeRequestKind)] {
        &self.key_frame_requests
    }

    /// Limits in bits per second that came in as REMB.
    #[must_use]
    pub fn rembs(&self) -> &[(Duration, u64)] {
        &self.rembs
    }

    /// RTCP packets that came in.
    #[must_use]
    pub fn rtcp_received(&self) -> &[(Duration, Rtcp)] {
        &self.received
    }

    /// RTCP packets that went out.
    #[must_use]
    pub fn rtcp_sent(&self) -> &[(Duration, Rtcp)] {
        &self.sent
    }

    /// How many RTCP packets of a kind came in.
    #[must_use]
    pub fn count_received(&self, kind: RtcpKind) -> usize {
        self.received.iter().filter(|(_, packet)| RtcpKind::of(packet) == kind).count()
    }

    /// How many RTCP packets of a kind went out.
    #[must_use]
    pub fn count_sent(&self, kind: RtcpKind) -> usize {
        self.sent.iter().filter(|(_, packet)| RtcpKind::of(packet) == kind).count()
    }

    /// What arrived with an SSRC.
    #[must_use]
    pub fn inbox(&self, ssrc: u32) -> &Inbox {
        static EMPTY: std::sync::LazyLock<Inbox> = std::sync::LazyLock::new(Inbox::default);
        self.inboxes.get(&ssrc).unwrap_or(&EMPTY)
    }

    /// Datagrams that it could make nothing of.
    #[must_use]
    pub fn unreadable(&self) -> u64 {
        self.unreadable
    }

    pub(super) fn count_unreadable(&mut self) {
        self.unreadable += 1;
    }

    pub(super) fn observe(&mut self, at: Duration, event: &Event) {
        match event {
            Event::Connected => self.connected_at = self.connected_at.or(Some(at)),
            Event::Closed => self.closed_at = self.closed_at.or(Some(at)),
            Event::IceConnectionStateChange(state) => self.ice.push((at, *state)),
            Event::KeyframeRequest(request) => self.key_frame_requests.push((at, request.kind)),
            Event::EgressBitrateEstimate(BweKind::Remb { estimate, .. }) => {
                self.rembs.push((at, estimate.as_u64()));
            }
            Event::RtpPacket(packet) => self.take(at, packet),
            Event::RawPacket(packet) => match &**packet {
                RawPacket::RtcpRx(packet) => self.received.push((at, packet.clone())),
                RawPacket::RtcpTx(packet) => self.sent.push((at, packet.clone())),
                RawPacket::RtpRx(..) | RawPacket::RtpTx(..) => {}
            },
            _ => {}
        }
    }

    fn take(&mut self, at: Duration, packet: &RtpPacket) {
        let header = &packet.header;
        self.inboxes.entry(*header.ssrc).or_default().take(&packet.payload, |content| Arrival {
            at,
            sequence: *packet.seq_no,
            timestamp: header.timestamp,
            marker: header.marker,
            payload_type: *header.payload_type,
            content,
        });
    }
}

impl RtcpKind {
    /// The kind of a packet.
    #[must_use]
    pub fn of(packet: &Rtcp) -> Self {
        match packet {
            Rtcp::SenderReport(_) => Self::SenderReport,
            Rtcp::ReceiverReport(_) => Self::ReceiverReport,
            Rtcp::ExtendedReport(_) => Self::ExtendedReport,
            Rtcp::SourceDescription(_) => Self::SourceDescription,
            Rtcp::Goodbye(_) => Self::Goodbye,
            Rtcp::Nack(_) => Self::Nack,
            Rtcp::Pli(_) => Self::Pli,
            Rtcp::Fir(_) => Self::Fir,
            Rtcp::Twcc(_) => Self::TransportFeedback,
            Rtcp::Remb(_) => Self::Remb,
            Rtcp::AppSpecificFeedback(_) => Self::Other,
        }
    }
}
