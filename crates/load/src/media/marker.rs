//! What a packet says of itself, followed by bytes that can be computed from it.

/// How a marker begins. It is searched for, so that payload headers may change their length on the way.
const MAGIC: [u8; 4] = *b"MLd1";

/// Where the search for it ends: no payload header that comes back from an SFU is longer.
const OFFSET_MAX: usize = 48;

/// Whose packet it is, which, and when it left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marker {
    /// The stream that it belongs to, unlike for all streams of a run.
    pub stream: u32,
    /// Its number in that stream, from 0.
    pub number: u64,
    /// When it was first sent, in nanoseconds since the run began.
    pub sent_ns: u64,
}

/// A payload that is not what any publisher made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// There is no marker in it.
    #[error("no marker in the payload")]
    Missing,
    /// It is shorter or longer than its marker says.
    #[error("{is} bytes where the marker says {should}")]
    Length {
        /// Bytes from the marker on.
        is: usize,
        /// What the marker says.
        should: usize,
    },
    /// A byte behind the marker is wrong.
    #[error("the byte at {0} behind the marker's begin is wrong")]
    Byte(usize),
}

impl Marker {
    /// Bytes of the marker itself.
    pub const LEN: usize = MAGIC.len() + 4 + 8 + 8 + 2;

    /// Fills `body`, which is at least [`Marker::LEN`] long: the marker, then bytes that only this packet has.
    pub(super) fn write(&self, body: &mut [u8]) {
        let len = u16::try_from(body.len()).unwrap_or(u16::MAX);
        let Some((head, filling)) = body.split_first_chunk_mut::<{ Self::LEN }>() else { return };
        head[..4].copy_from_slice(&MAGIC);
        head[4..8].copy_from_slice(&self.stream.to_be_bytes());
        head[8..16].copy_from_slice(&self.number.to_be_bytes());
        head[16..24].copy_from_slice(&self.sent_ns.to_be_bytes());
        head[24..].copy_from_slice(&len.to_be_bytes());
        let mut words = Filling::of(self);
        for chunk in filling.chunks_mut(8) {
            chunk.copy_from_slice(&words.next_word()[..chunk.len()]);
        }
    }

    /// Finds the marker of a payload and checks every byte behind it.
    ///
    /// # Errors
    /// [`Broken`] when there is none or a byte is wrong.
    pub fn read(payload: &[u8]) -> Result<Self, Broken> {
        let start = payload
            .windows(MAGIC.len())
            .take(OFFSET_MAX)
            .position(|window| window == MAGIC)
            .ok_or(Broken::Missing)?;
        let body = payload.get(start..).unwrap_or_default();
        let (head, filling) = body.split_first_chunk::<{ Self::LEN }>().ok_or(Broken::Missing)?;
        let [_, _, _, _, s0, s1, s2, s3, n @ .., l0, l1] = *head;
        let (number, sent_ns) = n.split_at(8);
        let marker = Self {
            stream: u32::from_be_bytes([s0, s1, s2, s3]),
            number: number.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)),
            sent_ns: sent_ns.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)),
        };
        let should = usize::from(u16::from_be_bytes([l0, l1]));
        if body.len() != should {
            return Err(Broken::Length { is: body.len(), should });
        }
        marker.check(filling).map(|()| marker)
    }

    fn check(&self, filling: &[u8]) -> Result<(), Broken> {
        let mut words = Filling::of(self);
        for (index, chunk) in filling.chunks(8).enumerate() {
            let expected = words.next_word();
            if let Some(wrong) = chunk.iter().zip(expected).position(|(is, should)| *is != should) {
                return Err(Broken::Byte(Self::LEN + index * 8 + wrong));
            }
        }
        Ok(())
    }
}

/// The bytes behind a marker, by a linear congruential generator (Knuth's MMIX constants) over what it says.
struct Filling(u64);

impl Filling {
    fn of(marker: &Marker) -> Self {
        Self(marker.number ^ u64::from(marker.stream) << 32 ^ marker.sent_ns.rotate_left(17))
    }

    fn next_word(&mut self) -> [u8; 8] {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // The lowest bits of such a generator repeat soon; the upper half is folded onto them.
        (self.0 ^ self.0 >> 32).to_be_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKER: Marker = Marker { stream: 7, number: 1 << 40, sent_ns: 123_456_789_012 };

    fn payload(header: usize, len: usize) -> Vec<u8> {
        let mut payload = vec![0x90; len];
        MARKER.write(&mut payload[header..]);
        payload
    }

    #[test]
    fn a_marker_is_found_behind_any_header() {
        for header in [0, 1, 6, 18, OFFSET_MAX - 1] {
            for len in [header + Marker::LEN, header + Marker::LEN + 1, 1200] {
                assert_eq!(Marker::read(&payload(header, len)), Ok(MARKER), "{header} {len}");
            }
        }
        assert_eq!(Marker::read(&payload(OFFSET_MAX, 200)), Err(Broken::Missing));
        assert_eq!(Marker::read(&[]), Err(Broken::Missing));
    }

    #[test]
    fn each_wrong_byte_is_noticed() {
        let good = payload(3, 300);
        for at in 3..good.len() {
            let mut wrong = good.clone();
            wrong[at] ^= 1;
            assert_ne!(Marker::read(&wrong), Ok(MARKER), "{at}");
        }
        let mut wrong = good;
        wrong[3 + 100] ^= 0x80;
        assert_eq!(Marker::read(&wrong), Err(Broken::Byte(100)));
    }

    #[test]
    fn a_cut_is_noticed() {
        let good = payload(3, 300);
        assert_eq!(Marker::read(&good[..299]), Err(Broken::Length { is: 296, should: 297 }));
        let longer = [&good[..], &[0]].concat();
        assert_eq!(Marker::read(&longer), Err(Broken::Length { is: 298, should: 297 }));
    }

    #[test]
    fn packets_differ() {
        let other = Marker { number: MARKER.number + 1, ..MARKER };
        let mut bytes = vec![0; 300];
        other.write(&mut bytes);
        let first = payload(0, 300);
        let same = bytes.iter().zip(&first).skip(Marker::LEN).filter(|(a, b)| a == b);
        assert!(same.count() < 20);
    }
}
