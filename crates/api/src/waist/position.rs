//! Where in a server's event log something stands.

use serde::{Deserialize, Serialize};

/// A place in an event log: the epoch changes with the server process, the sequence grows by one per event.
///
/// Positions of different epochs are not comparable in time; the order here only serves tables.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Position {
    /// Drawn at random by each server process at its start.
    pub epoch: u64,
    /// The number of the last event up to here; 0 before the first.
    pub sequence: u64,
}
