//! What a Local is told about the machine that it runs on.

use std::net::IpAddr;

use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;

/// An address of this machine that clients can reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaAddress {
    /// Where to listen.
    pub ip: IpAddr,
    /// What to tell clients instead, where they see this machine under another address or name.
    pub announced_address: Option<String>,
}

impl From<IpAddr> for MediaAddress {
    fn from(ip: IpAddr) -> Self {
        Self { ip, announced_address: None }
    }
}

/// Settings of a [`super::Local`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LocalOptions {
    /// What an unspecified IP in a `ListenInfo` (`ListenInfo::of_place`) stands for: all of these that are of its family.
    /// By default loopback and the first real address of the machine.
    pub addresses: Vec<MediaAddress>,
}

impl Default for LocalOptions {
    fn default() -> Self {
        let loopback = IpAddr::from([127, 0, 0, 1]);
        let addresses = [loopback].into_iter().chain(first_address()).map(MediaAddress::from).collect();
        Self { addresses }
    }
}

/// The first IPv4 address of an interface that is up and not loopback, else the first such global IPv6 address.
fn first_address() -> Option<IpAddr> {
    let up = |flags: InterfaceFlags| {
        flags.contains(InterfaceFlags::IFF_UP) && !flags.contains(InterfaceFlags::IFF_LOOPBACK)
    };
    let addresses: Vec<IpAddr> = getifaddrs()
        .ok()?
        .filter(|interface| up(interface.flags))
        .filter_map(|interface| interface.address)
        .filter_map(|address| {
            let v4 = address.as_sockaddr_in().map(|address| IpAddr::from(address.ip()));
            v4.or_else(|| address.as_sockaddr_in6().map(|address| IpAddr::from(address.ip())))
        })
        .collect();
    let v4 = addresses.iter().find(|address| address.is_ipv4());
    let v6 =
        || addresses.iter().find(|address| matches!(address, IpAddr::V6(ip) if !ip.is_unicast_link_local()));
    v4.or_else(v6).copied()
}
