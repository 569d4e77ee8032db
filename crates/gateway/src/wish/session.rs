//! One session: a Transport, what goes over it, and how long it lasts.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::HeaderMap;
use mafalda_api::transport::Transport;
use mafalda_api::types::data_structures::{DtlsState, IceState};
use mafalda_api::webrtc_transport::{WebRtcTransport, WebRtcTransportRemoteParameters};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, sleep_until};
use tracing::debug;

use super::problem::Problem;
use super::publish::Publication;
use super::tag::EntityTag;
use super::view::View;
use crate::error::RequestFailure;
use crate::sdp::{Fragment, IceCredentials, LocalTransport, Offer, Outcome, Section, write_fragment};

/// How long a client may take to connect. Who has to gather candidates behind a slow relay needs some ten seconds; a session
/// that nobody will ever use holds its place for as long.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a client that has lost its connection may take to restart ICE. It has been gone for the Transport's consent timeout
/// already.
const RESTART_TIMEOUT: Duration = Duration::from_secs(10);

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

/// What is known of a Transport's life.
#[derive(Clone, Copy, Debug)]
struct Life {
    ice: IceState,
    dtls: DtlsState,
    closed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Connecting,
    Connected,
    Disconnected,
    Over,
}

/// Why a session ends by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// The client didn't connect, or didn't come back.
    Abandoned,
    /// The client closed DTLS, or what it watched or published into is gone.
    Closed,
    /// The gateway closes.
    Closing,
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
        let life = watch_life(&transport, &content);
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
    pub(super) async fn run(&self, mut closing: watch::Receiver<bool>) -> End {
        let mut life = self.life.clone();
        let mut deadline = Some(Instant::now() + CONNECT_TIMEOUT);
        let mut begun = false;
        loop {
            let stage = life.borrow_and_update().stage();
            match stage {
                Stage::Connecting => {}
                Stage::Connected => {
                    deadline = None;
                    if !std::mem::replace(&mut begun, true) {
                        self.begin().await;
                    }
                }
                Stage::Disconnected => deadline = deadline.or(Some(Instant::now() + RESTART_TIMEOUT)),
                Stage::Over => return End::Closed,
            }
            let patience = async {
                match deadline {
                    Some(deadline) => sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                changed = life.changed() => if changed.is_err() { return End::Closed },
                () = patience => return End::Abandoned,
                _ = closing.wait_for(|closing| *closing) => return End::Closing,
            }
        }
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

impl Life {
    fn stage(self) -> Stage {
        match (self.ice, self.dtls) {
            _ if self.closed => Stage::Over,
            (_, DtlsState::Failed | DtlsState::Closed) => Stage::Over,
            (IceState::Disconnected, _) => Stage::Disconnected,
            (IceState::Connected | IceState::Completed, DtlsState::Connected) => Stage::Connected,
            _ => Stage::Connecting,
        }
    }
}

/// Follows a Transport; a view is over, too, when all that it shows is.
fn watch_life(transport: &WebRtcTransport, content: &Content) -> watch::Receiver<Life> {
    let life = Life { ice: transport.ice_state(), dtls: transport.dtls_state(), closed: false };
    let (sender, receiver) = watch::channel(life);
    let sender = Arc::new(sender);
    let change = |change: fn(&mut Life)| {
        let sender = Arc::clone(&sender);
        move || sender.send_modify(change)
    };
    let on_ice = Arc::clone(&sender);
    transport.on_ice_state_change(move |ice| on_ice.send_modify(|life| life.ice = ice)).detach();
    let on_dtls = Arc::clone(&sender);
    transport.on_dtls_state_change(move |dtls| on_dtls.send_modify(|life| life.dtls = dtls)).detach();
    transport.on_close(Box::new(change(|life| life.closed = true))).detach();
    if let Content::View(view) = content {
        let left = Arc::new(std::sync::atomic::AtomicUsize::new(view.consumers().len()));
        for consumer in view.consumers() {
            let left = Arc::clone(&left);
            let over = change(|life| life.closed = true);
            let on_close = move || {
                if left.fetch_sub(1, std::sync::atomic::Ordering::Relaxed) == 1 {
                    over();
                }
            };
            consumer.on_close(on_close).detach();
        }
    }
    receiver
}
