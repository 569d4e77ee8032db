//! The gateway itself: its options, its rooms, and what it answers over HTTP.

use std::sync::Arc;
use std::time::Duration;

use axum::Router as HttpRouter;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use mafalda_api::worker::Worker;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use tracing::{Instrument, Span, debug};

use crate::options::GatewayOptions;
use crate::request::MESSAGE_BYTES_MAX;
use crate::rooms::Rooms;
use crate::wish::{self, Sessions};
use crate::{origin, page, socket};

/// Most WebSockets at a time. Each takes a file and about 100 kB at its worst; a gateway that has more peers than this needs
/// more than one machine for their media anyway.
pub(crate) const SOCKETS_MAX: usize = 4096;

/// Rooms, and the HTTP that leads to them.
#[derive(Clone, Debug)]
pub struct Gateway {
    pub(crate) shared: Arc<Shared>,
}

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) options: GatewayOptions,
    pub(crate) rooms: Arc<Rooms>,
    pub(crate) sessions: Arc<Sessions>,
    /// One permit per WebSocket.
    sockets: Arc<Semaphore>,
    /// True once the gateway closes.
    pub(crate) closing: watch::Sender<bool>,
}

impl Gateway {
    /// A gateway that spreads its rooms over these Workers, each in turn. A Worker that has closed is passed over.
    #[must_use]
    pub fn new(workers: Vec<Worker>, options: GatewayOptions) -> Self {
        let rooms = Rooms::new(workers, options.media_codecs.clone());
        let sockets = Arc::new(Semaphore::new(SOCKETS_MAX));
        let shared =
            Shared { options, rooms, sessions: Sessions::new(), sockets, closing: watch::Sender::new(false) };
        Self { shared: Arc::new(shared) }
    }

    /// The page, the signalling, WHIP and WHEP, to be served by [`serve`](crate::serve) or by axum's own server, alone or among others.
    pub fn http(&self) -> HttpRouter {
        let socket = HttpRouter::new().route("/ws", get(upgrade)).with_state(self.clone());
        page::routes().merge(socket).merge(wish::routes(self))
    }

    /// Tells each peer that the gateway goes away, closes the rooms, and waits for that, but not longer than `patience`.
    /// From here on nobody can join.
    pub async fn close(&self, patience: Duration) {
        self.shared.closing.send_replace(true);
        let all = u32::try_from(SOCKETS_MAX).expect("a few thousand");
        let sockets = timeout(patience, self.shared.sockets.acquire_many(all));
        let (closed, ()) = tokio::join!(sockets, self.shared.sessions.ended(patience));
        if closed.is_err() {
            debug!(?patience, "some sockets were still open");
        }
    }

    /// How many rooms there are.
    #[must_use]
    pub fn room_count(&self) -> usize {
        self.shared.rooms.len()
    }
}

async fn upgrade(State(gateway): State<Gateway>, headers: HeaderMap, upgrade: WebSocketUpgrade) -> Response {
    if !origin::is_own(&headers) {
        return (StatusCode::FORBIDDEN, "this page may not connect here").into_response();
    }
    let shared = gateway.shared;
    let Ok(permit) = Arc::clone(&shared.sockets).try_acquire_owned() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many connections").into_response();
    };
    let closing = shared.closing.subscribe();
    let span = Span::current();
    let upgrade = upgrade.max_message_size(MESSAGE_BYTES_MAX).max_frame_size(MESSAGE_BYTES_MAX);
    upgrade.on_upgrade(move |socket| {
        async move {
            socket::run(socket, shared, closing).await;
            drop(permit);
        }
        .instrument(span)
    })
}
