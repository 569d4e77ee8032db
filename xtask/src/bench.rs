//! `bench`: benchmarks of whole processes, in a network of their own.
//!
//! What is measured, and how, is in the crate `mafalda-bench`. Here it is built, and started in a network namespace that goes
//! with the process: no device is left behind, whatever happens.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use clap::{Args, Subcommand, ValueEnum};

use crate::process::Process;
use crate::workspace::Workspace;

/// Measure whole processes (needs root, for a network of its own)
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Debug, Subcommand)]
enum Bench {
    Forward(Forward),
}

/// Another implementation to measure beside ours.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Peer {
    /// The worker of mediasoup, built into `--peer-dir`
    Mediasoup,
}

/// Measure the CPU time of a forwarded packet, beside a bare prototype and a peer
#[derive(Debug, Args)]
struct Forward {
    /// Write the figures there, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Draw packets per second and core there, as SVG
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// What carries the packets that go out: null (a card with UDP segmentation), lo, or lo-plain; may be given several times
    #[arg(long = "device", value_name = "DEVICE", default_value = "null")]
    devices: Vec<String>,
    /// How often each contender is measured in each case
    #[arg(long, value_name = "N", default_value_t = 5)]
    rounds: usize,
    /// The three cases with a target only
    #[arg(long)]
    quick: bool,
    /// Measure this one, too
    #[arg(long, value_enum, requires = "peer_dir")]
    peer: Option<Peer>,
    /// Where it was built: with `node`, `app/node_modules/mediasoup` and `mediasoup-worker` in it
    #[arg(long, value_name = "DIR")]
    peer_dir: Option<PathBuf>,
}

const PACKAGE: &str = "mafalda-bench";

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let Bench::Forward(forward) = &options.bench;
    Process::cargo().args(["build", "--release", "--package", PACKAGE]).dir(&workspace.root).run()?;
    let binary = workspace.root.join("target/release").join(PACKAGE);
    let args = arguments(forward, &workspace.root)?;
    let mut process = Process::new("unshare").args(["--net", "--"]).args([&binary]).args(&args);
    if let Some(folder) = forward.peer.and(forward.peer_dir.as_deref()) {
        process = process.env("MEDIASOUP", folder.join("app"));
        process = process.env("MEDIASOUP_WORKER_BIN", folder.join("mediasoup-worker"));
    }
    process.run().context("a network of one's own takes root, and `unshare` of util-linux")
}

fn arguments(forward: &Forward, root: &Path) -> Result<Vec<String>> {
    let mut args = vec!["forward".to_owned(), format!("--rounds={}", forward.rounds)];
    args.extend(forward.devices.iter().map(|device| format!("--device={device}")));
    args.extend(forward.json.iter().map(|file| format!("--json={}", file.display())));
    args.extend(forward.svg.iter().map(|file| format!("--svg={}", file.display())));
    args.extend(forward.quick.then(|| "--quick".to_owned()));
    if let Some(folder) = forward.peer.and(forward.peer_dir.as_deref()) {
        let (node, worker) = (folder.join("node"), folder.join("mediasoup-worker"));
        ensure!(node.exists() && worker.exists(), "there is no peer in {}", folder.display());
        let driver = root.join("crates/bench/peer.mjs");
        args.push(format!("--peer={} {}", node.display(), driver.display()));
    }
    Ok(args)
}
