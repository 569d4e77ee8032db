//! Vectors of four blocks.
//!
//! Memory is reached through slices and references alone, so that what is unsafe ends here.

use std::arch::asm;
use std::arch::x86_64::{
    __m128i, __m512i, _bzhi_u64, _mm_xor_si128, _mm256_castsi256_si128, _mm256_extracti128_si256,
    _mm256_xor_si256, _mm512_add_epi32, _mm512_aesenc_epi128, _mm512_aesenclast_epi128,
    _mm512_broadcast_i32x4, _mm512_castsi512_si256, _mm512_clmulepi64_epi128, _mm512_extracti64x4_epi64,
    _mm512_loadu_si512, _mm512_mask_loadu_epi8, _mm512_mask_mov_epi64, _mm512_mask_storeu_epi8,
    _mm512_maskz_loadu_epi8, _mm512_maskz_mov_epi8, _mm512_set_epi32, _mm512_setzero_si512,
    _mm512_shuffle_epi8, _mm512_shuffle_epi32, _mm512_xor_si512, _mm512_zextsi128_si512,
};
use std::ptr;

use crate::srtp::kernel::ghash;

pub(super) type Vector = __m512i;

/// Blocks of a vector.
pub(super) const LANES: usize = 4;

/// Bytes of a vector.
pub(super) const WIDTH: usize = 16 * LANES;

/// Up to a vector's length of bytes, then zeros.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,bmi2")]
pub(super) fn load_up_to(bytes: &[u8]) -> Vector {
    // SAFETY: the mask leaves out all lanes behind the slice, and what is left out is not accessed.
    unsafe { _mm512_maskz_loadu_epi8(mask(bytes.len()), bytes.as_ptr().cast()) }
}

/// The first bytes of `start`, then those of `rest`, up to a vector's length in all; then zeros. `start` is shorter than that.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,bmi2")]
pub(super) fn load_joined(start: &[u8], rest: &[u8]) -> Vector {
    let behind = mask(start.len() + rest.len()) & !mask(start.len());
    let base = rest.as_ptr().wrapping_sub(start.len());
    // SAFETY: lane `start.len() + i` is byte `i` of `rest`; the mask leaves out all lanes before and behind it, and what is left
    // out is not accessed.
    unsafe { _mm512_mask_loadu_epi8(load_up_to(start), behind, base.cast()) }
}

/// Stores as much of the vector as there is room for.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,bmi2")]
pub(super) fn store_up_to(bytes: &mut [u8], vector: Vector) {
    // SAFETY: the mask leaves out all lanes behind the slice, and what is left out is not accessed.
    unsafe { _mm512_mask_storeu_epi8(bytes.as_mut_ptr().cast(), mask(bytes.len()), vector) }
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn load_powers(powers: &[u128; LANES]) -> Vector {
    // SAFETY: a reference is valid for as many bytes as are loaded, and alignment isn't asked for.
    unsafe { _mm512_loadu_si512(ptr::from_ref(powers).cast()) }
}

/// The byte mask of a vector's first lanes, of all from its width on.
#[inline]
#[target_feature(enable = "bmi2")]
fn mask(len: usize) -> u64 {
    _bzhi_u64(u64::MAX, len.min(WIDTH) as u32)
}

/// Zeros all but the first bytes.
#[inline]
#[target_feature(enable = "avx512bw,bmi2")]
pub(super) fn keep(vector: Vector, len: usize) -> Vector {
    _mm512_maskz_mov_epi8(mask(len), vector)
}

/// Takes one block of the `at`th vector of many from `by`: the one that has `blocks` before it, 16 at most.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn replace(vector: Vector, by: Vector, blocks: usize, at: usize) -> Vector {
    let mask = 0b11_u64 << (2 * blocks) >> (2 * LANES * at);
    _mm512_mask_mov_epi64(vector, mask as u8, by)
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn zero() -> Vector {
    _mm512_setzero_si512()
}

/// A block in every lane.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn broadcast(block: __m128i) -> Vector {
    _mm512_broadcast_i32x4(block)
}

/// A block in the first lane, zeros behind it.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn extend(block: __m128i) -> Vector {
    _mm512_zextsi128_si512(block)
}

/// The sum of the lanes.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn sum(vector: Vector) -> __m128i {
    let half = _mm256_xor_si256(_mm512_castsi512_si256(vector), _mm512_extracti64x4_epi64(vector, 1));
    _mm_xor_si128(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1))
}

/// In every lane, as a number, how many lanes there are before it.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn ascending() -> Vector {
    _mm512_set_epi32(0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0)
}

/// Adds word by word.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn add(a: Vector, b: Vector) -> Vector {
    _mm512_add_epi32(a, b)
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn xor(a: Vector, b: Vector) -> Vector {
    _mm512_xor_si512(a, b)
}

/// Reverses the bytes of each block.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn reverse(vector: Vector) -> Vector {
    _mm512_shuffle_epi8(vector, broadcast(ghash::reversal()))
}

/// Swaps the halves of each block.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn swap(vector: Vector) -> Vector {
    _mm512_shuffle_epi32(vector, 0x4e)
}

/// Multiplies a half of each block of `a` with one of `b`: the high half of `a` when bit 0 is set, of `b` when bit 4 is.
#[inline]
#[target_feature(enable = "avx512f,vpclmulqdq")]
pub(super) fn multiply<const HALVES: i32>(a: Vector, b: Vector) -> Vector {
    _mm512_clmulepi64_epi128(a, b, HALVES)
}

/// A round of AES.
#[inline]
#[target_feature(enable = "avx512f,vaes")]
pub(super) fn round(state: Vector, key: Vector) -> Vector {
    _mm512_aesenc_epi128(state, key)
}

/// The last round of AES.
#[inline]
#[target_feature(enable = "avx512f,vaes")]
pub(super) fn last_round(state: Vector, key: Vector) -> Vector {
    _mm512_aesenclast_epi128(state, key)
}

/// Keeps this where it is written: what is kept is computed in the order of the code.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn in_order(mut vector: Vector) -> Vector {
    // SAFETY: it is no instruction at all.
    unsafe { asm!("/* {0} */", inout(zmm_reg) vector, options(nomem, nostack, preserves_flags)) };
    vector
}
