//! The other end of a Transport: checks, media and feedback, protected with keys that the stage gave.

use hashbrown::HashMap;
use mafalda_api::id::TransportId;

use super::stage::{OPUS, Sent, VP8};
use crate::ice::IceLite;
use crate::rtcp::{self, CompoundWriter, Full};
use crate::rtp::extension::{
    AudioLevel, ExtensionIds, ExtensionMask, Extensions, Label, OutgoingExtensions, VideoOrientation,
};
use crate::rtp::{OutgoingHeader, RtpHeader, write_header};
use crate::srtp::{PlainRtp, SrtpKeys, SrtpProfile, SrtpReceiver, SrtpSender};
use crate::stun::{self, AttributeType, Class, TransactionId, Writer};
use crate::{SocketId, Tuple};

/// The engine's keys and the peer's, each pair made once per direction.
pub(in crate::worker) fn keys(socket: SocketId) -> (SrtpKeys, SrtpKeys) {
    let keys = |side: u8| {
        let [.., number] = socket.0.to_be_bytes();
        let key = [number ^ side; 16];
        SrtpKeys::new(SrtpProfile::AeadAes128Gcm, &key, &[side; 12]).unwrap()
    };
    (keys(0x55), keys(0xaa))
}

/// A packet that a peer sends.
#[derive(Clone, Debug)]
pub(in crate::worker) struct Packet {
    pub(in crate::worker) ssrc: u32,
    pub(in crate::worker) payload_type: u8,
    /// SRTP's index; its low half is the sequence number.
    pub(in crate::worker) index: u64,
    pub(in crate::worker) timestamp: u32,
    pub(in crate::worker) payload: Vec<u8>,
    pub(in crate::worker) mid: Option<&'static str>,
    pub(in crate::worker) rid: Option<&'static str>,
    pub(in crate::worker) repaired_rid: Option<&'static str>,
    pub(in crate::worker) transport_cc: Option<u16>,
    /// Decibels below full scale.
    pub(in crate::worker) audio_level: Option<u8>,
    pub(in crate::worker) orientation: Option<u8>,
}

impl Packet {
    /// A frame of one packet that a decoder can begin with.
    pub(in crate::worker) fn key_frame(ssrc: u32, index: u64) -> Self {
        Self::video(ssrc, index, vec![0x10, 0x00, 0x9d, 0x01, 0x2a, index as u8])
    }

    /// A frame of one packet that needs the one before.
    pub(in crate::worker) fn frame(ssrc: u32, index: u64) -> Self {
        Self::video(ssrc, index, vec![0x10, 0x01, 0x00, 0x00, index as u8, (index >> 8) as u8])
    }

    fn video(ssrc: u32, index: u64, mut payload: Vec<u8>) -> Self {
        payload.extend_from_slice(&ssrc.to_be_bytes());
        let timestamp = (index as u32).wrapping_mul(3000);
        Self { payload_type: VP8, timestamp, payload, ..Self::empty(ssrc, index) }
    }

    pub(in crate::worker) fn sound(ssrc: u32, index: u64) -> Self {
        let timestamp = (index as u32).wrapping_mul(960);
        let payload = vec![0x78, index as u8, (index >> 8) as u8];
        Self { payload_type: OPUS, timestamp, payload, ..Self::empty(ssrc, index) }
    }

    fn empty(ssrc: u32, index: u64) -> Self {
        Self {
            ssrc,
            payload_type: 0,
            index,
            timestamp: 0,
            payload: Vec::new(),
            mid: None,
            rid: None,
            repaired_rid: None,
            transport_cc: None,
            audio_level: None,
            orientation: None,
        }
    }
}

/// What a peer got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::worker) struct Received {
    pub(in crate::worker) ssrc: u32,
    pub(in crate::worker) payload_type: u8,
    pub(in crate::worker) index: u64,
    pub(in crate::worker) payload: Vec<u8>,
    pub(in crate::worker) transport_cc: Option<u16>,
    /// Decibels below full scale.
    pub(in crate::worker) audio_level: Option<u8>,
    pub(in crate::worker) orientation: Option<u8>,
}

/// One peer.
pub(in crate::worker) struct Peer {
    pub(in crate::worker) id: TransportId,
    pub(in crate::worker) tuple: Tuple,
    sender: SrtpSender,
    receiver: SrtpReceiver,
    checks: u8,
}

