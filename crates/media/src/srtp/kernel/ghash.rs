//! GHASH's field on one block: what is done once per key, and the constants that the wide kernels share.
//!
//! Blocks are byte-reversed on load, so that a block's first bit (GHASH counts from there, NIST SP 800-38D §6.3) is a number's
//! highest. Products then come out one bit too low; instead of shifting each, H's powers are held one bit higher, divided by
//! x ([`prepare`]), which makes up for it.

use std::arch::x86_64::{
    __m128i, _mm_clmulepi64_si128, _mm_cvtsi128_si64, _mm_set_epi8, _mm_set_epi64x, _mm_shuffle_epi8,
    _mm_shuffle_epi32, _mm_unpackhi_epi64, _mm_xor_si128,
};

/// What 1/x is: x^127 + x^6 + x + 1 (NIST SP 800-38D §6.3), the highest bit being that of x^0.
#[inline]
#[target_feature(enable = "sse2")]
pub(super) fn polynomial() -> __m128i {
    _mm_set_epi64x(0xc2_u64.cast_signed() << 56, 1)
}

/// The shuffle that reverses a block's bytes.
#[inline]
#[target_feature(enable = "sse2")]
pub(super) fn reversal() -> __m128i {
    _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
}

/// The encrypted zero block as the factor that [`multiply`] takes: reversed, and divided by x.
#[target_feature(enable = "ssse3")]
pub(super) fn prepare(block: __m128i) -> __m128i {
    let number = to_number(_mm_shuffle_epi8(block, reversal()));
    // Without a branch, since H is secret.
    let carry = 0_u128.wrapping_sub(number >> 127) & (0xc2 << 120 | 1);
    from_number(number << 1 ^ carry)
}

/// The product of two factors, itself a factor.
#[inline]
#[target_feature(enable = "pclmulqdq,sse2")]
pub(super) fn multiply(a: __m128i, b: __m128i) -> __m128i {
    let low = _mm_clmulepi64_si128(a, b, 0x00);
    let middle = _mm_xor_si128(_mm_clmulepi64_si128(a, b, 0x01), _mm_clmulepi64_si128(a, b, 0x10));
    let high = _mm_clmulepi64_si128(a, b, 0x11);
    let middle = _mm_xor_si128(middle, fold(low));
    _mm_xor_si128(high, fold(middle))
}

/// What a part of a product adds to the part 64 bits above it: its high half as it is, its low half modulo the polynomial.
#[inline]
#[target_feature(enable = "pclmulqdq,sse2")]
fn fold(part: __m128i) -> __m128i {
    let swapped = _mm_shuffle_epi32(part, 0x4e);
    _mm_xor_si128(swapped, _mm_clmulepi64_si128(polynomial(), part, 0x01))
}

#[inline]
#[target_feature(enable = "sse2")]
pub(super) fn to_number(block: __m128i) -> u128 {
    let high = _mm_cvtsi128_si64(_mm_unpackhi_epi64(block, block)).cast_unsigned();
    u128::from(high) << 64 | u128::from(_mm_cvtsi128_si64(block).cast_unsigned())
}

#[inline]
#[target_feature(enable = "sse2")]
pub(super) fn from_number(number: u128) -> __m128i {
    _mm_set_epi64x(((number >> 64) as u64).cast_signed(), (number as u64).cast_signed())
}
