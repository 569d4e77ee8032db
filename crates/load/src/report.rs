//! What a run tells: a line per second, a line per step, a summary for people and one for programs.

mod figure;
mod line;
mod summary;

use std::time::Duration;

use crate::capacity::{End, Ramp, StepOutcome};

pub use figure::{Figure, Figures, Row};
pub use summary::{Durations, Summary};

/// CPU time of a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cpu {
    /// The server's Workers, where it is known which process that is.
    pub server: Option<Duration>,
    /// The load's own.
    pub load: Duration,
    /// All else on this machine. Where it is much, server and load had to wait for their turn.
    pub others: Duration,
}

/// What happened in some time, summed over all streams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// How long it was.
    pub elapsed: Duration,
    /// Streams that are received.
    pub streams: usize,
    /// Those of them from which nothing came for a second.
    pub silent: usize,
    /// Packets that publishers sent, and their bytes.
    pub sent: u64,
    /// Bytes of them.
    pub sent_bytes: u64,
    /// Packets that subscribers got.
    pub received: u64,
    /// Bytes of them.
    pub received_bytes: u64,
    /// Packets that they should have got.
    pub expected: u64,
    /// Packets that they missed.
    pub lost: u64,
    /// Packets whose delay was measured.
    pub samples: u64,
    /// Median of the delay.
    pub p50: Duration,
    /// 99th percentile of the delay.
    pub p99: Duration,
    /// 99.9th percentile of the delay.
    pub p999: Duration,
    /// The longest delay.
    pub max: Duration,
    /// CPU time, where it can be read.
    pub cpu: Option<Cpu>,
    /// Frames that publishers left out because this machine was too slow for them.
    pub frames_skipped: u64,
}

impl Window {
    fn seconds(&self) -> f64 {
        self.elapsed.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    /// Share of packets lost, 0 to 1.
    #[must_use]
    pub fn loss(&self) -> f64 {
        self.lost as f64 / self.expected.max(1) as f64
    }

    /// Packets per second that subscribers got.
    #[must_use]
    pub fn packet_rate(&self) -> f64 {
        self.received as f64 / self.seconds()
    }

    /// Bits per second that subscribers got.
    #[must_use]
    pub fn bitrate(&self) -> f64 {
        self.received_bytes as f64 * 8.0 / self.seconds()
    }

    /// CPUs that the server used, 1 for a whole one.
    #[must_use]
    pub fn server_cpus(&self) -> Option<f64> {
        self.cpus(|cpu| cpu.server)
    }

    /// CPUs that the load used.
    #[must_use]
    pub fn load_cpus(&self) -> Option<f64> {
        self.cpus(|cpu| Some(cpu.load))
    }

    /// CPUs that all else on this machine used.
    #[must_use]
    pub fn other_cpus(&self) -> Option<f64> {
        self.cpus(|cpu| Some(cpu.others))
    }

    fn cpus(&self, whose: impl Fn(Cpu) -> Option<Duration>) -> Option<f64> {
        self.cpu.and_then(whose).map(|time| time.as_secs_f64() / self.seconds())
    }

    /// CPU-seconds of the server per million packets that subscribers got.
    #[must_use]
    pub fn cpu_per_million(&self) -> Option<f64> {
        let server = self.cpu.filter(|_| self.received > 0)?.server?;
        Some(server.as_secs_f64() * 1e6 / self.received as f64)
    }

    pub(crate) fn outcome(&self) -> StepOutcome {
        StepOutcome { loss: self.loss(), p99: self.p99, silent: self.silent, samples: self.samples }
    }
}

/// How it goes.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Since the beginning.
    pub elapsed: Duration,
    /// Clients that were announced: one per participant and direction.
    pub clients: usize,
    /// Those that have keys.
    pub joined: usize,
    /// Those that are over.
    pub failed: usize,
    /// Packets that were not what was sent.
    pub broken: u64,
    /// The last second; `None` while clients join.
    pub window: Option<Window>,
}

/// A step of the search for capacity.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// What grows.
    pub ramp: Ramp,
    /// Receivers, or bits per second.
    pub size: usize,
    /// What was measured.
    pub window: Window,
    /// Whether it was within the limits.
    pub is_good: bool,
}

/// What the search for capacity found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// What grew.
    pub ramp: Ramp,
    /// The last size that was good.
    pub best: Option<usize>,
    /// Why it ended.
    pub end: End,
}
