//! Packets that came before the first packet of their key frame.
//!
//! A Consumer begins with the first packet of a key frame. When that one is late (lost and repaired, or overtaken), the packets
//! behind it have come by already, and nobody will send them again: they are taken from the stream's ring.

use crate::Now;
use crate::buffer::{Run, SendBuffer, Sender};
use crate::producer::Arrival;
use crate::rtp::extension::{self, ExtensionKind};
use crate::stream::SentPacket;
use crate::worker::drops::Drops;

use super::egress::{MediaOutput, Outgoing, header, room_for, write};
use super::{Router, StreamKey};

/// Packets behind a late beginning that are made up for: a key frame's. One that is larger is better asked for anew.
const LATE_MAX: u64 = 256;

/// A packet that a Consumer has missed so.
#[derive(Clone, Copy, Debug)]
pub(super) struct LateJob {
    stream: StreamKey,
    row: usize,
    in_index: u64,
}

/// The packets behind this late arrival, but for those that are still coming in this turn: no index is used twice.
pub(super) fn behind(
    stream: StreamKey,
    row: usize,
    arrival: &Arrival,
    coming: &[Arrival],
) -> impl Iterator<Item = LateJob> {
    let first = arrival.index + 1;
    let passed = move |index: &u64| coming.iter().all(|arrival| arrival.index != *index);
    let indices = (first..first + arrival.behind.min(LATE_MAX)).filter(passed);
    indices.map(move |in_index| LateJob { stream, row, in_index })
}

impl Router {
    /// Once this turn's packets are in the ring.
    pub(super) fn poll_late(
        &mut self,
        now: Now,
        out: &mut SendBuffer,
        drops: &mut Drops,
    ) -> Option<MediaOutput> {
        while let Some(job) = self.late.front().copied() {
            if out.room() < room_for(super::egress::PAYLOAD_MAX) {
                return Some(MediaOutput::Full);
            }
            self.late.pop_front();
            if let Some(run) = self.send_late(now, job, out, drops) {
                return Some(MediaOutput::Run(run));
            }
        }
        None
    }

    fn send_late(&mut self, now: Now, job: LateJob, out: &mut SendBuffer, drops: &mut Drops) -> Option<Run> {
        let stream = self.streams.get_mut(job.stream)?;
        let row = stream.rows.get_mut(job.row)?;
        let transport = self.transports.get_mut(row.transport)?;
        let tuple = transport.ice.selected()?;
        let stored = stream.ring.get(now, job.in_index)?;
        let index = row.admit_late(job.in_index)?;
        let carried = stored.meta.extensions;
        let packet = Outgoing {
            header: header(row, stored.meta.marker, stored.meta.timestamp, carried.payload_type, index),
            carried,
            prefix: &[],
            payload: stored.payload,
            index,
            abs_send_time: extension::abs_send_time(now),
            transport_cc: transport.next_transport_cc,
        };
        let (start, len) = write(transport, row, &packet, out, drops)?;
        if row.mask.contains(ExtensionKind::TransportCc) {
            transport.next_transport_cc = transport.next_transport_cc.wrapping_add(1);
        }
        transport.traffic.rtp_sent.count(now, len);
        transport.traffic.sent.count(now, len);
        row.send.on_sent(
            now,
            SentPacket {
                in_index: job.in_index,
                out_index: index,
                timestamp: stored.meta.timestamp,
                len,
                payload_len: stored.payload.len(),
                transport_cc: packet.transport_cc,
                abs_send_time: packet.abs_send_time,
            },
        );
        Some(Run::new(tuple, Sender::Consumer(row.number), start, len))
    }
}
