//! The addresses of WHIP and WHEP, and what each method does there.

use axum::Router as HttpRouter;
use axum::body::Body;
use axum::extract::{OriginalUri, Path, Query, State};
use axum::http::header::{CONTENT_TYPE, ETAG, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{patch, post};
use mafalda_api::labels::Labels;
use mafalda_api::router::Router;
use mafalda_api::webrtc_transport::WebRtcTransport;
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use super::body::{FRAGMENT, SDP, check_accept, read};
use super::guard::{ENDPOINT, SESSION, check, expose, options};
use super::problem::Problem;
use super::publish::Publication;
use super::session::{Content, Patched, Session};
use super::view::View;
use crate::error::RequestFailure;
use crate::gateway::Gateway;
use crate::name::{PeerId, PeerName, RoomName};
use crate::sdp::{Answer, Fragment, Offer, Outcome};

/// The name of a publisher that gives none.
const NAMELESS: &str = "Broadcast";

/// `/whip/ROOM` and `/whep/ROOM[/PARTICIPANT]`, with the sessions below them.
pub(crate) fn routes(gateway: &Gateway) -> HttpRouter {
    let endpoint = |endpoint: axum::routing::MethodRouter<Gateway>| endpoint.options(endpoint_options);
    let session = || patch(change).delete(end).options(session_options);
    HttpRouter::new()
        .route("/whip/{room}", endpoint(post(publish)))
        .route("/whip/{room}/{session}", session())
        .route("/whep/{room}", endpoint(post(watch_room)))
        .route("/whep/{room}/{participant}", endpoint(post(watch_participant)))
        .route("/whep/{room}/{participant}/{session}", session())
        .with_state(gateway.clone())
}

/// What may stand behind `?` for a publisher.
#[derive(Debug, Deserialize)]
struct Publisher {
    name: Option<String>,
}

async fn endpoint_options(State(gateway): State<Gateway>) -> Response {
    options(&gateway.shared.options, ENDPOINT)
}

async fn session_options(State(gateway): State<Gateway>) -> Response {
    options(&gateway.shared.options, SESSION)
}

async fn publish(
    State(gateway): State<Gateway>,
    Path(room): Path<String>,
    Query(publisher): Query<Publisher>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let made = async {
        let offer = gateway.read_offer(&headers, body).await?;
        let name = publisher.name.unwrap_or_else(|| NAMELESS.into());
        let name = PeerName::try_from(name)
            .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, format!("`name`: {error}")))?;
        gateway.publish(room_name(room)?, name, offer, uri.path()).await
    };
    gateway.respond(made.await)
}

async fn watch_room(
    State(gateway): State<Gateway>,
    Path(room): Path<String>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let made = async {
        let offer = gateway.read_offer(&headers, body).await?;
        gateway.watch(room_name(room)?, None, offer, uri.path()).await
    };
    gateway.respond(made.await)
}

async fn watch_participant(
    State(gateway): State<Gateway>,
    Path((room, participant)): Path<(String, String)>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let made = async {
        let offer = gateway.read_offer(&headers, body).await?;
        gateway.watch(room_name(room)?, Some(&participant), offer, uri.path()).await
    };
    gateway.respond(made.await)
}

async fn change(
    State(gateway): State<Gateway>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let changed = async {
        check(&gateway.shared.options, &headers)?;
        let session = gateway.shared.sessions.find(uri.path())?;
        let fragment = Fragment::parse(&read(&headers, body, FRAGMENT).await?)?;
        session.patch(&headers, fragment).await
    };
    let changed = changed.await.map(|patched| match patched {
        Patched::Noted => StatusCode::NO_CONTENT.into_response(),
        Patched::Restarted { tag, fragment } => {
            let head = [(CONTENT_TYPE, HeaderValue::from_static(FRAGMENT)), (ETAG, tag.to_header())];
            (StatusCode::OK, head, fragment).into_response()
        }
    });
    gateway.respond(changed)
}

async fn end(State(gateway): State<Gateway>, OriginalUri(uri): OriginalUri, headers: HeaderMap) -> Response {
    let ended = check(&gateway.shared.options, &headers).and_then(|()| {
        match gateway.shared.sessions.end(uri.path()) {
            true => Ok(StatusCode::OK.into_response()),
            false => Err(Problem::no_session()),
        }
    });
    gateway.respond(ended)
}

/// A room's address is there for any name that a room can have.
fn room_name(room: String) -> Result<RoomName, Problem> {
    RoomName::try_from(room)
        .map_err(|error| Problem::new(StatusCode::NOT_FOUND, format!("no room can be called so: {error}")))
}

