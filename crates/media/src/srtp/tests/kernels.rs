//! Each kernel that this CPU has against `ring`, byte for byte, and against what must not get through.
//!
//! Texts and headers lie in allocations of their very length, so that a run under AddressSanitizer sees every byte too many.

use proptest::prelude::*;

use super::super::gcm::GcmKey;
use super::*;

const NONCE: [u8; 12] = *b"Quid pro quo";

fn ring() -> GcmKernel {
    GcmKernel::available().last().unwrap()
}

/// Bytes that look like nothing, the same for the same seed.
fn noise(seed: u8, len: usize) -> Vec<u8> {
    let mut state = u32::from(seed) | 0x5eed_0000;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..len).map(|_| next()).collect()
}

/// One call of each kind.
#[derive(Clone, Debug)]
struct Case {
    key: Vec<u8>,
    aad: Vec<u8>,
    text: Vec<u8>,
    prefix_len: usize,
    /// How far from their allocations' starts texts are.
    shift: usize,
}

impl Case {
    fn new(key_len: usize, aad_len: usize, text_len: usize, prefix_len: usize) -> Self {
        let (key, aad, text) = (noise(1, key_len), noise(2, aad_len), noise(3, text_len));
        Self { key, aad, text, prefix_len: prefix_len.min(text_len), shift: 0 }
    }

    /// Ciphertext and tag. What lies around them must stay.
    fn seal(&self, kernel: GcmKernel) -> Vec<u8> {
        let shifted = [vec![0xaa; self.shift], self.text.clone()].concat();
        let text = &shifted[self.shift..];
        // Pieces that don't lie side by side, the second up to the end of its allocation.
        let prefix = text[..self.prefix_len].to_vec();
        let plain = [&prefix[..], &text[self.prefix_len..]];
        let end = self.shift + self.text.len();
        let mut out = vec![0xee; end + 32];
        let mut tag = [0; 16];
        GcmKey::new(kernel, &self.key)
            .seal(NONCE, &self.aad, plain, &mut out[self.shift..end], &mut tag)
            .unwrap();
        assert!(
            out[..self.shift].iter().chain(&out[end..]).all(|byte| *byte == 0xee),
            "{kernel:?} wrote beside"
        );
        let mut exact = vec![0; self.text.len()];
        let mut again = [0; 16];
        GcmKey::new(kernel, &self.key).seal(NONCE, &self.aad, plain, &mut exact, &mut again).unwrap();
        assert_eq!((&exact[..], again), (&out[self.shift..end], tag), "{kernel:?} in an exact buffer");
        [exact, tag.to_vec()].concat()
    }

