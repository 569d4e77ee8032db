//! The end of a run.

use std::fmt;
use std::time::Duration;

use super::line::{Ms, Rate};
use super::{Capacity, Step, Window};
use crate::capacity::{End, Ramp};
use crate::client::{ClientDrops, ClientFailure, FeedbackCounters, ReceiveCounters, SendCounters, Verdict};
use crate::driver::{Final, StreamReport};
use crate::histogram::Histogram;
use crate::scenario::{Arrangement, Scenario};
use crate::usage::socket_drops;

/// Streams named one by one: those that lost the most.
const WORST_MAX: usize = 5;

/// Share of its time that a thread of the load may work. Above, what is measured may be the load itself.
const BUSY: f64 = 0.9;

/// Percentiles of some durations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Durations {
    /// Median.
    pub p50: Duration,
    /// 99th percentile.
    pub p99: Duration,
    /// The longest.
    pub max: Duration,
}

impl Durations {
    fn of(durations: impl Iterator<Item = Duration>) -> Self {
        let mut histogram = Histogram::new();
        durations.for_each(|duration| histogram.record(duration));
        Self { p50: histogram.percentile(0.5), p99: histogram.percentile(0.99), max: histogram.max() }
    }
}

/// What a run has shown.
#[derive(Clone, Debug)]
pub struct Summary {
    /// What was put under load.
    pub target: String,
    /// Who sent to whom.
    pub arrangement: Arrangement,
    /// Threads of the load.
    pub threads: usize,
    /// What was measured once all had joined; of a search for capacity, its last good step.
    pub window: Window,
    /// Clients that were announced.
    pub clients: usize,
    /// Those that got keys.
    pub joined: usize,
    /// Those that ended before their time.
    pub failed: usize,
    /// Why the first of them did.
    pub failure: Option<ClientFailure>,
    /// Clients that got no socket on this machine.
    pub refused_sockets: usize,
    /// Streams that were received.
    pub streams: usize,
    /// Those of them from which nothing ever came.
    pub silent: usize,
    /// What was sent, from beginning to end.
    pub sent: SendCounters,
    /// What came, from beginning to end.
    pub received: ReceiveCounters,
    /// What was said to the server about it.
    pub feedback: FeedbackCounters,
    /// Datagrams that had no effect.
    pub drops: ClientDrops,
    /// What never came.
    pub lost: u64,
    /// The first thing that was wrong with a packet.
    pub complaint: Option<Verdict>,
    /// From asking for a transport to keys, per client.
    pub join: Durations,
    /// From asking for a transport to the first media, of those that receive.
    pub first_media: Durations,
    /// Datagrams that this machine's kernel dropped at the load's sockets, where it tells.
    pub own_drops: Option<u64>,
    /// Datagrams that it did not take for sending.
    pub unsent: u64,
    /// Datagrams that the pretended network lost.
    pub link_losses: u64,
    /// Streams that lost the most.
    pub worst: Vec<StreamReport>,
    /// Steps of a search for capacity.
    pub steps: Vec<Step>,
    /// What that search found.
    pub capacity: Option<Capacity>,
}

impl Summary {
    pub(crate) fn new(
        scenario: &Scenario,
        target: String,
        window: Window,
        last: Final,
        steps: Vec<Step>,
        capacity: Option<Capacity>,
    ) -> Self {
        let totals = last.totals;
        let mut worst = last.streams;
        worst.retain(|stream| stream.received.lost() > 0);
        worst.sort_by_key(|stream| std::cmp::Reverse(stream.received.lost()));
        worst.truncate(WORST_MAX);
        Self {
            target,
            arrangement: scenario.options.arrangement,
            threads: scenario.options.threads,
            window,
            clients: totals.peers + totals.refused_sockets,
            joined: totals.joined,
            failed: totals.failed,
            failure: totals.failure,
            refused_sockets: totals.refused_sockets,
            streams: totals.streams,
            silent: totals.silent,
            sent: totals.sent,
            received: totals.received,
            feedback: totals.feedback,
            drops: totals.drops,
            lost: totals.lost,
            complaint: totals.complaint,
            join: Durations::of(last.milestones.iter().map(|it| it.joined)),
            first_media: Durations::of(last.milestones.iter().filter_map(|it| it.first_media)),
            own_drops: socket_drops(&last.ports),
            unsent: totals.unsent,
            link_losses: totals.link_losses,
            worst,
            steps,
            capacity,
        }
    }

    /// Whether all that was looked into is what was sent, and nobody was left out. Losses are no failure: they are measured.
    ///
    /// A search for capacity goes on until the server is overloaded, so who fails or falls silent then is part of the result.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        let content = self.received.broken == 0 && self.received.verified > 0;
        let everybody = self.failed == 0 && self.refused_sockets == 0 && self.silent == 0;
        content && (everybody || self.capacity.is_some())
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.arrangement {
            Arrangement::Broadcast { publishers, subscribers } if self.capacity.is_none() => {
                writeln!(f, "publishers {publishers}, subscribers {subscribers}, against {}", self.target)?;
            }
            Arrangement::Meeting { members } if self.capacity.is_none() => {
                writeln!(f, "a meeting of {members}, against {}", self.target)?;
            }
            _ => writeln!(f, "capacity of {}", self.target)?,
        }
        self.write_people(f)?;
        self.write_window(f)?;
        self.write_totals(f)?;
        self.write_capacity(f)
    }
}

