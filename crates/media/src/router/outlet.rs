//! Where one Consumer's packets leave: its row together with the Transport that they go through.
//!
//! Forwarding and retransmission write their packets here, and nowhere else: number and protect, count and remember.

use mafalda_api::waist::PACKET_BYTES_MAX;
use slotmap::SlotMap;

use super::TransportKey;
use crate::buffer::{Run, SendBuffer, Sender};
use crate::codec;
use crate::consumer::{Numbers, Offer, Row};
use crate::producer::{Arrival, Carried, Formats};
use crate::rtp::extension::{self, ExtensionIds, ExtensionKind, Extensions, OutgoingExtensions};
use crate::rtp::red::{self, Primary};
use crate::rtp::{FIXED_HEADER_LEN, HEADER_LEN_MAX, OutgoingHeader, RtpHeader, rtx, write_header};
use crate::srtp::{OVERHEAD_MAX, PlainRtp};
use crate::stream::{Resend, SentPacket, Stored};
use crate::trace::{self, TracedPacket};
use crate::transport::Transport;
use crate::worker::turn::Effects;
use crate::{Now, Tuple};

/// A packet of a Producer's stream, without what is each Consumer's own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Media<'a> {
    /// In the Producer's stream.
    pub(super) index: u64,
    pub(super) timestamp: u32,
    pub(super) marker: bool,
    /// Whether a Consumer may begin with it.
    pub(super) begins: bool,
    pub(super) carried: Carried,
    pub(super) payload: &'a [u8],
}

impl<'a> Media<'a> {
    pub(super) fn of_turn(arrival: &Arrival, payload: &'a [u8]) -> Self {
        Self {
            index: arrival.index,
            timestamp: arrival.timestamp,
            marker: arrival.marker,
            begins: arrival.begins,
            carried: arrival.carried,
            payload,
        }
    }

    /// One that was kept. A Consumer has begun before it asks for those.
    pub(super) fn of_ring(index: u64, stored: Stored<'a, Carried>) -> Self {
        Self {
            index,
            timestamp: stored.meta.timestamp,
            marker: stored.meta.marker,
            begins: false,
            carried: stored.meta.extensions,
            payload: stored.payload,
        }
    }

    /// Of RED the newest frame, as a packet of the codec that it is of.
    fn newest(&self, primary: Primary) -> Self {
        let payload = self.payload.get(primary.start.into()..).unwrap_or_default();
        let carried = Carried { payload_type: primary.payload_type, primary: None, ..self.carried };
        Self { payload, carried, ..*self }
    }

    fn offer(&self) -> Offer {
        Offer {
            index: self.index,
            timestamp: self.timestamp,
            payload_type: self.carried.payload_type,
            begins: self.begins,
            empty: self.payload.is_empty(),
            silent: self.carried.silent,
        }
    }

    /// Bytes that it takes in the send buffer at the most: header, what goes before the payload, and SRTP's tag.
    pub(super) fn room(&self) -> usize {
        HEADER_LEN_MAX + rtx::OSN_LEN + self.payload.len() + OVERHEAD_MAX
    }
}

/// A Consumer that can be sent to.
pub(super) struct Outlet<'a> {
    now: Now,
    /// What the extension of that name holds in this turn.
    abs_send_time: u32,
    pub(super) row: &'a mut Row,
    transport: &'a mut Transport,
    tuple: Tuple,
}

/// A packet in the send buffer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written {
    /// Where it begins.
    pub(super) start: usize,
    pub(super) len: usize,
    /// Of the RTP packet, before it was protected.
    plain_len: usize,
}

/// What is each packet's own, beside the media in it.
struct Own<'a> {
    payload_type: u8,
    ssrc: u32,
    index: u64,
    abs_send_time: u32,
    transport_cc: u16,
    /// In front of the payload.
    prefix: &'a [u8],
}

impl<'a> Outlet<'a> {
    /// `None` while the Consumer is paused, and before there are a way to the peer and keys: no number is used up then.
    pub(super) fn open(
        now: Now,
        row: &'a mut Row,
        transports: &'a mut SlotMap<TransportKey, Box<Transport>>,
    ) -> Option<Self> {
        let transport = transports.get_mut(row.transport)?;
        let tuple =
            transport.way.selected().filter(|_| transport.protection.is_ready() && row.is_active())?;
        Some(Self { now, abs_send_time: extension::abs_send_time(now), row, transport, tuple })
    }

