//! A run from its beginning to its end: everybody joins, it is measured, the media ends, the numbers are summed up.

mod access;
mod meter;
mod stage;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mafalda_media::dtls::CertificateError;

use crate::capacity::{Climb, End, Limits, Next, Ramp};
use crate::client::ClientFailure;
use crate::driver::{Command, Snapshot, clock};
use crate::fleet::ThreadGone;
use crate::media::{BITRATE_MAX, Codec};
use crate::negotiation::NegotiationError;
use crate::report::{Capacity, Progress, Step, Summary, Window};
use crate::scenario::{Arrangement, PEERS_MAX, STREAMS_MAX, Scenario, ScenarioError};
use crate::target::{Target, TargetError};
use crate::usage::{CpuTime, Process};
use meter::Meter;
use stage::Stage;

/// How long joining may take, once everybody has been announced: ICE, DTLS and the first key frame.
const JOIN_PATIENCE: Duration = Duration::from_secs(30);

/// How often it is looked whether something has come about, and whether somebody wants it to stop.
const LOOK: Duration = Duration::from_millis(50);

/// Time between two lines of progress.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);

/// After the last media: for what is under way, and for repairs.
const AFTERMATH: Duration = Duration::from_millis(800);

/// Before a step is measured: the burst of joins is not what it is about.
const SETTLE: Duration = Duration::from_millis(500);

/// What a run is beside its scenario.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// Whose CPU time is read, where the server is another process of this machine.
    pub server_pid: Option<u32>,
    /// Goes up until it is too much, instead of measuring once.
    pub climb: Option<ClimbOptions>,
}

/// How capacity is found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClimbOptions {
    /// What grows.
    pub ramp: Ramp,
    /// What is too much.
    pub limits: Limits,
    /// How long each step is measured.
    pub step: Duration,
}

/// Ends a run early; it sums up what it has.
#[derive(Clone, Debug, Default)]
pub struct StopFlag(Arc<AtomicBool>);

