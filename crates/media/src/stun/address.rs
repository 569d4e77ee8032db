//! Addresses in attributes, plain and masked (RFC 8489 §14.1, §14.2).

use std::net::{IpAddr, SocketAddr};

use super::header::{MAGIC_COOKIE, TransactionId};

const FAMILY_IPV4: u8 = 1;
const FAMILY_IPV6: u8 = 2;

/// An address attribute's value is at most this long.
pub(super) const ADDRESS_LEN_MAX: usize = 20;

/// What port and address of an XOR-MAPPED-ADDRESS are masked with, so that no NAT recognizes and rewrites them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mask([u8; 16]);

impl Mask {
    /// No mask: MAPPED-ADDRESS.
    pub(super) const NONE: Self = Self([0; 16]);

    /// The cookie, and behind it the transaction's id.
    pub(super) fn of(transaction: TransactionId) -> Self {
        let mut mask = [0; 16];
        mask[..4].copy_from_slice(&MAGIC_COOKIE);
        mask[4..].copy_from_slice(&transaction.0);
        Self(mask)
    }

    /// Masks, or takes the mask off.
    fn apply<const N: usize>(&self, mut bytes: [u8; N]) -> [u8; N] {
        bytes.iter_mut().zip(self.0).for_each(|(byte, mask)| *byte ^= mask);
        bytes
    }
}

/// Reads an address attribute's value; `None` if it is none.
pub(super) fn read(value: &[u8], mask: Mask) -> Option<SocketAddr> {
    let (&[_, family, p0, p1], address) = value.split_first_chunk()?;
    let port = u16::from_be_bytes(mask.apply([p0, p1]));
    let ip = match family {
        FAMILY_IPV4 => IpAddr::from(mask.apply(<[u8; 4]>::try_from(address).ok()?)),
        FAMILY_IPV6 => IpAddr::from(mask.apply(<[u8; 16]>::try_from(address).ok()?)),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

/// An address attribute's value, and how much of it is used.
///
/// A socket that serves both families reports IPv4 peers as IPv6; the peer is told the address that it knows.
pub(super) fn write(address: SocketAddr, mask: Mask) -> ([u8; ADDRESS_LEN_MAX], usize) {
    let mut value = [0; ADDRESS_LEN_MAX];
    value[2..4].copy_from_slice(&mask.apply(address.port().to_be_bytes()));
    match address.ip().to_canonical() {
        IpAddr::V4(ip) => {
            value[1] = FAMILY_IPV4;
            value[4..8].copy_from_slice(&mask.apply(ip.octets()));
            (value, 8)
        }
        IpAddr::V6(ip) => {
            value[1] = FAMILY_IPV6;
            value[4..20].copy_from_slice(&mask.apply(ip.octets()));
            (value, 20)
        }
    }
}