    /// The plain text of what was sealed, or of something else.
    fn open(&self, kernel: GcmKernel, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SrtpError> {
        let (ciphertext, tag) = sealed.split_at(sealed.len() - 16);
        let mut buffer = [vec![0xee; self.shift], ciphertext.to_vec()].concat();
        let opened = GcmKey::new(kernel, &self.key).open(NONCE, aad, &mut buffer[self.shift..], tag);
        assert!(buffer[..self.shift].iter().all(|byte| *byte == 0xee), "{kernel:?} wrote beside");
        opened.map(|()| buffer.split_off(self.shift))
    }

    fn check(&self) {
        let expected = self.seal(ring());
        for kernel in GcmKernel::available() {
            assert_eq!(self.seal(kernel), expected, "{kernel:?} {self:?}");
            let opened = self.open(kernel, &self.aad, &expected);
            assert_eq!(opened.as_ref(), Ok(&self.text), "{kernel:?} {self:?}");
        }
    }
}

fn cases() -> impl Strategy<Value = Case> {
    let aad_len = prop_oneof![8 => 0..=100_usize, 1 => 0..=700_usize];
    let text_len = prop_oneof![0..=300_usize, 0..=1500_usize];
    (any::<bool>(), aad_len, text_len, 0..=PREFIX_MAX, 0..=64_usize, any::<u8>()).prop_map(
        |(long, aad_len, text_len, prefix_len, shift, seed)| {
            let case = Case::new(if long { 32 } else { 16 }, aad_len, text_len, prefix_len);
            Case { shift, key: noise(seed, case.key.len()), text: noise(!seed, text_len), ..case }
        },
    )
}

#[test]
fn ring_is_always_there_and_the_best_comes_first() {
    let kernels: Vec<_> = GcmKernel::available().collect();
    assert_eq!(kernels.last().unwrap().name(), "ring");
    assert_eq!(kernels[0], GcmKernel::best());
    let mut names: Vec<_> = kernels.iter().map(|kernel| kernel.name()).collect();
    names.dedup();
    assert_eq!(names.len(), kernels.len());
}

#[test]
#[cfg(target_arch = "x86_64")]
fn a_kernel_is_offered_where_the_cpu_has_its_instructions() {
    let has = |name| GcmKernel::available().any(|kernel| kernel.name() == name);
    let narrow = is_x86_feature_detected!("vaes") && is_x86_feature_detected!("vpclmulqdq");
    assert_eq!(has("vaes-256"), narrow && is_x86_feature_detected!("avx2"));
    assert_eq!(has("vaes-512"), narrow && is_x86_feature_detected!("avx512bw"));
}

#[test]
fn every_length_of_a_last_group_and_some_groups_before_it() {
    for key_len in [16, 32] {
        for text_len in 0..=600 {
            for (aad_len, prefix_len) in [(12, 0), (20, 2), (28, 32)] {
                Case::new(key_len, aad_len, text_len, prefix_len).check();
            }
        }
    }
}

#[test]
fn every_length_of_a_header() {
    for aad_len in 0..=300 {
        for text_len in [0, 5, 100, 240, 1200] {
            Case::new(16, aad_len, text_len, 2).check();
        }
    }
}

#[test]
fn every_prefix_at_every_length_that_it_can_fill() {
    for prefix_len in 0..=PREFIX_MAX {
        for text_len in prefix_len..=prefix_len + 70 {
            Case::new(16, 12, text_len, prefix_len).check();
        }
    }
}

#[test]
fn the_block_counter_carries_over_a_whole_datagram() {
    // Over 4096 blocks: the counter's second byte, and its carry, are in use.
    for text_len in [4096, 4100, PACKET_MAX - 28] {
        Case::new(32, 12, text_len, 2).check();
    }
}

#[test]
fn no_bit_of_header_text_and_tag_can_be_changed() {
    for kernel in GcmKernel::available() {
        for text_len in [0, 33, 300] {
            let case = Case::new(16, 20, text_len, 0);
            let sealed = case.seal(kernel);
            for bit in 0..sealed.len() * 8 {
                let mut tampered = sealed.clone();
                tampered[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(
                    case.open(kernel, &case.aad, &tampered),
                    Err(SrtpError::Auth),
                    "{kernel:?} bit {bit}"
                );
            }
            for bit in 0..case.aad.len() * 8 {
                let mut aad = case.aad.clone();
                aad[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(
                    case.open(kernel, &aad, &sealed),
                    Err(SrtpError::Auth),
                    "{kernel:?} header bit {bit}"
                );
            }
        }
    }
}

#[test]
fn a_tag_of_another_length_is_refused() {
    for kernel in GcmKernel::available() {
        let key = GcmKey::new(kernel, &[7; 16]);
        assert_eq!(key.open(NONCE, &[], &mut [0; 20], &[0; 15]), Err(SrtpError::Auth));
        assert_eq!(key.open(NONCE, &[], &mut [], &[]), Err(SrtpError::Auth));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_packet(case in cases()) {
        case.check();
    }

    #[test]
    fn any_damage_is_refused(case in cases(), at: prop::sample::Index, flip in 1..=255_u8) {
        for kernel in GcmKernel::available() {
            let mut sealed = case.seal(kernel);
            let at = at.index(sealed.len());
            sealed[at] ^= flip;
            prop_assert_eq!(case.open(kernel, &case.aad, &sealed), Err(SrtpError::Auth));
        }
    }
}
