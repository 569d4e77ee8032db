//! What stands at the other end of a PlainTransport: a camera or a recorder that speaks RTP and RTCP over UDP, with SRTP of another
//! implementation or without. It reads and writes RTCP by hand, so that the engine's own parsers don't check themselves.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mafalda_testkit::Packet;
use mafalda_testkit::media::{Arrival, Codec, Content, Inbox, Source, SourceSettings};
use rtc_srtp::context::Context;

/// The payload type that it sends.
pub(crate) const PAYLOAD_TYPE: u8 = 96;
/// How often it asks again for what is missing.
const NACK_INTERVAL: Duration = Duration::from_millis(60);
/// RTCP packet types (RFC 3550 §12.1, RFC 4585 §6.1).
pub(crate) const SENDER_REPORT: u8 = 200;
pub(crate) const RECEIVER_REPORT: u8 = 201;
pub(crate) const RTPFB: u8 = 205;
pub(crate) const PSFB: u8 = 206;

/// Contexts of both directions.
pub(crate) struct Keys {
    pub(crate) send: Context,
    pub(crate) receive: Context,
}

/// The peer. Where RTP and RTCP share a port, its two addresses are the same, and so are the Transport's.
pub(crate) struct PlainPeer {
    pub(crate) rtp: SocketAddr,
    pub(crate) rtcp: SocketAddr,
    /// The Transport's ports.
    pub(crate) to_rtp: SocketAddr,
    pub(crate) to_rtcp: SocketAddr,
    pub(crate) keys: Option<Keys>,
    pub(crate) ssrc: u32,
    source: Option<(Source, Instant)>,
    sequence: u16,
    sent: HashMap<u16, Vec<u8>>,
    received: HashMap<(u32, u16), Vec<u8>>,
    inboxes: HashMap<u32, Inbox>,
    next_nack: Instant,
    /// RTCP that came, by packet type.
    pub(crate) heard: HashMap<u8, usize>,
    /// Datagrams whose kind doesn't belong where they came.
    pub(crate) misled: usize,
    /// Packets that it sent again.
    pub(crate) repeated: usize,
}

impl PlainPeer {
    pub(crate) fn new(now: Instant, number: u8, muxed: bool) -> Self {
        let rtp = SocketAddr::from(([10, 2, 0, number], 5000));
        let nowhere = SocketAddr::from(([10, 0, 0, 1], 9));
        Self {
            rtp,
            rtcp: if muxed { rtp } else { SocketAddr::new(rtp.ip(), 5001) },
            to_rtp: nowhere,
            to_rtcp: nowhere,
            keys: None,
            ssrc: 1000 + u32::from(number),
            source: None,
            // Near the end, so that numbers begin anew soon.
            sequence: 65_500,
            sent: HashMap::new(),
            received: HashMap::new(),
            inboxes: HashMap::new(),
            next_nack: now + NACK_INTERVAL,
            heard: HashMap::new(),
            misled: 0,
            repeated: 0,
        }
    }

    pub(crate) fn begin(&mut self, now: Instant, codec: Codec) {
        self.source = Some((Source::new(codec, self.ssrc, SourceSettings::usual(codec)), now));
    }

    pub(crate) fn stop(&mut self) -> u64 {
        self.source.take().map_or(0, |(source, _)| source.packets())
    }

    pub(crate) fn timeout(&self) -> Instant {
        self.source.as_ref().map_or(self.next_nack, |(_, frame)| self.next_nack.min(*frame))
    }

    pub(crate) fn inbox(&self, ssrc: u32) -> &Inbox {
        self.inboxes.get(&ssrc).expect("something has come")
    }

    /// Does what is due.
    pub(crate) fn turn(&mut self, now: Instant) -> Vec<Packet> {
        let mut out = Vec::new();
        while let Some((source, next)) = self.source.as_mut().filter(|(_, next)| *next <= now) {
            let packets = source.frame();
            *next += source.settings().interval;
            for packet in packets {
                out.push(self.media(packet.marker, packet.ticks as u32, &packet.payload));
            }
        }
        if self.next_nack <= now {
            self.next_nack = now + NACK_INTERVAL;
            out.extend(self.nacks());
        }
        out
    }

    /// A media packet with the next number.
    pub(crate) fn media(&mut self, marker: bool, timestamp: u32, payload: &[u8]) -> Packet {
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        let mut packet = vec![0x80, PAYLOAD_TYPE | u8::from(marker) << 7];
        packet.extend(sequence.to_be_bytes());
        packet.extend(timestamp.to_be_bytes());
        packet.extend(self.ssrc.to_be_bytes());
        packet.extend(payload);
        if let Some(keys) = &mut self.keys {
            packet = keys.send.encrypt_rtp(&packet).expect("a packet").to_vec();
        }
        self.sent.insert(sequence, packet.clone());
        Packet { from: self.rtp, to: self.to_rtp, bytes: packet }
    }

    /// A packet of feedback: a type of RTPFB or PSFB, about an SSRC.
    pub(crate) fn feedback(&mut self, format: u8, kind: u8, media_ssrc: u32, entries: &[u8]) -> Packet {
        let words = u16::try_from(2 + entries.len() / 4).expect("a small packet");
        let mut packet = vec![0x80 | format, kind];
        packet.extend(words.to_be_bytes());
        packet.extend(self.ssrc.to_be_bytes());
        packet.extend(media_ssrc.to_be_bytes());
        packet.extend(entries);
        self.control(packet)
    }

