//! `test`: everything that proves the workspace, in one command.
//!
//! Steps run in order and all of them run, so that one call tells everything that is wrong. Each is timed and held against
//! its budget in `docs/testing.md`.

mod budget;
mod tool;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::process::{Process, find_program};
use crate::report::{Outcome, Report};
use crate::soak::SEEDS_VARIABLE;
use crate::workspace::Workspace;
use crate::{parity, rtp_tools, tidy, web};

use budget::Budgets;

/// Run every check: format, lints, architecture, tests, documentation, the page, browsers.
///
/// Installs what it needs and doesn't find: Debian packages (as root or with passwordless sudo), npm packages, Python
/// packages in a folder of its own. Where it can't, it says what is missing and how to get it.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Leave out what needs a browser, Node.js or Python
    #[arg(long)]
    quick: bool,

    /// Seeds per seeded test, instead of the few that each has by default
    #[arg(long, value_name = "N")]
    seeds: Option<u32>,
}

/// A named part of the run.
struct Step {
    name: &'static str,
    /// Whether `--quick` leaves it out.
    slow: bool,
    run: fn(&Workspace, &Options) -> Result<Outcome>,
}

const STEPS: [Step; 13] = [
    Step { name: "tools", slow: true, run: tools },
    Step { name: "format", slow: false, run: format },
    Step { name: "lints", slow: false, run: lints },
    Step { name: "tidy", slow: false, run: architecture },
    Step { name: "parity", slow: false, run: parity },
    Step { name: "tests", slow: false, run: tests },
    Step { name: "docs", slow: false, run: docs },
    Step { name: "deny", slow: false, run: deny },
    Step { name: "web", slow: true, run: page },
    Step { name: "build", slow: true, run: build },
    Step { name: "browser", slow: true, run: browser },
    Step { name: "aiortc", slow: true, run: aiortc },
    Step { name: "ffmpeg", slow: true, run: ffmpeg },
];

/// Features that a plain build leaves out, so that it makes the demo alone.
pub(crate) const OPTIONAL: &str = "mafalda/load";

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let budgets = Budgets::read(workspace)?;
    let mut report = Report::default();
    for step in &STEPS {
        report.step(step.name, budgets.of(step.name), || match options.quick && step.slow {
            true => Ok(Outcome::Skipped("left out by --quick".into())),
            false => (step.run)(workspace, options),
        });
    }
    Ok(report.finish()?)
}

fn tools(workspace: &Workspace, _: &Options) -> Result<Outcome> {
    tool::ensure(workspace)?;
    Ok(Outcome::Passed)
}

fn format(workspace: &Workspace, _: &Options) -> Result<Outcome> {
    cargo(workspace, &["fmt", "--all", "--check"]).run()?;
    Ok(Outcome::Passed)
}

fn lints(workspace: &Workspace, _: &Options) -> Result<Outcome> {
    cargo(
        workspace,
        &["clippy", "--workspace", "--all-targets", "--features", OPTIONAL, "--", "-D", "warnings"],
    )
    .run()?;
    Ok(Outcome::Passed)
}

fn architecture(workspace: &Workspace, _: &Options) -> Result<Outcome> {
    tidy::run(workspace)?;
    Ok(Outcome::Passed)
}

fn parity(workspace: &Workspace, _: &Options) -> Result<Outcome> {
    parity::run(workspace, &parity::Options::default())?;
    Ok(Outcome::Passed)
}

/// Unit, acceptance and documentation tests, and the corpora of the fuzz targets.
fn tests(workspace: &Workspace, options: &Options) -> Result<Outcome> {
    let mut process = cargo(workspace, &["test", "--workspace", "--features", OPTIONAL, "--no-fail-fast"]);
    if let Some(seeds) = options.seeds {
        process = process.env(SEEDS_VARIABLE, seeds.to_string());
    }
    process.run()?;
    Ok(Outcome::Passed)
}

fn docs(workspace: &Workspace, _: &Options) -> Result<Outcome> {
    cargo(workspace, &["doc", "--workspace", "--no-deps", "--features", OPTIONAL])
        .env("RUSTDOCFLAGS", "-Dwarnings")
        .run()?;
    Ok(Outcome::Passed)
}

