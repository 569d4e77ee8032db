//! Where a transport or a WebRtcServer listens.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

/// One socket to listen on, and how to announce it.
///
/// An unspecified [`ip`](Self::ip) (`0.0.0.0` or `::`) means "the serving place's own address": the machine that ends up
/// serving the object takes the addresses, announced addresses and ports from its own configuration. So the same
/// options fit every machine; [`ListenInfo::of_place`] writes them. Any other IP is bound as it is, and a place that
/// does not have it refuses. A PlainTransport may bind a multicast address: it then joins that group, which mediasoup leaves to
/// the system.
#[derive(Debug, Clone, Eq, PartialEq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListenInfo {
    /// Transport protocol.
    pub protocol: Protocol,
    /// Local address to bind; unspecified means the serving place's own.
    pub ip: IpAddr,
    /// Address or host name written into candidates instead of `ip`, for servers behind NAT.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub announced_address: Option<String>,
    /// With an announced address: also offer `ip` itself, as a second candidate of lower priority. Default false.
    #[serde(default)]
    pub expose_internal_ip: bool,
    /// Fixed port; `None` and 0 mean that one is chosen, from `port_range` if there is one, else from the Worker's range.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Ports to choose from, tried from a random one on until one is free; goes before `port`. Any number of objects, of one Worker
    /// or several, can have the same range; each protocol and IP has ports of its own. An empty range is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port_range: Option<RangeInclusive<u16>>,
    /// Socket options.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flags: Option<SocketFlags>,
    /// Size of the kernel's send buffer, in bytes; if absent or 0, 4 MiB for UDP and the system's own choice for TCP. The kernel
    /// may give less: dumps tell what it gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send_buffer_size: Option<u32>,
    /// Size of the kernel's receive buffer, in bytes; the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recv_buffer_size: Option<u32>,
}

impl ListenInfo {
    /// The serving place's own address for this protocol, with everything else left to the place.
    #[must_use]
    pub fn of_place(protocol: Protocol) -> Self {
        Self {
            protocol,
            ip: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            announced_address: None,
            expose_internal_ip: false,
            port: None,
            port_range: None,
            flags: None,
            send_buffer_size: None,
            recv_buffer_size: None,
        }
    }
}

/// Options of a listening socket.
#[derive(Default, Debug, Copy, Clone, Ord, PartialOrd, Eq, PartialEq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SocketFlags {
    /// An IPv6 socket takes no IPv4 traffic. Default false.
    #[serde(default)]
    pub ipv6_only: bool,
    /// Several UDP sockets may bind the same address and port, if all of them say so. Default false. A port that is chosen, not
    /// named, is still one that nobody has.
    #[serde(default)]
    pub udp_reuse_port: bool,
}

/// Transport protocol.
#[derive(Debug, Copy, Clone, Ord, PartialOrd, Eq, PartialEq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP, with the framing of RFC 4571.
    Tcp,
    /// UDP.
    Udp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_place_leaves_everything_to_the_place() {
        let listen_info = ListenInfo::of_place(Protocol::Udp);
        assert!(listen_info.ip.is_unspecified());
        let json = serde_json::to_value(listen_info).unwrap();
        assert_eq!(
            json,
            serde_json::json!({ "protocol": "udp", "ip": "0.0.0.0", "exposeInternalIp": false })
        );
    }
}
