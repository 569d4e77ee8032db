//! The same packets through `rtc-srtp`, an implementation that shares no code with this one but the ciphers' crates.

use proptest::prelude::*;
use rtc_srtp::context::Context;
use rtc_srtp::crypto::RTCCryptoProvider;
use rtc_srtp::crypto::providers::RingProvider;
use rtc_srtp::protection_profile::ProtectionProfile;

use super::*;

fn oracle(profile: SrtpProfile, seed: u8) -> Context {
    let name = match profile {
        SrtpProfile::AeadAes256Gcm => ProtectionProfile::AeadAes256Gcm,
        SrtpProfile::AeadAes128Gcm => ProtectionProfile::AeadAes128Gcm,
        SrtpProfile::Aes128CmSha1_80 => ProtectionProfile::Aes128CmHmacSha1_80,
        SrtpProfile::Aes128CmSha1_32 => ProtectionProfile::Aes128CmHmacSha1_32,
    };
    let (key, salt) = key_and_salt(profile, seed);
    Context::new(&key, &salt, name, None, None, RingProvider::new().crypto()).unwrap()
}

/// A packet of any legal shape.
#[derive(Clone, Debug)]
struct Shape {
    header: Vec<u8>,
    payload: Vec<u8>,
    prefix_len: usize,
}

impl Shape {
    fn sequence(&self) -> u16 {
        sequence_and_ssrc(&self.header).unwrap().0
    }

    fn set_sequence(&mut self, sequence: u16) {
        self.header[2..4].copy_from_slice(&sequence.to_be_bytes());
    }

    fn plain(&self) -> Vec<u8> {
        [&self.header[..], &self.payload].concat()
    }

    fn protect(&self, sender: &SrtpSender, index: u64) -> Vec<u8> {
        let (prefix, payload) = self.payload.split_at(self.prefix_len.min(self.payload.len()));
        let mut out = vec![0; 2000];
        let len =
            sender.protect_rtp(index, PlainRtp { header: &self.header, prefix, payload }, &mut out).unwrap();
        out.truncate(len);
        out
    }
}

fn shapes() -> impl Strategy<Value = Shape> {
    let fixed = (any::<[u8; RTP_HEADER_MIN]>(), 0..=15_usize, proptest::option::of(0..8_usize));
    let payload = (0..=1500_usize, any::<u8>(), 0..=8_u8, 0..=PREFIX_MAX);
    (fixed, payload).prop_map(|((fixed, csrcs, extension), (len, fill, padding, prefix_len))| {
        let mut header = fixed.to_vec();
        let mut payload: Vec<u8> = (0..len).map(|at| fill.wrapping_add(at as u8)).collect();
        // A padding count that its payload has room for (RFC 3550 §5.1).
        let padded = padding > 0 && payload.len() >= usize::from(padding);
        if let Some(last) = payload.last_mut().filter(|_| padded) {
            *last = padding;
        }
        header[0] = 0x80 | u8::from(padded) << 5 | u8::from(extension.is_some()) << 4 | csrcs as u8;
        header.extend((0..csrcs * 4).map(|at| at as u8));
        if let Some(words) = extension {
            // Not the profile of RFC 8285, so the words mean nothing to whoever parses them.
            header.extend([0x12, 0x34, 0, words as u8]);
            header.extend((0..words * 4).map(|at| !at as u8));
        }
        Shape { header, payload, prefix_len }
    })
}

fn profiles() -> impl Strategy<Value = SrtpProfile> {
    proptest::sample::select(SrtpProfile::PREFERENCE.to_vec())
}

fn kernels() -> impl Strategy<Value = GcmKernel> {
    proptest::sample::select(GcmKernel::available().collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn rtp_both_directions(kernel in kernels(), profile in profiles(), seed: u8, shape in shapes()) {
        let (sender, mut receiver) = pair_on(kernel, profile, seed);
        let mut oracle = oracle(profile, seed);
        let ours = shape.protect(&sender, u64::from(shape.sequence()));
        let theirs = oracle.encrypt_rtp(&shape.plain()).unwrap();
        prop_assert_eq!(&ours, &theirs);

        prop_assert_eq!(&oracle.decrypt_rtp(&ours).unwrap(), &shape.plain());
        let mut packet = theirs.to_vec();
        let opened = receiver.unprotect_rtp(&mut packet, shape.header.len()).unwrap();
        prop_assert_eq!(opened.index, u64::from(shape.sequence()));
        prop_assert_eq!(&packet[..opened.len], shape.plain());
    }

    #[test]
    fn rtp_over_rollovers(kernel in kernels(), profile in profiles(), seed: u8, mut shape in shapes(), start in 0..0x8000_u64, step in 1..0x7f00_u64) {
        let (sender, mut receiver) = pair_on(kernel, profile, seed);
        let (mut encrypting, mut decrypting) = (oracle(profile, seed), oracle(profile, seed));
        for index in (0..20).map(|count| start + count * step) {
            shape.set_sequence(index as u16);
            let ours = shape.protect(&sender, index);
            let theirs = encrypting.encrypt_rtp(&shape.plain()).unwrap();
            prop_assert_eq!(&ours, &theirs);
            prop_assert_eq!(&decrypting.decrypt_rtp(&ours).unwrap(), &shape.plain());
            let opened = receiver.unprotect_rtp(&mut theirs.to_vec(), shape.header.len()).unwrap();
            prop_assert_eq!(opened.index, index);
        }
    }

    #[test]
    fn rtcp_both_directions(kernel in kernels(), profile in profiles(), seed: u8, words in 1..350_u16, fill: u8, ssrc: u32) {
        let (mut sender, mut receiver) = pair_on(kernel, profile, seed);
        let (mut encrypting, mut decrypting) = (oracle(profile, seed), oracle(profile, seed));
        let mut report = vec![0x80, 201];
        report.extend(words.to_be_bytes());
        report.extend(ssrc.to_be_bytes());
        report.extend((1..words).flat_map(|_| [fill; 4]));
        for _ in 0..3 {
            let ours = protect_rtcp(&mut sender, &report);
            prop_assert_eq!(&decrypting.decrypt_rtcp(&ours).unwrap(), &report);
            let theirs = encrypting.encrypt_rtcp(&report).unwrap();
            prop_assert_eq!(unprotect_rtcp(&mut receiver, &theirs), Ok(report.clone()));
        }
    }

    #[test]
    fn tampering_is_refused_anywhere(kernel in kernels(), profile in profiles(), seed: u8, shape in shapes(), at: prop::sample::Index, flip in 1..=255_u8) {
        let (sender, mut receiver) = pair_on(kernel, profile, seed);
        let mut packet = shape.protect(&sender, u64::from(shape.sequence()));
        let at = at.index(packet.len());
        packet[at] ^= flip;
        prop_assert_eq!(receiver.unprotect_rtp(&mut packet, shape.header.len()), Err(SrtpError::Auth));
    }
}
