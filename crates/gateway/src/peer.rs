//! One connection's side of the conversation: at most in one room, each request answered before the next is read.

use std::future;
use std::sync::Arc;

use tracing::debug;

use crate::error::RequestFailure;
use crate::gateway::Shared;
use crate::presence::Presence;
use crate::request::{BadMessage, Join, Request, parse};
use crate::response::{Notice, Reply, Response, to_text};
use crate::room::TurnedOut;

/// Who is at the other end of a connection.
#[derive(Debug)]
pub(crate) struct Peer {
    shared: Arc<Shared>,
    presence: Option<Presence>,
}

impl Peer {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, presence: None }
    }

    /// Carries out one message and says what to answer.
    pub(crate) async fn answer(&mut self, text: &str) -> String {
        let (id, outcome) = match parse(text) {
            Ok((id, request)) => (Some(id), self.handle(request).await),
            Err(BadMessage { id, failure }) => (id, Err(failure)),
        };
        if let Err(failure) = &outcome {
            debug!(id, %failure, "request refused");
        }
        to_text(&Response::new(id, outcome))
    }

    /// What to tell the peer next; waits as long as there is nothing. `Err` says that it was turned out.
    pub(crate) async fn next_notice(&mut self) -> Result<String, TurnedOut> {
        let Some(presence) = &mut self.presence else { return future::pending().await };
        let Some(notice) = presence.seat.next_notice().await else {
            return Err(presence.seat.turned_out().unwrap_or(TurnedOut::TooSlow));
        };
        presence.on_notice(&notice);
        if notice == (Notice::RoomClosed {}) {
            self.presence = None;
        }
        Ok(to_text(&notice))
    }

    async fn handle(&mut self, request: Request) -> Result<Reply, RequestFailure> {
        let request = match request {
            Request::Join(join) => return self.join(join).await,
            request => request,
        };
        let presence = self.presence.as_mut().ok_or(RequestFailure::NotJoined)?;
        match request {
            Request::Join(_) => Err(RequestFailure::AlreadyJoined),
            Request::Leave(_) => {
                self.presence = None;
                Ok(Reply::Done {})
            }
            Request::CreateTransport(transport) => {
                let worker = presence.seat.router().worker().id();
                let options = self.shared.options.transport_options(worker);
                presence.create_transport(transport.direction, options).await
            }
            Request::ConnectTransport(of) => presence.connect(of.transport_id, of.dtls_parameters).await,
            Request::RestartIce(of) => presence.restart_ice(of.transport_id).await,
            Request::Produce(produce) => presence.produce(produce).await,
            Request::PauseProducer(of) => presence.set_producer_paused(of.producer_id, true).await,
            Request::ResumeProducer(of) => presence.set_producer_paused(of.producer_id, false).await,
            Request::CloseProducer(of) => presence.close_producer(of.producer_id),
            Request::Consume(consume) => presence.consume(consume).await,
            Request::PauseConsumer(of) => presence.set_consumer_paused(of.consumer_id, true).await,
            Request::ResumeConsumer(of) => presence.set_consumer_paused(of.consumer_id, false).await,
            Request::CloseConsumer(of) => presence.close_consumer(of.consumer_id),
            Request::AskKeyFrame(of) => presence.request_key_frame(of.consumer_id).await,
        }
    }

    async fn join(&mut self, join: Join) -> Result<Reply, RequestFailure> {
        if !self.shared.options.admits(join.token.as_deref()) {
            return Err(RequestFailure::WrongToken);
        }
        if self.presence.is_some() {
            return Err(RequestFailure::AlreadyJoined);
        }
        let room = self.shared.rooms.enter(join.room).await?;
        let (seat, peers) = room.sit_down(join.name, join.replaces)?;
        let reply = Reply::Joined {
            peer_id: seat.peer_id,
            secret: seat.secret,
            rtp_capabilities: Box::new(seat.router().rtp_capabilities()),
            peers,
        };
        self.presence = Some(Presence::new(seat));
        Ok(reply)
    }
}
