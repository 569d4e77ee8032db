//! A key for the kernels with VAES, of either width.

use subtle::ConstantTimeEq;

use super::key::{ROUNDS_128, ROUNDS_256, VectorKey};
use super::{vaes256, vaes512};

/// How wide the vectors are. There is a value only of what this CPU has: that is what makes calling the kernels sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::srtp) struct Width(Bits);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Bits {
    B512,
    B256,
}

impl Width {
    /// Those that this CPU has, the faster first.
    pub(super) fn available() -> impl Iterator<Item = Self> {
        let narrow = is_x86_feature_detected!("aes")
            && is_x86_feature_detected!("pclmulqdq")
            && is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("vaes")
            && is_x86_feature_detected!("vpclmulqdq");
        let wide = narrow
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("bmi2");
        [(wide, Bits::B512), (narrow, Bits::B256)]
            .into_iter()
            .filter_map(|(has, bits)| has.then_some(Self(bits)))
    }

    pub(super) const fn name(self) -> &'static str {
        match self.0 {
            Bits::B512 => "vaes-512",
            Bits::B256 => "vaes-256",
        }
    }
}

/// A key and the kernel that it is for.
pub(in crate::srtp) struct VaesKey(VectorKey);

impl VaesKey {
    /// A key of 16 or 32 bytes.
    pub(in crate::srtp) fn new(width: Width, key: &[u8]) -> Self {
        // SAFETY: a `Width` proves AES-NI, PCLMULQDQ, and AVX2 with what came before it.
        Self(unsafe { VectorKey::new(width, key) })
    }

    /// Encrypts both pieces of `plain`, the first at most 32 bytes, into `out` of their length. Returns the tag.
    #[inline]
    pub(in crate::srtp) fn seal(
        &self,
        nonce: [u8; 12],
        aad: &[u8],
        plain: [&[u8]; 2],
        out: &mut [u8],
    ) -> [u8; 16] {
        let long = self.0.rounds() == ROUNDS_256;
        // SAFETY: a `Width` proves the features of its kernel.
        let tag = unsafe {
            match (self.0.width().0, long) {
                (Bits::B512, false) => vaes512::seal::<ROUNDS_128>(&self.0, nonce, aad, plain, out),
                (Bits::B512, true) => vaes512::seal::<ROUNDS_256>(&self.0, nonce, aad, plain, out),
                (Bits::B256, false) => vaes256::seal::<ROUNDS_128>(&self.0, nonce, aad, plain, out),
                (Bits::B256, true) => vaes256::seal::<ROUNDS_256>(&self.0, nonce, aad, plain, out),
            }
        };
        tag.to_le_bytes()
    }

    /// Decrypts in place; whether the tag is the text's. It must not be used when it isn't.
    #[inline]
    #[must_use]
    pub(in crate::srtp) fn open(&self, nonce: [u8; 12], aad: &[u8], text: &mut [u8], tag: [u8; 16]) -> bool {
        let long = self.0.rounds() == ROUNDS_256;
        // SAFETY: a `Width` proves the features of its kernel.
        let right = unsafe {
            match (self.0.width().0, long) {
                (Bits::B512, false) => vaes512::open::<ROUNDS_128>(&self.0, nonce, aad, text),
                (Bits::B512, true) => vaes512::open::<ROUNDS_256>(&self.0, nonce, aad, text),
                (Bits::B256, false) => vaes256::open::<ROUNDS_128>(&self.0, nonce, aad, text),
                (Bits::B256, true) => vaes256::open::<ROUNDS_256>(&self.0, nonce, aad, text),
            }
        };
        // In constant time: how long it takes must not say where they differ.
        right.ct_eq(&u128::from_le_bytes(tag)).into()
    }
}
