//! Words that applications, servers and browsers exchange as JSON.
//!
//! Modules, names, fields and JSON are those of the crate `mediasoup-types` 0.10, so what `mediasoup-client` says in a
//! browser parses here and the other way round. Where that crate is closed this one is open: a header extension or a
//! codec that nobody here has heard of parses as `Unsupported` and plays no part in negotiation, instead of failing the
//! whole list it stands in; and fields that have a documented default may be absent.
//!
//! These are plain values. What they mean together is decided in [`ortc`](crate::ortc).

pub mod data_structures;
pub mod rtp_parameters;
pub mod scalability_modes;
pub mod sctp_parameters;
pub mod srtp_parameters;

mod text;
