//! A media packet's way in: found by its SSRC or names, judged by its stream.

use mafalda_api::types::rtp_parameters::{MediaKind, RtpEncodingParameters};

use crate::buffer::{Batch, Datagram};
use crate::log::note;
use crate::producer::{Inbound, Producer, StreamNews};
use crate::rtp::RtpHeader;
use crate::rtp::extension::{Extensions, VideoOrientation};
use crate::transport::{Names, Opened, Source};
use crate::worker::Turn;
use crate::worker::drops::DropReason;

use super::{Router, StreamKey, TransportKey};

impl Router {
    /// Takes in a media packet from a Transport's peer, decrypted.
    pub(crate) fn on_rtp(
        &mut self,
        turn: &mut Turn,
        key: TransportKey,
        batch: &mut Batch,
        datagram: Datagram,
        opened: Opened,
    ) -> Result<(), DropReason> {
        let Opened { header, len } = opened;
        let start = datagram.range().start;
        let transport = self.transports.get_mut(key).ok_or(DropReason::UnknownTuple)?;
        let packet = batch.bytes(start..start + len);
        let extensions = Extensions::parse(packet, &header, &transport.extension_ids);
        if let (Some(arrivals), Some(sequence)) = (&mut transport.arrivals, extensions.transport_cc) {
            let idle = arrivals.timeout().is_none();
            arrivals.on_packet(turn.now, sequence);
            transport.acknowledged_ssrc = header.ssrc;
            if idle {
                self.set_transport_alarm(turn, key);
            }
        }
        let (stream, rtx) = self.find_stream(turn, key, &header, &extensions, packet)?;
        let primary = match self.streams.get(stream) {
            Some(it) if !rtx => it.translate(&header, batch.bytes_mut(start..start + len))?,
            _ => None,
        };
        let packet = batch.bytes(start..start + len);
        let inbound = Inbound { packet, start, header, extensions: &extensions, primary };
        self.hand_to_stream(turn, stream, rtx, inbound)
    }

    fn hand_to_stream(
        &mut self,
        turn: &mut Turn,
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
        let news = if rtx { stream.receive_rtx(turn, inbound)? } else { stream.receive(turn, inbound)? };
        if clean && !stream.arrivals.is_empty() {
            self.dirty.push(key);
            turn.effects.mark_dirty(self.key);
        }
        self.on_stream_news(turn, key, news);
        self.set_stream_alarm(turn, key);
        Ok(())
    }

    fn on_stream_news(&mut self, turn: &mut Turn, key: StreamKey, news: StreamNews) {
        if news.key_frame_needed {
            if let Some(producer) = self.streams.get(key).map(|stream| stream.producer) {
                note!(turn.log, Debug, Rtx, %producer, "more is missing than can be sent again");
            }
            self.request_key_frame(turn, key);
        }
        if news.scored {
            self.mark_producer_score(turn, key);
        }
        if let Some(turned) = news.turned {
            self.on_turned(turn, key, turned);
        }
        if let Some(level) = news.level {
            self.on_level(turn.now.at, key, level);
        }
    }

    /// A picture lies otherwise than before, in one of the Producer's streams at least.
    fn on_turned(&mut self, turn: &mut Turn, key: StreamKey, turned: VideoOrientation) {
        let Some(stream) = self.streams.get(key) else { return };
        let Some(producer) = self.producers.get_mut(&stream.producer) else { return };
        if producer.kind != MediaKind::Video {
            return;
        }
        let orientation = turned.into();
        let before = producer.video_orientation.replace(orientation);
        if before != Some(orientation) {
            self.mark_turned(turn, stream.producer, before);
        }
    }

    /// The stream of a packet, and whether the packet is a retransmission.
    fn find_stream(
        &mut self,
        turn: &mut Turn,
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
        turn: &mut Turn,
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
        let Producer { streams, rtp_parameters, .. } =
            self.producers.get(&producer).ok_or(DropReason::UnknownSource)?;
        let formats = streams.first().and_then(|key| self.streams.get(*key)).map(|stream| &stream.formats);
        let rtx = formats.ok_or(DropReason::UnknownSource)?.of_rtx(header.payload_type).is_some();
        let place = place_of(&rtp_parameters.encodings, names, rtx).ok_or(DropReason::UnknownSource)?;
        let stream_key = *streams.get(place).ok_or(DropReason::UnknownSource)?;
        let stream = self.streams.get_mut(stream_key).ok_or(DropReason::UnknownSource)?;
        if !rtx && stream.formats.media(header.payload_type).is_none() {
            return Err(DropReason::UnknownSource);
        }
        let encoding = rtp_parameters.encodings.get(place).ok_or(DropReason::UnknownSource)?;
        if if rtx { encoding.rtx.is_some() } else { encoding.ssrc.is_some() } {
            // An SSRC that was negotiated stays: others under the same name are no stream of ours.
            return Err(DropReason::UnknownSource);
        }
        let earlier = if rtx { stream.rtx.as_ref().map(|rtx| rtx.ssrc()) } else { stream.ssrc() };
        if rtx {
            stream.bind_rtx(header.ssrc);
        } else {
            stream.bind(header.ssrc);
        }
        let source = Source { producer, encoding: place, rtx };
        note!(turn.log, Debug, Rtp, %producer, ssrc = header.ssrc, rtx, "stream begins");
        transport.listener.latch(header.ssrc, source, earlier);
        if let (Some(srtp), Some(earlier)) = (transport.protection.srtp_mut(), earlier) {
            srtp.receiver.retire(earlier);
        }
        if !rtx {
            self.on_stream_bound(turn, stream_key);
        }
        Ok(source)
    }

    /// A stream has its SSRC: who waits for it needs a key frame.
    fn on_stream_bound(&mut self, turn: &mut Turn, key: StreamKey) {
        if self.streams.get(key).is_some_and(|stream| stream.rows.iter().any(|row| row.is_waiting())) {
            self.request_key_frame(turn, key);
        }
    }
}

/// Which of a Producer's encodings the names in a packet mean: the only one, or that of the RID (RFC 8852 §3.1, §3.2).
fn place_of(encodings: &[RtpEncodingParameters], names: Names<'_>, rtx: bool) -> Option<usize> {
    if encodings.len() == 1 {
        return Some(0);
    }
    let repaired = names.repaired_rid.filter(|_| rtx);
    let rid = repaired.or(names.rid)?;
    encodings.iter().position(|encoding| encoding.rid.as_deref() == Some(rid))
}
