//! The engine against peers on an independent stack, in virtual time.

mod close;
mod data;
mod direct_transport;
mod feedback;
mod handshake;
mod hostile;
mod ice;
mod key_frame;
mod media;
mod migrate;
mod pipe;
mod plain_transport;
mod repair;
mod scene;
mod webrtc_server;