impl Peer {
    pub(in crate::worker) fn new(id: TransportId, tuple: Tuple) -> Self {
        let (engine, own) = keys(tuple.socket);
        let (sender, receiver) = (SrtpSender::new(own), SrtpReceiver::new(engine));
        Self { id, tuple, sender, receiver, checks: 0 }
    }

    /// A good check, which nominates.
    pub(in crate::worker) fn check(&mut self, agent: &IceLite) -> Vec<u8> {
        self.check_as(agent.local().username_fragment.as_str(), agent.local().password.as_bytes())
    }

    /// A check for somebody, by whatever password.
    pub(in crate::worker) fn check_as(&mut self, username_fragment: &str, password: &[u8]) -> Vec<u8> {
        self.checks += 1;
        let mut out = [0; 512];
        let transaction = TransactionId([self.checks; 12]);
        let mut writer = Writer::new(Class::Request, stun::BINDING, transaction, &mut out).unwrap();
        let username = format!("{username_fragment}:peer");
        for (kind, value) in [
            (AttributeType::USERNAME, username.as_bytes()),
            (AttributeType::PRIORITY, &[1, 2, 3, 4]),
            (AttributeType::USE_CANDIDATE, &[]),
            (AttributeType::ICE_CONTROLLING, &[7; 8]),
        ] {
            writer.attribute(kind, value).unwrap();
        }
        let len = writer.finish(Some(password)).unwrap();
        out[..len].to_vec()
    }

    /// A packet as it goes over the network.
    pub(in crate::worker) fn protect(&self, packet: &Packet) -> Vec<u8> {
        let mut head = [0; 256];
        let header = OutgoingHeader {
            marker: true,
            payload_type: packet.payload_type,
            sequence: packet.index as u16,
            timestamp: packet.timestamp,
            ssrc: packet.ssrc,
            padded: false,
        };
        let label = |name: Option<&str>| name.and_then(|name| Label::new(name.as_bytes()));
        let (mid, rid, repaired_rid) = (label(packet.mid), label(packet.rid), label(packet.repaired_rid));
        let extensions = OutgoingExtensions {
            mid: mid.as_ref(),
            rid: rid.as_ref(),
            repaired_rid: repaired_rid.as_ref(),
            transport_cc: packet.transport_cc,
            audio_level: packet.audio_level.map(|attenuation_db| AudioLevel { voice: true, attenuation_db }),
            video_orientation: packet.orientation.map(VideoOrientation),
            ..OutgoingExtensions::default()
        };
        let len = write_header(&mut head, &header, &extensions, ExtensionMask::ALL).unwrap();
        let plain = PlainRtp { header: &head[..len], prefix: &[], payload: &packet.payload };
        let mut out = vec![0; 2048];
        let len = self.sender.protect_rtp(packet.index, plain, &mut out).unwrap();
        out.truncate(len);
        out
    }

    /// A NACK for numbers of one stream.
    pub(in crate::worker) fn nack(&mut self, ssrc: u32, indices: &[u64]) -> (Tuple, Vec<u8>) {
        let lost: Vec<u16> = indices.iter().map(|index| *index as u16).collect();
        self.feedback(|writer| writer.nack(1, ssrc, &lost).map(drop))
    }

    /// What comes with a tuple to be handed to the stage.
    pub(in crate::worker) fn send(&self, packets: &[Packet]) -> Vec<(Tuple, Vec<u8>)> {
        packets.iter().map(|packet| (self.tuple, self.protect(packet))).collect()
    }

