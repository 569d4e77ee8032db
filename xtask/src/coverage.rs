//! `coverage`: which lines and functions of the engine its tests run.
//!
//! What runs are the unit and integration tests of three crates, the acceptance suite, and the tests of testkit, which put the
//! engine between peers. What is counted is the three crates' own code, without the tests in it. The tools are cargo-llvm-cov
//! and those of Debian's LLVM of the compiler's version: another version can't read what the compiler writes.

mod lcov;
mod summary;

use std::env;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;

use crate::debian;
use crate::process::{Process, find_program};
use crate::report;
use crate::workspace::Workspace;

use summary::Summary;

/// Packages whose tests run.
const TESTED: [&str; 5] =
    ["mafalda-api", "mafalda-media", "mafalda-core", "mafalda-testkit", "mafalda-tests"];

/// Packages whose code is counted, with their folders.
pub(super) const COUNTED: [(&str, &str); 3] = [
    ("mafalda-api", "crates/api/src/"),
    ("mafalda-media", "crates/media/src/"),
    ("mafalda-core", "crates/core/src/"),
];

/// Where the tools leave what they saw, below the target folder.
const TRACE: &str = "llvm-cov-target/coverage.lcov";

/// Run the tests of the engine and tell which of its lines and functions they reach.
///
/// Installs cargo-llvm-cov and Debian's LLVM of the compiler's version when they are missing; LLVM_COV and LLVM_PROFDATA name
/// others. Builds everything anew, in a folder of its own.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Write the figures to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// List the functions and lines that no test reaches
    #[arg(long)]
    missing: bool,

    /// Report on the last run instead of running the tests
    #[arg(long)]
    again: bool,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let trace = workspace.target.join(TRACE);
    if !options.again {
        measure(workspace, &trace)?;
    }
    let text = fs::read_to_string(&trace).with_context(|| format!("no earlier run: {}", trace.display()))?;
    let summary = Summary::of(workspace, &lcov::parse(&text)?)?;
    if options.missing {
        report::line(summary.missing());
    }
    report::line(summary.table());
    if let Some(path) = &options.json {
        fs::write(path, summary.json()?).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// Runs the tests and has the tools write down what they reached.
fn measure(workspace: &Workspace, trace: &PathBuf) -> Result<()> {
    if !Process::cargo().args(["llvm-cov", "--version"]).succeeds() {
        Process::cargo().args(["install", "cargo-llvm-cov", "--locked"]).run()?;
    }
    let tools = Tools::find()?;
    let packages = TESTED.iter().flat_map(|name| ["--package", name]);
    tools.llvm_cov(workspace, &["clean", "--profraw-only"]).run()?;
    tools.llvm_cov(workspace, &["test", "--no-report", "--tests"]).args(packages).run()?;
    tools.llvm_cov(workspace, &["report", "--lcov", "--output-path"]).args([trace]).run()
}

/// LLVM's tools of the compiler's version.
struct Tools {
    cov: PathBuf,
    profdata: PathBuf,
}

impl Tools {
    /// The tools that the environment names, or Debian's, which are installed if they aren't there.
    fn find() -> Result<Self> {
        if let (Some(cov), Some(profdata)) = (env::var_os("LLVM_COV"), env::var_os("LLVM_PROFDATA")) {
            return Ok(Self { cov: cov.into(), profdata: profdata.into() });
        }
        let version = Process::new("rustc").args(["-vV"]).output()?;
        let version = llvm_version(&version).context("`rustc -vV` doesn't tell its LLVM")?;
        let installed = || {
            let program = |tool: &str| find_program(&format!("llvm-{tool}-{version}"));
            Some(Self { cov: program("cov")?, profdata: program("profdata")? })
        };
        if let Some(tools) = installed() {
            return Ok(tools);
        }
        let package = format!("llvm-{version}");
        debian::install(&[debian::Missing { package: &package, purpose: "reads what the compiler counts" }])?;
        installed().with_context(|| format!("{package} was installed, but its tools are not found"))
    }

    fn llvm_cov(&self, workspace: &Workspace, args: &[&str]) -> Process {
        let process = Process::cargo().args(["llvm-cov"]).args(args).dir(&workspace.root);
        process.env("LLVM_COV", &self.cov).env("LLVM_PROFDATA", &self.profdata)
    }
}

/// The major version of LLVM in the text of `rustc -vV`.
fn llvm_version(text: &str) -> Option<&str> {
    let version = text.lines().find_map(|line| line.strip_prefix("LLVM version: "))?;
    version.split('.').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiler_tells_its_llvm() {
        assert_eq!(llvm_version("rustc 1.95.0\nrelease: 1.95.0\nLLVM version: 22.1.2\n"), Some("22"));
        assert_eq!(llvm_version("rustc 1.95.0\n"), None);
    }

    #[test]
    fn what_is_counted_is_there() {
        let workspace = Workspace::find().unwrap();
        for (_, folder) in COUNTED {
            assert!(workspace.path(folder).join("lib.rs").is_file(), "{folder}");
        }
    }
}
