//! `bench`: measures and writes down, in one form for every bench.
//!
//! `forward` is what this project exists for: a packet in, many packets out. The engine is measured beside a bare forwarder, which
//! is the limit, and beside a peer, all of them interleaved in one run, since only what was measured together can be compared.
//! How to read it is in `docs/performance.md`.

mod capacity;
mod chart;
mod choice;
mod control;
mod dialogue;
mod forward;
mod machine;
mod matrix;
mod record;
mod stage;
mod statistic;
mod subject;
mod verdict;
mod window;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand, ValueEnum};

use self::choice::Choice;
use self::forward::Plan;
use self::machine::Ticks;
use self::matrix::Device;
use self::record::{Figure, Record};
use self::subject::Programs;
use crate::process::Process;
use crate::report;
use crate::workspace::Workspace;

/// Measure, beside the bare minimum and beside others
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Debug, Subcommand)]
enum Bench {
    Forward(Forward),
    Control(Control),
}

/// Forwarding: CPU per packet, most packets per second on one core, added delay.
///
/// Needs root, two cores, and the commands ip, unshare, nsenter and taskset. All traffic stays in network namespaces that the bench
/// makes and that go with it.
#[derive(Debug, Args)]
struct Forward {
    /// Write everything as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the chart
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// The headline cases on the null device, in short rounds, and the highest rate of those in bursts of 16 only
    #[arg(long)]
    quick: bool,
    /// How often each subject is measured in each case [default: 5, with --quick 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=100))]
    rounds: Option<u16>,
    /// Only on this device; can be given several times
    #[arg(long, value_enum)]
    device: Vec<Device>,
    /// Only cases in whose printed name this occurs, such as "burst 16"; can be given several times
    #[arg(long, value_name = "TEXT")]
    case: Vec<String>,
    #[command(flatten)]
    other: Other,
}

/// The control plane: making Transports with something on them beside media, their memory, and handshakes.
///
/// Needs the same as forwarding.
#[derive(Debug, Args)]
struct Control {
    /// Write everything as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Only cases in whose printed name this occurs, such as "idle"; can be given several times
    #[arg(long, value_name = "TEXT")]
    case: Vec<String>,
    /// How often each subject is measured in each case
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=100))]
    rounds: u16,
    #[command(flatten)]
    other: Other,
}

/// Who is measured beside us.
#[derive(Debug, Args)]
struct Other {
    /// Measure a peer beside us
    #[arg(long, value_enum, requires = "peer_dir")]
    peer: Option<Peer>,
    /// Where the peer is built: a folder with `node`, `app/node_modules` and `mediasoup-worker`
    #[arg(long, value_name = "DIR")]
    peer_dir: Option<PathBuf>,
    /// A script that builds the peer into the folder named by the variable PEER, run if it isn't there yet
    #[arg(long, value_name = "SCRIPT", env = "MAFALDA_PEER_SETUP")]
    peer_setup: Option<PathBuf>,
}

/// Who else can be measured.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Peer {
    Mediasoup,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    match &options.bench {
        Bench::Forward(options) => forward(workspace, options),
        Bench::Control(options) => control(workspace, options),
    }
}

fn forward(workspace: &Workspace, options: &Forward) -> Result<()> {
    let programs = programs(workspace, &options.other)?;
    let surroundings = Surroundings::now()?;
    let (measured, failed) = forward::run(&programs, &plan(options));
    let machine = surroundings.describe()?;
    let figures = verdict::figures(&measured);
    show(&figures);
    let chart = options.svg.as_deref().map(|path| (path, chart::draw(&measured)));
    let rows = measured.into_iter().map(|measured| measured.row).collect();
    let record = Record { bench: "forward", machine, figures, rows };
    options.json.as_deref().map_or(Ok(()), |path| record.write(path))?;
    if let Some((path, chart)) = chart {
        let chart = chart.context("a chart needs the null device")?;
        fs::write(path, chart).with_context(|| format!("can't write {}", path.display()))?;
    }
    failed.into_iter().next().map_or(Ok(()), |first| Err(first.context("not all cases could be measured")))
}

fn control(workspace: &Workspace, options: &Control) -> Result<()> {
    let programs = programs(workspace, &options.other)?;
    let surroundings = Surroundings::now()?;
    let plan = control::Plan { cases: Choice(options.case.clone()), rounds: usize::from(options.rounds) };
    let control::Outcome { rows, figures } = control::run(&programs, &plan)?;
    let machine = surroundings.describe()?;
    show(&figures);
    let record = Record { bench: "control", machine, figures, rows };
    options.json.as_deref().map_or(Ok(()), |path| record.write(path))
}

fn programs(workspace: &Workspace, other: &Other) -> Result<Programs> {
    let peer = match other.peer {
        Some(Peer::Mediasoup) => Some(peer_dir(other)?),
        None => None,
    };
    let build = Process::cargo().args(["build", "--release", "--package", "mafalda-bench"]);
    build.dir(&workspace.root).run()?;
    Ok(Programs {
        bench: workspace.target.join("release/mafalda-bench"),
        peer_script: workspace.path("crates/bench/peer/mediasoup.mjs"),
        peer,
    })
}

fn show(figures: &[Figure]) {
    report::line("");
    figures.iter().for_each(report::line);
}

/// What else the machine did when a bench began.
#[derive(Debug)]
struct Surroundings {
    ticks: Ticks,
    load: f64,
}

impl Surroundings {
    fn now() -> Result<Self> {
        Ok(Self { ticks: Ticks::now()?, load: machine::load()? })
    }

    /// The machine, and what it did beside the bench.
    fn describe(&self) -> Result<BTreeMap<&'static str, String>> {
        let mut machine = machine::describe()?;
        machine.insert("load_before", self.load.to_string());
        machine.insert("load_after", machine::load()?.to_string());
        machine.insert("steal_percent", format!("{:.2}", Ticks::now()?.steal_percent_since(self.ticks)));
        Ok(machine)
    }
}

fn plan(options: &Forward) -> Plan {
    let devices = match (options.device.as_slice(), options.quick) {
        ([], true) => vec![Device::Null],
        ([], false) => Device::ALL.to_vec(),
        (devices, _) => devices.to_vec(),
    };
    let rounds = options.rounds.unwrap_or(if options.quick { 3 } else { 5 });
    Plan {
        devices,
        cases: Choice(options.case.clone()),
        rounds: usize::from(rounds),
        is_quick: options.quick,
    }
}

/// Where the peer is, after it was built if need be.
fn peer_dir(options: &Other) -> Result<PathBuf> {
    let dir = options.peer_dir.as_deref().context("--peer needs --peer-dir")?;
    let dir = std::path::absolute(dir)?;
    if dir.join("mediasoup-worker").is_file() {
        return Ok(dir);
    }
    let Some(setup) = &options.peer_setup else {
        bail!(
            "there is no mediasoup-worker in {}; --peer-setup names a script that builds it",
            dir.display()
        );
    };
    Process::new("bash").args([setup]).env("PEER", &dir).run()?;
    Ok(dir)
}
