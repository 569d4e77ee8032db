//! The tuples that passed a check, and which of them is selected.

use crate::{SocketId, Tuple, sys};

/// How many tuples one agent keeps.
///
/// A client has one per pair of its own address and ours, at times with a NAT binding that changed. Fewer would push out
/// paths still in use on a client with several networks, more would let one client fill the table of tuples.
pub const TUPLES_MAX: usize = 8;

/// Valid tuples, the newest first, one of them selected if there is any.
#[derive(Clone, Debug)]
pub(super) struct Paths {
    tuples: Vec<Tuple>,
    selected: Option<Tuple>,
}

impl Paths {
    pub(super) fn new() -> Self {
        Self { tuples: Vec::new(), selected: None }
    }

    pub(super) fn contains(&self, tuple: Tuple) -> bool {
        self.tuples.contains(&tuple)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tuples.is_empty()
    }

    pub(super) fn selected(&self) -> Option<Tuple> {
        self.selected
    }

    pub(super) fn warm(&self) {
        sys::prefetch(&self.selected);
    }

    /// The newest first.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = Tuple> {
        self.tuples.iter().copied()
    }

    /// Adds `tuple` in front unless it is there; when full, the oldest that isn't selected goes.
    pub(super) fn add(&mut self, tuple: Tuple) {
        if self.contains(tuple) {
            return;
        }
        if self.tuples.len() == TUPLES_MAX {
            let oldest = self.tuples.iter().rposition(|&other| Some(other) != self.selected);
            self.tuples.remove(oldest.expect("of several tuples only one is selected"));
        }
        // Most clients have one: room for no more than there are.
        self.tuples.reserve_exact(1);
        self.tuples.insert(0, tuple);
    }

    /// Makes `tuple` the selected one; false, and no change, if it isn't valid.
    pub(super) fn select(&mut self, tuple: Tuple) -> bool {
        let valid = self.contains(tuple);
        if valid {
            self.selected = Some(tuple);
        }
        valid
    }

    /// Forgets the tuples of a socket; if the selected one was among them, the newest that is left takes its place.
    pub(super) fn remove_socket(&mut self, socket: SocketId) {
        self.tuples.retain(|tuple| tuple.socket != socket);
        if self.selected.is_some_and(|tuple| tuple.socket == socket) {
            self.selected = self.tuples.first().copied();
        }
    }

    pub(super) fn clear(&mut self) {
        self.tuples.clear();
        self.selected = None;
    }
}
