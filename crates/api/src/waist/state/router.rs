//! What is known of a Router.

use std::sync::Arc;

use super::{Described, Origin};
use crate::id::{ObjectId, RouterId, WorkerId};
use crate::types::rtp_parameters::RtpCapabilitiesFinalized;
use crate::waist::Event;

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
    pub rtp_capabilities: Arc<RtpCapabilitiesFinalized>,
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

    fn apply(&mut self, event: &Event) {
        if let Event::RtpCapabilitiesChanged { rtp_capabilities, .. } = event {
            self.rtp_capabilities.clone_from(rtp_capabilities);
        }
    }
}
