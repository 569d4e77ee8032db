//! A synthetic VP8 stream: payloads that an SFU takes for VP8, each of which says which one it is.
//!
//! Each packet has a payload descriptor (RFC 7741 §4.2) with a 15-bit picture id; the first of a frame goes on with a frame
//! tag (RFC 6386 §9.1), a key frame's also with the start code and the size. Behind them come a marker, the packet's number
//! and a filling that follows from it.

use bytes::{BufMut as _, Bytes, BytesMut};

/// Packets of a frame.
pub(crate) const PACKETS_PER_FRAME: u32 = 3;

const MARKER: &[u8; 8] = b"mafalda!";

/// A key frame's start code, then 640 and 360 as little-endian 16-bit numbers.
const KEY_FRAME_HEADER: [u8; 7] = [0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01];

/// The payload of packet `number`, counted from the start of the stream.
pub(crate) fn payload(number: u32, is_key: bool) -> Bytes {
    let (frame, index) = (number / PACKETS_PER_FRAME, number % PACKETS_PER_FRAME);
    let is_first = index == 0;
    let mut payload = BytesMut::new();
    // X, and S in the first packet; partition 0. Then I, then the picture id with M.
    payload.put_u8(if is_first { 0x90 } else { 0x80 });
    payload.put_u8(0x80);
    payload.put_u16(0x8000 | (frame & 0x7fff) as u16);
    if is_first {
        // P says that it is no key frame; version 0, to be shown, first partition of 1000 bytes.
        payload.put_uint_le(u64::from(!is_key) | 1 << 4 | 1000 << 5, 3);
    }
    if is_first && is_key {
        payload.put_slice(&KEY_FRAME_HEADER);
    }
    payload.put_slice(MARKER);
    payload.put_u32(number);
    let filling = 600 + number % 400;
    payload.extend((0..filling).map(|at| number.wrapping_mul(31).wrapping_add(at) as u8));
    payload.freeze()
}

/// The number of the packet with this payload and whether a key frame begins with it; `None` if a byte is wrong.
pub(crate) fn read(received: &[u8]) -> Option<(u32, bool)> {
    let at = received.windows(MARKER.len()).position(|bytes| bytes == MARKER)? + MARKER.len();
    let number = u32::from_be_bytes(received.get(at..at + 4)?.try_into().ok()?);
    [false, true].into_iter().find(|&is_key| payload(number, is_key) == received).map(|is_key| {
        let begins_key_frame = is_key && number.is_multiple_of(PACKETS_PER_FRAME);
        (number, begins_key_frame)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_payload_tells_its_number_and_any_other_byte_shows() {
        for number in [0, 1, 2, 3, 4711, 0xffff_ffff] {
            let is_first = number % PACKETS_PER_FRAME == 0;
            assert_eq!(read(&payload(number, true)), Some((number, is_first)));
            assert_eq!(read(&payload(number, false)), Some((number, false)));
        }
        let mut wrong = payload(6, false).to_vec();
        for at in 0..wrong.len() {
            wrong[at] ^= 0x40;
            assert_eq!(read(&wrong), None, "byte {at}");
            wrong[at] ^= 0x40;
        }
    }
}
