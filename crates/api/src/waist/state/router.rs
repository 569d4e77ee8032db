//! What is known of a Router.

use super::{Described, Origin};
use crate::id::{ObjectId, RouterId, WorkerId};
use crate::types::rtp_parameters::RtpCapabilitiesFinalized;

/// A Router.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RouterState {
    /// Its id.
    pub id: RouterId,
    /// Who made it.
    pub origin: Origin,
    /// The Worker that it lives in.
    pub worker: WorkerId,
    /// What it can take and give.
    pub rtp_capabilities: RtpCapabilitiesFinalized,
}

impl Described for RouterState {
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