impl Summary {
    fn write_people(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  clients     {} of {} joined", self.joined, self.clients)?;
        if self.failed > 0 {
            write!(f, ", {} failed", self.failed)?;
        }
        if let Some(failure) = self.failure {
            write!(f, " ({failure})")?;
        }
        if self.refused_sockets > 0 {
            write!(f, ", {} got no socket on this machine", self.refused_sockets)?;
        }
        writeln!(f)?;
        let Durations { p50, p99, max } = self.join;
        writeln!(f, "  joining     p50 {}, p99 {}, longest {}", Ms(p50), Ms(p99), Ms(max))?;
        let Durations { p50, p99, max } = self.first_media;
        writeln!(f, "  first media p50 {}, p99 {}, longest {}", Ms(p50), Ms(p99), Ms(max))
    }

    fn write_window(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let window = &self.window;
        let seconds = window.elapsed.as_secs_f64();
        writeln!(f, "  measured    {seconds:.1} s of {} streams, {} silent", window.streams, window.silent)?;
        let rate = Rate(window.bitrate());
        writeln!(f, "  received    {:.0} packets/s, {rate}", window.packet_rate())?;
        let (lost, expected) = (window.lost, window.expected);
        writeln!(f, "  lost        {lost} of {expected}, {:.3} %", window.loss() * 100.0)?;
        let [p50, p99, p999, max] = [window.p50, window.p99, window.p999, window.max].map(Ms);
        if window.samples > 0 {
            let samples = window.samples;
            writeln!(
                f,
                "  delay       p50 {p50}, p99 {p99}, p99.9 {p999}, longest {max} ({samples} measured)"
            )?;
        } else {
            writeln!(f, "  delay       not measured: no packet was looked into")?;
        }
        if let (Some(load), Some(others)) = (window.load_cpus(), window.other_cpus()) {
            write!(f, "  CPU         ")?;
            if let Some(server) = window.server_cpus() {
                write!(f, "server {:.1} %, ", server * 100.0)?;
            }
            writeln!(f, "load {:.1} %, others {:.1} % of one", load * 100.0, others * 100.0)?;
        }
        if let Some(cost) = window.cpu_per_million() {
            writeln!(f, "              {cost:.2} CPU-s of the server per million packets")?;
        }
        if window.frames_skipped > 0 {
            writeln!(f, "  TOO SLOW    {} frames were not sent: this machine can't", window.frames_skipped)?;
        }
        Ok(())
    }

    fn write_totals(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let received = &self.received;
        writeln!(
            f,
            "  in all      {} sent, {} received, {} lost",
            self.sent.packets, received.packets, self.lost
        )?;
        writeln!(f, "              {} repaired, {} came twice", received.repaired, received.duplicates)?;
        let FeedbackCounters { nacked, reports, arrivals, key_frame_requests } = self.feedback;
        writeln!(
            f,
            "  feedback    {nacked} asked for again, {key_frame_requests} key frames, {reports} reports, {arrivals} of arrivals"
        )?;
        if self.drops != ClientDrops::default() {
            let ClientDrops { malformed, early, unknown_ssrc, forged } = self.drops;
            writeln!(
                f,
                "  no effect   {malformed} malformed, {early} early, {unknown_ssrc} of unknown streams, {forged} forged"
            )?;
        }
        if let Some(drops) = self.own_drops.filter(|drops| *drops > 0) {
            writeln!(f, "              {drops} of the lost were dropped at the load's own sockets")?;
        }
        if self.unsent > 0 {
            writeln!(f, "              {} datagrams could not be sent by this machine", self.unsent)?;
        }
        if self.link_losses > 0 {
            writeln!(f, "              {} datagrams were lost by the pretended network", self.link_losses)?;
        }
        for stream in &self.worst {
            let StreamReport { peer, stream, received } = stream;
            let lost = received.lost();
            writeln!(
                f,
                "              client {peer} lost {lost} of {} of stream {stream}",
                received.expected
            )?;
        }
        write!(f, "  verified    {} packets, {} broken", received.verified, received.broken)?;
        if let Some(complaint) = self.complaint {
            write!(f, ": {complaint}")?;
        }
        writeln!(f)
    }

    fn write_capacity(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(capacity) = &self.capacity else { return Ok(()) };
        match (capacity.best, capacity.ramp) {
            (None, _) => write!(f, "  capacity    no step was within the limits")?,
            (Some(best), Ramp::Receivers) => write!(f, "  capacity    {best} receivers")?,
            (Some(best), Ramp::Bitrate) => write!(f, "  capacity    {} per video stream", Rate(best as f64))?,
        }
        match &capacity.end {
            End::TooMuch => writeln!(f)?,
            End::Bound => writeln!(f, "; there may be more, but no more may be tried")?,
            End::Refused(reason) => writeln!(f, "; there may be more: {reason}")?,
            End::Stopped => writeln!(f, "; there may be more: it was stopped")?,
        }
        match self.steps.last().and_then(|step| step.window.load_cpus()) {
            Some(cpus) if capacity.is_reached() && cpus > self.threads as f64 * BUSY => {
                writeln!(f, "  TOO SLOW    the load itself was at its limit: give it more --threads")
            }
            _ => Ok(()),
        }
    }
}
