//! A set of header extensions.

use super::ExtensionKind;

/// A set of [`ExtensionKind`]s, such as those that a receiver negotiated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ExtensionMask(u16);

impl ExtensionMask {
    /// No extension.
    pub const EMPTY: Self = Self(0);

    /// Every extension.
    pub const ALL: Self = {
        let mut mask = Self::EMPTY;
        let mut index = 0;
        while index < ExtensionKind::ALL.len() {
            mask = mask.with(ExtensionKind::ALL[index]);
            index += 1;
        }
        mask
    };

    /// This set and `kind`.
    #[must_use]
    pub const fn with(self, kind: ExtensionKind) -> Self {
        Self(self.0 | 1 << kind.router_id())
    }

    /// Whether `kind` is in the set.
    #[inline]
    #[must_use]
    pub const fn contains(self, kind: ExtensionKind) -> bool {
        self.0 & 1 << kind.router_id() != 0
    }

    /// Whether the set is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromIterator<ExtensionKind> for ExtensionMask {
    fn from_iter<I: IntoIterator<Item = ExtensionKind>>(kinds: I) -> Self {
        kinds.into_iter().fold(Self::EMPTY, Self::with)
    }
}