impl Gateway {
    fn respond(&self, outcome: Result<Response, Problem>) -> Response {
        expose(&self.shared.options, outcome.unwrap_or_else(Problem::into_response))
    }

    async fn read_offer(&self, headers: &HeaderMap, body: Body) -> Result<Offer, Problem> {
        check(&self.shared.options, headers)?;
        check_accept(headers, SDP)?;
        Ok(Offer::parse(&read(headers, body, SDP).await?)?)
    }

    /// Makes a publisher a member of a room.
    async fn publish(
        &self,
        room: RoomName,
        name: PeerName,
        offer: Offer,
        path: &str,
    ) -> Result<Response, Problem> {
        let permit = self.session_permit()?;
        let room = self.shared.rooms.enter(room).await?;
        let router = room.router()?;
        let peer_id = PeerId::random();
        let transport = self.transport(&router, labels(room.name(), "peer", peer_id)).await?;
        let (producers, outcomes) = Publication::produce(&offer, &transport, &router).await?;
        let publication = Publication::new(producers, room.seat_publisher(peer_id, name)?);
        let content = Content::Publication(publication);
        self.begin(Begun { transport, offer, outcomes, content, permit }, path.to_owned()).await
    }

    /// Shows somebody of a room.
    async fn watch(
        &self,
        room: RoomName,
        participant: Option<&str>,
        offer: Offer,
        path: &str,
    ) -> Result<Response, Problem> {
        let permit = self.session_permit()?;
        // Ids are drawn anew for each stay, so one that isn't there will never be; a name may come.
        let nobody = || match participant.is_some_and(|participant| Uuid::parse_str(participant).is_ok()) {
            true => Problem::new(StatusCode::NOT_FOUND, "there is no such participant (any more)"),
            false => Problem::not_yet("nobody of the kind sends anything in the room (yet)"),
        };
        let room = self.shared.rooms.find(&room).ok_or_else(nobody)?;
        let performer = room.performer(participant).ok_or_else(nobody)?;
        let seat = room.viewer_permit()?;
        let router = room.router()?;
        let transport = self.transport(&router, labels(room.name(), "watches", performer.peer_id)).await?;
        let (view, outcomes) = View::new(&offer, &performer, &transport, seat).await?;
        let path = match participant {
            Some(_) => path.to_owned(),
            None => format!("{}/{}", path.trim_end_matches('/'), performer.peer_id),
        };
        self.begin(Begun { transport, offer, outcomes, content: Content::View(view), permit }, path).await
    }

    /// Makes a session of it, below the address that was asked for, and the answer.
    async fn begin(&self, begun: Begun, path: String) -> Result<Response, Problem> {
        let Begun { transport, offer, outcomes, content, permit } = begun;
        let session = Session::new(transport, &offer, &outcomes, content, permit).await?;
        let answer = Answer {
            session_id: Uuid::new_v4().as_u64_pair().0,
            transport: session.local(),
            sections: offer.sections.iter().zip(outcomes).collect(),
        };
        let text = answer.to_text();
        let tag = session.tag().await;
        let path = format!("{path}/{}", Uuid::new_v4());
        let location = HeaderValue::try_from(&path).expect("a path that came in a request is visible ASCII");
        let shared = &self.shared;
        shared.sessions.add(path, session, shared.closing.subscribe());
        let head =
            [(CONTENT_TYPE, HeaderValue::from_static(SDP)), (LOCATION, location), (ETAG, tag.to_header())];
        Ok((StatusCode::CREATED, head, text).into_response())
    }

    fn session_permit(&self) -> Result<OwnedSemaphorePermit, Problem> {
        match *self.shared.closing.borrow() {
            true => Err(Problem::full("the server goes away")),
            false => self.shared.sessions.permit(),
        }
    }

    async fn transport(&self, router: &Router, labels: Labels) -> Result<WebRtcTransport, Problem> {
        let mut options = self.shared.options.transport_options(router.worker().id());
        options.labels = labels;
        Ok(router.create_webrtc_transport(options).await.map_err(RequestFailure::from)?)
    }
}

/// What a session is made of.
struct Begun {
    transport: WebRtcTransport,
    offer: Offer,
    outcomes: Vec<Outcome>,
    content: Content,
    permit: OwnedSemaphorePermit,
}

/// What the Transport's labels say: where it is, and whose it is.
fn labels(room: &RoomName, role: &'static str, peer: PeerId) -> Labels {
    let mut labels = Labels::default();
    labels.insert("room", room.as_str());
    labels.insert(role, peer.to_string());
    labels
}
