//! MESSAGE-INTEGRITY and FINGERPRINT (RFC 8489 §14.5, §14.7): both cover the message up to themselves.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use super::attribute::ATTRIBUTE_HEADER_LEN;
use super::header::HEADER_LEN;

pub(super) const INTEGRITY_LEN: usize = 20;
pub(super) const FINGERPRINT_LEN: usize = 4;

/// Keeps a STUN fingerprint apart from the CRC of another protocol in the same datagram: "STUN" in ASCII.
const FINGERPRINT_XOR: u32 = 0x5354_554e;

/// The MAC of the bytes in front of the attribute; their length field is taken as ending behind it.
pub(super) fn integrity(before: &[u8], password: &[u8]) -> [u8; INTEGRITY_LEN] {
    keyed(before, password).finalize().into_bytes().into()
}

/// Compares in constant time.
pub(super) fn has_integrity(before: &[u8], password: &[u8], integrity: &[u8; INTEGRITY_LEN]) -> bool {
    keyed(before, password).verify_slice(integrity).is_ok()
}

fn keyed(before: &[u8], password: &[u8]) -> Hmac<Sha1> {
    let mut mac = Hmac::<Sha1>::new_from_slice(password).expect("HMAC takes keys of any length");
    let covered = before.len() + ATTRIBUTE_HEADER_LEN + INTEGRITY_LEN - HEADER_LEN;
    let covered = u16::try_from(covered).unwrap_or(u16::MAX).to_be_bytes();
    // The length field is as if the message ended with this attribute, whatever follows (RFC 8489 §14.5).
    mac.update(before.get(..2).unwrap_or_default());
    mac.update(&covered);
    mac.update(before.get(4..).unwrap_or_default());
    mac
}

/// The checksum of the bytes in front of the attribute, whose length field counts it already.
pub(super) fn fingerprint(before: &[u8]) -> u32 {
    crc32fast::hash(before) ^ FINGERPRINT_XOR
}
