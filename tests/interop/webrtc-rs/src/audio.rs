//! A synthetic Opus stream: frames of 20 ms, each of which says which one it is.

use bytes::{BufMut as _, Bytes, BytesMut};

const MARKER: &[u8; 8] = b"susanita";

/// Configuration 31 (CELT, full band, 20 ms), stereo, one frame (RFC 6716 §3.1).
const TOC: u8 = 31 << 3 | 1 << 2;

/// The payload of packet `number`.
pub(crate) fn payload(number: u32) -> Bytes {
    let mut payload = BytesMut::new();
    payload.put_u8(TOC);
    payload.put_slice(MARKER);
    payload.put_u32(number);
    payload.extend((0..60 + number % 40).map(|at| number.wrapping_mul(17).wrapping_add(at) as u8));
    payload.freeze()
}

/// The number of the packet with this payload; `None` if a byte is wrong.
pub(crate) fn read(received: &[u8]) -> Option<u32> {
    let at = 1 + MARKER.len();
    let number = u32::from_be_bytes(received.get(at..at + 4)?.try_into().ok()?);
    (payload(number) == received).then_some(number)
}
