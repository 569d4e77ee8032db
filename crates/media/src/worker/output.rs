//! What a Worker gives.

use mafalda_api::waist::{Event, Failure, Reply};

use super::turn::OutMessage;
use crate::SocketId;
use crate::buffer::Run;

/// One thing that a Worker wants done.
#[derive(Debug)]
pub enum Output {
    /// Packets to be sent. They lie in the send buffer until it is cleared.
    Send(Run),
    /// The send buffer is full: send all runs given so far, clear it, and poll on.
    Flush,
    /// The outcome of a call. Events that the call caused come before it.
    Reply {
        /// The call's number.
        request: u64,
        /// What came out.
        result: Result<Reply, Failure>,
    },
    /// Something happened that others should know.
    Event(Event),
    /// So many events that only pass by were left out of this turn: it had more than it tells.
    Missed {
        /// How many.
        events: u64,
    },
    /// A message for an application.
    Message(OutMessage),
    /// A listening socket or a connection is no longer needed.
    CloseSocket(SocketId),
}
