//! A media packet's way in: decrypted in place, found by its SSRC or names, judged by its stream.

use crate::buffer::{Batch, Datagram};
use crate::producer::{Inbound, StreamNews};
use crate::rtp::extension::Extensions;
use crate::rtp::{RtpError, RtpHeader};
use crate::srtp::SrtpError;
use crate::transport::{Names, Source, Transport};
use crate::worker::Turn;
use crate::worker::drops::DropReason;

use super::{Router, StreamKey, TransportKey};

impl Router {
    /// Takes in an SRTP packet from a Transport's peer.
    pub(crate) fn on_rtp(
        &mut self,
        turn: &mut Turn<'_>,
        key: TransportKey,
        batch: &mut Batch,
        datagram: Datagram,
    ) -> Result<(), DropReason> {
        let range = datagram.range();
        let start = range.start;
        let transport = self.transports.get_mut(key).ok_or(DropReason::UnknownTuple)?;
        let (header, len) = unprotect(transport, batch.bytes_mut(range))?;
        let packet = batch.bytes(start..start + len);
        let extensions = Extensions::parse(packet, &header, &transport.extension_ids);
        if let (Some(arrivals), Some(sequence)) = (&mut transport.arrivals, extensions.transport_cc) {
            let idle = arrivals.timeout().is_none();
            arrivals.on_packet(turn.now, sequence);
            if idle {
                self.set_transport_alarm(turn, key);
            }
        }
        let (stream, rtx) = self.find_stream(turn, key, &header, &extensions, packet)?;
        let inbound = Inbound { packet, start, header, extensions: &extensions };
        self.hand_to_stream(turn, stream, rtx, inbound)
    }

    fn hand_to_stream(
        &mut self,
        turn: &mut Turn<'_>,
        key: StreamKey,
        rtx: bool,
        inbound: Inbound<'_>,
    ) -> Result<(), DropReason> {
        let stream = self.streams.get_mut(key).ok_or(DropReason::UnknownSource)?;
        if let Some(transport) = self.transports.get_mut(stream.transport) {
            let traffic = &mut transport.traffic;
            let flow = if rtx { &mut traffic.rtx_received } else { &mut traffic.rtp_received };
            flow.count(turn.now, inbound.packet.len());
        }
        let clean = stream.arrivals.is_empty();
        let news =
            if rtx { stream.receive_rtx(turn.now, inbound)? } else { stream.receive(turn.now, inbound)? };
        if clean && !stream.arrivals.is_empty() {
            self.dirty.push(key);
        }
        self.on_stream_news(turn, key, news);
        self.set_stream_alarm(turn, key);
        Ok(())
    }

    fn on_stream_news(&mut self, turn: &mut Turn<'_>, key: StreamKey, news: StreamNews) {
        if news.key_frame_needed {
            self.request_key_frame(turn, key);
        }
        if news.scored {
            self.tell_producer_score(turn, key);
        }
    }

    /// The stream of a packet, and whether the packet is a retransmission.
    fn find_stream(
        &mut self,
        turn: &mut Turn<'_>,
        key: TransportKey,
        header: &RtpHeader,
        extensions: &Extensions,
        packet: &[u8],
    ) -> Result<(StreamKey, bool), DropReason> {
        let transport = self.transports.get_mut(key).ok_or(DropReason::UnknownTuple)?;
        let source = match transport.listener.by_ssrc(header.ssrc) {
            Some(source) => source,
            None => self.latch(turn, key, header, extensions, packet)?,
        };
        let producer = self.producers.get(&source.producer).ok_or(DropReason::UnknownSource)?;
        let stream = producer.streams.get(source.encoding).ok_or(DropReason::UnknownSource)?;
        Ok((*stream, source.rtx))
    }

    /// Finds a Producer by the names in a packet and remembers its SSRC: the names will not come for long.
    fn latch(
        &mut self,
        turn: &mut Turn<'_>,
        key: TransportKey,
        header: &RtpHeader,
        extensions: &Extensions,
        packet: &[u8],
    ) -> Result<Source, DropReason> {
        let text = |label: Option<crate::rtp::extension::LabelRange>| {
            label.and_then(|label| std::str::from_utf8(label.bytes(packet)).ok())
        };
        let names = Names {
            mid: text(extensions.mid),
            rid: text(extensions.rid),
            repaired_rid: text(extensions.repaired_rid),
        };
        let transport = self.transports.get_mut(key).ok_or(DropReason::UnknownTuple)?;
        let producer = transport.listener.by_names(names).ok_or(DropReason::UnknownSource)?;
        let streams = &self.producers.get(&producer).ok_or(DropReason::UnknownSource)?.streams;
        let stream_key = *streams.first().ok_or(DropReason::UnknownSource)?;
        let stream = self.streams.get_mut(stream_key).ok_or(DropReason::UnknownSource)?;
        let rtx = stream.formats.of_rtx(header.payload_type).is_some();
        if !rtx && stream.formats.media(header.payload_type).is_none() {
            return Err(DropReason::UnknownSource);
        }
        let earlier = if rtx { stream.rtx.as_ref().map(|rtx| rtx.ssrc()) } else { stream.ssrc() };
        if rtx {
            stream.bind_rtx(header.ssrc);
        } else {
            stream.bind(header.ssrc);
        }
        let source = Source { producer, encoding: 0, rtx };
        transport.listener.latch(header.ssrc, source, earlier);
        if !rtx {
            self.on_stream_bound(turn, stream_key);
        }
        Ok(source)
    }

    /// A stream has its SSRC: who waits for it needs a key frame.
    fn on_stream_bound(&mut self, turn: &mut Turn<'_>, key: StreamKey) {
        if self.streams.get(key).is_some_and(|stream| stream.rows.iter().any(|row| row.is_waiting())) {
            self.request_key_frame(turn, key);
        }
    }
}

/// Decrypts in place. The header, with the padding that was hidden, and the length of the packet.
fn unprotect(transport: &mut Transport, packet: &mut [u8]) -> Result<(RtpHeader, usize), DropReason> {
    let header = RtpHeader::parse_encrypted(packet).map_err(|_: RtpError| DropReason::MalformedRtp)?;
    let srtp = transport.srtp.as_mut().ok_or(DropReason::NoKeys)?;
    let unprotected =
        srtp.receiver.unprotect_rtp(packet, header.payload_offset.into()).map_err(srtp_reason)?;
    let plain = packet.get(..unprotected.len).ok_or(DropReason::MalformedRtp)?;
    let header = header.finish(plain).map_err(|_| DropReason::MalformedRtp)?;
    Ok((header, unprotected.len))
}

/// The same refusal in the Worker's counters.
pub(super) fn srtp_reason(error: SrtpError) -> DropReason {
    match error {
        SrtpError::Auth | SrtpError::NotEncrypted => DropReason::Unauthentic,
        SrtpError::Replayed | SrtpError::TooOld => DropReason::Replayed,
        _ => DropReason::SrtpRefused,
    }
}
