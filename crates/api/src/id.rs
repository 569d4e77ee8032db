//! Names of things: one type per kind of object, each a random UUID drawn by whoever creates the object.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident,)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Draws a new random id (UUID version 4).
            #[must_use]
            #[expect(clippy::new_without_default, reason = "two defaults that differ would surprise")]
            pub fn new() -> Self {
                Self(Uuid::new_v4())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )+};
}

ids! {
    /// A Worker: on this machine a thread.
    WorkerId,
    /// A WebRtcServer: sockets that many WebRtcTransports share.
    WebRtcServerId,
    /// A Router: the media of one room.
    RouterId,
    /// A Transport of any kind.
    TransportId,
    /// A Producer: one audio or video source sent into a Router.
    ProducerId,
    /// A Consumer: one Producer's media sent on to one endpoint.
    ConsumerId,
    /// An RtpObserver of any kind: who listens to Producers of a Router.
    RtpObserverId,
    /// A DataProducer: messages sent into a Router.
    DataProducerId,
    /// A DataConsumer: one DataProducer's messages sent on.
    DataConsumerId,
    /// An application's session, which owns objects.
    SessionId,
}

/// Any object, for tables and for sets of ids.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ObjectId {
    /// A [`WorkerId`].
    Worker(WorkerId),
    /// A [`WebRtcServerId`].
    WebRtcServer(WebRtcServerId),
    /// A [`RouterId`].
    Router(RouterId),
    /// A [`TransportId`].
    Transport(TransportId),
    /// A [`ProducerId`].
    Producer(ProducerId),
    /// A [`ConsumerId`].
    Consumer(ConsumerId),
    /// An [`RtpObserverId`].
    RtpObserver(RtpObserverId),
    /// A [`DataProducerId`].
    DataProducer(DataProducerId),
    /// A [`DataConsumerId`].
    DataConsumer(DataConsumerId),
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Worker(id) => write!(f, "worker {id}"),
            Self::WebRtcServer(id) => write!(f, "webrtc server {id}"),
            Self::Router(id) => write!(f, "router {id}"),
            Self::Transport(id) => write!(f, "transport {id}"),
            Self::Producer(id) => write!(f, "producer {id}"),
            Self::Consumer(id) => write!(f, "consumer {id}"),
            Self::RtpObserver(id) => write!(f, "rtp observer {id}"),
            Self::DataProducer(id) => write!(f, "data producer {id}"),
            Self::DataConsumer(id) => write!(f, "data consumer {id}"),
        }
    }
}

macro_rules! object_ids {
    ($($kind:ident($id:ident),)+) => {$(
        impl From<$id> for ObjectId {
            fn from(id: $id) -> Self {
                Self::$kind(id)
            }
        }
    )+};
}
object_ids! {
    Worker(WorkerId),
    WebRtcServer(WebRtcServerId),
    Router(RouterId),
    Transport(TransportId),
    Producer(ProducerId),
    Consumer(ConsumerId),
    RtpObserver(RtpObserverId),
    DataProducer(DataProducerId),
    DataConsumer(DataConsumerId),
}

#[cfg(test)]
mod tests;
