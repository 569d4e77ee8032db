//! Known answers: RFC 3711 appendix B, RFC 6188 §7, RFC 7714 §16 and §17, and whole packets as libsrtp makes them.

use aes::Aes128Enc;
use ctr::cipher::{KeyInit, StreamCipher};

use super::super::cipher::{Cipher, PacketId};
use super::super::derivation::{SessionKeys, Traffic};
use super::super::keys::number;
use super::*;

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn rfc_3711_b2_keystream() {
    let cipher = Aes128Enc::new_from_slice(&hex("2b7e151628aed2a6abf7158809cf4f3c")).unwrap();
    let counter = number(&hex("f0f1f2f3f4f5f6f7f8f9fafbfcfd0000"));
    let mut stream = vec![0; 0xff02 * 16];
    cm::keystream(&cipher, counter).apply_keystream(&mut stream);
    let block = |at: usize| &stream[at * 16..][..16];
    assert_eq!(block(0), hex("e03ead0935c95e80e166b16dd92b4eb4"));
    assert_eq!(block(1), hex("d23513162b02d0f72a43a2fe4a5f97ab"));
    assert_eq!(block(2), hex("41e95b3bb0a2e8dd477901e4fca894c0"));
    assert_eq!(block(0xfeff), hex("ec8cdf7398607cb0f2d21675ea9ea1e4"));
    assert_eq!(block(0xff00), hex("362b7c3c6773516318a077d7fc5073ae"));
    assert_eq!(block(0xff01), hex("6a2cc3787889374fbeb4c81b17ba6c44"));
}

#[test]
fn rfc_3711_b3_key_derivation() {
    let (key, salt) = (hex("e1f97a0d3e018be0d64fa32c06de4139"), hex("0ec675ad498afeebb6960b3aabe6"));
    let master = SrtpKeys::new(SrtpProfile::Aes128CmSha1_80, &key, &salt).unwrap();
    let session = SessionKeys::derive(&master, Traffic::Rtp);
    assert_eq!(session.key(), hex("c61e7a93744f39ee10734afe3ff7a087"));
    assert_eq!(session.salt, number(&hex("30cbbc08863d8c85d49db34a9ae1")));
    assert_eq!(session.auth_key.as_slice(), hex("cebe321f6ff7716b6fd4ab49af256a156d38baa4"));
}

#[test]
fn rfc_6188_key_derivation_with_aes_256() {
    // The RFC's salt has 14 bytes; GCM's has 12 and two zeros (RFC 7714 §11). Up to the salt's last two bytes the first block
    // of keystream is another, so the RFC's own case is taken through the same function with all 14.
    let key = hex("f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6");
    let cipher = aes::Aes256Enc::new_from_slice(&key).unwrap();
    let salt = number(&hex("3b04803de51ee7c96423ab5b78d2"));
    let mut derived = vec![0; 32];
    cm::keystream(&cipher, salt << 16).apply_keystream(&mut derived);
    assert_eq!(derived, hex("5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4"));
}

/// A cipher with session keys from RFC 7714 §16: bytes counting up, salt "Quid pro quo".
fn rfc_7714_cipher(profile: SrtpProfile, kernel: GcmKernel) -> Cipher {
    let mut key = zeroize::Zeroizing::new([0; 32]);
    key.iter_mut().zip(0..).for_each(|(byte, value)| *byte = value);
    let keys =
        SessionKeys { profile, key, auth_key: zeroize::Zeroizing::default(), salt: number(b"Quid pro quo") };
    Cipher::new(&keys, kernel, 16)
}

const RFC_7714_CASES: [(SrtpProfile, &str, &str); 2] = [
    (
        SrtpProfile::AeadAes128Gcm,
        "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf\
         765ee4390cce",
        "63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275bc84aa458\
         96cf4d2fc5abf87245d9eade800005d4",
    ),
    (
        SrtpProfile::AeadAes256Gcm,
        "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b7aa3db36dfffd6b0f9bb\
         7878d7a76c13",
        "d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658c61de0476f1b6fad1d1eb30c\
         4446839f57ff6f6cb26ac3be800005d4",
    ),
];

fn on_each_kernel<T: Copy>(case: T) -> impl Iterator<Item = (T, GcmKernel)> {
    GcmKernel::available().map(move |kernel| (case, kernel))
}

#[test]
fn rfc_7714_16_rtp() {
    let header = hex("8040f17b8041f8d35501a0b2");
    let text = b"Gallia est omnis divisa in partes tres";
    let id = PacketId { ssrc: 0x5501_a0b2, index: 0xf17b };
    for ((profile, srtp, _), kernel) in RFC_7714_CASES.into_iter().flat_map(on_each_kernel) {
        let cipher = rfc_7714_cipher(profile, kernel);
        let mut body = vec![0; text.len() + 16];
        cipher.seal_rtp(id, &header, [&text[..5], &text[5..]], &mut body).unwrap();
        assert_eq!(body, hex(srtp), "{profile:?} {kernel:?}");
        assert_eq!(cipher.open_rtp(id, &header, &mut body), Ok(()));
        assert_eq!(&body[..text.len()], text);
    }
}

#[test]
fn rfc_7714_17_rtcp() {
    let header = *hex("81c8000d4d617273").first_chunk().unwrap();
    let text =
        hex("4e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef");
    let id = PacketId { ssrc: 0x4d61_7273, index: 0x5d4 };
    for ((profile, _, srtcp), kernel) in RFC_7714_CASES.into_iter().flat_map(on_each_kernel) {
        let cipher = rfc_7714_cipher(profile, kernel);
        let mut body = vec![0; text.len() + 20];
        cipher.seal_rtcp(id, 0x8000_05d4, &header, &text, &mut body).unwrap();
        assert_eq!(body, hex(srtcp), "{profile:?} {kernel:?}");
        assert_eq!(cipher.rtcp_word_offset(8 + body.len()), Some(8 + text.len() + 16));
        assert_eq!(cipher.open_rtcp(id, 0x8000_05d4, &header, &mut body), Ok(()));
        assert_eq!(&body[..text.len()], text);
    }
}

#[test]
fn rfc_7714_17_3_tagged_only_is_refused() {
    let mut packet = hex(
        "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeef\
         deadbeef841dd9683dd78ec92ae58790125f62b3000005d4",
    );
    let (_, mut receiver) = pair(SrtpProfile::AeadAes128Gcm, 0);
    assert_eq!(receiver.unprotect_rtcp(&mut packet), Err(SrtpError::NotEncrypted));
}

#[test]
fn libsrtp_counter_mode_packets() {
    let (key, salt) = (hex("e1f97a0d3e018be0d64fa32c06de4139"), hex("0ec675ad498afeebb6960b3aabe6"));
    let keys = || SrtpKeys::new(SrtpProfile::Aes128CmSha1_80, &key, &salt).unwrap();
    let mut sender = SrtpSender::new(keys());
    let rtp = protect_raw(&sender, 0x1234, &hex("800f1234decafbadcafebabe"), &[0xab; 16]);
    assert_eq!(rtp, hex("800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb"));
    // libsrtp's first index is 1.
    let report = [hex("81c8000bcafebabe"), vec![0xab; 16]].concat();
    protect_rtcp(&mut sender, &report);
    let rtcp = protect_rtcp(&mut sender, &report);
    assert_eq!(rtcp, hex("81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798"));
}

fn protect_raw(sender: &SrtpSender, index: u64, header: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0; 200];
    let len = sender.protect_rtp(index, PlainRtp { header, prefix: &[], payload }, &mut out).unwrap();
    out.truncate(len);
    out
}
