//! What dumps tell of listening sockets. mediasoup doesn't tell it; it logs the sizes.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::types::data_structures::Protocol;

/// A listening socket, as the operating system made it.
///
/// Buffers are what the kernel says that it gave, which needn't be what was asked for: it has limits (`net.core.wmem_max` and
/// `rmem_max`), and Linux counts its bookkeeping in, which makes twice the size that was asked for. They are 0 where nobody knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SocketDump {
    /// Transport protocol.
    pub protocol: Protocol,
    /// The address that it is bound to, which isn't the announced one.
    pub ip: IpAddr,
    /// Its port.
    pub port: u16,
    /// Bytes that may wait to be sent.
    pub send_buffer_size: u32,
    /// Bytes that may wait to be received.
    pub recv_buffer_size: u32,
}
