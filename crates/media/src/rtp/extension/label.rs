//! Short texts that name a stream: MID, RID and repaired RID.

use std::fmt;
use std::num::NonZeroU8;
use std::ops::Range;

/// Most bytes of a MID or RID.
///
/// What the one-byte form can carry (RFC 8285 §4.2) and what libwebrtc accepts. A longer one couldn't be sent to every
/// receiver, and this bounds what the tables keyed by it hold.
pub const LABEL_MAX: usize = 16;

/// A MID or RID, kept inline: 1..=16 bytes, no terminator. Cheap to copy, fit as a table's key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Label {
    bytes: [u8; LABEL_MAX],
    /// Not 0, so that where there may be none, that takes no byte of its own.
    len: NonZeroU8,
}

impl Label {
    /// Copies a label; `None` when it is empty or longer than [`LABEL_MAX`].
    #[must_use]
    pub fn new(text: &[u8]) -> Option<Self> {
        let mut bytes = [0; LABEL_MAX];
        bytes.get_mut(..text.len())?.copy_from_slice(text);
        let len = NonZeroU8::new(text.len() as u8)?;
        Some(Self { bytes, len })
    }

    /// The text's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len.get().into()).unwrap_or_default()
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Label({self})")
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.as_bytes().escape_ascii(), f)
    }
}

/// Where a label lies in a packet: 1..=16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabelRange {
    start: u16,
    len: u8,
}

impl LabelRange {
    /// The label in an element's value, which begins at `start` in its packet. `None` when it is empty or too long.
    ///
    /// Some senders have a slot of fixed size and fill it with zeros, so a zero byte ends the text, as in libwebrtc.
    pub(super) fn within(value: &[u8], start: u16) -> Option<Self> {
        let len = value.iter().position(|&byte| byte == 0).unwrap_or(value.len());
        (1..=LABEL_MAX).contains(&len).then_some(Self { start, len: len as u8 })
    }

    /// The label's place in the packet.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        let start = usize::from(self.start);
        start..start + usize::from(self.len)
    }

    /// The label's bytes; empty when `packet` isn't the packet that was parsed.
    #[must_use]
    pub fn bytes(self, packet: &[u8]) -> &[u8] {
        packet.get(self.range()).unwrap_or_default()
    }

    /// A copy of the label.
    #[must_use]
    pub fn label(self, packet: &[u8]) -> Option<Label> {
        Label::new(self.bytes(packet))
    }
}