    /// A receiver report without blocks.
    pub(crate) fn report(&mut self) -> Packet {
        let mut packet = vec![0x80, RECEIVER_REPORT, 0, 1];
        packet.extend(self.ssrc.to_be_bytes());
        self.control(packet)
    }

    fn control(&mut self, mut packet: Vec<u8>) -> Packet {
        if let Some(keys) = &mut self.keys {
            packet = keys.send.encrypt_rtcp(&packet).expect("a packet").to_vec();
        }
        Packet { from: self.rtcp, to: self.to_rtcp, bytes: packet }
    }

    /// Takes in what came; what it answers.
    pub(crate) fn handle(&mut self, at: Duration, packet: &Packet) -> Vec<Packet> {
        let is_rtcp = (192..224).contains(&packet.bytes[1]);
        let (from, to) = if is_rtcp { (self.to_rtcp, self.rtcp) } else { (self.to_rtp, self.rtp) };
        if (packet.from, packet.to) != (from, to) {
            self.misled += 1;
            return Vec::new();
        }
        if is_rtcp {
            return self.on_rtcp(&packet.bytes);
        }
        self.on_rtp(at, &packet.bytes);
        Vec::new()
    }

    fn on_rtp(&mut self, at: Duration, datagram: &[u8]) {
        let key = (word(datagram, 8), u16::from_be_bytes([datagram[2], datagram[3]]));
        if let Some(earlier) = self.received.insert(key, datagram.to_vec()) {
            // RFC 3711 §9.1, and the same without SRTP: the engine repeats itself, it makes nothing new of it.
            assert_eq!(earlier, datagram, "two different packets with one number");
            return;
        }
        let plain = match &mut self.keys {
            Some(keys) => keys.receive.decrypt_rtp(datagram).expect("an authentic packet").to_vec(),
            None => datagram.to_vec(),
        };
        let extended = plain[0] & 0x10 != 0;
        let words = if extended { u16::from_be_bytes([plain[14], plain[15]]) } else { 0 };
        let offset = if extended { 16 + 4 * usize::from(words) } else { 12 };
        let arrival = |content: Content| Arrival {
            at,
            sequence: key.1.into(),
            timestamp: word(&plain, 4),
            marker: plain[1] & 0x80 != 0,
            payload_type: plain[1] & 0x7f,
            content,
        };
        self.inboxes.entry(key.0).or_default().take(&plain[offset..], arrival);
    }

    fn on_rtcp(&mut self, datagram: &[u8]) -> Vec<Packet> {
        let compound = match &mut self.keys {
            Some(keys) => keys.receive.decrypt_rtcp(datagram).expect("an authentic packet").to_vec(),
            None => datagram.to_vec(),
        };
        let mut answers = Vec::new();
        let mut rest = &compound[..];
        while !rest.is_empty() {
            let len = 4 * (1 + usize::from(u16::from_be_bytes([rest[2], rest[3]])));
            let (packet, behind) = rest.split_at(len);
            *self.heard.entry(packet[1]).or_default() += 1;
            match (packet[1], packet[0] & 0x1f) {
                (RTPFB, 1) => answers.extend(self.on_nack(&packet[12..])),
                (PSFB, 1) => {
                    if let Some((source, _)) = &mut self.source {
                        source.want_key_frame();
                    }
                }
                _ => {}
            }
            rest = behind;
        }
        answers
    }

    /// RFC 4585 §6.2.1.
    fn on_nack(&mut self, entries: &[u8]) -> Vec<Packet> {
        let mut answers = Vec::new();
        for entry in entries.chunks_exact(4) {
            let first = u16::from_be_bytes([entry[0], entry[1]]);
            let mask = u16::from_be_bytes([entry[2], entry[3]]);
            let more = (0..16).filter(|bit| mask & 1 << bit != 0).map(|bit| first.wrapping_add(bit + 1));
            for sequence in std::iter::once(first).chain(more) {
                if let Some(bytes) = self.sent.get(&sequence) {
                    self.repeated += 1;
                    answers.push(Packet { from: self.rtp, to: self.to_rtp, bytes: bytes.clone() });
                }
            }
        }
        answers
    }

    /// Asks for all that is missing.
    fn nacks(&mut self) -> Vec<Packet> {
        let mut missing = Vec::new();
        for ssrc in self.inboxes.keys() {
            let numbers = self.received.keys().filter(|(of, _)| of == ssrc).map(|(_, sequence)| *sequence);
            let numbers: BTreeSet<u16> = numbers.collect();
            let (Some(first), Some(last)) = (numbers.first(), numbers.last()) else { continue };
            missing.extend((*first..*last).filter(|it| !numbers.contains(it)).map(|it| (*ssrc, it)));
        }
        missing
            .into_iter()
            .map(|(ssrc, sequence)| {
                let [high, low] = sequence.to_be_bytes();
                self.feedback(1, RTPFB, ssrc, &[high, low, 0, 0])
            })
            .collect()
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}
