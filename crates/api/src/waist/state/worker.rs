//! What is known of a Worker.

use super::{Described, Origin};
use crate::id::{ObjectId, WorkerId};

/// A Worker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WorkerState {
    /// Its id.
    pub id: WorkerId,
    /// Who made it.
    pub origin: Origin,
}

impl Described for WorkerState {
    fn id(&self) -> ObjectId {
        self.id.into()
    }

    fn parent(&self) -> Option<ObjectId> {
        None
    }

    fn origin(&self) -> &Origin {
        &self.origin
    }

    fn origin_mut(&mut self) -> &mut Origin {
        &mut self.origin
    }
}
