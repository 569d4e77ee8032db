//! The handles over a backend in memory, on an executor that runs only when the test says so.
#![expect(clippy::unwrap_used, reason = "a test's helpers may fail the test")]

mod backend_end;
mod calls;
mod closing;
mod direct_transport;
mod fake;
mod media_codecs;
mod ownership;
mod passing;
mod queue;
mod rig;
mod rtp_observer;
mod snapshot;
mod subscription;
mod threads;
mod webrtc_server;
