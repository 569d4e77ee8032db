//! A WebRtcServer: sockets of one Worker that any number of its WebRtcTransports share, so that one port is enough for all.

mod handle;

use std::collections::HashSet;
use std::net::IpAddr;
use std::ops::Deref;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use self::handle::{WeakWebRtcServer, WebRtcServer};
use crate::id::TransportId;
pub use crate::id::WebRtcServerId;
use crate::labels::Labels;
use crate::socket::SocketDump;
use crate::types::data_structures::{AppData, ListenInfo};

/// Where a WebRtcServer listens: one address at least.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(transparent)]
pub struct WebRtcServerListenInfos(Vec<ListenInfo>);

impl WebRtcServerListenInfos {
    /// One address.
    #[must_use]
    pub fn new(listen_info: ListenInfo) -> Self {
        Self(vec![listen_info])
    }

    /// One more address; the first has the highest priority.
    #[must_use]
    pub fn insert(mut self, listen_info: ListenInfo) -> Self {
        self.0.push(listen_info);
        self
    }

    pub(crate) fn into_inner(self) -> Vec<ListenInfo> {
        self.0
    }
}

impl Deref for WebRtcServerListenInfos {
    type Target = Vec<ListenInfo>;
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// A WebRtcServer has to listen somewhere.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("Empty list of listen infos provided, should have at least one element")]
pub struct EmptyListError;

impl TryFrom<Vec<ListenInfo>> for WebRtcServerListenInfos {
    type Error = EmptyListError;
    fn try_from(listen_infos: Vec<ListenInfo>) -> Result<Self, Self::Error> {
        if listen_infos.is_empty() { Err(EmptyListError) } else { Ok(Self(listen_infos)) }
    }
}

/// How a WebRtcServer is made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WebRtcServerOptions {
    /// Where it listens.
    pub listen_infos: WebRtcServerListenInfos,
    /// What travels with the WebRtcServer and shows wherever it shows.
    pub labels: Labels,
    /// What stays with the WebRtcServer in this process.
    pub app_data: AppData,
}

impl WebRtcServerOptions {
    /// A WebRtcServer that listens there.
    #[must_use]
    pub fn new(listen_infos: WebRtcServerListenInfos) -> Self {
        Self { listen_infos, labels: Labels::default(), app_data: AppData::default() }
    }
}

/// Where one of its sockets listens.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Deserialize, Serialize)]
pub struct WebRtcServerIpPort {
    /// The address.
    pub ip: IpAddr,
    /// The port.
    pub port: u16,
}

/// A name by which ICE checks are let in, and to which Transport they are led.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WebRtcServerIceUsernameFragment {
    /// The name.
    pub local_ice_username_fragment: String,
    /// The Transport.
    pub webrtc_transport_id: TransportId,
}

/// What a WebRtcServer holds.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WebRtcServerDump {
    /// Its id.
    pub id: WebRtcServerId,
    /// Where it takes datagrams.
    pub udp_sockets: Vec<WebRtcServerIpPort>,
    /// Where it takes connections.
    pub tcp_servers: Vec<WebRtcServerIpPort>,
    /// Its own sockets, with what the kernel gave them. mediasoup has no such field.
    pub sockets: Vec<SocketDump>,
    /// The Transports that listen on it.
    pub webrtc_transport_ids: HashSet<TransportId>,
    /// Their names. A Transport has two between an ICE restart and the first check that uses the new one.
    pub local_ice_username_fragments: Vec<WebRtcServerIceUsernameFragment>,
}
