//! `bench forward`: one case after the other on one device after the other, all subjects interleaved round by round.

use anyhow::{Context, Error, Result, ensure};

use super::capacity::{self, Capacity, LOSS_MAX, Try};
use super::choice::Choice;
use super::matrix::{self, Case, Device};
use super::record::Row;
use super::stage::Stage;
use super::statistic::{median, range, rounded};
use super::subject::{Programs, Subject};
use super::window::Window;
use crate::report;

/// How long windows are open, in seconds: for cost and delay, and for a try at a rate.
const WINDOW_S: f64 = 1.5;
const QUICK_WINDOW_S: f64 = 1.0;
const TRY_S: f64 = 0.7;

/// A search takes as long as several windows, and its answer is coarse anyway: few rounds of it are enough.
const CAPACITY_ROUNDS_MAX: usize = 3;

/// Where a search begins: this part of what cost per packet says that a core can do.
const FIRST_TRY: f64 = 0.7;

/// How far two counts of the same packets may be apart: the device counts reports too, and a subject's last packets of one window
/// are seen in the next.
const COUNT_TOLERANCE: f64 = 0.02;

/// The same, but of what the device sees more, where packets are numbered transport-wide: whoever estimates bandwidth by these sends
/// padding to probe for more (mediasoup: 2.6 %).
const PROBES_MAX: f64 = 0.05;

/// Each of a thousand Consumers and more has reports of its own, as large as its audio packets, in quiet times too: there the subject's
/// count is taken, and the device's, which may be so much higher, only vouches for it.
const REPORTS_MAX: f64 = 0.25;

/// How a bench runs.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) devices: Vec<Device>,
    pub(super) cases: Choice,
    pub(super) rounds: usize,
    pub(super) is_quick: bool,
}

/// What one subject did, round by round. Values of one round stand at the same index for all subjects of a case.
#[derive(Debug, Default)]
pub(super) struct Series {
    pub(super) cost: Vec<f64>,
    loss: Vec<f64>,
    capacity: Vec<Capacity>,
    p50: Vec<f64>,
    p99: Vec<f64>,
}

/// A row with the rounds that it was made of.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) case: Case,
    pub(super) device: Device,
    pub(super) row: Row,
    pub(super) series: Series,
}

/// What was measured, and which cases failed and why: one that does takes nothing from the others.
pub(super) fn run(programs: &Programs, plan: &Plan) -> (Vec<Measured>, Vec<Error>) {
    let (mut measured, mut failed) = (Vec::new(), Vec::new());
    for &device in &plan.devices {
        for case in matrix::cases(device, plan.is_quick) {
            let name = format!("{}: {case}", device.name());
            if !plan.cases.wants(&name) {
                continue;
            }
            report::line(format_args!("\n{name}"));
            match measure(programs, plan, device, case).context(name) {
                Ok(rows) => measured.extend(rows),
                Err(error) => {
                    report::line(format_args!("    failed: {error:#}"));
                    failed.push(error);
                }
            }
        }
    }
    if measured.is_empty() && failed.is_empty() {
        failed.push(Error::msg("no case has such a name"));
    }
    (measured, failed)
}

fn measure(programs: &Programs, plan: &Plan, device: Device, case: Case) -> Result<Vec<Measured>> {
    let stage = Stage::new(device)?;
    let rows = Rig::start(programs, &stage, case)?.measure(plan)?;
    rows.iter().for_each(|measured| report::line(format_args!("    {}", measured.row)));
    Ok(rows)
}

/// All subjects of a case, waiting.
#[derive(Debug)]
struct Rig<'a> {
    stage: &'a Stage,
    case: Case,
    subjects: Vec<(Subject, Series)>,
}

impl<'a> Rig<'a> {
    fn start(programs: &Programs, stage: &'a Stage, case: Case) -> Result<Self> {
        let start =
            |(index, kind)| Ok((Subject::start(programs, stage, &case, kind, index)?, Series::default()));
        let subjects = programs.kinds(&case).into_iter().enumerate().map(start).collect::<Result<_>>()?;
        Ok(Self { stage, case, subjects })
    }

    fn measure(mut self, plan: &Plan) -> Result<Vec<Measured>> {
        let seconds = if plan.is_quick { QUICK_WINDOW_S } else { WINDOW_S };
        for round in 0..plan.rounds {
            self.round(round, |rig, index| rig.cost(index, seconds))?;
        }
        if self.case.has_capacity {
            let rounds = if plan.is_quick { 1 } else { plan.rounds.min(CAPACITY_ROUNDS_MAX) };
            for round in 0..rounds {
                self.round(round, |rig, index| rig.capacity(index, seconds))?;
            }
        }
        let (case, device) = (self.case, self.stage.device);
        let row = |(subject, series): (Subject, Series)| {
            let row = row(device, &case, &subject, &series)?;
            Ok(Measured { case, device, row, series })
        };
        self.subjects.into_iter().map(row).collect()
    }

