//! The first 20 bytes of a STUN message (RFC 8489 §5).

use super::message::ParseError;

/// The method of every message that ICE sends (RFC 8489 §18.2).
pub const BINDING: u16 = 0x001;

pub(super) const HEADER_LEN: usize = 20;

/// Bytes 4 to 7 of every STUN message; what RFC 3489 had there is a part of the transaction id.
pub(super) const MAGIC_COOKIE: [u8; 4] = 0x2112_a442_u32.to_be_bytes();

/// What a message is to its transaction (RFC 8489 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Wants a response.
    Request,
    /// Wants none; keeps a NAT binding open.
    Indication,
    /// Answers a request.
    Success,
    /// Refuses a request.
    Error,
}

/// Ties a response to its request (RFC 8489 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TransactionId(pub [u8; 12]);

/// A header that fits its datagram.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) class: Class,
    pub(super) method: u16,
    pub(super) transaction: TransactionId,
}

impl Header {
    /// Reads the header, and checks it against the datagram's length.
    pub(super) fn parse(datagram: &[u8]) -> Result<Self, ParseError> {
        let (header, body) = datagram.split_first_chunk::<HEADER_LEN>().ok_or(ParseError::TooShort)?;
        let [t0, t1, l0, l1, c0, c1, c2, c3, transaction @ ..] = *header;
        if t0 & 0xc0 != 0 || [c0, c1, c2, c3] != MAGIC_COOKIE {
            return Err(ParseError::NotStun);
        }
        let len = usize::from(u16::from_be_bytes([l0, l1]));
        if len != body.len() || len % 4 != 0 {
            return Err(ParseError::WrongLength);
        }
        let (class, method) = split_type(u16::from_be_bytes([t0, t1]));
        Ok(Self { class, method, transaction: TransactionId(transaction) })
    }

    /// The header in front of a body of `len` bytes.
    pub(super) fn write(&self, len: u16) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        let [t0, t1] = join_type(self.class, self.method).to_be_bytes();
        let [l0, l1] = len.to_be_bytes();
        let [c0, c1, c2, c3] = MAGIC_COOKIE;
        bytes[..8].copy_from_slice(&[t0, t1, l0, l1, c0, c1, c2, c3]);
        bytes[8..].copy_from_slice(&self.transaction.0);
        bytes
    }
}

/// The class lies in bits 4 and 8 of the type, between the bits of the method (RFC 8489 §5).
fn split_type(message_type: u16) -> (Class, u16) {
    let class = match (message_type & 0x0100 != 0, message_type & 0x0010 != 0) {
        (false, false) => Class::Request,
        (false, true) => Class::Indication,
        (true, false) => Class::Success,
        (true, true) => Class::Error,
    };
    let method = (message_type & 0x000f) | (message_type & 0x00e0) >> 1 | (message_type & 0x3e00) >> 2;
    (class, method)
}

fn join_type(class: Class, method: u16) -> u16 {
    let class = match class {
        Class::Request => 0x0000,
        Class::Indication => 0x0010,
        Class::Success => 0x0100,
        Class::Error => 0x0110,
    };
    class | (method & 0x000f) | (method & 0x0070) << 1 | (method & 0x0f80) << 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_survives_a_round_trip() {
        for message_type in 0..0x4000 {
            let (class, method) = split_type(message_type);
            assert!(method < 0x1000);
            assert_eq!(join_type(class, method), message_type);
        }
    }

    #[test]
    fn types_of_the_rfc() {
        assert_eq!(split_type(0x0001), (Class::Request, BINDING));
        assert_eq!(split_type(0x0011), (Class::Indication, BINDING));
        assert_eq!(split_type(0x0101), (Class::Success, BINDING));
        assert_eq!(split_type(0x0111), (Class::Error, BINDING));
    }
}
