//! `bench control`: what it takes to make Transports with something on them, to keep them, and to shake hands with a client.

mod contender;
mod figures;

use std::fmt;

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use self::contender::{Bare, Contender, Setting};
use super::choice::Choice;
use super::matrix::Device;
use super::record::Figure;
use super::stage::Stage;
use super::statistic::{median, range, rounded};
use super::subject::{Kind, Programs};
use crate::report;

/// Transports that are made beside media in a round: as many as the slowest makes well within the time that is published.
const MADE_BESIDE_MEDIA: u16 = 2_000;

/// Transports that lie idle, and how many are there before memory is looked at, so that what is made once is there.
const MADE_IDLE: u16 = 2_000;
const MADE_BEFORE: u16 = 200;

/// Transports in a request to the clients: as many as fit into a line.
const CONNECTED_AT_ONCE: u16 = 200;

/// Handshakes of a round.
const HANDSHAKES: u16 = 200;

/// How a bench runs.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) cases: Choice,
    pub(super) rounds: usize,
}

/// What is measured of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantity {
    /// Operations per second on one core, beside media.
    Operations { in_flight: u16 },
    /// Bytes that a Transport and what is on it takes.
    Memory { is_connected: bool },
    /// Handshakes per second of the Worker's thread's own time.
    Handshakes,
}

/// Which Transports are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Via {
    Plain,
    WebRtcServer,
}

impl Via {
    const fn name(self) -> &'static str {
        match self {
            Self::Plain => "PlainTransport",
            Self::WebRtcServer => "WebRtcTransport",
        }
    }

    /// As the processes' options have it.
    const fn option(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::WebRtcServer => "webrtc-server",
        }
    }
}

/// What is made on each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum With {
    Nothing,
    Consumer,
    Producer,
}

impl With {
    const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Consumer => "Consumer",
            Self::Producer => "Producer",
        }
    }

    /// As the processes' options have it.
    const fn option(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Consumer => "consumer",
            Self::Producer => "producer",
        }
    }
}

/// A case: what is made, and what of that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Case {
    quantity: Quantity,
    via: Via,
    with: With,
}

const OPERATIONS: [(Via, With, u16); 5] = [
    (Via::WebRtcServer, With::Consumer, 16),
    (Via::WebRtcServer, With::Producer, 16),
    (Via::Plain, With::Consumer, 16),
    (Via::WebRtcServer, With::Consumer, 1),
    (Via::Plain, With::Consumer, 1),
];
const MEMORY: [(Via, bool); 3] = [(Via::WebRtcServer, false), (Via::WebRtcServer, true), (Via::Plain, true)];

fn cases() -> Vec<Case> {
    let operations = OPERATIONS.map(|(via, with, in_flight)| Case {
        quantity: Quantity::Operations { in_flight },
        via,
        with,
    });
    let memory = MEMORY.map(|(via, is_connected)| Case {
        quantity: Quantity::Memory { is_connected },
        via,
        with: With::Consumer,
    });
    let handshakes = Case { quantity: Quantity::Handshakes, via: Via::WebRtcServer, with: With::Nothing };
    operations.into_iter().chain(memory).chain([handshakes]).collect()
}

impl Case {
    fn name(&self) -> String {
        let (via, with) = (self.via.name(), self.with.name());
        match self.quantity {
            Quantity::Operations { in_flight } => format!("{via} and {with}, {in_flight} at a time"),
            Quantity::Memory { is_connected: true } => format!("idle {via} and {with}, connected"),
            Quantity::Memory { is_connected: false } => format!("idle {via} and {with}, not connected"),
            Quantity::Handshakes => "DTLS handshakes".to_owned(),
        }
    }

    fn unit(&self) -> &'static str {
        match self.quantity {
            Quantity::Operations { .. } => "operations/s",
            Quantity::Memory { .. } => "bytes",
            Quantity::Handshakes => "handshakes/s",
        }
    }
}

/// What one subject did in a case, round by round.
#[derive(Debug)]
struct Measured {
    case: Case,
    subject: &'static str,
    values: Vec<f64>,
    /// CPU time of all threads and processes, in microseconds per operation; of operations alone.
    cpu_us: Vec<f64>,
    /// The part of the media beside it that did not arrive; of operations alone.
    loss: Vec<f64>,
}

/// The same for the record.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    case: String,
    subject: &'static str,
    unit: &'static str,
    rounds: usize,
    /// Median over the rounds.
    value: f64,
    min: f64,
    max: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_us_per_operation: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    media_loss_max: Option<f64>,
}

/// Everything that was measured.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) rows: Vec<Row>,
    pub(super) figures: Vec<Figure>,
}

pub(super) fn run(programs: &Programs, plan: &Plan) -> Result<Outcome> {
    let mut all = Vec::new();
    for case in cases().into_iter().filter(|case| plan.cases.wants(&case.name())) {
        report::line(format_args!("\n{}", case.name()));
        let measured = measure(programs, case, plan.rounds).context(case.name())?;
        for measured in &measured {
            report::line(format_args!("    {}", measured.row()?));
        }
        all.extend(measured);
    }
    ensure!(!all.is_empty(), "no case has such a name");
    let figures = figures::of(&all);
    Ok(Outcome { rows: all.iter().map(Measured::row).collect::<Result<_>>()?, figures })
}

