//! Workers of this machine: threads with an event loop and sockets each, behind the platform's handles.
//!
//! An application starts with [`worker_manager::WorkerManager`]; everything else it meets are the handles of `mafalda-api`,
//! re-exported here under the module names that mediasoup's users know. Inside, [`Local`] is the Backend: a control thread
//! that keeps the event log, and one thread per Worker that drives a machine of `mafalda-media`.
//!
//! Not in here: what a packet means (`mafalda-media`), other machines, gRPC.
#![forbid(unsafe_code)]

mod local;
mod thread;
pub mod worker_manager;

pub use local::{Local, LocalOptions, MediaAddress};
pub use mafalda_api::{
    consumer, data_consumer, data_producer, direct_transport, error, id, labels, ortc, plain_transport,
    producer, router, supported_rtp_capabilities, transport, types, waist, webrtc_server, webrtc_transport,
    worker,
};

/// The names that most applications need.
pub mod prelude {
    pub use crate::worker_manager::WorkerManager;
    pub use mafalda_api::prelude::*;
}

/// The guide for applications: its example is compiled and run by the tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/library.md")]
struct Guide;