    /// Feedback as it goes over the network.
    pub(in crate::worker) fn feedback(
        &mut self,
        write: impl FnOnce(&mut CompoundWriter<'_>) -> Result<(), Full>,
    ) -> (Tuple, Vec<u8>) {
        let mut plain = [0; 1200];
        let mut writer = CompoundWriter::new(&mut plain);
        write(&mut writer).unwrap();
        let len = writer.len();
        let mut out = vec![0; 1400];
        let len = self.sender.protect_rtcp(&plain[..len], &mut out).unwrap();
        out.truncate(len);
        (self.tuple, out)
    }

    /// The media among what was sent to it. Each packet must be authentic and new.
    pub(in crate::worker) fn media(&mut self, sent: Vec<Vec<u8>>) -> Vec<Received> {
        let media = sent.into_iter().filter(|bytes| is_media(bytes));
        media.map(|bytes| self.receive(bytes)).collect()
    }

    /// Decrypts a packet that may be one that came before.
    pub(in crate::worker) fn receive(&mut self, mut bytes: Vec<u8>) -> Received {
        let header = RtpHeader::parse_encrypted(&bytes).unwrap();
        let plain = self.receiver.unprotect_rtp(&mut bytes, header.payload_offset.into()).unwrap();
        let packet = &bytes[..plain.len];
        let header = header.finish(packet).unwrap();
        let extensions = Extensions::parse(packet, &header, &ExtensionIds::router());
        Received {
            ssrc: header.ssrc,
            payload_type: header.payload_type,
            index: plain.index,
            payload: header.payload(packet).to_vec(),
            transport_cc: extensions.transport_cc,
            audio_level: extensions.audio_level.map(|it| it.attenuation_db),
            orientation: extensions.video_orientation.map(|it| it.0),
        }
    }

    /// The SSRCs that receiver reports among what was sent to it tell of.
    pub(in crate::worker) fn reported(&mut self, sent: Vec<Vec<u8>>) -> Vec<u32> {
        let mut ssrcs = Vec::new();
        for mut bytes in sent.into_iter().filter(|bytes| is_report(bytes)) {
            let len = self.receiver.unprotect_rtcp(&mut bytes).unwrap();
            for packet in rtcp::packets(&bytes[..len]) {
                if let rtcp::RtcpPacket::ReceiverReport(report) = packet.unwrap() {
                    ssrcs.extend(report.blocks.iter().map(|block| block.ssrc));
                }
            }
        }
        ssrcs
    }

    /// The SSRCs of which PLIs among what was sent to it ask for key frames, in order.
    pub(in crate::worker) fn plis(&mut self, sent: Vec<Vec<u8>>) -> Vec<u32> {
        let mut ssrcs = Vec::new();
        for mut bytes in sent.into_iter().filter(|bytes| is_report(bytes)) {
            let len = self.receiver.unprotect_rtcp(&mut bytes).unwrap();
            for packet in rtcp::packets(&bytes[..len]) {
                if let rtcp::RtcpPacket::Pli(pli) = packet.unwrap() {
                    ssrcs.push(pli.media_ssrc);
                }
            }
        }
        ssrcs
    }

    /// Of each stream that receiver reports among what was sent to it tell of: its SSRC, the share of its packets that was lost in
    /// 1/256, and how many were lost in all.
    pub(in crate::worker) fn losses(&mut self, sent: Vec<Vec<u8>>) -> Vec<(u32, u8, i32)> {
        let mut losses = Vec::new();
        for mut bytes in sent.into_iter().filter(|bytes| is_report(bytes)) {
            let len = self.receiver.unprotect_rtcp(&mut bytes).unwrap();
            for packet in rtcp::packets(&bytes[..len]) {
                if let rtcp::RtcpPacket::ReceiverReport(report) = packet.unwrap() {
                    let block = |it: rtcp::ReportBlock| (it.ssrc, it.fraction_lost, it.cumulative_lost);
                    losses.extend(report.blocks.iter().map(block));
                }
            }
        }
        losses
    }

    /// The RTCP among what was sent to it: types and formats of the packets, of all compounds in order.
    pub(in crate::worker) fn reports(&mut self, sent: Vec<Vec<u8>>) -> Vec<String> {
        let mut names = Vec::new();
        for mut bytes in sent.into_iter().filter(|bytes| is_report(bytes)) {
            let len = self.receiver.unprotect_rtcp(&mut bytes).unwrap();
            names.extend(rtcp::packets(&bytes[..len]).map(|packet| format!("{:?}", packet.unwrap())));
        }
        names
    }
}

/// What left under each number: the same number must stand for the same bytes (RFC 3711 §9.1).
#[derive(Default)]
pub(in crate::worker) struct Ledger(HashMap<(Tuple, u32, u16), Vec<u8>>);

impl Ledger {
    /// Tests send fewer packets than there are sequence numbers.
    pub(in crate::worker) fn check(&mut self, sent: &Sent) {
        if !is_media(&sent.bytes) {
            return;
        }
        let header = RtpHeader::parse_encrypted(&sent.bytes).unwrap();
        let key = (sent.tuple, header.ssrc, header.sequence);
        let first = self.0.entry(key).or_insert_with(|| sent.bytes.clone());
        assert_eq!(*first, sent.bytes, "another packet under {} of SSRC {}", header.sequence, header.ssrc);
    }
}

fn is_report(bytes: &[u8]) -> bool {
    (128..192).contains(&bytes[0]) && (192..=223).contains(&bytes[1])
}

pub(in crate::worker) fn is_media(bytes: &[u8]) -> bool {
    (128..192).contains(&bytes[0]) && !is_report(bytes)
}
