//! Session descriptions, as WHIP and WHEP use them: an offer read, an answer written, fragments for ICE.
//!
//! The lines are `rtc-sdp`'s business; what is in here is their meaning. An [`Offer`] is what a client says in the words of
//! `mafalda-api`, an [`Answer`] says what became of it. Nothing is trusted: whatever is wrong is an [`SdpError`] that says
//! what, and all that can be long has a bound.
//!
//! Not in here: what is done with an offer, and HTTP.

mod answer;
mod attribute;
mod codec;
mod error;
mod fragment;
mod ice;
mod offer;
mod section;
mod transport;

pub use answer::{Answer, Outcome};
pub use error::SdpError;
pub use fragment::{CANDIDATES_MAX, Fragment, write_fragment};
pub use ice::IceCredentials;
pub use offer::{Offer, SECTIONS_MAX};
pub use section::{Content, Direction, Media, Section};
pub use transport::{LocalTransport, RemoteTransport};

#[cfg(test)]
mod tests;
