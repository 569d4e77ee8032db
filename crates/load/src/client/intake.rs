//! What a client makes of a datagram.

use mafalda_media::Now;
use mafalda_media::demux::Kind;
use mafalda_media::rtcp::{self, RtcpPacket};
use mafalda_media::rtp::RtpHeader;

use super::incoming::Bench;
use super::outgoing::Outgoing;
use super::protection::Protection;
use super::{Client, since};

impl Client {
    pub(super) fn take(&mut self, now: Now, datagram: &mut [u8]) {
        match Kind::of(datagram) {
            Ok(Kind::Rtp) => self.on_rtp(now, datagram),
            Ok(Kind::Rtcp) => self.on_rtcp(now, datagram),
            Ok(kind) => self.drops.early += u64::from(!self.way.handle(now, kind, datagram)),
            Err(_) => self.drops.malformed += 1,
        }
    }

    fn on_rtp(&mut self, now: Now, packet: &mut [u8]) {
        let Ok(header) = RtpHeader::parse_encrypted(packet) else {
            self.drops.malformed += 1;
            return;
        };
        self.way.on_media();
        let Some(Protection { receiver, .. }) = self.way.protection_mut() else {
            self.drops.early += 1;
            return;
        };
        let Some(source) = self.sources.get(&header.ssrc).copied() else {
            self.drops.unknown_ssrc += 1;
            return;
        };
        if let Some(sequence) = transport_cc(packet, &header, self.transport_cc_id) {
            self.feedback.on_arrival(now, sequence, packet.len());
        }
        let Some(stream) = self.incoming.get_mut(source.stream) else { return };
        let since_epoch_ns = since(self.traits.epoch, now);
        let mut bench = Bench { now, since_epoch_ns, receiver, delays: &mut self.delays, rng: &mut self.rng };
        if source.rtx {
            stream.on_rtx(packet, &header, &mut bench);
        } else {
            stream.on_media(packet, &header, &mut bench);
        }
        if let Some(due) = stream.recv_mut().timeout() {
            self.feedback.on_gap(due);
        }
    }

    fn on_rtcp(&mut self, now: Now, packet: &mut [u8]) {
        self.way.on_media();
        let Some(Protection { receiver, .. }) = self.way.protection_mut() else {
            self.drops.early += 1;
            return;
        };
        let Some(len) = receiver.unprotect_rtcp(packet) else {
            self.drops.forged += 1;
            return;
        };
        for report in rtcp::packets(packet.get(..len).unwrap_or_default()) {
            match report {
                Ok(report) => self.on_report(now, &report),
                Err(_) => self.drops.malformed += 1,
            }
        }
    }

    fn on_report(&mut self, now: Now, report: &RtcpPacket<'_>) {
        match report {
            RtcpPacket::Nack(nack) => {
                if let Some(stream) = outgoing(&mut self.outgoing, nack.media_ssrc) {
                    nack.lost().for_each(|sequence| stream.on_nack(sequence));
                }
            }
            RtcpPacket::Pli(pli) => {
                if let Some(stream) = outgoing(&mut self.outgoing, pli.media_ssrc) {
                    stream.on_key_frame_wanted(now.at);
                }
            }
            RtcpPacket::Fir(fir) => {
                for entry in fir.entries() {
                    if let Some(stream) = outgoing(&mut self.outgoing, entry.ssrc) {
                        stream.on_key_frame_wanted(now.at);
                    }
                }
            }
            RtcpPacket::SenderReport(report) => {
                let source = self.sources.get(&report.info.ssrc).filter(|source| !source.rtx);
                if let Some(stream) = source.and_then(|source| self.incoming.get_mut(source.stream)) {
                    stream.recv_mut().on_sender_report(now, report.info.ntp, report.info.rtp_timestamp);
                }
            }
            // Rates are fixed here, whatever the server says of the path.
            _ => {}
        }
    }
}

fn outgoing(streams: &mut [Outgoing], ssrc: u32) -> Option<&mut Outgoing> {
    streams.iter_mut().find(|stream| stream.track().ssrc == ssrc)
}

/// The transport-wide number of a packet, which lies in the clear.
fn transport_cc(packet: &[u8], header: &RtpHeader, id: Option<u8>) -> Option<u16> {
    let id = id?;
    let (_, value) = header.elements(packet).find(|(element, _)| *element == id)?;
    value.try_into().ok().map(u16::from_be_bytes)
}
