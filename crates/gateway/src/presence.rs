//! A peer in a room: its Transports, what it produces and what it consumes. All of it closes when this is dropped.

use std::collections::HashMap;

use mafalda_api::consumer::{Consumer, ConsumerOptions};
use mafalda_api::id::{ConsumerId, ProducerId, TransportId};
use mafalda_api::producer::{Producer, ProducerOptions};
use mafalda_api::transport::Transport;
use mafalda_api::types::data_structures::DtlsParameters;
use mafalda_api::webrtc_transport::{
    WebRtcTransport, WebRtcTransportOptions, WebRtcTransportRemoteParameters,
};

use crate::error::RequestFailure;
use crate::request::{Consume, Direction, Produce};
use crate::response::{Notice, ProducerView, Reply};
use crate::room::{PEERS_PER_ROOM_MAX, Seat};

/// Most Producers of a peer: microphone, camera, a screen with its sound, and as many again.
pub(crate) const PRODUCERS_PER_PEER_MAX: usize = 8;

/// Most Consumers of a peer: everything that the others can produce.
pub(crate) const CONSUMERS_PER_PEER_MAX: usize = PRODUCERS_PER_PEER_MAX * PEERS_PER_ROOM_MAX;

type Outcome = Result<Reply, RequestFailure>;

/// What a peer has in its room. Fields close in this order: first what the peer holds, then its seat.
#[derive(Debug)]
pub(crate) struct Presence {
    consumers: HashMap<ConsumerId, Consumer>,
    producers: HashMap<ProducerId, Producer>,
    send: Option<WebRtcTransport>,
    recv: Option<WebRtcTransport>,
    pub(crate) seat: Seat,
}

impl Presence {
    pub(crate) fn new(seat: Seat) -> Self {
        Self { consumers: HashMap::new(), producers: HashMap::new(), send: None, recv: None, seat }
    }

    /// Makes the Transport of a direction. An earlier one closes first, with all that goes over it.
    pub(crate) async fn create_transport(
        &mut self,
        direction: Direction,
        mut options: WebRtcTransportOptions,
    ) -> Outcome {
        self.close_transport(direction);
        options.labels.insert("room", self.seat.room_name().as_str());
        options.labels.insert("peer", self.seat.peer_id.to_string());
        let transport = self.seat.router().create_webrtc_transport(options).await?;
        let reply = Reply::Transport {
            id: transport.id(),
            ice_parameters: transport.ice_parameters(),
            ice_candidates: transport.ice_candidates(),
            dtls_parameters: transport.dtls_parameters(),
        };
        match direction {
            Direction::Send => self.send = Some(transport),
            Direction::Recv => self.recv = Some(transport),
        }
        Ok(reply)
    }

    pub(crate) async fn connect(&self, id: TransportId, dtls_parameters: DtlsParameters) -> Outcome {
        self.transport(id)?.connect(WebRtcTransportRemoteParameters { dtls_parameters }).await?;
        Ok(Reply::Done {})
    }

    pub(crate) async fn restart_ice(&self, id: TransportId) -> Outcome {
        let ice_parameters = self.transport(id)?.restart_ice().await?;
        Ok(Reply::IceRestarted { ice_parameters })
    }

    /// Makes a Producer and tells the others.
    pub(crate) async fn produce(&mut self, request: Produce) -> Outcome {
        let transport = self.transport_of(Direction::Send, request.transport_id)?;
        if self.producers.len() >= PRODUCERS_PER_PEER_MAX {
            return Err(RequestFailure::TooManyProducers);
        }
        let mut options = ProducerOptions::new(request.kind, request.rtp_parameters);
        options.paused = request.paused;
        let producer = transport.produce(options).await?;
        let view = ProducerView { id: producer.id(), kind: producer.kind(), paused: request.paused };
        self.producers.insert(view.id, producer);
        self.seat.announce(view);
        Ok(Reply::Produced { id: view.id })
    }

