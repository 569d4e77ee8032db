//! Vectors of two blocks.
//!
//! Memory is reached through slices and references alone, so that what is unsafe ends here.

use std::arch::asm;
use std::arch::x86_64::{
    __m128i, __m256i, _mm_xor_si128, _mm256_add_epi32, _mm256_aesenc_epi128, _mm256_aesenclast_epi128,
    _mm256_and_si256, _mm256_blendv_epi8, _mm256_broadcastsi128_si256, _mm256_castsi256_si128,
    _mm256_clmulepi64_epi128, _mm256_cmpeq_epi64, _mm256_cmpgt_epi8, _mm256_extracti128_si256,
    _mm256_loadu_si256, _mm256_set_epi8, _mm256_set_epi32, _mm256_set_epi64x, _mm256_set_m128i,
    _mm256_set1_epi8, _mm256_set1_epi64x, _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_shuffle_epi32,
    _mm256_storeu_si256, _mm256_xor_si256, _mm256_zextsi128_si256,
};
use std::ptr;

use crate::srtp::kernel::{ghash, partial};

pub(super) type Vector = __m256i;

/// Blocks of a vector.
pub(super) const LANES: usize = 2;

/// Bytes of a vector.
pub(super) const WIDTH: usize = 16 * LANES;

/// Up to a vector's length of bytes, then zeros.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn load_up_to(bytes: &[u8]) -> Vector {
    match bytes.first_chunk() {
        Some(bytes) => load(bytes),
        None => numbers(load_parts(bytes)),
    }
}

/// The first bytes of `start`, then those of `rest`, up to a vector's length in all; then zeros. `start` is no longer than that.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn load_joined(start: &[u8], rest: &[u8]) -> Vector {
    let [low, high] = load_parts(start);
    let [rest_low, rest_high] = load_parts(rest);
    // What follows, moved up by the length of the start, over 256 bits.
    let bits = 8 * start.len() as u32;
    let up = |number: u128, bits: u32| number.checked_shl(bits).unwrap_or(0);
    let carried = match bits.checked_sub(128) {
        Some(beyond) => up(rest_low, beyond),
        None => rest_low.checked_shr(128 - bits).unwrap_or(0),
    };
    numbers([low | up(rest_low, bits), high | carried | up(rest_high, bits)])
}

/// Stores as much of the vector as there is room for.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn store_up_to(bytes: &mut [u8], vector: Vector) {
    match bytes.first_chunk_mut() {
        Some(bytes) => store(bytes, vector),
        None => {
            let (low, high) = bytes.split_at_mut(bytes.len().min(16));
            partial::store(low, ghash::to_number(_mm256_castsi256_si128(vector)));
            partial::store(high, ghash::to_number(_mm256_extracti128_si256(vector, 1)));
        }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(bytes: &[u8; WIDTH]) -> Vector {
    // SAFETY: a reference is valid for as many bytes as are loaded, and alignment isn't asked for.
    unsafe { _mm256_loadu_si256(ptr::from_ref(bytes).cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(bytes: &mut [u8; WIDTH], vector: Vector) {
    // SAFETY: a reference is valid for as many bytes as are stored, and alignment isn't asked for.
    unsafe { _mm256_storeu_si256(ptr::from_mut(bytes).cast(), vector) }
}

/// Both blocks of up to 32 bytes.
#[inline]
fn load_parts(bytes: &[u8]) -> [u128; LANES] {
    let (low, high) = bytes.split_at(bytes.len().min(16));
    [partial::load(low), partial::load(high)]
}

#[inline]
#[target_feature(enable = "avx2")]
fn numbers([low, high]: [u128; LANES]) -> Vector {
    _mm256_set_m128i(ghash::from_number(high), ghash::from_number(low))
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn load_powers(powers: &[u128; LANES]) -> Vector {
    // SAFETY: a reference is valid for as many bytes as are loaded, and alignment isn't asked for.
    unsafe { _mm256_loadu_si256(ptr::from_ref(powers).cast()) }
}

/// Zeros all but the first bytes.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn keep(vector: Vector, len: usize) -> Vector {
    let places = _mm256_set_epi8(
        31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6,
        5, 4, 3, 2, 1, 0,
    );
    let len = _mm256_set1_epi8(len.min(WIDTH) as i8);
    _mm256_and_si256(vector, _mm256_cmpgt_epi8(len, places))
}

/// Takes one block of the `at`th vector of many from `by`: the one that has `blocks` before it.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn replace(vector: Vector, by: Vector, blocks: usize, at: usize) -> Vector {
    let first = (at * LANES) as i64;
    let places = _mm256_set_epi64x(first + 1, first + 1, first, first);
    _mm256_blendv_epi8(vector, by, _mm256_cmpeq_epi64(places, _mm256_set1_epi64x(blocks as i64)))
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn zero() -> Vector {
    _mm256_setzero_si256()
}

/// A block in every lane.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn broadcast(block: __m128i) -> Vector {
    _mm256_broadcastsi128_si256(block)
}

/// A block in the first lane, zeros behind it.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn extend(block: __m128i) -> Vector {
    _mm256_zextsi128_si256(block)
}

/// The sum of the lanes.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn sum(vector: Vector) -> __m128i {
    _mm_xor_si128(_mm256_castsi256_si128(vector), _mm256_extracti128_si256(vector, 1))
}

/// In every lane, as a number, how many lanes there are before it.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn ascending() -> Vector {
    _mm256_set_epi32(0, 0, 0, 1, 0, 0, 0, 0)
}

/// Adds word by word.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn add(a: Vector, b: Vector) -> Vector {
    _mm256_add_epi32(a, b)
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn xor(a: Vector, b: Vector) -> Vector {
    _mm256_xor_si256(a, b)
}

/// Reverses the bytes of each block.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn reverse(vector: Vector) -> Vector {
    _mm256_shuffle_epi8(vector, broadcast(ghash::reversal()))
}

/// Swaps the halves of each block.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn swap(vector: Vector) -> Vector {
    _mm256_shuffle_epi32(vector, 0x4e)
}

/// Multiplies a half of each block of `a` with one of `b`: the high half of `a` when bit 0 is set, of `b` when bit 4 is.
#[inline]
#[target_feature(enable = "avx2,vpclmulqdq")]
pub(super) fn multiply<const HALVES: i32>(a: Vector, b: Vector) -> Vector {
    _mm256_clmulepi64_epi128(a, b, HALVES)
}

/// A round of AES.
#[inline]
#[target_feature(enable = "avx2,vaes")]
pub(super) fn round(state: Vector, key: Vector) -> Vector {
    _mm256_aesenc_epi128(state, key)
}

/// The last round of AES.
#[inline]
#[target_feature(enable = "avx2,vaes")]
pub(super) fn last_round(state: Vector, key: Vector) -> Vector {
    _mm256_aesenclast_epi128(state, key)
}

/// Keeps this where it is written: what is kept is computed in the order of the code.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn in_order(mut vector: Vector) -> Vector {
    // SAFETY: it is no instruction at all.
    unsafe { asm!("/* {0} */", inout(ymm_reg) vector, options(nomem, nostack, preserves_flags)) };
    vector
}
