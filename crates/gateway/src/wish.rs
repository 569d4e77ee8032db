//! WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep): one HTTP exchange, and a standard tool publishes into a room or watches
//! somebody in it. Both come from the IETF's working group WISH, and differ in the direction of media alone.
//!
//! A POST with an offer makes a [`Session`](session::Session) and is answered with its address; PATCH on that address tells
//! candidates or restarts ICE, DELETE ends it. Who publishes by WHIP is a member of the room like any other, without a WebSocket;
//! who watches by WHEP is not a member at all.
//!
//! Not in here: the meaning of descriptions, which is [`sdp`](crate::sdp)'s.

mod body;
mod guard;
mod http;
mod life;
mod problem;
mod publish;
mod session;
mod sessions;
mod tag;
mod view;

pub(crate) use http::routes;
pub(crate) use sessions::Sessions;
