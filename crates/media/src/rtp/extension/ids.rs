//! What a remote sender's extension ids mean.

use std::num::NonZeroU8;

use super::ExtensionKind;

/// The table from a sender's extension ids, as negotiated for a Producer or a Transport, to their meaning.
///
/// Indexed by the id itself: the ids of the one-byte form, which are nearly all there are, share a cache line. The others take
/// memory only where there are some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtensionIds {
    kinds: [Option<ExtensionKind>; ONE_BYTE_IDS],
    others: Option<Box<[Option<ExtensionKind>; 256]>>,
}

/// Ids of the one-byte form lie below this (RFC 8285 §4.2).
const ONE_BYTE_IDS: usize = 16;

impl ExtensionIds {
    /// A table in which no id means anything.
    #[must_use]
    pub const fn new() -> Self {
        Self { kinds: [None; ONE_BYTE_IDS], others: None }
    }

    /// The Router's own table: what is sent by it, or by a peer that took over its ids.
    #[must_use]
    pub fn router() -> Self {
        let mut ids = Self::new();
        for kind in ExtensionKind::ALL {
            if let Some(id) = NonZeroU8::new(kind.router_id()) {
                ids.insert(id, kind);
            }
        }
        ids
    }

    /// Lets `id` mean `kind`, whatever it meant before. Id 0 is padding (RFC 8285 §4.2), hence the type.
    pub fn insert(&mut self, id: NonZeroU8, kind: ExtensionKind) {
        let id = usize::from(id.get());
        match self.kinds.get_mut(id) {
            Some(slot) => *slot = Some(kind),
            None => self.others.get_or_insert_with(|| Box::new([None; 256]))[id] = Some(kind),
        }
    }

    /// What `id` means.
    #[inline]
    #[must_use]
    pub fn kind(&self, id: u8) -> Option<ExtensionKind> {
        let id = usize::from(id);
        match self.kinds.get(id) {
            Some(kind) => *kind,
            None => self.others.as_ref().and_then(|kinds| kinds[id]),
        }
    }
}

impl Default for ExtensionIds {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_both_forms_mean_what_was_said_last_and_nothing_else() {
        let mut ids = ExtensionIds::new();
        for (id, kind) in [
            (1, ExtensionKind::Mid),
            (15, ExtensionKind::AudioLevel),
            (16, ExtensionKind::TransportCc),
            (255, ExtensionKind::AbsSendTime),
            (16, ExtensionKind::PlayoutDelay),
        ] {
            ids.insert(NonZeroU8::new(id).unwrap(), kind);
        }
        let known: Vec<_> = (0..=255).filter_map(|id| ids.kind(id).map(|kind| (id, kind))).collect();
        assert_eq!(
            known,
            [
                (1, ExtensionKind::Mid),
                (15, ExtensionKind::AudioLevel),
                (16, ExtensionKind::PlayoutDelay),
                (255, ExtensionKind::AbsSendTime),
            ]
        );
    }
}