    /// Who doesn't know RED gets the newest frame in it alone: the same packet, each time it is sent.
    #[inline]
    fn newest_alone<'m>(&self, media: &Media<'m>) -> Option<Media<'m>> {
        let primary = media.carried.primary?;
        (!self.row.takes(media.carried.payload_type)).then(|| media.newest(primary))
    }

    /// Sends a packet for the first time, unless the row has no use for it.
    pub(super) fn forward(&mut self, media: &Media<'_>, out: &mut SendBuffer) -> Option<Written> {
        match self.newest_alone(media) {
            Some(newest) => self.forward_as_it_is(&newest, out),
            None => self.forward_as_it_is(media, out),
        }
    }

    fn forward_as_it_is(&mut self, media: &Media<'_>, out: &mut SendBuffer) -> Option<Written> {
        let index = self.row.admit(media.offer())?;
        let own = Own {
            payload_type: media.carried.payload_type,
            ssrc: self.row.send.params().ssrc,
            index,
            abs_send_time: self.abs_send_time,
            transport_cc: self.transport.next_transport_cc,
            prefix: &[],
        };
        let written = self.write(media, &own, out)?;
        self.count_transport_cc();
        self.transport.traffic.rtp_sent.count(self.now, written.plain_len);
        self.transport.traffic.sent.count(self.now, written.len);
        let sent = SentPacket {
            in_index: media.index,
            out_index: index,
            timestamp: media.timestamp,
            len: written.plain_len,
            payload_len: media.payload.len(),
            transport_cc: own.transport_cc,
            abs_send_time: own.abs_send_time,
        };
        self.row.send.on_sent(self.now, sent);
        Some(written)
    }

    /// Sends a packet again: wrapped (RFC 4588) where that was negotiated, else the same bytes under the same number.
    pub(super) fn resend(
        &mut self,
        media: &Media<'_>,
        resend: &Resend,
        out: &mut SendBuffer,
    ) -> Option<Written> {
        let newest = self.newest_alone(media);
        let media = newest.as_ref().unwrap_or(media);
        let rtx = self.row.rtx_payload_type(media.carried.payload_type);
        let written = match rtx {
            Some(payload_type) => self.write_wrapped(media, resend.out_index, payload_type, out)?,
            None => self.write_again(media, resend, out)?,
        };
        self.transport.traffic.rtx_sent.count(self.now, written.plain_len);
        self.transport.traffic.sent.count(self.now, written.len);
        Some(written)
    }

    /// A packet that was to be sent again is gone.
    pub(super) fn discard_resend(&mut self) {
        if let Some(rtx) = &mut self.row.rtx {
            rtx.on_discarded();
        }
    }

    /// RFC 4588 §4: the original sequence number goes before the payload.
    fn write_wrapped(
        &mut self,
        media: &Media<'_>,
        original: u64,
        payload_type: u8,
        out: &mut SendBuffer,
    ) -> Option<Written> {
        let rtx = self.row.rtx.as_mut()?;
        let own = Own {
            payload_type,
            ssrc: rtx.ssrc(),
            index: rtx.take_index(media.payload.len() + FIXED_HEADER_LEN),
            abs_send_time: self.abs_send_time,
            transport_cc: self.transport.next_transport_cc,
            prefix: &(original as u16).to_be_bytes(),
        };
        let written = self.write(media, &own, out)?;
        self.count_transport_cc();
        Some(written)
    }

    /// Same SSRC and index, same bytes (RFC 3711 §9.1): the extensions hold what they held the first time.
    fn write_again(&mut self, media: &Media<'_>, resend: &Resend, out: &mut SendBuffer) -> Option<Written> {
        let own = Own {
            payload_type: media.carried.payload_type,
            ssrc: self.row.send.params().ssrc,
            index: resend.out_index,
            abs_send_time: resend.abs_send_time,
            transport_cc: resend.transport_cc,
            prefix: &[],
        };
        let written = self.write(media, &own, out)?;
        self.row.send.on_resent(self.now, written.plain_len, media.payload.len());
        Some(written)
    }

    /// Writes one packet, protected.
    fn write(&self, media: &Media<'_>, own: &Own<'_>, out: &mut SendBuffer) -> Option<Written> {
        let header = OutgoingHeader {
            marker: media.marker,
            payload_type: own.payload_type,
            sequence: own.index as u16,
            timestamp: media.timestamp,
            ssrc: own.ssrc,
            padded: false,
        };
        let extensions = OutgoingExtensions {
            mid: self.row.mid.as_ref(),
            abs_send_time: Some(own.abs_send_time),
            transport_cc: Some(own.transport_cc),
            audio_level: media.carried.audio_level,
            video_orientation: media.carried.video_orientation,
            abs_capture_time: media.carried.abs_capture_time,
            playout_delay: media.carried.playout_delay,
            ..OutgoingExtensions::default()
        };
        let mut head = [0; HEADER_LEN_MAX];
        let head_len = write_header(&mut head, &header, &extensions, self.row.mask).ok()?;
        if let Some(numbers) = &self.row.numbers {
            numbers.apply(&mut head[..head_len]);
            if media.carried.primary.is_some() {
                return self.write_red(numbers, media, own, &head[..head_len], out);
            }
        }
        self.protect(&head[..head_len], own.prefix, media.payload, own.index, out)
    }

    /// Writes a packet of RED to who numbers codecs himself: the payload types of the frames in it are his too.
    #[cold]
    fn write_red(
        &self,
        numbers: &Numbers,
        media: &Media<'_>,
        own: &Own<'_>,
        head: &[u8],
        out: &mut SendBuffer,
    ) -> Option<Written> {
        let mut copy = [0; PACKET_BYTES_MAX];
        let payload = copy.get_mut(..media.payload.len())?;
        payload.copy_from_slice(media.payload);
        // It was read before, when it came in.
        red::translate(payload, |ours| Some(numbers.payload_type(ours))).ok()?;
        self.protect(head, own.prefix, payload, own.index, out)
    }

    fn protect(
        &self,
        header: &[u8],
        prefix: &[u8],
        payload: &[u8],
        index: u64,
        out: &mut SendBuffer,
    ) -> Option<Written> {
        let plain = PlainRtp { header, prefix, payload };
        // It can't fail: there is room, all lengths are bounded, and no stream lives to see the last index.
        let len = self.transport.protection.protect_rtp(index, plain, out.spare())?;
        let plain_len = header.len() + prefix.len() + payload.len();
        Some(Written { start: out.commit(len), len, plain_len })
    }

    fn count_transport_cc(&mut self) {
        if self.row.mask.contains(ExtensionKind::TransportCc) {
            self.transport.next_transport_cc = self.transport.next_transport_cc.wrapping_add(1);
        }
    }

    /// Whether anything is told of its packets one by one.
    #[inline]
    pub(super) fn is_traced(&self) -> bool {
        !self.row.traced.is_empty()
    }

    /// Tells of a packet that was written: of what its header says there, and that is in the clear.
    #[cold]
    pub(super) fn trace(
        &self,
        effects: &mut Effects,
        formats: &Formats,
        media: &Media<'_>,
        written: &Written,
        out: &SendBuffer,
    ) {
        let newest = self.newest_alone(media);
        let media = newest.as_ref().unwrap_or(media);
        let codec = formats.mapped(media.carried.payload_type).map(|format| format.codec);
        let key_frame = codec.is_some_and(|codec| codec::is_key_frame(codec, media.payload));
        if !self.row.traced.wants_packet(key_frame) {
            return;
        }
        let written = written.start..written.start + written.len;
        let packet = out.bytes().get(written).unwrap_or_default();
        let Ok(header) = RtpHeader::parse_encrypted(packet) else { return };
        let numbers = self.row.numbers.as_ref();
        let ids = numbers.map_or_else(ExtensionIds::router, |numbers| numbers.meanings(self.row.mask));
        let extensions = Extensions::parse(packet, &header, &ids);
        let rtx = header.ssrc != self.row.send.params().ssrc;
        let payload_len = media.payload.len() + if rtx { rtx::OSN_LEN } else { 0 };
        let packet = TracedPacket {
            packet,
            header: &header,
            extensions: &extensions,
            len: usize::from(header.payload_offset) + payload_len,
            payload_len,
            key_frame,
            rtx,
        };
        let (now, id, traced) = (self.now, self.row.consumer, self.row.traced);
        effects.trace(|| trace::packet_out(now, id, traced, &packet));
    }

    /// A run of this packet alone.
    pub(super) fn run(&self, packet: &Written) -> Run {
        Run::new(self.tuple, Sender::Consumer(self.row.send.params().ssrc), packet.start, packet.len)
    }
}
