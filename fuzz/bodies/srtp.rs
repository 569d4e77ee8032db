//! SRTP: strangers' packets never get in, and whatever is protected comes out once and whole.
//!
//! The first byte chooses a profile and one of three games; the rest are moves. Where a forgery may succeed by luck, with the
//! 32-bit tag once in 2^32 tries, which a fuzzer reaches, nothing is claimed.

use std::collections::BTreeSet;

use mafalda_media::srtp::{
    PREFIX_MAX, PlainRtp, REPLAY_WINDOW, SrtpError, SrtpKeys, SrtpProfile, SrtpReceiver, SrtpSender,
};

/// Enough for some rollovers of the sequence number, and quick.
const MOVES_MAX: usize = 64;

/// Plays the game that `data` describes; panics when a promise is broken.
pub fn run(data: &[u8]) {
    let Some((choice, moves)) = data.split_first() else { return };
    let profile = SrtpProfile::PREFERENCE[usize::from(choice % 4)];
    match choice / 4 % 3 {
        0 => strangers(moves),
        1 => play_rtp(profile, moves),
        _ => play_rtcp(profile, moves),
    }
}

/// Takes the bytes for a packet: no receiver accepts it, and none remembers it.
fn strangers(data: &[u8]) {
    let Some((header_len, packet)) = data.split_first() else { return };
    for profile in SrtpProfile::PREFERENCE {
        let mut receiver = SrtpReceiver::new(keys(profile));
        let opened = receiver.unprotect_rtp(&mut packet.to_vec(), usize::from(*header_len));
        if !forgeable(profile) {
            assert!(opened.is_err(), "{profile:?} let a stranger in");
            assert_eq!(receiver.rtp_streams(), 0);
        }
        assert!(receiver.unprotect_rtcp(&mut packet.to_vec()).is_err(), "{profile:?} let a stranger in");
        assert_eq!(receiver.rtcp_streams(), 0);
    }
}

/// One stream of RTP. Shape and first index (3 bytes); then per move what to do, the step from the highest index, a size.
fn play_rtp(profile: SrtpProfile, data: &[u8]) {
    let Some((&[shape, start @ ..], moves)) = data.split_first_chunk::<3>() else { return };
    let (sender, mut receiver) = (SrtpSender::new(keys(profile)), SrtpReceiver::new(keys(profile)));
    let start = u64::from(u16::from_be_bytes(start) & 0x7fff);
    let mut model = Model::default();
    for &[action, step_high, step_low, size] in moves.as_chunks().0.iter().take(MOVES_MAX) {
        let step = i64::from(i16::from_be_bytes([step_high, step_low]).max(-0x7fff));
        let index = model.accepted.last().map_or(start, |highest| highest.saturating_add_signed(step));
        let header = rtp_header(shape, index);
        let payload = vec![action; usize::from(size) * usize::from(action / 16)];
        let mut packet = protect_rtp(&sender, index, &header, &payload, 0);
        let prefix_len = usize::from(action) % (PREFIX_MAX + 1);
        assert_eq!(packet, protect_rtp(&sender, index, &header, &payload, prefix_len));
        match action % 4 {
            0 => {
                damage(profile, &mut packet, size);
                assert!(receiver.unprotect_rtp(&mut packet, header.len()).is_err(), "damaged and accepted");
            }
            1 => {
                receiver.retire(SSRC);
                model.retire();
            }
            _ => {
                let opened = receiver.unprotect_rtp(&mut packet, header.len());
                assert_eq!(opened.map(|opened| opened.index), model.accept(index));
                if let Ok(opened) = opened {
                    assert_eq!(packet[..opened.len], [header, payload].concat());
                }
            }
        }
    }
}

