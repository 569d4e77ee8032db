//! The acceptance suite: what every backend must do, seen through the handles that applications use.
//!
//! A body is an async function that gets a `WorkerManager`. It runs on each backend; a backend is one line in [`fixture`].

mod active_speaker_observer;
mod audio_level_observer;
mod check;
mod consumer;
mod data;
mod data_consumer;
mod data_producer;
mod direct_transport;
mod ending;
mod fixture;
mod line;
mod listening;
mod multiopus;
mod negotiation;
mod parameters;
mod peer;
mod pipe_to_router;
mod pipe_transport;
mod plain_transport;
mod producer;
mod router;
mod scene;
mod smoke;
mod sound;
mod statistics;
mod talker;
mod trace;
mod video_orientation;
mod webrtc_server;
mod webrtc_transport;
mod wire;
mod worker;
