//! Words of the platform: what an application says to a Router, wherever that Router lives.
//!
//! * [`types`], [`ortc`], [`supported_rtp_capabilities`]: RTP parameters and their negotiation, pure functions.
//! * [`waist`]: the one trait that everything below implements, [`waist::Backend`], with its commands, replies, events and states.
//! * [`worker_manager`], [`worker`], [`webrtc_server`], [`router`], [`transport`], [`webrtc_transport`], [`direct_transport`], [`producer`],
//!   [`consumer`], [`rtp_observer`]: the typed handles, with the names and rules that mediasoup's users know. Start there, or with [`prelude`].
//! * [`subscription`]: what happens to an object as an ordered stream, beside the callbacks.
//!
//! Not in here: I/O, clocks and an async runtime. A backend's own crate (`mafalda_core`, later `mafalda_client`) makes a
//! [`worker_manager::WorkerManager`] and runs its two futures.
#![forbid(unsafe_code)]

pub mod active_speaker_observer;
pub mod audio_level_observer;
mod callbacks;
pub mod consumer;
pub mod data_consumer;
pub mod data_producer;
pub mod direct_transport;
pub mod error;
mod handle;
pub mod id;
pub mod labels;
mod link;
mod mirror;
pub mod ortc;
pub mod pipe_transport;
pub mod plain_transport;
pub mod prelude;
pub mod producer;
pub mod router;
pub mod rtp_observer;
pub mod socket;
pub mod subscription;
pub mod supported_rtp_capabilities;
pub mod transport;
pub mod types;
pub mod waist;
pub mod webrtc_server;
pub mod webrtc_transport;
pub mod worker;
pub mod worker_manager;
