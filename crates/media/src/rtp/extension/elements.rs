//! The walk over the elements of a header extension block (RFC 8285 §4).

use super::super::ExtensionBlock;

/// Profile of the one-byte form (RFC 8285 §4.2).
pub(super) const ONE_BYTE_PROFILE: u16 = 0xbede;

/// Id in the one-byte form that ends the block (RFC 8285 §4.2).
const ONE_BYTE_STOP: u8 = 15;

/// Iterator over the elements of one packet: pairs of id and value.
///
/// It skips padding and ends at the block's end, at an element that reaches beyond it, or where RFC 8285 says that the rest
/// must be ignored. A block of another profile has no elements.
#[derive(Clone, Debug, Default)]
pub struct Elements<'a> {
    rest: &'a [u8],
    form: Form,
    /// Where the block ends in the packet.
    end: usize,
}

/// How an element's id and length are written.
#[derive(Clone, Copy, Debug, Default)]
enum Form {
    #[default]
    OneByte,
    TwoByte,
}

impl<'a> Elements<'a> {
    /// The elements of the block `block` of `packet`.
    #[must_use]
    pub fn new(packet: &'a [u8], block: ExtensionBlock) -> Self {
        let form = match block.profile {
            ONE_BYTE_PROFILE => Form::OneByte,
            // RFC 8285 §4.3: 0x100 and four "appbits" that are up to the application.
            0x1000..=0x100f => Form::TwoByte,
            _ => return Self::default(),
        };
        let rest = packet.get(block.range()).unwrap_or_default();
        Self { rest, form, end: usize::from(block.end) }
    }

    /// The next element and where its value begins in the packet.
    pub(super) fn next_at(&mut self) -> Option<(u8, &'a [u8], usize)> {
        let element = match self.form {
            Form::OneByte => self.next_one_byte(),
            Form::TwoByte => self.next_two_byte(),
        };
        let Some((id, value)) = element else {
            self.rest = &[];
            return None;
        };
        Some((id, value, self.end - self.rest.len() - value.len()))
    }

    fn next_one_byte(&mut self) -> Option<(u8, &'a [u8])> {
        loop {
            let (&head, rest) = self.rest.split_first()?;
            let (id, len) = (head >> 4, usize::from(head & 0x0f) + 1);
            match id {
                0 if len == 1 => self.rest = rest,
                // RFC 8285 §4.2: id 15, or id 0 with a length, ends the processing of the whole block.
                0 | ONE_BYTE_STOP => return None,
                _ => return self.take(id, rest, len),
            }
        }
    }

    fn next_two_byte(&mut self) -> Option<(u8, &'a [u8])> {
        loop {
            let (&id, rest) = self.rest.split_first()?;
            if id == 0 {
                // RFC 8285 §4.3: padding is the id alone, without a length.
                self.rest = rest;
                continue;
            }
            let (&len, rest) = rest.split_first()?;
            return self.take(id, rest, usize::from(len));
        }
    }

    fn take(&mut self, id: u8, rest: &'a [u8], len: usize) -> Option<(u8, &'a [u8])> {
        let (value, rest) = rest.split_at_checked(len)?;
        self.rest = rest;
        Some((id, value))
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        self.next_at().map(|(id, value, _)| (id, value))
    }
}
