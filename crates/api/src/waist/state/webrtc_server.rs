//! What is known of a WebRtcServer.

use super::{Described, Origin};
use crate::id::{ObjectId, WebRtcServerId, WorkerId};

/// A WebRtcServer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WebRtcServerState {
    /// Its id.
    pub id: WebRtcServerId,
    /// Who made it.
    pub origin: Origin,
    /// The Worker that it lives in.
    pub worker: WorkerId,
}

impl Described for WebRtcServerState {
    fn id(&self) -> ObjectId {
        self.id.into()
    }

    fn parent(&self) -> Option<ObjectId> {
        Some(self.worker.into())
    }

    fn origin(&self) -> &Origin {
        &self.origin
    }

    fn origin_mut(&mut self) -> &mut Origin {
        &mut self.origin
    }
}
