//! A load generator: publishers and subscribers that join an SFU as browsers do, send media of real shape, check what they get and
//! measure it.
//!
//! [`run`] takes a [`Scenario`] (who sends what to whom) and a [`Target`] (our engine in this process, or a running demo) and gives a
//! [`Summary`]. Inside, each peer is a machine without I/O (`client`), threads drive many of them over few sockets, and every
//! packet's content can be computed from its marker, so that whoever receives it can tell whether it is right, and how late.
//!
//! Not in here: the server's logic, real codecs, bandwidth estimation: rates are what the scenario says.
#![forbid(unsafe_code)]

mod capacity;
mod client;
mod driver;
mod fleet;
mod histogram;
mod link;
mod media;
mod negotiation;
mod report;
mod run;
mod scenario;
mod target;
mod usage;
mod wire;

pub use capacity::{End, Limits, Ramp, StepOutcome};
pub use client::{
    ClientDrops, ClientFailure, FeedbackCounters, ReceiveCounters, SendCounters, SessionFailure, Verdict,
};
pub use driver::StreamReport;
pub use fleet::ThreadGone;
pub use histogram::Histogram;
pub use link::LinkQuality;
pub use media::{
    BITRATE_MAX, Broken, Codec, FPS_MAX, Marker, PACKETS_PER_FRAME_MAX, PAYLOAD_MAX, Shape, ShapeError,
    UnknownCodec,
};
pub use negotiation::{Habits, NegotiationError};
pub use report::{Capacity, Cpu, Durations, Figure, Figures, Progress, Row, Step, Summary, Window};
pub use run::{ClimbOptions, Observer, RunError, RunOptions, StopFlag, run};
pub use scenario::{
    Arrangement, DURATION_MAX, JITTER_MAX, PEERS_MAX, PEERS_PER_SOCKET_MAX, STREAMS_MAX, Scenario,
    ScenarioError, ScenarioOptions, THREADS_MAX, VERIFY_EVERY_MAX,
};
pub use target::{
    DemoAddress, DemoAddressError, DemoTarget, EngineTarget, EngineTransport, Target, TargetError,
    WORKERS_MAX,
};
