//! HTTP for browsers and standard tools: rooms over WebSocket, the conference page, WHIP and WHEP.
//!
//! [`Gateway`] holds the rooms, [`serve`] answers HTTP on a listener. A room is a Router: made when the first peer joins,
//! closed when the last one leaves. The messages are described, with examples, in `docs/conference.md`;
//! what WHIP and WHEP do is in `docs/whip.md`.
//!
//! Not in here: media, placement and Workers' life. The gateway sees only handles, so whatever backend made them carries the
//! rooms. TLS is the caller's too, see [`serve`].
#![forbid(unsafe_code)]

mod codec;
mod error;
mod gateway;
mod name;
mod options;
mod origin;
mod page;
mod peer;
mod presence;
mod request;
mod response;
mod room;
mod rooms;
pub mod sdp;
mod server;
mod socket;
mod wish;

pub use codec::media_codecs;
pub use gateway::Gateway;
pub use options::{GatewayOptions, JoinToken};
pub use server::serve;
