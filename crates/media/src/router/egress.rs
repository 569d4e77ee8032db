//! From the streams to the send buffer: for each stream that has packets, for each row, for each packet.
//!
//! So each Consumer's packets of a turn lie together and leave as few runs. The work can stop anywhere, when the buffer is full,
//! and go on after a flush.

use crate::Now;
use crate::buffer::{Batch, Run, SendBuffer, Sender};
use crate::consumer::Row;
use crate::producer::Carried;
use crate::rtp::extension::{self, ExtensionKind, OutgoingExtensions};
use crate::rtp::{HEADER_LEN_MAX, OutgoingHeader, write_header};
use crate::srtp::PlainRtp;
use crate::stream::{Resend, SentPacket};
use crate::transport::Transport;
use crate::worker::drops::{DropReason, Drops};

use super::{ResendJob, Router, late};

/// Where forwarding stands.
#[derive(Debug, Default)]
pub(crate) struct Cursor {
    row: usize,
    arrival: usize,
    run: Option<Run>,
}

/// What forwarding has for the driver.
#[derive(Debug)]
pub(crate) enum MediaOutput {
    /// Packets to send.
    Run(Run),
    /// No room for the next packet.
    Full,
}

/// Media of one packet, and where to put it.
pub(super) struct Outgoing<'a> {
    pub(super) header: OutgoingHeader,
    pub(super) carried: Carried,
    /// Own bytes in front of the shared payload.
    pub(super) prefix: &'a [u8],
    pub(super) payload: &'a [u8],
    pub(super) index: u64,
    pub(super) abs_send_time: u32,
    pub(super) transport_cc: u16,
}

impl Router {
    /// The next run of what is to be forwarded or sent again; `None` when all is done.
    pub(crate) fn poll_media(
        &mut self,
        now: Now,
        batch: &Batch,
        out: &mut SendBuffer,
        drops: &mut Drops,
    ) -> Option<MediaOutput> {
        if let Some(output) = self.poll_resends(now, out, drops) {
            return Some(output);
        }
        while let Some(key) = self.dirty.last().copied() {
            if let Some(output) = self.poll_stream(now, key, batch, out, drops) {
                return Some(output);
            }
            self.dirty.pop();
            self.cursor = Cursor::default();
            if let Some(stream) = self.streams.get_mut(key) {
                stream.keep(now, batch);
            }
        }
        self.poll_late(now, out, drops)
    }

    fn poll_stream(
        &mut self,
        now: Now,
        key: super::StreamKey,
        batch: &Batch,
        out: &mut SendBuffer,
        drops: &mut Drops,
    ) -> Option<MediaOutput> {
        let stream = self.streams.get_mut(key)?;
        let cursor = &mut self.cursor;
        while let Some(row) = stream.rows.get_mut(cursor.row) {
            let transport = self.transports.get_mut(row.transport).filter(|_| row.is_active());
            if let Some((transport, tuple)) =
                transport.and_then(|it| it.ice.selected().map(|tuple| (it, tuple)))
            {
                while let Some(arrival) = stream.arrivals.get(cursor.arrival) {
                    let payload = batch.bytes(arrival.range());
                    if out.room() < room_for(payload.len()) {
                        return Some(cursor.run.take().map_or(MediaOutput::Full, MediaOutput::Run));
                    }
                    cursor.arrival += 1;
                    let waited = row.is_waiting();
                    let Some(index) = row.admit(arrival) else { continue };
                    if waited {
                        let coming = stream.arrivals.get(cursor.arrival..).unwrap_or_default();
                        self.late.extend(late::behind(key, cursor.row, arrival, coming));
                    }
                    let abs_send_time = extension::abs_send_time(now);
                    let packet = Outgoing {
                        header: header(
                            row,
                            arrival.marker,
                            arrival.timestamp,
                            arrival.carried.payload_type,
                            index,
                        ),
                        carried: arrival.carried,
                        prefix: &[],
                        payload,
                        index,
                        abs_send_time,
                        transport_cc: transport.next_transport_cc,
                    };
                    let Some((start, len)) = write(transport, row, &packet, out, drops) else { continue };
                    if row.mask.contains(ExtensionKind::TransportCc) {
                        transport.next_transport_cc = transport.next_transport_cc.wrapping_add(1);
                    }
                    transport.traffic.rtp_sent.count(now, len);
                    transport.traffic.sent.count(now, len);
                    row.send.on_sent(
                        now,
                        SentPacket {
                            in_index: arrival.index,
                            out_index: index,
                            timestamp: arrival.timestamp,
                            len,
                            payload_len: payload.len(),
                            transport_cc: packet.transport_cc,
                            abs_send_time,
                        },
                    );
                    let sender = Sender::Consumer(row.number);
                    let extended =
                        cursor.run.as_mut().is_some_and(|run| run.extend(tuple, sender, start, len));
                    if !extended && let Some(run) = cursor.run.replace(Run::new(tuple, sender, start, len)) {
                        return Some(MediaOutput::Run(run));
                    }
                }
            }
            cursor.row += 1;
            cursor.arrival = 0;
            if let Some(run) = cursor.run.take() {
                return Some(MediaOutput::Run(run));
            }
        }
        None
    }