    /// Each subject once. Who was first is last in the next round, so that no place in the order is anyone's.
    fn round(&mut self, round: usize, mut body: impl FnMut(&mut Self, usize) -> Result<()>) -> Result<()> {
        let count = self.subjects.len();
        (0..count).try_for_each(|place| body(self, (round + place) % count))
    }

    fn window(&mut self, index: usize, rate: f64, seconds: f64) -> Result<Window> {
        Window::measure(self.stage, &self.case, &mut self.subjects[index].0, rate, seconds)
    }

    fn cost(&mut self, index: usize, seconds: f64) -> Result<()> {
        let before = (self.subjects[index].0.forwarded()?, self.subjects[index].0.arrived(self.stage)?);
        let window = self.window(index, self.case.rate(), seconds)?;
        let (subject, series) = &mut self.subjects[index];
        let (mut cost, mut loss) = (window.cpu_s_per_million(), window.loss);
        // On a device without a sink the subject's own count must say the same as the device's bytes.
        if !self.stage.device.has_sink() {
            let said = (subject.forwarded()? - before.0) as f64;
            let seen = (subject.arrived(self.stage)? - before.1) as f64;
            let is_of_one = self.case.is_of_one_stream();
            let more_max = match () {
                () if !is_of_one => REPORTS_MAX,
                () if self.case.via.is_numbered() => PROBES_MAX,
                () => COUNT_TOLERANCE,
            };
            let is_same = (-COUNT_TOLERANCE..=more_max).contains(&(seen / said - 1.0));
            ensure!(is_same, "{} says {said} packets, the device {seen}", subject.kind.name());
            if !is_of_one {
                loss = 1.0 - said / window.due_in_all;
                cost = window.cpu_s * 1e6 / (window.due * (1.0 - loss));
            }
        }
        series.cost.push(cost);
        series.loss.push(loss);
        Ok(())
    }

    /// The highest rate, and delays at half of it.
    fn capacity(&mut self, index: usize, seconds: f64) -> Result<()> {
        let series = &self.subjects[index].1;
        let guess = median(&series.cost).map(|cost| 1e6 / cost / f64::from(self.case.fan_out()));
        let start = series.capacity.last().map(|capacity| capacity.rate);
        let start = start.or(guess.map(|guess| guess * FIRST_TRY)).context("cost comes before capacity")?;
        let found = capacity::search(start, |rate| {
            let window = self.window(index, rate, TRY_S)?;
            Ok(Try {
                packets_per_s: window.packets_per_s(),
                is_kept_up: window.is_kept_up(LOSS_MAX),
                is_source_fast: window.is_source_fast,
            })
        })?;
        let Some(found) = found else { return Ok(()) };
        self.subjects[index].1.capacity.push(found);
        if self.stage.device.has_sink() {
            let received = self.window(index, found.rate / 2.0, seconds)?.received;
            let series = &mut self.subjects[index].1;
            series.p50.extend(received.and_then(|received| received.p50_us));
            series.p99.extend(received.and_then(|received| received.p99_us));
        }
        Ok(())
    }
}

fn row(device: Device, case: &Case, subject: &Subject, series: &Series) -> Result<Row> {
    let cost = median(&series.cost).context("no round was measured")?;
    let (min, max) = range(&series.cost).context("no round was measured")?;
    let capacity: Vec<f64> = series.capacity.iter().map(|capacity| capacity.packets_per_s).collect();
    Ok(Row {
        device: device.name(),
        transport: case.via.name(),
        suite: case.suite.name(),
        load: case.load.name,
        publishers: case.load.publishers,
        consumers: case.consumers(),
        burst: case.load.burst(),
        subject: subject.kind.name(),
        rate_in: rounded(case.rate()),
        rounds: series.cost.len(),
        cpu_s_per_million: rounded(cost),
        cpu_s_per_million_min: rounded(min),
        cpu_s_per_million_max: rounded(max),
        loss_max: range(&series.loss).map_or(0.0, |(_, max)| rounded(max)),
        packets_per_s_max: median(&capacity).map(rounded),
        source_was_limit: series.capacity.iter().any(|capacity| capacity.is_of_source),
        delay_p50_us: median(&series.p50).map(rounded),
        delay_p99_us: median(&series.p99).map(rounded),
    })
}
