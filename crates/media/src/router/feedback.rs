//! RTCP that comes: reports about what was sent and received, packets and key frames that are asked for.

use mafalda_api::consumer::ConsumerTraceEventType;
use mafalda_api::producer::ProducerTraceEventType;

use crate::consumer::{Consumer, Place, Row};
use crate::producer::ProducerStream;
use crate::rtcp::{self, ExtendedReport, ReportBlock, RtcpPacket, SenderInfo, XrBlock};
use crate::stream::ReceivedReport;
use crate::trace::{self, KeyFrameRequest};
use crate::transport::Reference;
use crate::worker::Turn;
use crate::worker::drops::DropReason;
use crate::worker::resends::ResendJob;

use super::{Router, StreamKey, TransportKey};

impl Router {
    /// Takes in an SRTCP packet from a Transport's peer. It is decrypted in place.
    pub(crate) fn on_rtcp(
        &mut self,
        turn: &mut Turn,
        key: TransportKey,
        datagram: &mut [u8],
    ) -> Result<(), DropReason> {
        let transport = self.transports.get_mut(key).ok_or(DropReason::UnknownTuple)?;
        let len = transport.unprotect_rtcp(datagram)?;
        let compound = datagram.get(..len).ok_or(DropReason::MalformedRtcp)?;
        for packet in rtcp::packets(compound) {
            self.on_rtcp_packet(turn, key, packet.map_err(|_| DropReason::MalformedRtcp)?);
        }
        Ok(())
    }

    fn on_rtcp_packet(&mut self, turn: &mut Turn, key: TransportKey, packet: RtcpPacket<'_>) {
        match packet {
            RtcpPacket::SenderReport(report) => {
                self.on_sender_report(turn, key, report.info);
                report.blocks.iter().for_each(|block| self.on_report_block(turn, key, block));
            }
            RtcpPacket::ReceiverReport(report) => {
                report.blocks.iter().for_each(|block| self.on_report_block(turn, key, block));
            }
            RtcpPacket::Nack(nack) => self.on_nack(turn, key, nack.media_ssrc, nack.lost()),
            RtcpPacket::Pli(pli) => {
                self.on_key_frame_wanted(turn, key, pli.media_ssrc, KeyFrameRequest::Pli);
            }
            RtcpPacket::Fir(fir) => fir.entries().for_each(|entry| {
                self.on_key_frame_wanted(turn, key, entry.ssrc, KeyFrameRequest::Fir);
            }),
            RtcpPacket::Remb(remb) => {
                if let Some(transport) = self.transports.get_mut(key) {
                    transport.available_outgoing_bitrate = Some(remb.bitrate);
                }
            }
            RtcpPacket::ExtendedReport(report) => self.on_extended_report(turn, key, report),
            // Names are negotiated, sources leave by signalling, and nothing estimates bandwidth from arrivals yet.
            RtcpPacket::Sdes(_)
            | RtcpPacket::Bye(_)
            | RtcpPacket::TransportFeedback(_)
            | RtcpPacket::Unknown { .. } => {}
        }
    }

    fn on_sender_report(&mut self, turn: &mut Turn, key: TransportKey, info: SenderInfo) {
        let Some(source) = self.transports.get(key).and_then(|it| it.listener.by_ssrc(info.ssrc)) else {
            return;
        };
        let Some(producer) = self.producers.get(&source.producer) else { return };
        let Some(stream_key) = producer.streams.get(source.encoding).copied() else { return };
        let Some(stream) = self.streams.get_mut(stream_key) else { return };
        if source.rtx {
            if let Some(rtx) = &mut stream.rtx {
                rtx.on_sender_report(turn.now, info.ntp, info.rtp_timestamp);
            }
            return;
        }
        if stream.traced.contains(ProducerTraceEventType::SR) {
            let (now, producer) = (turn.now, stream.producer);
            turn.effects.trace(|| Some(trace::sender_report_in(now, producer, &info)));
        }
        let recv = stream.recv.as_mut();
        if recv.and_then(|recv| recv.on_sender_report(turn.now, info.ntp, info.rtp_timestamp)).is_some() {
            self.mark_producer_score(turn, stream_key);
        }
    }

    fn on_report_block(&mut self, turn: &mut Turn, key: TransportKey, block: ReportBlock) {
        let report = ReceivedReport {
            cumulative_lost: block.cumulative_lost,
            extended_highest: block.highest_sequence,
            jitter: block.jitter,
            last_sr: block.last_sr,
            delay_since_last_sr: block.delay_since_last_sr,
        };
        let Some((stream, index)) = self.target(key, block.ssrc) else { return };
        let Some(row) = self.row_mut(stream, index) else { return };
        row.missed = block.fraction_lost;
        let scored = row.send.on_report(turn.now, report).is_some();
        let measured = row.send.round_trip();
        if let Some(transport) = self.transports.get_mut(key).filter(|_| block.last_sr != 0) {
            transport.round_trip = measured.or(transport.round_trip);
        }
        if scored {
            self.mark_consumer_score(turn, stream, index);
        }
    }