    fn poll_resends(&mut self, now: Now, out: &mut SendBuffer, drops: &mut Drops) -> Option<MediaOutput> {
        while let Some(job) = self.resends.front().copied() {
            if out.room() < room_for(crate::rtp::PACKET_LEN_MAX.min(PAYLOAD_MAX)) {
                return Some(MediaOutput::Full);
            }
            self.resends.pop_front();
            if let Some(run) = self.resend(now, job, out, drops) {
                return Some(MediaOutput::Run(run));
            }
        }
        None
    }

    /// Sends a packet again: wrapped (RFC 4588) where that was negotiated, else the same bytes under the same number.
    fn resend(&mut self, now: Now, job: ResendJob, out: &mut SendBuffer, drops: &mut Drops) -> Option<Run> {
        let stream = self.streams.get_mut(job.stream)?;
        let row = stream.rows.get_mut(job.row)?;
        let transport = self.transports.get_mut(row.transport)?;
        let tuple = transport.ice.selected()?;
        let Resend { in_index, out_index, transport_cc, abs_send_time, .. } = job.resend;
        let stored = stream.ring.get(now, in_index)?;
        let carried = stored.meta.extensions;
        let original =
            header(row, stored.meta.marker, stored.meta.timestamp, carried.payload_type, out_index);
        let rtx_payload_type = row.rtx_payload_type(carried.payload_type);
        let sequence = (out_index as u16).to_be_bytes();
        let packet = match (&mut row.rtx, rtx_payload_type) {
            (Some(rtx), Some(payload_type)) => {
                let index = rtx.take_index(stored.payload.len() + crate::rtp::FIXED_HEADER_LEN);
                Outgoing {
                    header: OutgoingHeader {
                        payload_type,
                        ssrc: rtx.ssrc(),
                        sequence: index as u16,
                        ..original
                    },
                    carried,
                    prefix: &sequence,
                    payload: stored.payload,
                    index,
                    abs_send_time: extension::abs_send_time(now),
                    transport_cc: transport.next_transport_cc,
                }
            }
            _ => Outgoing {
                header: original,
                carried,
                prefix: &[],
                payload: stored.payload,
                index: out_index,
                abs_send_time,
                transport_cc,
            },
        };
        let (start, len) = write(transport, row, &packet, out, drops)?;
        let wrapped = !packet.prefix.is_empty();
        if wrapped && row.mask.contains(ExtensionKind::TransportCc) {
            transport.next_transport_cc = transport.next_transport_cc.wrapping_add(1);
        }
        if !wrapped {
            row.send.on_resent(now, len, packet.payload.len());
        }
        transport.traffic.rtx_sent.count(now, len);
        transport.traffic.sent.count(now, len);
        Some(Run::new(tuple, Sender::Consumer(row.number), start, len))
    }
}

/// Largest payload that is ever forwarded: what the largest datagram that comes in can hold.
pub(super) const PAYLOAD_MAX: usize = 2048;

/// Bytes that a packet with such a payload takes at the most: header, what goes before the payload, and SRTP's tag.
pub(super) fn room_for(payload: usize) -> usize {
    HEADER_LEN_MAX + crate::rtp::rtx::OSN_LEN + payload + crate::srtp::OVERHEAD_MAX
}

pub(super) fn header(
    row: &Row,
    marker: bool,
    timestamp: u32,
    payload_type: u8,
    index: u64,
) -> OutgoingHeader {
    let ssrc = row.send.params().ssrc;
    OutgoingHeader { marker, payload_type, sequence: index as u16, timestamp, ssrc, padded: false }
}

/// Writes one packet, protected; where it lies in the buffer and how long it is.
pub(super) fn write(
    transport: &Transport,
    row: &Row,
    packet: &Outgoing<'_>,
    out: &mut SendBuffer,
    drops: &mut Drops,
) -> Option<(usize, usize)> {
    let srtp = transport.srtp.as_ref()?;
    let mut head = [0; HEADER_LEN_MAX];
    let extensions = OutgoingExtensions {
        mid: row.mid.as_ref(),
        abs_send_time: Some(packet.abs_send_time),
        transport_cc: Some(packet.transport_cc),
        audio_level: packet.carried.audio_level,
        video_orientation: packet.carried.video_orientation,
        abs_capture_time: packet.carried.abs_capture_time,
        playout_delay: packet.carried.playout_delay,
        ..OutgoingExtensions::default()
    };
    let written = write_header(&mut head, &packet.header, &extensions, row.mask).ok();
    let plain =
        written.map(|len| PlainRtp { header: &head[..len], prefix: packet.prefix, payload: packet.payload });
    let len = plain.and_then(|plain| srtp.sender.protect_rtp(packet.index, plain, out.spare()).ok());
    if len.is_none() {
        drops.count(DropReason::TooLarge);
    }
    let len = len?;
    Some((out.commit(len), len))
}
