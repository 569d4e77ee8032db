//! A WebRTC world in one thread and on one virtual clock: Workers of ours, peers on an independent stack, a network that
//! loses and delays between them.
//!
//! Start with [`World`]: it holds [`Peer`]s (browser-like clients on str0m), Worker machines, the [`Network`] between their
//! addresses and the [`Clock`], and steps from one event to the next; nothing ever sleeps. What peers send is synthetic
//! ([`media`]): payload headers are those of the codec, so that an SFU finds its key frames, and each payload says which packet
//! of which track it is, so that the receiver can check every byte.
//!
//! Chance comes from a seed ([`each_seed`]), which is printed when a test fails. The peers' stack draws randomness of its own
//! (keys, ICE credentials), so a seed repeats what the network does and when, not the ciphertext.
//!
//! Not here: sockets and threads. Load tools take [`Peer`] and [`media`] and bring their own driver.
#![forbid(unsafe_code)]

mod capability;
pub use capability::{browser_capabilities, router_codecs};

mod clock;
pub use clock::Clock;

mod hostility;
pub use hostility::Hostility;

pub mod media;

mod network;
pub use network::{Access, Conditions, LinkStats, Network, Packet};

mod peer;
pub use peer::{Log, Peer, PeerSettings, RtcpKind, TrackId, TrackSettings};
/// What peers log of RTCP.
pub use str0m::rtp::rtcp::Rtcp;

mod seed;
pub use seed::{each_seed, seeds};

mod world;
pub use world::{
    DirectPacket, JoinSettings, PeerId, Pipe, PipeSettings, Receiving, SERVER, Sending, World, pipe_host,
};
