//! One session: a Transport, and what goes over it.

use std::sync::{Mutex, PoisonError};

use axum::http::HeaderMap;
use mafalda_api::transport::Transport;
use mafalda_api::webrtc_transport::{WebRtcTransport, WebRtcTransportRemoteParameters};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tracing::debug;

use super::life::{End, Life, follow};
use super::problem::Problem;
use super::publish::Publication;
use super::tag::EntityTag;
use super::view::View;
use crate::error::RequestFailure;
use crate::sdp::{Fragment, IceCredentials, LocalTransport, Offer, Outcome, Section, write_fragment};

/// What goes over a session's Transport.
#[derive(Debug)]
pub(super) enum Content {
    Publication(Publication),
    View(View),
}

/// A session.
#[derive(Debug)]
pub(super) struct Session {
    transport: WebRtcTransport,
    local: LocalTransport,
    /// The sections of the bundle.
    sections: Vec<Section>,
    ice: tokio::sync::Mutex<IceSession>,
    life: watch::Receiver<Life>,
    /// `None` once it is over.
    content: Mutex<Option<Content>>,
    _permit: OwnedSemaphorePermit,
}

/// What an entity tag stands for.
#[derive(Debug)]
struct IceSession {
    tag: EntityTag,
    remote: IceCredentials,
}

/// What a PATCH did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Patched {
    /// It told candidates.
    Noted,
    /// ICE begins anew: our side of it, under its tag.
    Restarted { tag: EntityTag, fragment: String },
}

impl Session {
    /// Connects the Transport to the offer's client, and tells the room of what it publishes.
    pub(super) async fn new(
        transport: WebRtcTransport,
        offer: &Offer,
        outcomes: &[Outcome],
        content: Content,
        permit: OwnedSemaphorePermit,
    ) -> Result<Self, Problem> {
        let life = match &content {
            Content::View(view) => Life::of(&transport, view.consumers()),
            Content::Publication(_) => Life::of(&transport, &[]),
        };
        let dtls_parameters = offer.transport.dtls_parameters.clone();
        let local = LocalTransport {
            ice_parameters: transport.ice_parameters(),
            ice_candidates: transport.ice_candidates(),
            fingerprints: transport.dtls_parameters().fingerprints,
            remote_role: dtls_parameters.role,
        };
        let remote = WebRtcTransportRemoteParameters { dtls_parameters };
        transport.connect(remote).await.map_err(RequestFailure::from)?;
        if let Content::Publication(publication) = &content {
            publication.announce();
        }
        let taken = offer.sections.iter().zip(outcomes).filter(|(_, outcome)| **outcome != Outcome::Rejected);
        let ice = IceSession { tag: EntityTag::random(), remote: offer.transport.ice.clone() };
        Ok(Self {
            transport,
            local,
            sections: taken.map(|(section, _)| section.clone()).collect(),
            ice: tokio::sync::Mutex::new(ice),
            life,
            content: Mutex::new(Some(content)),
            _permit: permit,
        })
    }

    pub(super) fn local(&self) -> &LocalTransport {
        &self.local
    }

    pub(super) async fn tag(&self) -> EntityTag {
        self.ice.lock().await.tag
    }

    /// Takes news of the client's ICE (RFC 9725 §4.3.2, §4.3.3).
    pub(super) async fn patch(&self, headers: &HeaderMap, fragment: Fragment) -> Result<Patched, Problem> {
        let mut ice = self.ice.lock().await;
        ice.tag.check(headers)?;
        let Some(remote) = fragment.ice.filter(|remote| *remote != ice.remote) else {
            return Ok(Patched::Noted);
        };
        let restarted = self.transport.restart_ice().await;
        let ice_parameters = restarted.map_err(|_| Problem::no_session())?;
        *ice = IceSession { tag: EntityTag::random(), remote };
        let local = LocalTransport { ice_parameters, ..self.local.clone() };
        let sections: Vec<_> = self.sections.iter().collect();
        Ok(Patched::Restarted { tag: ice.tag, fragment: write_fragment(&local, &sections) })
    }

    /// Sees to it until it ends by itself.
    pub(super) async fn run(&self, closing: watch::Receiver<bool>) -> End {
        follow(self.life.clone(), closing, self.begin()).await
    }

    /// Ends it: the client, and whoever watches, is told by the Transport's end.
    pub(super) fn end(&self) {
        self.transport.close();
        drop(self.content.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// The client is there: what it watches begins to flow, with a key frame.
    async fn begin(&self) {
        let consumers = match &*self.content.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(Content::View(view)) => view.consumers().to_vec(),
            Some(Content::Publication(_)) | None => Vec::new(),
        };
        for consumer in consumers {
            if let Err(error) = consumer.resume().await {
                debug!(consumer = %consumer.id(), %error, "not resumed");
            }
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.end();
    }
}
