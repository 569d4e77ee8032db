//! A key as the vector kernels want it: the AES round keys, and the powers of H that GHASH multiplies with.

use std::arch::x86_64::{
    __m128i, _mm_aesenc_si128, _mm_aesenclast_si128, _mm_cvtsi128_si32, _mm_load_si128, _mm_set1_epi32,
    _mm_setzero_si128,
};
use std::ptr;

use zeroize::Zeroize;

use super::ghash;
use super::vaes::Width;

/// Rounds of AES-128 (FIPS 197 §5).
pub(super) const ROUNDS_128: usize = 10;

/// Rounds of AES-256 (FIPS 197 §5).
pub(super) const ROUNDS_256: usize = 14;

/// How many powers of H a key holds: the most blocks that are hashed with one reduction.
///
/// A full group of text is 16 blocks; the last group has up to 16 and the block of lengths. More powers would save a
/// reduction here and there, and cost every key another cache line per four.
pub(super) const POWERS: usize = 17;

/// Zeros behind the last power, so that a vector of four may be loaded from any of them.
const PADDING: usize = 3;

/// Round keys and powers of H, wiped on drop.
///
/// The layout puts the sixteenth power, where a full group starts, at the start of a cache line.
#[repr(C, align(64))]
pub(super) struct VectorKey {
    round_keys: [u128; ROUNDS_256 + 1],
    /// The highest power first, each as [`ghash`] wants it, then zeros.
    powers: [u128; POWERS + PADDING],
    rounds: usize,
    /// The kernel that it is for; in here, since around it would cost a cache line for one byte.
    width: Width,
}

const _: () = assert!(size_of::<VectorKey>() == 576, "a Transport has four of them");

impl VectorKey {
    /// A key of 16 or 32 bytes.
    #[target_feature(enable = "aes,pclmulqdq,ssse3")]
    pub(super) fn new(width: Width, key: &[u8]) -> Self {
        let rounds = if key.len() == 32 { ROUNDS_256 } else { ROUNDS_128 };
        let mut this = Self { round_keys: [0; ROUNDS_256 + 1], powers: [0; POWERS + PADDING], rounds, width };
        this.expand(key);
        this.raise();
        this
    }

    /// How many rounds its cipher has: [`ROUNDS_128`] or [`ROUNDS_256`].
    #[inline]
    pub(super) fn rounds(&self) -> usize {
        self.rounds
    }

    /// The kernel that it is for.
    #[inline]
    pub(super) fn width(&self) -> Width {
        self.width
    }

    /// The key that is added after this many rounds.
    #[inline]
    #[target_feature(enable = "sse2")]
    pub(super) fn round_key(&self, round: usize) -> __m128i {
        load(&self.round_keys[round])
    }

    /// `N` powers of H, down from this one; zeros behind the first power.
    ///
    /// # Panics
    /// When `highest` is not in `1..=POWERS`, or `N` is more than four beyond it.
    #[inline]
    pub(super) fn powers<const N: usize>(&self, highest: usize) -> &[u128; N] {
        self.powers[POWERS - highest..].first_chunk().expect("vectors start at a power and hold four at most")
    }

    /// The key schedule (FIPS 197 §5.2).
    #[target_feature(enable = "aes,sse2")]
    fn expand(&mut self, key: &[u8]) {
        let words_per_key = key.len() / 4;
        let mut words = zeroize::Zeroizing::new([0; 4 * (ROUNDS_256 + 1)]);
        for (word, bytes) in words.iter_mut().zip(key.as_chunks().0) {
            *word = u32::from_le_bytes(*bytes);
        }
        let mut round_constant = 1;
        for at in words_per_key..4 * (self.rounds + 1) {
            let mut word = words[at - 1];
            if at % words_per_key == 0 {
                word = substitute(word).rotate_right(8) ^ round_constant;
                // Doubling in the field of AES; only AES-128's ninth and tenth constants wrap.
                round_constant = round_constant << 1 ^ if round_constant & 0x80 == 0 { 0 } else { 0x11b };
            } else if words_per_key > 6 && at % words_per_key == 4 {
                word = substitute(word);
            }
            words[at] = words[at - words_per_key] ^ word;
        }
        for (key, words) in self.round_keys.iter_mut().zip(words.as_chunks::<4>().0) {
            *key = words.iter().rev().fold(0, |key, word| key << 32 | u128::from(*word));
        }
    }

    /// H is the zero block encrypted (NIST SP 800-38D §7.1); then its powers.
    #[target_feature(enable = "aes,pclmulqdq,ssse3")]
    fn raise(&mut self) {
        let mut block = self.round_key(0);
        for round in 1..self.rounds {
            block = _mm_aesenc_si128(block, self.round_key(round));
        }
        let first = ghash::prepare(_mm_aesenclast_si128(block, self.round_key(self.rounds)));
        let mut power = first;
        for place in self.powers[..POWERS].iter_mut().rev() {
            *place = ghash::to_number(power);
            power = ghash::multiply(power, first);
        }
    }
}

impl Drop for VectorKey {
    fn drop(&mut self) {
        self.round_keys.zeroize();
        self.powers.zeroize();
    }
}

/// The S-box on each byte of a word (SubWord of FIPS 197 §5.2): in a state of four equal columns, shifting rows does nothing.
#[inline]
#[target_feature(enable = "aes,sse2")]
fn substitute(word: u32) -> u32 {
    _mm_cvtsi128_si32(_mm_aesenclast_si128(_mm_set1_epi32(word.cast_signed()), _mm_setzero_si128()))
        .cast_unsigned()
}

#[inline]
#[target_feature(enable = "sse2")]
pub(super) fn load(number: &u128) -> __m128i {
    // SAFETY: a reference is valid for 16 bytes, and `u128` is aligned to 16 on this architecture.
    unsafe { _mm_load_si128(ptr::from_ref(number).cast()) }
}