impl StopFlag {
    /// Asks for the end.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Who wants to know how it goes.
pub trait Observer {
    /// Once a second.
    fn on_progress(&mut self, progress: &Progress);
    /// A step of the search for capacity is over.
    fn on_step(&mut self, step: &Step);
}

/// Why a run came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Signalling failed.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// A stream that the server doesn't take.
    #[error(transparent)]
    Negotiation(#[from] NegotiationError),
    /// The server has no address that clients could use.
    #[error("the server names no UDP address that can be reached: {0}")]
    NoCandidate(String),
    /// Nobody got through to media.
    #[error("nobody could join{}", .0.map(|failure| format!(": {failure}")).unwrap_or_default())]
    NobodyJoined(Option<ClientFailure>),
    /// The process whose CPU time shall be read is none, or not to be read.
    #[error("there is no process {0} on this machine, or its CPU time can't be read")]
    NoProcess(u32),
    /// A thread ended.
    #[error(transparent)]
    Thread(#[from] ThreadGone),
    /// No certificate for the clients.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The operating system refused something.
    #[error("the operating system refused a thread, a socket or a timer: {0}")]
    System(#[from] io::Error),
    /// A step that can't be.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
}

/// Runs a scenario against a target; within a tokio runtime.
///
/// # Errors
/// [`RunError`] when nothing could be measured. What was measured and isn't good is in the summary.
pub async fn run(
    scenario: Scenario,
    target: Target,
    options: RunOptions,
    observer: &mut dyn Observer,
    stop: &StopFlag,
) -> Result<Summary, RunError> {
    let server = server(&target, options.server_pid)?;
    let name = target.name();
    let mut run = Run { stage: Stage::new(scenario.clone(), target)?, server, begun: clock(), stop };
    let (window, steps, capacity) = match options.climb {
        None => (run.measure_once(observer).await?, Vec::new(), None),
        Some(climb) => {
            let (steps, capacity) = run.climb(climb, observer).await?;
            let best = steps.iter().rfind(|step| step.is_good).or(steps.last()).map(|step| step.window);
            (best.unwrap_or_default(), steps, Some(capacity))
        }
    };
    let last = run.end().await?;
    Ok(Summary::new(&scenario, name, window, last, steps, capacity))
}

/// What came of all steps: the last good one counts.
fn found(ramp: Ramp, steps: Vec<Step>, end: End) -> (Vec<Step>, Capacity) {
    let best = steps.iter().rfind(|step| step.is_good).map(|step| step.size);
    (steps, Capacity { ramp, best, end })
}

/// Whose CPU time tells of the server.
fn server(target: &Target, pid: Option<u32>) -> Result<Option<Process>, RunError> {
    match pid.map(|pid| (pid, CpuTime::read(Process::Other(pid)))) {
        Some((pid, None)) => Err(RunError::NoProcess(pid)),
        Some((pid, Some(_))) => Ok(Some(Process::Other(pid))),
        None => Ok(target.is_in_process().then_some(Process::Own)),
    }
}

struct Run<'a> {
    stage: Stage,
    server: Option<Process>,
    begun: Instant,
    stop: &'a StopFlag,
}

impl Run<'_> {
    async fn measure_once(&mut self, observer: &mut dyn Observer) -> Result<Window, RunError> {
        let receivers = self.stage.scenario().options.arrangement.receivers();
        self.stage.grow_to(receivers, self.stop).await?;
        self.wait_joined(observer).await?;
        let duration = self.stage.scenario().options.duration;
        Ok(self.measure(duration, observer).await)
    }

    async fn climb(
        &mut self,
        options: ClimbOptions,
        observer: &mut dyn Observer,
    ) -> Result<(Vec<Step>, Capacity), RunError> {
        let ramp = options.ramp;
        let mut climb = self.climb_of(ramp);
        let (mut steps, mut size) = (Vec::new(), climb.first());
        loop {
            match self.resize(ramp, size).await {
                // A server that is full has been measured all the same.
                Err(RunError::Target(error)) if !steps.is_empty() => {
                    return Ok(found(ramp, steps, End::Refused(error.to_string())));
                }
                resized => resized?,
            }
            self.wait_joined(observer).await?;
            self.pause(SETTLE).await;
            let window = self.measure(options.step, observer).await;
            if self.stop.is_set() {
                return Ok(found(ramp, steps, End::Stopped));
            }
            let is_good = window.outcome().is_good(&options.limits);
            let step = Step { ramp, size, window, is_good };
            observer.on_step(&step);
            steps.push(step);
            match climb.next(is_good) {
                Next::Try(next) => size = next,
                Next::Done(end) => return Ok(found(ramp, steps, end)),
            }
        }
    }

    fn climb_of(&self, ramp: Ramp) -> Climb {
        let scenario = self.stage.scenario();
        match ramp {
            Ramp::Receivers => {
                let arrangement = scenario.options.arrangement;
                let fits = |receivers: &usize| {
                    let larger = arrangement.with_receivers(*receivers);
                    let fits_room = match larger {
                        Arrangement::Meeting { members } => members <= self.stage.room_size(),
                        Arrangement::Broadcast { .. } => true,
                    };
                    let streams = larger.streams(scenario.shapes.len());
                    larger.peers() <= PEERS_MAX && streams <= STREAMS_MAX && fits_room
                };
                let max = (1..=PEERS_MAX).rev().find(fits).unwrap_or(1);
                Climb::new(arrangement.receivers(), max)
            }
            Ramp::Bitrate => {
                let max = (0..=BITRATE_MAX).rev().step_by(100_000);
                let max = max.into_iter().find(|bitrate| scenario.shapes_at(*bitrate).is_ok());
                Climb::new(scenario.options.bitrate as usize, max.unwrap_or(BITRATE_MAX) as usize)
            }
        }
    }

    async fn resize(&mut self, ramp: Ramp, size: usize) -> Result<(), RunError> {
        match ramp {
            Ramp::Receivers => self.stage.grow_to(size, self.stop).await,
            Ramp::Bitrate => {
                let receivers = self.stage.scenario().options.arrangement.receivers();
                self.stage.grow_to(receivers, self.stop).await?;
                let bitrate = u32::try_from(size).unwrap_or(BITRATE_MAX);
                let shapes = self.stage.scenario().shapes_at(bitrate)?;
                for shape in shapes.into_iter().filter(|shape| shape.codec() != Codec::Opus) {
                    self.stage.fleet().tell_all(|| Command::Shape(shape))?;
                }
                Ok(())
            }
        }
    }

    /// Waits until all have keys and media, or it takes too long.
    async fn wait_joined(&mut self, observer: &mut dyn Observer) -> Result<(), RunError> {
        let deadline = clock() + JOIN_PATIENCE;
        let mut next_line = clock() + PROGRESS_INTERVAL;
        loop {
            let snapshot = self.stage.fleet().snapshot();
            if self.stage.is_joined(&snapshot) || self.stop.is_set() {
                return Ok(());
            }
            if clock() >= deadline {
                let nobody = snapshot.joined == 0 || snapshot.received.packets == 0;
                return if nobody { Err(RunError::NobodyJoined(snapshot.failure)) } else { Ok(()) };
            }
            if clock() >= next_line {
                next_line += PROGRESS_INTERVAL;
                observer.on_progress(&self.progress(&snapshot, None));
            }
            self.pause(LOOK).await;
        }
    }

    async fn measure(&mut self, duration: Duration, observer: &mut dyn Observer) -> Window {
        let whole = Meter::start(self.stage.fleet().snapshot(), self.server);
        let mut second = whole.clone();
        let end = clock() + duration;
        while clock() < end && !self.stop.is_set() {
            self.pause(PROGRESS_INTERVAL.min(end.saturating_duration_since(clock()))).await;
            let snapshot = self.stage.fleet().snapshot();
            if second.elapsed() >= PROGRESS_INTERVAL {
                let window = second.window(&snapshot);
                second = Meter::start(snapshot.clone(), self.server);
                observer.on_progress(&self.progress(&snapshot, Some(window)));
            }
        }
        whole.window(&self.stage.fleet().snapshot())
    }

    fn progress(&self, snapshot: &Snapshot, window: Option<Window>) -> Progress {
        Progress {
            elapsed: clock().saturating_duration_since(self.begun),
            clients: self.stage.clients(),
            joined: snapshot.joined,
            failed: snapshot.failed,
            broken: snapshot.received.broken,
            window,
        }
    }

    /// Sleeps, but not through the wish to stop.
    async fn pause(&self, duration: Duration) {
        let end = clock() + duration;
        while clock() < end && !self.stop.is_set() {
            tokio::time::sleep(LOOK.min(end.saturating_duration_since(clock()))).await;
        }
    }

    async fn end(self) -> Result<crate::driver::Final, RunError> {
        self.stage.fleet().tell_all(|| Command::EndMedia)?;
        tokio::time::sleep(AFTERMATH).await;
        self.stage.end()
    }
}

impl Capacity {
    /// Whether a step was too much: else there may be more than was tried.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        self.end == End::TooMuch
    }
}
