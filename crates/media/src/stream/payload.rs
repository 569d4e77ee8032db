//! The only value that Workers share: the immutable payload of a packet.

use std::{fmt, ops::Deref, sync::Arc};

/// The bytes of one packet behind its header: a reference-counted block and how much of its front is used.
///
/// A clone costs one atomic increment. Whoever holds one keeps one block of a size near the packet's alive, nothing else.
#[derive(Clone)]
pub struct Payload {
    block: Arc<[u8]>,
    len: usize,
}

impl Payload {
    /// Copies `bytes` into a block of their own. Allocates: for data that doesn't come from a ring.
    #[must_use]
    pub fn copied_from(bytes: &[u8]) -> Self {
        Self { block: Arc::from(bytes), len: bytes.len() }
    }

    /// The first `len` bytes of `block`, or all if it has fewer.
    pub(super) fn front_of(block: Arc<[u8]>, len: usize) -> Self {
        let len = len.min(block.len());
        Self { block, len }
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.block[..self.len]
    }

    /// Bytes of memory that this payload keeps alive.
    pub(super) fn capacity(&self) -> usize {
        self.block.len()
    }

    pub(super) fn into_block(self) -> Arc<[u8]> {
        self.block
    }
}

impl Deref for Payload {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes()
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payload").field("len", &self.len).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_front_of_the_block_is_seen() {
        let payload = Payload::front_of(Arc::from([1_u8, 2, 3, 4]), 3);
        assert_eq!(&*payload, [1, 2, 3]);
        assert_eq!((payload.capacity(), Payload::front_of(Arc::from([1_u8]), 3).len()), (4, 1));
        assert_eq!(Payload::copied_from(&[7, 8]).bytes(), [7, 8]);
    }
}
