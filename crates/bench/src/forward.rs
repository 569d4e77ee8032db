//! What a forwarded packet costs, for each contender, round by round.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Args;

use crate::case::{Case, MATRIX, QUICK, Suite};
use crate::contender::{Arguments, Contender};
use crate::cpu::{self, Ticks};
use crate::device::{self, Device, PORT};
use crate::output::{Measured, Outcome, Output};
use crate::sink::Sink;
use crate::source::Source;

/// The CPU of the contenders; this process has the other one.
const CONTENDERS_CPU: usize = 0;
const OWN_CPU: usize = 1;
/// Before what is measured, so that caches, rings and clocks are those of a running stream.
const WARM_UP: Duration = Duration::from_millis(300);
/// After the last packet, until all of them have been sent on.
const SETTLE: Duration = Duration::from_millis(100);

/// Measure the CPU time of a forwarded packet, beside a bare prototype and a peer.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Write the figures there, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Draw packets per second and core there, as SVG
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// What carries the packets that go out; may be given several times
    #[arg(long = "device", value_enum, default_values_t = [Device::Null])]
    devices: Vec<Device>,
    /// How often each contender is measured in each case
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long one measurement lasts, in milliseconds
    #[arg(long, default_value_t = 1500)]
    time_ms: u64,
    /// The first cases of the matrix only
    #[arg(long)]
    quick: bool,
    /// The command that starts the peer's driver; its words are separated by spaces
    #[arg(long, value_name = "COMMAND")]
    peer: Option<String>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    ensure!(options.rounds > 0, "there is nothing to measure in no rounds");
    device::set_up()?;
    cpu::pin(std::process::id(), OWN_CPU)?;
    let cases = if options.quick { &MATRIX[..QUICK] } else { MATRIX };
    let mut output = Output::new();
    for device in &options.devices {
        for case in cases {
            output.add(measure(options, *device, *case)?)?;
        }
    }
    output.finish(options.json.as_deref(), options.svg.as_deref())
}

fn measure(options: &Options, device: Device, case: Case) -> Result<Outcome> {
    let (from, to) = device.addresses();
    let arguments = Arguments {
        consumers: case.consumers,
        suite: case.suite,
        from,
        to,
        port: PORT,
        one_address: device != Device::Null,
    };
    let ticks = Ticks::now()?;
    let mut contenders = start(options, &arguments)?;
    // One each for all rounds: who has learnt its publisher's address hears no other.
    let sources = contenders.iter().map(|contender| Source::new(contender.port, case.burst));
    let mut sources = sources.collect::<Result<Vec<_>>>()?;
    let mut measured: Vec<_> = contenders.iter().map(|it| (it.name, Vec::new())).collect();
    for round in 0..options.rounds {
        // Each begins as often as the others.
        for turn in 0..contenders.len() {
            let index = (round + turn) % contenders.len();
            let result =
                measure_once(&mut contenders[index], &mut sources[index], device, case, options.time_ms)?;
            measured[index].1.push(result);
        }
    }
    let steal = Ticks::now()?.steal_since(ticks);
    Ok(Outcome { device, case, measured, steal, load: cpu::load()? })
}

fn start(options: &Options, arguments: &Arguments) -> Result<Vec<Contender>> {
    let own = std::env::current_exe()?;
    let command = |name: &str| {
        let mut command = Command::new(&own);
        command.arg(name);
        command
    };
    let mut contenders = vec![
        Contender::start("mafalda", command("server"), arguments, CONTENDERS_CPU)?,
        Contender::start("prototype", command("prototype"), arguments, CONTENDERS_CPU)?,
    ];
    if let Some(peer) = &options.peer {
        let mut words = peer.split_whitespace();
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words);
        contenders.push(Contender::start("peer", command, arguments, CONTENDERS_CPU)?);
    }
    Ok(contenders)
}

fn measure_once(
    contender: &mut Contender,
    source: &mut Source,
    device: Device,
    case: Case,
    time_ms: u64,
) -> Result<Measured> {
    let sink = match device {
        Device::Null => None,
        Device::Lo => Some(Sink::start(true, case.suite == Suite::None)?),
        Device::LoPlain => Some(Sink::start(false, case.suite == Suite::None)?),
    };
    source.run(case.rate, WARM_UP)?;
    std::thread::park_timeout(SETTLE);
    let (count, run_time) = (contender.count()?, cpu::run_time(contender.pid)?);
    let sent = source.run(case.rate, Duration::from_millis(time_ms))?;
    std::thread::park_timeout(SETTLE);
    // CPU time first: counting costs some, too.
    let cpu = cpu::run_time(contender.pid)?.saturating_sub(run_time);
    let forwarded = contender.count()? - count;
    let taken = sink.map(Sink::finish).transpose()?;
    let expected = sent * u64::from(case.consumers);
    Ok(Measured {
        cpu_us: cpu.as_secs_f64() * 1e6 / forwarded.max(1) as f64,
        loss: 1.0 - forwarded as f64 / expected as f64,
        delays: taken.map(|taken| taken.delays).unwrap_or_default(),
    })
}
