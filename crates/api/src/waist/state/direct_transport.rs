//! What is known of a DirectTransport.

use super::{Described, Origin};
use crate::id::{ObjectId, RouterId, TransportId};

/// A DirectTransport.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DirectTransportState {
    /// Its id.
    pub id: TransportId,
    /// Who made it.
    pub origin: Origin,
    /// The Router that it belongs to.
    pub router: RouterId,
    /// Most bytes of a message from the application.
    pub max_receive_message_size: u32,
}

impl Described for DirectTransportState {
    fn id(&self) -> ObjectId {
        self.id.into()
    }

    fn parent(&self) -> Option<ObjectId> {
        Some(self.router.into())
    }

    fn origin(&self) -> &Origin {
        &self.origin
    }

    fn origin_mut(&mut self) -> &mut Origin {
        &mut self.origin
    }
}
