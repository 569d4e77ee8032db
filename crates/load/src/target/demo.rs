//! A running `mafalda-demo`, through the signalling of its page: JSON over a WebSocket, as `docs/conference.md` tells it.

mod address;
mod socket;

use std::time::Duration;

use mafalda_api::id::{ConsumerId, ProducerId, TransportId};
use mafalda_api::types::data_structures::{DtlsParameters, IceCandidate, IceParameters};
use mafalda_api::types::rtp_parameters::{
    MediaKind, RtpCapabilities, RtpCapabilitiesFinalized, RtpParameters,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Consumed, Direction, TargetError, WebRtcOffer};
use socket::Socket;

pub use address::{DemoAddress, DemoAddressError};

/// Peers that the demo lets into a room.
pub(super) const ROOM_SIZE: usize = 64;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// A demo.
#[derive(Clone, Debug)]
pub struct DemoTarget {
    address: DemoAddress,
    room: String,
    token: Option<String>,
}

impl DemoTarget {
    /// A demo at that address. The first room has this name, further ones have a number behind it. `token` is the join token, where
    /// the demo asks for one.
    #[must_use]
    pub fn new(address: DemoAddress, room: String, token: Option<String>) -> Self {
        let token = token.or_else(|| address.token().map(str::to_owned));
        Self { address, room, token }
    }

    pub(super) fn name(&self) -> String {
        format!("the demo at {}", self.address)
    }

    pub(super) async fn enter(&self, room: usize, name: &str) -> Result<Seat, TargetError> {
        let room = if room == 0 { self.room.clone() } else { format!("{}-{}", self.room, room + 1) };
        let connected = tokio::time::timeout(PATIENCE, Socket::connect(&self.address)).await;
        let mut socket = connected.map_err(|_| TargetError::Connection {
            address: self.address.to_string(),
            reason: format!("no answer within {PATIENCE:?}"),
        })??;
        let mut data = json!({"room": room, "name": name});
        if let (Some(token), Some(object)) = (&self.token, data.as_object_mut()) {
            object.insert("token".into(), token.as_str().into());
        }
        let joined: Joined = ask(&mut socket, "join", data).await?;
        Ok(Seat { socket, capabilities: joined.rtp_capabilities, send: None, receive: None })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Joined {
    rtp_capabilities: RtpCapabilitiesFinalized,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    id: TransportId,
    ice_parameters: IceParameters,
    ice_candidates: Vec<IceCandidate>,
    dtls_parameters: DtlsParameters,
}

#[derive(Deserialize)]
struct Produced {
    id: ProducerId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConsumerAnswer {
    id: ConsumerId,
    rtp_parameters: RtpParameters,
}

/// An answer that says nothing more.
#[derive(Deserialize)]
struct Done {}

async fn ask<T: DeserializeOwned>(
    socket: &mut Socket,
    method: &'static str,
    data: Value,
) -> Result<T, TargetError> {
    let answer = tokio::time::timeout(PATIENCE, socket.ask(method, data)).await;
    let answer = answer
        .map_err(|_| TargetError::Answer { method, reason: format!("none came within {PATIENCE:?}") })??;
    serde_json::from_value(answer).map_err(|error| TargetError::Answer { method, reason: error.to_string() })
}

/// One participant: a WebSocket of its own, as a page has.
#[derive(Debug)]
pub(crate) struct Seat {
    socket: Socket,
    capabilities: RtpCapabilitiesFinalized,
    send: Option<TransportId>,
    receive: Option<TransportId>,
}

impl Seat {
    pub(super) fn router_capabilities(&self) -> &RtpCapabilitiesFinalized {
        &self.capabilities
    }

    pub(super) async fn open(&mut self, direction: Direction) -> Result<WebRtcOffer, TargetError> {
        let word = match direction {
            Direction::Send => "send",
            Direction::Receive => "recv",
        };
        let created: Created = ask(&mut self.socket, "createTransport", json!({"direction": word})).await?;
        match direction {
            Direction::Send => self.send = Some(created.id),
            Direction::Receive => self.receive = Some(created.id),
        }
        Ok(WebRtcOffer {
            ice: created.ice_parameters,
            candidates: created.ice_candidates,
            dtls: created.dtls_parameters,
        })
    }

    fn transport(&self, direction: Direction) -> Result<TransportId, TargetError> {
        let transport = match direction {
            Direction::Send => self.send,
            Direction::Receive => self.receive,
        };
        transport.ok_or(TargetError::NoTransport)
    }

    pub(super) async fn connect(
        &mut self,
        direction: Direction,
        dtls: DtlsParameters,
    ) -> Result<(), TargetError> {
        let data = json!({"transportId": self.transport(direction)?, "dtlsParameters": dtls});
        let Done {} = ask(&mut self.socket, "connectTransport", data).await?;
        Ok(())
    }

    pub(super) async fn produce(
        &mut self,
        kind: MediaKind,
        parameters: RtpParameters,
    ) -> Result<ProducerId, TargetError> {
        let transport = self.transport(Direction::Send)?;
        let data = json!({"transportId": transport, "kind": kind, "rtpParameters": parameters});
        let produced: Produced = ask(&mut self.socket, "produce", data).await?;
        Ok(produced.id)
    }

    pub(super) async fn consume(
        &mut self,
        producer: ProducerId,
        capabilities: RtpCapabilities,
    ) -> Result<Consumed, TargetError> {
        let transport = self.transport(Direction::Receive)?;
        let data = json!({"transportId": transport, "producerId": producer, "rtpCapabilities": capabilities});
        let answer: ConsumerAnswer = ask(&mut self.socket, "consume", data).await?;
        Ok(Consumed { id: answer.id, rtp_parameters: answer.rtp_parameters })
    }

    pub(super) async fn resume(&mut self, consumer: ConsumerId) -> Result<(), TargetError> {
        let Done {} = ask(&mut self.socket, "resumeConsumer", json!({"consumerId": consumer})).await?;
        Ok(())
    }
}
