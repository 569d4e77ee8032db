//! The narrow waist: everything that a handle can ask, and everything that can happen, in one small vocabulary.
//!
//! Above it are the typed handles, below it any number of implementations of [`Backend`]: threads of this process, a remote
//! machine, a cluster. All three enums of the vocabulary ([`Command`], [`Reply`], [`Event`]) are closed: adding an operation
//! adds one struct and one row in the table of `operation`, and the compiler names each place that has to know it.

mod backend;
mod event;
mod failure;
mod media;
mod message;
mod operation;
mod position;
mod route;
mod state;

pub use backend::{Answer, Backend, BoxFuture, BoxStream, Call, Scope, Update};
pub use event::{CloseCause, Event, PlainConnection, Volume};
pub use failure::{Cause, ErrorCode, Failure};
pub use media::{Egress, Ingress, MediaError, MediaPort, PACKET_BYTES_MAX, Packets};
pub use message::{Audience, DataMessage};
pub use operation::*;
pub use position::Position;
pub use state::*;
