//! What a remote sender's extension ids mean.

use std::num::NonZeroU8;

use super::ExtensionKind;

/// The table from a sender's extension ids, as negotiated for a Producer or a Transport, to their meaning.
///
/// Indexed by the id itself: the ids of the one-byte form, which are nearly all there are, share a cache line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtensionIds {
    kinds: [Option<ExtensionKind>; 256],
}

impl ExtensionIds {
    /// A table in which no id means anything.
    #[must_use]
    pub const fn new() -> Self {
        Self { kinds: [None; 256] }
    }

    /// The Router's own table: what is sent by it, or by a peer that took over its ids.
    #[must_use]
    pub fn router() -> Self {
        let mut ids = Self::new();
        for kind in ExtensionKind::ALL {
            ids.kinds[usize::from(kind.router_id())] = Some(kind);
        }
        ids
    }

    /// Lets `id` mean `kind`, whatever it meant before. Id 0 is padding (RFC 8285 §4.2), hence the type.
    pub const fn insert(&mut self, id: NonZeroU8, kind: ExtensionKind) {
        self.kinds[id.get() as usize] = Some(kind);
    }

    /// What `id` means.
    #[inline]
    #[must_use]
    pub const fn kind(&self, id: u8) -> Option<ExtensionKind> {
        self.kinds[id as usize]
    }
}

impl Default for ExtensionIds {
    fn default() -> Self {
        Self::new()
    }
}