    pub(crate) async fn set_producer_paused(&self, id: ProducerId, paused: bool) -> Outcome {
        let producer = self.producers.get(&id).ok_or(RequestFailure::ProducerNotFound(id))?;
        match paused {
            true => producer.pause().await?,
            false => producer.resume().await?,
        }
        self.seat.announce_paused(id, paused);
        Ok(Reply::Done {})
    }

    pub(crate) fn close_producer(&mut self, id: ProducerId) -> Outcome {
        self.producers.remove(&id).ok_or(RequestFailure::ProducerNotFound(id))?;
        self.seat.announce_closed(id);
        Ok(Reply::Done {})
    }

    /// Makes a Consumer. It starts paused: media before the peer is ready for it would be lost, with its key frame.
    pub(crate) async fn consume(&mut self, request: Consume) -> Outcome {
        let transport = self.transport_of(Direction::Recv, request.transport_id)?;
        if self.consumers.len() >= CONSUMERS_PER_PEER_MAX {
            return Err(RequestFailure::TooManyConsumers);
        }
        let mut options = ConsumerOptions::new(request.producer_id, request.rtp_capabilities);
        options.paused = true;
        let consumer = transport.consume(options).await?;
        let reply = Reply::Consumed {
            id: consumer.id(),
            producer_id: consumer.producer_id(),
            kind: consumer.kind(),
            rtp_parameters: Box::new(consumer.rtp_parameters().clone()),
            r#type: consumer.r#type(),
            producer_paused: consumer.producer_paused(),
        };
        self.consumers.insert(consumer.id(), consumer);
        Ok(reply)
    }

    pub(crate) async fn set_consumer_paused(&self, id: ConsumerId, paused: bool) -> Outcome {
        let consumer = self.consumer(id)?;
        match paused {
            true => consumer.pause().await?,
            false => consumer.resume().await?,
        }
        Ok(Reply::Done {})
    }

    pub(crate) fn close_consumer(&mut self, id: ConsumerId) -> Outcome {
        self.consumers.remove(&id).ok_or(RequestFailure::ConsumerNotFound(id))?;
        Ok(Reply::Done {})
    }

    pub(crate) async fn request_key_frame(&self, id: ConsumerId) -> Outcome {
        self.consumer(id)?.request_key_frame().await?;
        Ok(Reply::Done {})
    }

    /// Follows what happens in the room: a Producer takes its Consumers along.
    pub(crate) fn on_notice(&mut self, notice: &Notice) {
        if let Notice::ProducerClosed { id, .. } = notice {
            self.consumers.retain(|_, consumer| consumer.producer_id() != *id);
        }
    }

    fn close_transport(&mut self, direction: Direction) {
        match direction {
            Direction::Send => {
                for (id, _) in self.producers.drain() {
                    self.seat.announce_closed(id);
                }
                self.send = None;
            }
            Direction::Recv => {
                self.consumers.clear();
                self.recv = None;
            }
        }
    }

    fn transport(&self, id: TransportId) -> Result<&WebRtcTransport, RequestFailure> {
        let mut both = [&self.send, &self.recv].into_iter().flatten();
        both.find(|transport| transport.id() == id).ok_or(RequestFailure::TransportNotFound(id))
    }

    fn transport_of(
        &self,
        direction: Direction,
        id: TransportId,
    ) -> Result<&WebRtcTransport, RequestFailure> {
        let own = match direction {
            Direction::Send => &self.send,
            Direction::Recv => &self.recv,
        };
        let transport = self.transport(id)?;
        let fits = own.as_ref().is_some_and(|own| own.id() == id);
        fits.then_some(transport).ok_or(RequestFailure::WrongDirection)
    }

    fn consumer(&self, id: ConsumerId) -> Result<&Consumer, RequestFailure> {
        self.consumers.get(&id).ok_or(RequestFailure::ConsumerNotFound(id))
    }
}
