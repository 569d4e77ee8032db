//! What is put under load: how clients come to the addresses, credentials and parameters that they need.
//!
//! A [`Target`] has rooms, a [`Seat`] is one participant in one of them. The verbs are those of a browser's signalling, so a server that
//! speaks another signalling is one more variant.

mod demo;
mod engine;

use std::net::SocketAddr;

use mafalda_api::id::{ConsumerId, ProducerId};
use mafalda_api::types::data_structures::{DtlsParameters, IceCandidate, IceParameters};
use mafalda_api::types::rtp_parameters::{
    MediaKind, RtpCapabilities, RtpCapabilitiesFinalized, RtpParameters,
};
use mafalda_api::types::srtp_parameters::SrtpParameters;

use crate::scenario::PEERS_MAX;

pub use demo::{DemoAddress, DemoAddressError, DemoTarget};
pub(crate) use engine::WORKER_THREAD_PREFIX;
#[cfg(test)]
pub(crate) use engine::router_codecs;
pub use engine::{EngineTarget, EngineTransport, WORKERS_MAX};

/// Which way media goes, seen from the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Direction {
    Send,
    Receive,
}

/// What a client must know of its Transport.
#[derive(Clone, Debug)]
pub(crate) enum Offer {
    WebRtc(Box<WebRtcOffer>),
    Plain(PlainOffer),
}

/// A WebRtcTransport's side.
#[derive(Clone, Debug)]
pub(crate) struct WebRtcOffer {
    pub(crate) ice: IceParameters,
    pub(crate) candidates: Vec<IceCandidate>,
    pub(crate) dtls: DtlsParameters,
}

/// A PlainTransport's side; it learns the client's address from its packets.
#[derive(Clone, Debug)]
pub(crate) struct PlainOffer {
    pub(crate) remote: SocketAddr,
    /// The server's suite and key; `None` where packets go as they are.
    pub(crate) srtp: Option<SrtpParameters>,
}

/// What a server must know of the client, by the kind of its Transport.
#[derive(Clone, Debug)]
pub(crate) enum Introduction {
    WebRtc(DtlsParameters),
    Plain(Option<SrtpParameters>),
}

/// A Consumer, still paused.
#[derive(Clone, Debug)]
pub(crate) struct Consumed {
    pub(crate) id: ConsumerId,
    pub(crate) rtp_parameters: RtpParameters,
}

/// Why signalling failed.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The engine in this process refused.
    #[error("the engine refused to {doing}: {reason}")]
    Engine {
        /// What was asked for.
        doing: &'static str,
        /// Why not.
        reason: String,
    },
    /// The server can't be reached, or its WebSocket broke.
    #[error("no connection to {address}: {reason}")]
    Connection {
        /// Where it should be.
        address: String,
        /// What happened.
        reason: String,
    },
    /// The server refused.
    #[error("the server refused {method}: {message} ({code})")]
    Refused {
        /// What was asked for.
        method: &'static str,
        /// Its stable code.
        code: String,
        /// Its sentence.
        message: String,
    },
    /// The server's answer is not what its documentation says.
    #[error("the answer to {method} isn't understood: {reason}")]
    Answer {
        /// What was asked for.
        method: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// More than [`PEERS_MAX`](crate::PEERS_MAX), those counted that publish in each room.
    #[error("no more than {PEERS_MAX} participants can be pretended at once")]
    Crowded,
    /// It was asked for in the wrong order, or of a Transport of another kind.
    #[error("there is no such transport for this direction yet")]
    NoTransport,
}

/// What is put under load.
#[derive(Debug)]
pub enum Target {
    /// Our engine, in this process.
    Engine(EngineTarget),
    /// A running demo, over its signalling.
    Demo(DemoTarget),
}

impl Target {
    /// For reports.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Engine(engine) => engine.name(),
            Self::Demo(demo) => demo.name(),
        }
    }

    /// Most participants of one room.
    pub(crate) fn room_size(&self) -> usize {
        match self {
            Self::Engine(_) => usize::MAX,
            Self::Demo(_) => demo::ROOM_SIZE,
        }
    }

    /// Rooms that are opened before a second one takes its seat in any of them.
    pub(crate) fn rooms_at_once(&self) -> usize {
        match self {
            Self::Engine(engine) => engine.workers(),
            Self::Demo(_) => 1,
        }
    }

    /// Whether the server's threads are this process's own.
    pub(crate) fn is_in_process(&self) -> bool {
        matches!(self, Self::Engine(_))
    }

    /// Comes into a room, which is made if need be.
    pub(crate) async fn enter(&mut self, room: usize, name: &str) -> Result<Seat, TargetError> {
        match self {
            Self::Engine(engine) => engine.enter(room).await.map(Seat::Engine),
            Self::Demo(demo) => demo.enter(room, name).await.map(Seat::Demo),
        }
    }
}

/// One participant. It leaves when this is dropped.
#[derive(Debug)]
pub(crate) enum Seat {
    Engine(engine::Seat),
    Demo(demo::Seat),
}

impl Seat {
    /// What the room can do.
    pub(crate) fn router_capabilities(&self) -> &RtpCapabilitiesFinalized {
        match self {
            Self::Engine(seat) => seat.router_capabilities(),
            Self::Demo(seat) => seat.router_capabilities(),
        }
    }

    /// Makes the Transport for a direction.
    pub(crate) async fn open(&mut self, direction: Direction) -> Result<Offer, TargetError> {
        match self {
            Self::Engine(seat) => seat.open(direction).await,
            Self::Demo(seat) => seat.open(direction).await.map(|offer| Offer::WebRtc(Box::new(offer))),
        }
    }

    /// Tells the server who will come.
    pub(crate) async fn connect(
        &mut self,
        direction: Direction,
        introduction: Introduction,
    ) -> Result<(), TargetError> {
        match (self, introduction) {
            (Self::Engine(seat), introduction) => seat.connect(direction, introduction).await,
            (Self::Demo(seat), Introduction::WebRtc(dtls)) => seat.connect(direction, dtls).await,
            (Self::Demo(_), Introduction::Plain(_)) => Err(TargetError::NoTransport),
        }
    }

    /// Announces a stream.
    pub(crate) async fn produce(
        &mut self,
        kind: MediaKind,
        parameters: RtpParameters,
    ) -> Result<ProducerId, TargetError> {
        match self {
            Self::Engine(seat) => seat.produce(kind, parameters).await,
            Self::Demo(seat) => seat.produce(kind, parameters).await,
        }
    }

    /// Asks for a stream; it begins with [`Seat::resume`].
    pub(crate) async fn consume(
        &mut self,
        producer: ProducerId,
        capabilities: RtpCapabilities,
    ) -> Result<Consumed, TargetError> {
        match self {
            Self::Engine(seat) => seat.consume(producer, capabilities).await,
            Self::Demo(seat) => seat.consume(producer, capabilities).await,
        }
    }

    /// Lets a stream flow.
    pub(crate) async fn resume(&mut self, consumer: ConsumerId) -> Result<(), TargetError> {
        match self {
            Self::Engine(seat) => seat.resume(consumer).await,
            Self::Demo(seat) => seat.resume(consumer).await,
        }
    }
}
