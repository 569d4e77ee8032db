//! ICE-lite (RFC 8445 §2.5): the side that has public addresses and only answers connectivity checks.
//!
//! [`IceLite`] is the agent of one WebRTC transport. It learns the peer's addresses from checks that know the password,
//! follows the peer's nominations, and notices when the checks stop (consent, RFC 7675). It sends nothing of its own
//! accord: no checks, no gathering, no trickle, no controlling role. Candidates are made by pure functions in
//! [`candidate`], the messages by [`stun`](crate::stun).

pub mod candidate;

mod agent;
mod credentials;
mod keyring;
mod paths;

pub use agent::{CONSENT_TIMEOUT_MAX, CONSENT_TIMEOUT_MIN, IceConfig, IceEvent, IceLite, IceState, StunDrop};
pub use credentials::{CREDENTIAL_LEN, Credentials, Password, UsernameFragment};
pub use paths::TUPLES_MAX;