    fn on_nack(&mut self, turn: &mut Turn, key: TransportKey, ssrc: u32, mut lost: rtcp::Lost<'_>) {
        let Some((stream, index)) = self.target(key, ssrc) else { return };
        let router = self.key;
        let Some(ProducerStream { rows, numbering, .. }) = self.streams.get_mut(stream) else { return };
        let Some(row) = rows.get_mut(index) else { return };
        row.send.feedback_mut().on_nack(lost.clone().count());
        if !row.is_active() {
            return;
        }
        let (numbering, consumer) = (*numbering, row.consumer);
        if row.traced.contains(ConsumerTraceEventType::Nack) {
            let now = turn.now;
            turn.effects.trace(|| Some(trace::nack_in(now, consumer)));
        }
        while !lost.is_over() {
            if !row.send.may_resend() || !turn.resends.may_look() {
                return turn.effects.drops.count_many(DropReason::TooManyResends, lost.count());
            }
            if let Some(resend) = lost.next().and_then(|sequence| row.send.on_nack(turn.now, sequence)) {
                turn.resends.push(ResendJob { router, stream, numbering, transport: key, consumer, resend });
            }
        }
    }

    fn on_key_frame_wanted(
        &mut self,
        turn: &mut Turn,
        key: TransportKey,
        ssrc: u32,
        request: KeyFrameRequest,
    ) {
        let Some((stream, index)) = self.target(key, ssrc) else { return };
        let Some(row) = self.row_mut(stream, index) else { return };
        match request {
            KeyFrameRequest::Pli => row.send.feedback_mut().on_pli(),
            KeyFrameRequest::Fir => row.send.feedback_mut().on_fir(),
        }
        if row.traced.contains(request.of_consumer()) {
            let (now, consumer) = (turn.now, row.consumer);
            turn.effects.trace(|| Some(trace::key_frame_request_in(now, consumer, request, ssrc)));
        }
        if row.is_active() {
            self.request_key_frame(turn, stream);
        }
    }

    fn on_extended_report(&mut self, turn: &mut Turn, key: TransportKey, report: ExtendedReport<'_>) {
        for block in report.blocks() {
            match block {
                XrBlock::ReceiverReferenceTime(ntp) => {
                    if let Some(transport) = self.transports.get_mut(key) {
                        let reference = Reference { ssrc: report.ssrc, ntp, at: turn.now.at };
                        transport.reference = Some(reference);
                    }
                }
                XrBlock::Dlrr(reports) => reports.iter().for_each(|it| self.on_echo(turn, key, it)),
                XrBlock::Unknown(_) => {}
            }
        }
    }

    /// The peer echoes our reference time: that is the round trip to all streams that it sends.
    fn on_echo(&mut self, turn: &mut Turn, key: TransportKey, echo: rtcp::DlrrReport) {
        let Some(transport) = self.transports.get_mut(key).filter(|it| it.feedback_ssrc == echo.ssrc) else {
            return;
        };
        for stream in &transport.streams {
            if let Some(recv) = self.streams.get_mut(*stream).and_then(|stream| stream.recv.as_mut()) {
                recv.on_reference_echo(turn.now, echo.last_rr, echo.delay);
                transport.round_trip = recv.round_trip().or(transport.round_trip);
            }
        }
    }

    /// The row of the Consumer that sends this SSRC as media.
    fn target(&self, key: TransportKey, ssrc: u32) -> Option<(StreamKey, usize)> {
        let transport = self.transports.get(key)?;
        let target = transport.targets.get(&ssrc).filter(|target| !target.rtx)?;
        transport.consumers.get(&target.consumer)?.places.as_slice().get(target.encoding)?.at()
    }

    pub(super) fn row_mut(&mut self, stream: StreamKey, index: usize) -> Option<&mut Row> {
        self.streams.get_mut(stream)?.rows.get_mut(index)
    }

    /// A row of a Consumer, wherever it is.
    pub(super) fn row_of<'a>(
        streams: &'a mut slotmap::SlotMap<StreamKey, ProducerStream>,
        consumer: &'a mut Consumer,
        encoding: usize,
    ) -> Option<&'a mut Row> {
        match consumer.places.as_mut_slice().get_mut(encoding)? {
            Place::At { stream, index } => streams.get_mut(*stream)?.rows.get_mut(*index),
            Place::Away(row) => Some(row),
        }
    }
}
