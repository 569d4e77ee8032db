//! One measurement: a source publishes at a rate, and in the middle of that it is seen what the subject does.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::matrix::Case;
use super::stage::Stage;
use super::subject::{SinkCount, Subject};

/// Before the window opens: caches are warm and bursts in their rhythm then.
const LEAD: Duration = Duration::from_millis(300);

/// What is published after it has closed, in seconds.
const TAIL_S: f64 = 0.1;

/// How long may pass until what is under way has arrived, and how often that is looked at.
const SETTLE_MAX: Duration = Duration::from_millis(1500);
const SETTLE_INTERVAL: Duration = Duration::from_millis(60);

/// The part of the asked rate that a source must reach for the measurement to be of the subject.
const SOURCE_MIN: f64 = 0.98;

/// The part of what is due that must arrive within the window for a subject to keep up. Buffers hold a second of packets and more:
/// without this, a queue that grows all the time would not be seen for want of loss.
const ARRIVED_MIN: f64 = 0.97;

/// What was seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    /// Run time of the subject within the window, in seconds.
    pub(super) cpu_s: f64,
    /// Packets that arrived within it.
    pub(super) packets: u64,
    /// How long it was open, in seconds.
    pub(super) seconds: f64,
    /// What should have arrived within it, going by the rate.
    pub(super) due: f64,
    /// What should have arrived of all that was published, before it opened and after it closed too.
    pub(super) due_in_all: f64,
    /// The part of that which never did.
    pub(super) loss: f64,
    /// Whether the source could publish as fast as it should.
    pub(super) is_source_fast: bool,
    /// What the sink says of the whole run.
    pub(super) received: Option<SinkCount>,
}

impl Window {
    pub(super) fn cpu_s_per_million(&self) -> f64 {
        self.cpu_s * 1e6 / self.packets as f64
    }

    pub(super) fn packets_per_s(&self) -> f64 {
        self.packets as f64 / self.seconds
    }

    /// Whether at most that part was lost, and no queue grew.
    pub(super) fn is_kept_up(&self, loss_max: f64) -> bool {
        self.loss <= loss_max && self.packets as f64 >= self.due * ARRIVED_MIN
    }

    pub(super) fn measure(
        stage: &Stage,
        case: &Case,
        subject: &mut Subject,
        rate: f64,
        seconds: f64,
    ) -> Result<Self> {
        subject.reset()?;
        let begin = subject.arrived(stage)?;
        let whole = LEAD.as_secs_f64() + seconds + TAIL_S;
        subject.publish(rate, whole)?;
        sleep(LEAD);
        let (cpu, opened, arrived) = (subject.run_time()?, now(), subject.arrived(stage)?);
        sleep(Duration::from_secs_f64(seconds));
        let (cpu_s, packets) = (subject.run_time()? - cpu, subject.arrived(stage)? - arrived);
        let seconds = opened.elapsed().as_secs_f64();
        let published = subject.published()?;
        let total = settled(stage, subject)? - begin;
        let due = (published.packets + published.refused) * u64::from(case.fan_out());
        ensure!(packets > 0, "{} forwards nothing", subject.kind.name());
        Ok(Self {
            cpu_s,
            packets,
            seconds,
            due: rate * f64::from(case.fan_out()) * seconds,
            due_in_all: due as f64,
            loss: (1.0 - total as f64 / due as f64).max(0.0),
            is_source_fast: published.refused == 0 && published.seconds <= whole / SOURCE_MIN,
            received: subject.received()?,
        })
    }
}

/// What has arrived when no more comes.
fn settled(stage: &Stage, subject: &mut Subject) -> Result<u64> {
    let begin = now();
    let mut arrived = subject.arrived(stage)?;
    while begin.elapsed() < SETTLE_MAX {
        sleep(SETTLE_INTERVAL);
        let before = std::mem::replace(&mut arrived, subject.arrived(stage)?);
        // Reports trickle in all the time; a packet per look is no media.
        if arrived <= before + 1 {
            break;
        }
    }
    Ok(arrived)
}

#[expect(clippy::disallowed_methods, reason = "a bench measures time")]
fn now() -> Instant {
    Instant::now()
}
