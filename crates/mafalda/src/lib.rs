//! Umbrella library: the handles, and the Backend that is used where nothing else is asked for.
//!
//! Start with [`worker_manager::WorkerManager`], which runs Workers as threads of this process, and with [`prelude`]. The
//! modules are those of `mafalda-api`, under the names that mediasoup's users know.
#![forbid(unsafe_code)]

#[cfg(feature = "demo")]
pub mod demo;
#[cfg(feature = "load")]
pub mod load;

pub use mafalda_core::{
    Local, LocalOptions, MediaAddress, consumer, error, id, labels, ortc, plain_transport, prelude, producer,
    router, supported_rtp_capabilities, transport, types, waist, webrtc_server, webrtc_transport, worker,
    worker_manager,
};
