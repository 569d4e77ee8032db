//! What every profile must do; vectors, oracle and model each have a file of their own.

use super::*;

mod kernels;
mod model;
mod oracle;
mod vectors;

/// The two ends of one direction, with a key that depends on `seed` alone.
fn pair(profile: SrtpProfile, seed: u8) -> (SrtpSender, SrtpReceiver) {
    (SrtpSender::new(keys(profile, seed)), SrtpReceiver::new(keys(profile, seed)))
}

/// The same, both on this kernel.
fn pair_on(kernel: GcmKernel, profile: SrtpProfile, seed: u8) -> (SrtpSender, SrtpReceiver) {
    let sender = SrtpSender::with_kernel(keys(profile, seed), kernel);
    (sender, SrtpReceiver::with_kernel(keys(profile, seed), kernel))
}

fn keys(profile: SrtpProfile, seed: u8) -> SrtpKeys {
    let (key, salt) = key_and_salt(profile, seed);
    SrtpKeys::new(profile, &key, &salt).unwrap()
}

fn key_and_salt(profile: SrtpProfile, seed: u8) -> (Vec<u8>, Vec<u8>) {
    let bytes = |from: u8, len: usize| (0..len).map(|at| from ^ (at as u8).wrapping_mul(37)).collect();
    (bytes(seed, profile.key_len()), bytes(!seed, profile.salt_len()))
}

fn header(ssrc: u32, sequence: u16) -> [u8; RTP_HEADER_MIN] {
    let mut header = [0x80, 96, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0];
    header[2..4].copy_from_slice(&sequence.to_be_bytes());
    header[8..].copy_from_slice(&ssrc.to_be_bytes());
    header
}

fn protect(sender: &SrtpSender, ssrc: u32, index: u64, payload: &[u8]) -> Vec<u8> {
    let header = header(ssrc, index as u16);
    let mut out = vec![0; RTP_HEADER_MIN + payload.len() + sender.profile().max_overhead()];
    let len =
        sender.protect_rtp(index, PlainRtp { header: &header, prefix: &[], payload }, &mut out).unwrap();
    out.truncate(len);
    out
}

fn protect_rtcp(sender: &mut SrtpSender, packet: &[u8]) -> Vec<u8> {
    let mut out = vec![0; packet.len() + sender.profile().max_overhead()];
    let len = sender.protect_rtcp(packet, &mut out).unwrap();
    out.truncate(len);
    out
}

/// Unprotects a copy of an RTP packet without CSRCs and extension, and gives its payload.
fn unprotect(receiver: &mut SrtpReceiver, packet: &[u8]) -> Result<(Vec<u8>, u64), SrtpError> {
    let mut packet = packet.to_vec();
    let Unprotected { len, index } = receiver.unprotect_rtp(&mut packet, RTP_HEADER_MIN)?;
    Ok((packet[RTP_HEADER_MIN..len].to_vec(), index))
}

fn unprotect_rtcp(receiver: &mut SrtpReceiver, packet: &[u8]) -> Result<Vec<u8>, SrtpError> {
    let mut packet = packet.to_vec();
    let len = receiver.unprotect_rtcp(&mut packet)?;
    packet.truncate(len);
    Ok(packet)
}

#[test]
fn the_overhead_is_what_the_profile_says() {
    for profile in SrtpProfile::PREFERENCE {
        let (mut sender, _) = pair(profile, 1);
        assert_eq!(protect(&sender, 1, 0, &[7; 50]).len(), 62 + profile.rtp_tag_len());
        assert_eq!(protect_rtcp(&mut sender, &[0x80; 20]).len(), 20 + profile.max_overhead());
    }
}

#[test]
fn profiles_keep_their_ids() {
    for (id, profile) in [(1, SrtpProfile::Aes128CmSha1_80), (2, SrtpProfile::Aes128CmSha1_32)] {
        assert_eq!(SrtpProfile::from_id(id), Some(profile));
    }
    for (id, profile) in [(7, SrtpProfile::AeadAes128Gcm), (8, SrtpProfile::AeadAes256Gcm)] {
        assert_eq!(SrtpProfile::from_id(id), Some(profile));
    }
    assert_eq!(SrtpProfile::from_id(3), None);
}

