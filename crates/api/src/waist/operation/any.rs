//! Operations on any objects, many at a time.

use crate::id::ObjectId;

/// Closes objects and all that live in them. Ids that don't exist (any more) are passed over.
#[derive(Clone, Debug)]
pub struct Close {
    /// Which ones.
    pub ids: Vec<ObjectId>,
}

/// Leaves objects running without an owner. Ids that don't exist (any more) are passed over.
#[derive(Clone, Debug)]
pub struct Detach {
    /// Which ones.
    pub ids: Vec<ObjectId>,
}
