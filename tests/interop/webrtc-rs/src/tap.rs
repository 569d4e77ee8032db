//! Sits between webrtc-rs and the wire: counts what passes, and loses packets on purpose.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use rtc::interceptor::{Interceptor, Packet, Slot, StreamInfo, TaggedPacket};
use rtc::rtcp;
use rtc::sansio::Protocol;
use rtc::shared::error::Error;
use rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtcp::receiver_report::ReceiverReport;
use rtcp::sender_report::SenderReport;
use rtcp::transport_feedbacks::transport_layer_cc::TransportLayerCc;
use rtcp::transport_feedbacks::transport_layer_nack::TransportLayerNack;

/// Nearest to the wire, before whatever answers or asks for repairs.
pub(crate) const SLOT: Slot = Slot::Custom(500);

/// Which packets are lost: of one payload type, each whose number is a multiple.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Loss {
    pub(crate) payload_type: u8,
    pub(crate) every: u16,
}

/// What has passed.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// RTP packets lost on purpose.
    pub(crate) lost: AtomicU64,
    /// RTP packets of the payload type for repairs, in either direction.
    pub(crate) repairs: AtomicU64,
    /// PLI and FIR that came in.
    pub(crate) key_frame_requests: AtomicU64,
    /// NACKs that came in.
    pub(crate) nacks: AtomicU64,
    /// Transport-wide feedback that came in.
    pub(crate) transport_feedback: AtomicU64,
    /// Who sender reports that came in were about.
    sender_reports: Mutex<HashSet<u32>>,
    /// Who receiver reports that came in were about.
    receiver_reports: Mutex<HashSet<u32>>,
}

impl Seen {
    /// Whether a sender report told of each of these streams.
    pub(crate) fn sender_reports_of(&self, ssrcs: &[u32]) -> bool {
        contains_all(&self.sender_reports, ssrcs)
    }

    /// Whether a receiver report told of each of these streams.
    pub(crate) fn receiver_reports_of(&self, ssrcs: &[u32]) -> bool {
        contains_all(&self.receiver_reports, ssrcs)
    }

    fn rtcp(&self, packet: &dyn rtcp::Packet) {
        let packet = packet.as_any();
        if let Some(report) = packet.downcast_ref::<SenderReport>() {
            insert(&self.sender_reports, report.ssrc);
        } else if let Some(report) = packet.downcast_ref::<ReceiverReport>() {
            for block in &report.reports {
                insert(&self.receiver_reports, block.ssrc);
            }
        } else if packet.is::<PictureLossIndication>() || packet.is::<FullIntraRequest>() {
            self.key_frame_requests.fetch_add(1, Ordering::Relaxed);
        } else if packet.is::<TransportLayerNack>() {
            self.nacks.fetch_add(1, Ordering::Relaxed);
        } else if packet.is::<TransportLayerCc>() {
            self.transport_feedback.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn insert(set: &Mutex<HashSet<u32>>, ssrc: u32) {
    set.lock().unwrap_or_else(PoisonError::into_inner).insert(ssrc);
}

fn contains_all(set: &Mutex<HashSet<u32>>, ssrcs: &[u32]) -> bool {
    let set = set.lock().unwrap_or_else(PoisonError::into_inner);
    ssrcs.iter().all(|ssrc| set.contains(ssrc))
}

/// The interceptor.
pub(crate) struct Tap {
    loss: Loss,
    repairs_payload_type: u8,
    seen: Arc<Seen>,
    inbound: VecDeque<TaggedPacket>,
    outbound: VecDeque<TaggedPacket>,
}

impl Tap {
    pub(crate) fn new(loss: Loss, repairs_payload_type: u8, seen: Arc<Seen>) -> Self {
        Self { loss, repairs_payload_type, seen, inbound: VecDeque::new(), outbound: VecDeque::new() }
    }

    /// Counts an RTP packet and says whether it gets through. Repairs have a payload type of their own and always do.
    fn passes(&self, packet: &Packet) -> bool {
        let Packet::Rtp(rtp) = packet else { return true };
        let header = &rtp.header;
        if header.payload_type == self.repairs_payload_type {
            self.seen.repairs.fetch_add(1, Ordering::Relaxed);
        }
        let lost = header.payload_type == self.loss.payload_type
            && header.sequence_number.is_multiple_of(self.loss.every);
        self.seen.lost.fetch_add(u64::from(lost), Ordering::Relaxed);
        !lost
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for Tap {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtcp(packets) = &packet.message.packet {
            for rtcp in packets {
                self.seen.rtcp(rtcp.as_ref());
            }
        }
        if self.passes(&packet.message.packet) {
            self.inbound.push_back(packet);
        }
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.inbound.pop_front()
    }

    fn handle_write(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        if self.passes(&packet.message.packet) {
            self.outbound.push_back(packet);
        }
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.outbound.pop_front()
    }
}

impl Interceptor for Tap {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}