/// Advisories are left to a plain `cargo deny check`: they change by the day and need a download.
fn deny(workspace: &Workspace, _: &Options) -> Result<Outcome> {
    if find_program("cargo-deny").is_none() {
        return Ok(Outcome::Skipped("no cargo-deny; to have it: cargo install cargo-deny --locked".into()));
    }
    cargo(workspace, &["deny", "check", "bans", "licenses", "sources"]).run()?;
    Ok(Outcome::Passed)
}

fn page(workspace: &Workspace, _: &Options) -> Result<Outcome> {
    web::run(workspace, &web::Options { check: true })?;
    Ok(Outcome::Passed)
}

/// The binary that the browser and aiortc meet is the one that the README starts.
fn build(workspace: &Workspace, _: &Options) -> Result<Outcome> {
    cargo(workspace, &["build", "--release"]).run()?;
    Ok(Outcome::Passed)
}

fn browser(workspace: &Workspace, options: &Options) -> Result<Outcome> {
    let scripts = scripts(&workspace.path(tool::BROWSER_TESTS), |name| {
        name.ends_with(".test.mjs") || name.ends_with(".test.js")
    })?;
    with_demo(Process::new("node").args(["--test"]).args(scripts), workspace, options)?.run()?;
    Ok(Outcome::Passed)
}

fn aiortc(workspace: &Workspace, options: &Options) -> Result<Outcome> {
    let dir = workspace.path("tests/interop/aiortc");
    for script in scripts(&dir, |name| name.starts_with("test_") && name.ends_with(".py"))? {
        with_demo(Process::new(tool::python(workspace)).args([script]), workspace, options)?.run()?;
    }
    Ok(Outcome::Passed)
}

fn ffmpeg(workspace: &Workspace, _: &Options) -> Result<Outcome> {
    rtp_tools::run(workspace, "ffmpeg")
}

/// The test scripts of a folder, in order. None is an error: a suite that runs nothing must not pass.
fn scripts(dir: &Path, is_script: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(dir).with_context(|| format!("no tests at {}", dir.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.retain(|path| path.file_name().is_some_and(|name| is_script(&name.to_string_lossy())));
    paths.sort();
    if paths.is_empty() {
        bail!("no test script in {}", dir.display());
    }
    Ok(paths)
}

/// Tells a script what it needs to know; `docs/testing.md` documents these variables.
fn with_demo(process: Process, workspace: &Workspace, options: &Options) -> Result<Process> {
    let demo = workspace.target.join("release/mafalda-demo");
    let artifacts = workspace.target.join("browser");
    fs::create_dir_all(&artifacts)?;
    let chromium =
        tool::chromium().context("no Chromium: apt-get install chromium, or set CHROMIUM to its path")?;
    let process = process.dir(&workspace.root).env("CHROMIUM", chromium).env("MAFALDA_DEMO", demo);
    let process = process.env("MAFALDA_ARTIFACTS", artifacts);
    Ok(match options.seeds {
        Some(seeds) => process.env(SEEDS_VARIABLE, seeds.to_string()),
        None => process,
    })
}

fn cargo(workspace: &Workspace, args: &[&str]) -> Process {
    Process::cargo().args(args).dir(&workspace.root)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_has_a_budget_and_every_budget_a_step() {
        let budgets = Budgets::parse(include_str!("../../docs/testing.md")).unwrap();
        for step in &STEPS {
            assert!(budgets.of(step.name).is_some(), "docs/testing.md has no budget for {}", step.name);
        }
        assert_eq!(budgets.len(), STEPS.len());
    }

    #[test]
    fn a_folder_without_scripts_is_an_error() {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        assert!(scripts(&sources, |name| name.ends_with(".py")).is_err());
        assert!(scripts(&sources.join("nowhere"), |_| true).is_err());
        assert!(!scripts(&sources, |name| name.ends_with(".rs")).unwrap().is_empty());
    }
}
