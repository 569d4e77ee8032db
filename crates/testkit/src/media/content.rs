//! What a packet says of itself, followed by bytes that can be computed from it.

use std::ops::Range;

use super::codec::Place;

/// How a content begins. It is searched for, so that payload headers may change their length on the way.
const MAGIC: [u8; 4] = *b"MFLD";

/// Where the search for it ends: no payload header is longer.
const OFFSET_MAX: usize = 48;

/// Bytes of every content.
pub(super) const BYTES: u16 = 1000;

const HEADER: usize = 4 + 4 + 8 + 4 + 1;

/// Which packet it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content {
    /// The source that made it.
    pub source: u32,
    /// Its number among the source's packets, from 0.
    pub number: u64,
    /// The number of its frame, from 0.
    pub frame: u32,
    /// Whether it belongs to a key frame.
    pub key: bool,
    /// Whether its frame begins with it.
    pub first: bool,
    /// Whether its frame ends with it.
    pub last: bool,
}

/// A payload that is not what any source made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// There is no content in it.
    None,
    /// The content is too short or too long.
    Length(usize),
    /// A byte of it is not what it should be.
    Byte(usize),
}

impl Content {
    pub(super) fn new(source: u32, number: u64, place: Place) -> Self {
        let Place { frame, key, first, last } = place;
        Self { source, number, frame, key, first, last }
    }

    /// Appends it.
    pub(super) fn write(&self, payload: &mut Vec<u8>) {
        let begin = payload.len();
        payload.extend(MAGIC);
        payload.extend(self.source.to_be_bytes());
        payload.extend(self.number.to_be_bytes());
        payload.extend(self.frame.to_be_bytes());
        payload.push(u8::from(self.key) << 2 | u8::from(self.first) << 1 | u8::from(self.last));
        let filled = payload.len() - begin..usize::from(BYTES);
        payload.extend(self.filling(filled));
    }

    /// Finds and checks the content of a payload.
    ///
    /// # Errors
    /// When there is none, or a byte is wrong.
    pub fn read(payload: &[u8]) -> Result<Self, Broken> {
        let mut offsets = 0..OFFSET_MAX;
        let start = offsets.find(|at| payload.get(*at..*at + 4) == Some(&MAGIC)).ok_or(Broken::None)?;
        let bytes = &payload[start..];
        if bytes.len() != usize::from(BYTES) {
            return Err(Broken::Length(bytes.len()));
        }
        let flags = bytes[20];
        let content = Self {
            source: u32::from_be_bytes(array(&bytes[4..8])),
            number: u64::from_be_bytes(array(&bytes[8..16])),
            frame: u32::from_be_bytes(array(&bytes[16..20])),
            key: flags & 4 != 0,
            first: flags & 2 != 0,
            last: flags & 1 != 0,
        };
        let filling = content.filling(HEADER..bytes.len());
        match bytes[HEADER..].iter().zip(filling).position(|(is, should)| *is != should) {
            Some(wrong) => Err(Broken::Byte(HEADER + wrong)),
            None => Ok(content),
        }
    }

    /// Bytes that no other packet has, by a linear congruential generator (Knuth's MMIX constants) over its name.
    fn filling(&self, range: Range<usize>) -> impl Iterator<Item = u8> {
        let mut state = self.number ^ u64::from(self.source) << 32;
        range.map(move |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state.to_be_bytes()[0]
        })
    }
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().expect("the slice is as long as the array")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_is_found_behind_any_header_and_each_wrong_byte_is_noticed() {
        let place = Place { frame: 7, key: true, first: true, last: false };
        let content = Content::new(3, 1 << 40, place);
        let mut payload = vec![0x90, 0x4d];
        content.write(&mut payload);
        assert_eq!(Content::read(&payload), Ok(content));
        for at in [25, 500, payload.len() - 1] {
            let mut wrong = payload.clone();
            wrong[at] ^= 1;
            assert_eq!(Content::read(&wrong), Err(Broken::Byte(at - 2)));
        }
        assert_eq!(Content::read(&payload[..900]), Err(Broken::Length(898)));
        assert_eq!(Content::read(&payload[3..]), Err(Broken::None));
    }
}
