//! `fuzz`: runs the fuzz targets in turn and tells what they found.
//!
//! The committed corpora are read, never written: what a run discovers goes below `target`, and only inputs that break
//! something are kept, in `fuzz/artifacts`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::process::Process;
use crate::report;
use crate::workspace::Workspace;

/// How long one input may take. A parser needs microseconds; a larger value only hides a loop for longer.
const INPUT_TIMEOUT_SECS: u32 = 5;

/// Fuzz every parser for a while, targets in turn.
///
/// Installs cargo-fuzz when it is missing and needs a nightly toolchain. Inputs that break a target are kept in
/// fuzz/artifacts; try one with `cargo +nightly fuzz run TARGET FILE`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Minutes for all targets together
    #[arg(long, value_name = "N", default_value_t = 8)]
    minutes: u32,

    /// Only this target
    #[arg(long)]
    target: Option<String>,
}

/// What one target did.
struct Run {
    target: String,
    /// Inputs tried.
    executions: u64,
    /// New files in the target's folder of artifacts.
    findings: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let targets = choose(targets(workspace)?, options.target.as_deref())?;
    prepare(workspace)?;
    let seconds = (u64::from(options.minutes) * 60 / targets.len() as u64).max(1);
    let runs =
        targets.into_iter().map(|target| fuzz(workspace, target, seconds)).collect::<Result<Vec<_>>>()?;

    report::line(format_args!("\n{:<10} {:>14}  new findings", "target", "executions"));
    for run in &runs {
        report::line(format_args!("{:<10} {:>14}  {}", run.target, run.executions, run.findings.len()));
    }
    let found: Vec<_> = runs.iter().flat_map(|run| &run.findings).collect();
    for file in &found {
        report::line(file);
    }
    if !found.is_empty() {
        bail!("{} inputs break a parser", found.len());
    }
    Ok(())
}

/// The targets that there are, in order of name.
fn targets(workspace: &Workspace) -> Result<BTreeSet<String>> {
    let files = files(&workspace.path("fuzz/fuzz_targets"))?;
    Ok(files.iter().filter_map(|name| name.strip_suffix(".rs")).map(str::to_owned).collect())
}

fn choose(all: BTreeSet<String>, wanted: Option<&str>) -> Result<Vec<String>> {
    match wanted {
        None => Ok(all.into_iter().collect()),
        Some(name) if all.contains(name) => Ok(vec![name.to_owned()]),
        Some(name) => {
            bail!("no fuzz target {name}; there are {}", all.into_iter().collect::<Vec<_>>().join(", "))
        }
    }
}

/// Sees to the tools, and has the fuzz crate build with the very versions that ship.
fn prepare(workspace: &Workspace) -> Result<()> {
    if !Process::new("rustup").args(["run", "nightly", "cargo", "--version"]).succeeds() {
        bail!("cargo-fuzz needs a nightly toolchain: rustup toolchain install nightly");
    }
    if !Process::cargo().args(["fuzz", "--version"]).succeeds() {
        Process::cargo().args(["install", "cargo-fuzz", "--locked"]).run()?;
    }
    let lock = workspace.path("Cargo.lock");
    fs::copy(&lock, workspace.path("fuzz/Cargo.lock")).with_context(|| lock.display().to_string())?;
    Ok(())
}

fn fuzz(workspace: &Workspace, target: String, seconds: u64) -> Result<Run> {
    report::line(format_args!("\n==> {target} for {seconds} s"));
    let artifacts = workspace.path("fuzz/artifacts").join(&target);
    let discovered = workspace.target.join("fuzz-corpus").join(&target);
    fs::create_dir_all(&discovered)?;

    let before = files(&artifacts)?;
    let (log, succeeded) = libfuzzer(workspace, &target, &discovered, seconds).tee_stderr()?;
    let new = files(&artifacts)?
        .difference(&before)
        .map(|name| format!("fuzz/artifacts/{target}/{name}"))
        .collect();
    let run = Run { target, executions: executions(&log).unwrap_or_default(), findings: new };
    if !succeeded && run.findings.is_empty() {
        bail!("fuzz target {} did not run", run.target);
    }
    Ok(run)
}

/// libFuzzer writes what it discovers to the first corpus and only reads the second.
fn libfuzzer(workspace: &Workspace, target: &str, discovered: &Path, seconds: u64) -> Process {
    let seeds = workspace.path("fuzz/corpus").join(target);
    let limits = [
        format!("-max_total_time={seconds}"),
        format!("-timeout={INPUT_TIMEOUT_SECS}"),
        "-print_final_stats=1".to_owned(),
    ];
    Process::new("rustup")
        .args(["run", "nightly", "cargo", "fuzz", "run", target])
        .args([discovered, &seeds])
        .args(["--"])
        .args(limits)
        .dir(&workspace.root)
        .env("CARGO_TARGET_DIR", workspace.target.join("fuzz"))
        .without_env("CARGO")
        .without_env("RUSTUP_TOOLCHAIN")
}

/// Reads libFuzzer's closing statistics.
fn executions(log: &str) -> Option<u64> {
    let line = log.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))?;
    line.trim().parse().ok()
}

/// Names of what lies in a folder; none if it isn't there.
fn files(dir: &Path) -> Result<BTreeSet<String>> {
    if !dir.is_dir() {
        return Ok(BTreeSet::new());
    }
    let entries = fs::read_dir(dir).with_context(|| dir.display().to_string())?;
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executions_come_from_the_closing_statistics() {
        let log = "#2\tINITED\nDone 4242 runs in 1 second(s)\nstat::number_of_executed_units: 4242\n";
        assert_eq!(executions(log), Some(4242));
        assert_eq!(executions("error: could not compile"), None);
    }

    #[test]
    fn an_unknown_target_is_refused_with_the_known_ones() {
        let all: BTreeSet<_> = ["rtp".to_owned(), "stun".to_owned()].into();
        assert_eq!(choose(all.clone(), Some("rtp")).unwrap(), ["rtp"]);
        assert_eq!(choose(all.clone(), None).unwrap().len(), 2);
        assert!(choose(all, Some("sip")).unwrap_err().to_string().contains("rtp, stun"));
    }
}