/// One sender's RTCP, each report's size and SSRC a byte; then the order in which they arrive, and whether in one piece.
fn play_rtcp(profile: SrtpProfile, data: &[u8]) {
    let Some((count, moves)) = data.split_first() else { return };
    let Some((sizes, arrivals)) = moves.split_at_checked(usize::from(count % 32)) else { return };
    let (mut sender, mut receiver) = (SrtpSender::new(keys(profile)), SrtpReceiver::new(keys(profile)));
    let reports: Vec<Vec<u8>> = sizes.iter().map(|size| vec![*size; 8 + usize::from(*size) * 4]).collect();
    let sealed: Vec<Vec<u8>> = reports.iter().map(|report| protect_rtcp(&mut sender, report)).collect();
    let mut accepted = BTreeSet::new();
    for &[which, at] in arrivals.as_chunks().0.iter().take(MOVES_MAX) {
        let which = usize::from(which) % 64;
        let (Some(report), Some(packet)) = (reports.get(which % 32), sealed.get(which % 32)) else {
            continue;
        };
        let mut packet = packet.clone();
        if which >= 32 {
            let at = usize::from(at) % packet.len();
            packet[at] ^= 0x55;
            assert!(receiver.unprotect_rtcp(&mut packet).is_err(), "damaged and accepted");
        } else if accepted.insert(which) {
            let len = receiver.unprotect_rtcp(&mut packet).expect("every report is accepted once");
            assert_eq!(&packet[..len], report);
        } else {
            assert_eq!(receiver.unprotect_rtcp(&mut packet), Err(SrtpError::Replayed));
        }
    }
}

const SSRC: u32 = 0xcafe_babe;

fn keys(profile: SrtpProfile) -> SrtpKeys {
    let (key, salt) = ([0x5a; 32], [0xa5; 14]);
    SrtpKeys::new(profile, &key[..profile.key_len()], &salt[..profile.salt_len()])
        .expect("lengths of the profile")
}

/// A header with as many CSRCs as the low four bits say, and an extension of the high four bits' words unless zero.
fn rtp_header(shape: u8, index: u64) -> Vec<u8> {
    let (csrcs, words) = (shape & 15, shape >> 4);
    let mut header = vec![0x80 | u8::from(words > 0) << 4 | csrcs, 96];
    header.extend((index as u16).to_be_bytes());
    header.extend([1, 2, 3, 4]);
    header.extend(SSRC.to_be_bytes());
    header.extend((0..csrcs).flat_map(|csrc| [csrc; 4]));
    if words > 0 {
        header.extend([0xbe, 0xde, 0, words]);
        header.extend((0..words).flat_map(|word| [word; 4]));
    }
    header
}

fn protect_rtp(sender: &SrtpSender, index: u64, header: &[u8], payload: &[u8], prefix_len: usize) -> Vec<u8> {
    let (prefix, payload) = payload.split_at(prefix_len.min(payload.len()));
    let mut out = vec![0; header.len() + prefix.len() + payload.len() + sender.profile().max_overhead()];
    let len = sender.protect_rtp(index, PlainRtp { header, prefix, payload }, &mut out).expect("it fits");
    out.truncate(len);
    out
}

fn protect_rtcp(sender: &mut SrtpSender, report: &[u8]) -> Vec<u8> {
    let mut out = vec![0; report.len() + sender.profile().max_overhead()];
    let len = sender.protect_rtcp(report, &mut out).expect("it fits");
    out.truncate(len);
    out
}

/// Changes or cuts the packet; only its tag where another change might go unnoticed.
fn damage(profile: SrtpProfile, packet: &mut Vec<u8>, at: u8) {
    let from = if forgeable(profile) { packet.len() - profile.rtp_tag_len() } else { 0 };
    let at = from + usize::from(at) % (packet.len() - from);
    packet[at] ^= 0x55;
    if !forgeable(profile) && at % 2 == 1 {
        packet.truncate(at);
    }
}

fn forgeable(profile: SrtpProfile) -> bool {
    profile.rtp_tag_len() < 10
}

/// What a receiver should know of a stream.
#[derive(Default)]
struct Model {
    accepted: BTreeSet<u64>,
    /// All before it counts as accepted.
    floor: u64,
}

impl Model {
    /// What a receiver must answer to an authentic packet (RFC 3711 §3.3.2).
    fn accept(&mut self, index: u64) -> Result<u64, SrtpError> {
        if self.accepted.last().is_some_and(|highest| index + REPLAY_WINDOW <= *highest) {
            return Err(SrtpError::TooOld);
        }
        if index < self.floor || !self.accepted.insert(index) {
            return Err(SrtpError::Replayed);
        }
        Ok(index)
    }

    fn retire(&mut self) {
        self.floor = self.accepted.last().map_or(0, |highest| highest + 1);
    }
}
