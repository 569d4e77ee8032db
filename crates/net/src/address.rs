//! Socket addresses in the kernel's form and back.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// Bytes of the longest address that a UDP socket has: `sockaddr_in6`.
pub(crate) const LEN_MAX: usize = 28;

/// An address as the kernel wants it, and how many bytes of it count.
///
/// `sockaddr_in` is family (2 bytes, native order), port and address (network order), 8 bytes of nothing (ip(7)); `sockaddr_in6` is
/// family, port, flow information, address, scope (ipv6(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(4))]
pub(crate) struct Name {
    pub(crate) bytes: [u8; LEN_MAX],
    pub(crate) len: u32,
}

impl Name {
    pub(crate) const EMPTY: Self = Self { bytes: [0; LEN_MAX], len: 0 };

    pub(crate) fn of(address: SocketAddr) -> Self {
        let mut bytes = [0; LEN_MAX];
        let len = match address {
            SocketAddr::V4(address) => {
                bytes[..2].copy_from_slice(&(libc::AF_INET as u16).to_ne_bytes());
                bytes[2..4].copy_from_slice(&address.port().to_be_bytes());
                bytes[4..8].copy_from_slice(&address.ip().octets());
                16
            }
            SocketAddr::V6(address) => {
                bytes[..2].copy_from_slice(&(libc::AF_INET6 as u16).to_ne_bytes());
                bytes[2..4].copy_from_slice(&address.port().to_be_bytes());
                bytes[4..8].copy_from_slice(&address.flowinfo().to_be_bytes());
                bytes[8..24].copy_from_slice(&address.ip().octets());
                bytes[24..28].copy_from_slice(&address.scope_id().to_ne_bytes());
                28
            }
        };
        Self { bytes, len }
    }

    /// `None` for what is no address of UDP.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        let [f0, f1, p0, p1, a, b, c, d, rest @ ..] = &self.bytes;
        let family = i32::from(u16::from_ne_bytes([*f0, *f1]));
        let port = u16::from_be_bytes([*p0, *p1]);
        if family == libc::AF_INET && self.len >= 16 {
            return Some(SocketAddrV4::new(Ipv4Addr::new(*a, *b, *c, *d), port).into());
        }
        if family != libc::AF_INET6 || self.len < 28 {
            return None;
        }
        let ip: [u8; 16] = *rest.first_chunk()?;
        let scope = u32::from_ne_bytes(*rest.last_chunk()?);
        let flow = u32::from_be_bytes([*a, *b, *c, *d]);
        Some(SocketAddrV6::new(Ipv6Addr::from(ip), port, flow, scope).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_back_as_they_were() {
        for text in ["1.2.3.4:5", "255.0.0.1:65535", "[::1]:7", "[fe80::1:2%9]:4000", "[2001:db8::ff]:1"] {
            let address: SocketAddr = text.parse().unwrap();
            assert_eq!(Name::of(address).address(), Some(address), "{text}");
        }
    }

    #[test]
    fn what_is_cut_short_or_of_another_family_is_no_address() {
        assert_eq!(Name::EMPTY.address(), None);
        let name = Name { len: 15, ..Name::of(([1, 2, 3, 4], 5).into()) };
        assert_eq!(name.address(), None);
        let mut name = Name::of("[::1]:7".parse().unwrap());
        name.bytes[..2].copy_from_slice(&(libc::AF_UNIX as u16).to_ne_bytes());
        assert_eq!(name.address(), None);
    }
}
