//! The trait that everything below the handles implements.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use futures_core::Stream;

use super::{Command, Event, Failure, MediaPort, ObjectState, Position, Reply};
use crate::id::{RouterId, SessionId, TransportId};
use crate::labels::Labels;

/// A future that can be kept in a struct and sent between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
/// A stream that can be kept in a struct and sent between threads.
pub type BoxStream<'a, T> = Pin<Box<dyn Stream<Item = T> + Send + 'a>>;

/// Where Routers live: in threads of this process, on a remote machine, on many machines.
pub trait Backend: Send + Sync {
    /// Carries out one operation.
    ///
    /// The call is accepted, in order with all other calls, when this method returns: dropping the future forgets the
    /// answer, not the call. It never blocks; a backend whose queue is full answers [`super::ErrorCode::Overloaded`].
    fn call(&self, call: Call) -> BoxFuture<'static, Result<Answer, Failure>>;

    /// What happens in a scope, from a position on: a snapshot first where `from` is `None` or no longer in the log, then
    /// each event once and in order. It ends when the backend ends. A watcher that is too slow gets a new snapshot, and misses
    /// what only passes by.
    fn watch(&self, scope: Scope, from: Option<Position>) -> BoxStream<'static, Update>;

    /// The way of packets to and from a DirectTransport that there is. It is there at once; each call opens one of its own, and what
    /// comes out goes to all that are open.
    fn media(&self, transport: TransportId) -> Arc<dyn MediaPort>;
}

/// One operation with what is kept beside the object that it makes.
#[derive(Clone, Debug)]
pub struct Call {
    /// The end application's session, handed down unchanged through any number of layers.
    pub owner: SessionId,
    /// What the application wants to find again at a created object; empty for all other operations.
    pub labels: Labels,
    /// Opaque bytes of the layers in between (logical id, role, link), at most [`Call::TAGS_BYTES_MAX`].
    pub tags: Vec<u8>,
    /// What to do.
    pub command: Command,
}

impl Call {
    /// Most bytes of tags: room for a few ids and roles of the layers above; it is paid in every snapshot.
    pub const TAGS_BYTES_MAX: usize = 1024;
}

/// A successful call's outcome.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The operation's own reply.
    pub reply: Reply,
    /// The caller's mirror must have reached this before the caller goes on, so that it sees its own doings.
    pub at: Position,
}

/// Whose objects a watch shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scope {
    /// Objects that a session owns or has detached, and what those live in.
    Session(SessionId),
    /// All objects of these Routers.
    Routers(Vec<RouterId>),
    /// Everything.
    All,
}

/// One item of a watch.
#[derive(Clone, Debug)]
pub enum Update {
    /// Replaces the mirror; the difference comes out as events.
    Snapshot {
        /// The position that this state belongs to.
        at: Position,
        /// Every object in scope, parents before their children.
        objects: Vec<ObjectState>,
    },
    /// Something happened in scope.
    Event {
        /// The event's own position.
        at: Position,
        /// What happened.
        event: Event,
    },
    /// Something happened in scope that changes nothing, between the updates before and behind it. It has no position: who comes
    /// back is not told of it again.
    Passing {
        /// What happened; [`Event::is_passing`] is true.
        event: Event,
    },
    /// So many passing events were left out here, of this scope or of what lies around it: they came too fast.
    Missed {
        /// How many.
        events: u64,
    },
    /// The log has passed this position with nothing in scope.
    Reached {
        /// That position.
        at: Position,
    },
}