#[test]
fn protecting_twice_gives_the_same_bytes() {
    for profile in SrtpProfile::PREFERENCE {
        let (sender, _) = pair(profile, 2);
        let first = protect(&sender, 9, 0x2_0007, b"the same text");
        assert_ne!(first, protect(&sender, 9, 0x3_0007, b"the same text"), "{profile:?}");
        assert_ne!(first, protect(&sender, 9, 0x2_0008, b"the same text"), "{profile:?}");
        assert_eq!(first, protect(&sender, 9, 0x2_0007, b"the same text"), "{profile:?}");
    }
}

#[test]
fn a_prefix_is_the_start_of_the_payload() {
    for profile in SrtpProfile::PREFERENCE {
        let (sender, _) = pair(profile, 3);
        let (text, header) = ([5; 90], header(7, 3));
        let whole = protect(&sender, 7, 3, &text);
        for split in 0..=PREFIX_MAX {
            let (prefix, payload) = text.split_at(split);
            let mut out = [0; 200];
            let len = sender.protect_rtp(3, PlainRtp { header: &header, prefix, payload }, &mut out).unwrap();
            assert_eq!(whole, &out[..len], "{profile:?} at {split}");
        }
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let (mut sender, _) = pair(SrtpProfile::AeadAes128Gcm, 4);
    let header = header(1, 5);
    let plain = PlainRtp { header: &header, prefix: &[], payload: &[1; 10] };
    let mut out = [0xee; 37];
    assert_eq!(sender.protect_rtp(5, plain, &mut out), Err(SrtpError::BufferTooSmall));
    assert_eq!(sender.protect_rtp(6, plain, &mut out), Err(SrtpError::IndexMismatch));
    assert_eq!(sender.protect_rtp(1 << 48 | 5, plain, &mut out), Err(SrtpError::IndexExhausted));
    let short = PlainRtp { header: &header[..11], ..plain };
    assert_eq!(sender.protect_rtp(5, short, &mut out), Err(SrtpError::TooShort));
    let prefixed = PlainRtp { prefix: &[0; PREFIX_MAX + 1], ..plain };
    assert_eq!(sender.protect_rtp(5, prefixed, &mut out), Err(SrtpError::PrefixTooLong));
    let long = PlainRtp { payload: &vec![0; PACKET_MAX], ..plain };
    assert_eq!(sender.protect_rtp(5, long, &mut out), Err(SrtpError::TooLong));
    assert_eq!(sender.protect_rtcp(&[0x80; 7], &mut out), Err(SrtpError::TooShort));
    assert_eq!(sender.protect_rtcp(&[0x80; 18], &mut out), Err(SrtpError::BufferTooSmall));
    assert_eq!(out, [0xee; 37]);
    // A refused packet has taken no index.
    assert!(sender.protect_rtcp(&[0x80; 12], &mut out).is_ok());
    assert_eq!(out[28..32], [0x80, 0, 0, 0]);
}

#[test]
fn short_packets_are_refused() {
    for profile in SrtpProfile::PREFERENCE {
        let (_, mut receiver) = pair(profile, 5);
        for len in 0..RTP_HEADER_MIN + profile.rtp_tag_len() {
            assert_eq!(receiver.unprotect_rtp(&mut vec![0x80; len], 12), Err(SrtpError::TooShort));
        }
        assert_eq!(receiver.unprotect_rtp(&mut [0x80; 60], 11), Err(SrtpError::TooShort));
        assert_eq!(receiver.unprotect_rtp(&mut [0x80; 60], 61), Err(SrtpError::TooShort));
        for len in 0..RTCP_HEADER_LEN + profile.max_overhead() {
            assert_eq!(receiver.unprotect_rtcp(&mut vec![0x80; len]), Err(SrtpError::TooShort));
        }
    }
}

#[test]
fn no_byte_can_be_changed() {
    for profile in SrtpProfile::PREFERENCE {
        let (mut sender, mut receiver) = pair(profile, 6);
        let (rtp, rtcp) = (protect(&sender, 8, 1000, &[3; 40]), protect_rtcp(&mut sender, &[0x81; 40]));
        for bit in 0..rtp.len() * 8 {
            let mut tampered = rtp.clone();
            tampered[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(unprotect(&mut receiver, &tampered), Err(SrtpError::Auth), "{profile:?} bit {bit}");
        }
        for bit in 0..rtcp.len() * 8 {
            let mut tampered = rtcp.clone();
            tampered[bit / 8] ^= 1 << (bit % 8);
            let refused = unprotect_rtcp(&mut receiver, &tampered).unwrap_err();
            assert!(matches!(refused, SrtpError::Auth | SrtpError::NotEncrypted), "{profile:?} bit {bit}");
        }
        // None of that left a trace.
        assert_eq!((receiver.rtp_streams(), receiver.rtcp_streams()), (0, 0));
        assert_eq!(unprotect(&mut receiver, &rtp), Ok((vec![3; 40], 1000)));
        assert_eq!(unprotect_rtcp(&mut receiver, &rtcp), Ok(vec![0x81; 40]));
    }
}

#[test]
fn a_packet_cut_short_or_made_longer_is_refused() {
    for profile in SrtpProfile::PREFERENCE {
        let (sender, mut receiver) = pair(profile, 7);
        let mut packet = protect(&sender, 8, 1000, &[3; 40]);
        assert!(unprotect(&mut receiver, &packet[..packet.len() - 1]).is_err());
        packet.push(0);
        assert_eq!(unprotect(&mut receiver, &packet), Err(SrtpError::Auth));
    }
}

#[test]
fn the_header_length_is_authenticated() {
    // RTX-like confusion: the same bytes, taken as 4 bytes more of header.
    let (sender, mut receiver) = pair(SrtpProfile::AeadAes128Gcm, 8);
    let mut packet = protect(&sender, 8, 1000, &[3; 40]);
    assert_eq!(receiver.unprotect_rtp(&mut packet, 16), Err(SrtpError::Auth));
}

#[test]
fn directions_and_traffic_have_keys_of_their_own() {
    for profile in SrtpProfile::PREFERENCE {
        let (sender, _) = pair(profile, 9);
        let (_, mut other) = pair(profile, 10);
        assert_eq!(unprotect(&mut other, &protect(&sender, 1, 1, &[1; 30])), Err(SrtpError::Auth));
    }
}

#[test]
fn rtcp_in_the_clear_is_refused() {
    let (mut sender, mut receiver) = pair(SrtpProfile::Aes128CmSha1_80, 11);
    let mut packet = protect_rtcp(&mut sender, &[0x81; 16]);
    packet[16] &= 0x7f;
    assert_eq!(receiver.unprotect_rtcp(&mut packet), Err(SrtpError::NotEncrypted));
}

#[test]
fn replays_are_refused_per_ssrc() {
    for profile in SrtpProfile::PREFERENCE {
        let (mut sender, mut receiver) = pair(profile, 12);
        for ssrc in [1, 2] {
            let packet = protect(&sender, ssrc, 77, &[]);
            assert_eq!(unprotect(&mut receiver, &packet), Ok((vec![], 77)));
            assert_eq!(unprotect(&mut receiver, &packet), Err(SrtpError::Replayed));
        }
        let packet = protect_rtcp(&mut sender, &[0x80; 8]);
        assert!(unprotect_rtcp(&mut receiver, &packet).is_ok());
        assert_eq!(unprotect_rtcp(&mut receiver, &packet), Err(SrtpError::Replayed));
    }
}

#[test]
fn the_index_is_followed_over_rollovers_in_any_order() {
    let (sender, mut receiver) = pair(SrtpProfile::AeadAes256Gcm, 13);
    for index in [0x7000, 0xe000, 0x1_0001, 0xffff, 0xfffe, 0x1_0000, 0x1_7000, 0x1_f000, 0x2_0002, 0x1_ffff]
    {
        let packet = protect(&sender, 3, index, b"x");
        assert_eq!(unprotect(&mut receiver, &packet), Ok((b"x".to_vec(), index)), "{index:x}");
    }
}

#[test]
fn nothing_lies_before_the_first_rollover_or_behind_the_last() {
    assert_eq!(rollover::estimate(3, 0xffff), Err(SrtpError::TooOld));
    assert_eq!(rollover::estimate(1 << 16, 0xffff), Ok(0xffff));
    let last = rollover::RTP_INDEX_MAX;
    assert_eq!(rollover::estimate(last - 5, 0xffff), Ok(last));
    assert_eq!(rollover::estimate(last, 0), Err(SrtpError::IndexExhausted));
}

#[test]
fn the_estimate_is_the_nearest_index() {
    // RFC 3711 appendix A at its edges: a distance of exactly half goes forward from the lower half, back from the upper.
    let estimates = [
        (0x5_0000, 0x8000, 0x5_8000),
        (0x5_0000, 0x8001, 0x4_8001),
        (0x5_7fff, 0xffff, 0x5_ffff),
        (0x5_8000, 0x0000, 0x5_0000),
        (0x5_8001, 0x0000, 0x6_0000),
        (0x5_ffff, 0x7fff, 0x5_7fff),
        (0x5_ffff, 0x7ffe, 0x6_7ffe),
    ];
    for (highest, sequence, index) in estimates {
        assert_eq!(rollover::estimate(highest, sequence), Ok(index), "{highest:x} {sequence:x}");
    }
}

#[test]
fn a_retired_stream_goes_on_but_never_back() {
    let (mut sender, mut receiver) = pair(SrtpProfile::AeadAes128Gcm, 14);
    let packets = [0x7ff0, 0xfff0, 0x1_0005].map(|index| protect(&sender, 4, index, b"x"));
    let newer = protect(&sender, 4, 0x1_0006, b"x");
    let never_seen = protect(&sender, 4, 0x1_0004, b"x");
    let rtcp = protect_rtcp(&mut sender, &[0, 0, 0, 0, 0, 0, 0, 4]);
    assert!(packets.iter().all(|packet| unprotect(&mut receiver, packet).is_ok()));
    assert!(unprotect_rtcp(&mut receiver, &rtcp).is_ok());
    receiver.retire(4);
    receiver.retire(4);
    receiver.retire(5);
    assert_eq!((receiver.rtp_streams(), receiver.rtcp_streams()), (0, 0));
    for packet in packets.iter().chain([&never_seen]) {
        assert!(unprotect(&mut receiver, packet).is_err());
    }
    assert_eq!(unprotect_rtcp(&mut receiver, &rtcp), Err(SrtpError::Replayed));
    assert_eq!(receiver.rtp_streams(), 0, "a refused packet wakes nothing");
    assert_eq!(unprotect(&mut receiver, &newer), Ok((b"x".to_vec(), 0x1_0006)));
    assert_eq!(unprotect(&mut receiver, &never_seen), Err(SrtpError::Replayed));
}

#[test]
fn keys_have_the_length_of_their_profile_and_are_not_printed() {
    let profile = SrtpProfile::AeadAes256Gcm;
    assert_eq!(SrtpKeys::new(profile, &[1; 16], &[2; 12]).unwrap_err(), SrtpError::KeyLength);
    assert_eq!(SrtpKeys::new(profile, &[1; 32], &[2; 14]).unwrap_err(), SrtpError::KeyLength);
    assert_eq!(format!("{:?}", keys(profile, 222)), "SrtpKeys { profile: AeadAes256Gcm, .. }");
}

#[test]
fn contexts_move_between_threads() {
    fn assert_send<T: Send>() {}
    assert_send::<SrtpSender>();
    assert_send::<SrtpReceiver>();
}
