//! Operations on WebRtcServers.

use crate::id::{WebRtcServerId, WorkerId};
use crate::types::data_structures::ListenInfo;

/// Creates a WebRtcServer.
#[derive(Clone, Debug)]
pub struct CreateWebRtcServer {
    /// Drawn by the caller.
    pub id: WebRtcServerId,
    /// Where it shall live.
    pub worker: WorkerId,
    /// Where it listens, over UDP and TCP.
    pub listen_infos: Vec<ListenInfo>,
}

/// Tells what a WebRtcServer holds.
#[derive(Clone, Debug)]
pub struct DumpWebRtcServer {
    /// The WebRtcServer.
    pub id: WebRtcServerId,
}
