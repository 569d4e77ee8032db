//! What happened between two moments.

use std::time::{Duration, Instant};

use crate::driver::{Snapshot, clock};
use crate::report::{Cpu, Window};
use crate::usage::{CpuTime, Process, machine_time};

/// The earlier moment.
#[derive(Clone, Debug)]
pub(super) struct Meter {
    begun: Instant,
    snapshot: Snapshot,
    server: Option<Process>,
    server_time: Option<CpuTime>,
    own_time: Option<CpuTime>,
    machine_time: Option<Duration>,
}

impl Meter {
    pub(super) fn start(snapshot: Snapshot, server: Option<Process>) -> Self {
        Self {
            begun: clock(),
            snapshot,
            server,
            server_time: server.and_then(CpuTime::read),
            own_time: CpuTime::read(Process::Own),
            machine_time: machine_time(),
        }
    }

    pub(super) fn elapsed(&self) -> Duration {
        clock().saturating_duration_since(self.begun)
    }

    /// What happened up to `now`.
    pub(super) fn window(&self, now: &Snapshot) -> Window {
        let before = &self.snapshot;
        let delays = now.delays.since(&before.delays);
        let (sent, received) = (now.sent, now.received);
        Window {
            elapsed: self.elapsed(),
            streams: now.streams,
            silent: now.silent,
            sent: sent.packets.saturating_sub(before.sent.packets),
            sent_bytes: sent.bytes.saturating_sub(before.sent.bytes),
            received: received.packets.saturating_sub(before.received.packets),
            received_bytes: received.bytes.saturating_sub(before.received.bytes),
            expected: received.expected.saturating_sub(before.received.expected),
            // Repairs may bring back what was lost before.
            lost: now.lost.saturating_sub(before.lost),
            samples: delays.count(),
            p50: delays.percentile(0.5),
            p99: delays.percentile(0.99),
            p999: delays.percentile(0.999),
            max: delays.max(),
            cpu: self.cpu(),
            frames_skipped: sent.frames_skipped.saturating_sub(before.sent.frames_skipped),
        }
    }

    fn cpu(&self) -> Option<Cpu> {
        let own = CpuTime::read(Process::Own)?.since(self.own_time?);
        let machine = machine_time()?.saturating_sub(self.machine_time?);
        let server = self.server.and_then(CpuTime::read).zip(self.server_time);
        let server = server.map(|(now, then)| now.since(then));
        if self.server == Some(Process::Own) {
            // In one process the load is all that isn't a Worker.
            let load = own.all.saturating_sub(own.workers);
            return Some(Cpu { server: Some(own.workers), load, others: machine.saturating_sub(own.all) });
        }
        let others = machine.saturating_sub(own.all + server.map_or(Duration::ZERO, |server| server.all));
        // A server of another kind has no threads that are called Workers.
        let workers = server.map(|it| if it.workers.is_zero() { it.all } else { it.workers });
        Some(Cpu { server: workers, load: own.all, others })
    }
}