/// All subjects, round by round. Who was first is last in the next round.
fn measure(programs: &Programs, case: Case, rounds: usize) -> Result<Vec<Measured>> {
    let mut kinds = vec![Kind::Mafalda];
    kinds.extend(programs.peer.as_ref().map(|_| Kind::Mediasoup));
    let series = |subject| Measured { case, subject, values: vec![], cpu_us: vec![], loss: vec![] };
    let mut all: Vec<Measured> = kinds.iter().map(|kind| series(kind.name())).collect();
    let mut bare =
        (case.quantity == Quantity::Handshakes).then(|| [figures::BARE, figures::GUARDED].map(series));
    for round in 0..rounds {
        for place in 0..kinds.len() {
            let index = (round + place) % kinds.len();
            one(programs, case, kinds[index], &mut all[index])?;
        }
        if let Some([bare, guarded]) = &mut bare {
            let stage = Stage::new(Device::Null)?;
            let mut process = Bare::start(&programs.bench, &stage)?;
            bare.values.push(process.per_second(HANDSHAKES)?);
            guarded.values.push(process.guarded_per_second(HANDSHAKES)?);
        }
    }
    all.extend(bare.into_iter().flatten());
    Ok(all)
}

/// One subject, once: with processes of its own, since memory that was given back is not like memory that was never used.
fn one(programs: &Programs, case: Case, kind: Kind, measured: &mut Measured) -> Result<()> {
    let stage = Stage::new(Device::Null)?;
    let start = |setting: Setting| Contender::start(programs, &stage, kind, case, setting);
    match case.quantity {
        Quantity::Operations { in_flight } => {
            let made = start(Setting::beside_media(in_flight))?.make_beside_media(MADE_BESIDE_MEDIA)?;
            measured.values.push(made.operations as f64 / made.seconds);
            measured.cpu_us.push(made.cpu_s * 1e6 / made.operations as f64);
            measured.loss.push(made.media_loss);
        }
        Quantity::Memory { is_connected } => {
            let mut contender = start(Setting::idle(is_connected, MADE_BEFORE + MADE_IDLE))?;
            contender.make_idle(MADE_BEFORE)?;
            let before = contender.memory()?;
            contender.make_idle(MADE_IDLE)?;
            measured.values.push((contender.memory()? - before) / f64::from(MADE_IDLE));
        }
        Quantity::Handshakes => {
            let mut contender = start(Setting::idle(true, HANDSHAKES))?;
            measured.values.push(f64::from(HANDSHAKES) / contender.make_idle(HANDSHAKES)?);
        }
    }
    Ok(())
}

impl Measured {
    fn row(&self) -> Result<Row> {
        let value = median(&self.values).context("no round was measured")?;
        let (min, max) = range(&self.values).context("no round was measured")?;
        Ok(Row {
            case: self.case.name(),
            subject: self.subject,
            unit: self.case.unit(),
            rounds: self.values.len(),
            value: rounded(value),
            min: rounded(min),
            max: rounded(max),
            cpu_us_per_operation: median(&self.cpu_us).map(rounded),
            media_loss_max: range(&self.loss).map(|(_, max)| rounded(max)),
        })
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { subject, value, unit, min, max, .. } = self;
        write!(f, "{subject:<10} {value:>7} {unit} ({min} to {max})")?;
        if let Some(cpu_us) = self.cpu_us_per_operation {
            write!(f, ", {cpu_us} us of CPU each")?;
        }
        if let Some(loss) = self.media_loss_max.filter(|loss| *loss > 0.0) {
            write!(f, ", up to {:.2} % of the media lost", loss * 100.0)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_have_names_of_their_own() {
        let names: Vec<String> = cases().iter().map(Case::name).collect();
        for (index, name) in names.iter().enumerate() {
            assert!(!names[..index].contains(name), "{name}");
        }
        assert!(names.contains(&"idle PlainTransport and Consumer, connected".to_owned()));
    }

    #[test]
    fn a_row_has_medians() {
        let case = cases()[0];
        let values = vec![3.0, 1.0, 2.0];
        let measured =
            Measured { case, subject: "mafalda", values, cpu_us: vec![5.0], loss: vec![0.0, 0.01] };
        let row = measured.row().unwrap();
        assert_eq!((row.value, row.min, row.max, row.rounds), (2.0, 1.0, 3.0, 3));
        assert_eq!((row.cpu_us_per_operation, row.media_loss_max), (Some(5.0), Some(0.01)));
        assert!(row.to_string().ends_with("5 us of CPU each, up to 1.00 % of the media lost"), "{row}");
        assert!(Measured { values: vec![], ..measured }.row().is_err());
    }
}
