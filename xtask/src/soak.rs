//! `soak`: the seeded tests with thousands of seeds, in release mode.
//!
//! The same tests run with few seeds in `test`. A failing test prints its seed.

use anyhow::Result;
use clap::Args;

use crate::package;
use crate::process::Process;
use crate::report::{Outcome, Report};
use crate::workspace::Workspace;

/// The variable by which a seeded test learns how many seeds to run.
pub(crate) const SEEDS_VARIABLE: &str = "MAFALDA_SEEDS";

/// The crate with the seeded emulator: what depends on it has seeded tests.
const TESTKIT: &str = "mafalda-testkit";

/// Run the seeded tests in release mode with many seeds.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Seeds per test
    #[arg(long, value_name = "N", default_value_t = 2000)]
    seeds: u32,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let packages = package::read(workspace)?;
    let args: Vec<&str> = seeded(&packages).into_iter().flat_map(|name| ["--package", name]).collect();
    let mut report = Report::default();
    report.step("soak", None, || {
        let process = Process::cargo().args(["test", "--release", "--tests"]).args(&args);
        process.dir(&workspace.root).env(SEEDS_VARIABLE, options.seeds.to_string()).run()?;
        Ok(Outcome::Passed)
    });
    Ok(report.finish()?)
}

fn seeded(packages: &[package::Package]) -> Vec<&str> {
    let has_seeds = |package: &&package::Package| {
        package.name == TESTKIT || package.dependencies.iter().any(|dependency| dependency.name == TESTKIT)
    };
    packages.iter().filter(has_seeds).map(|package| package.name.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::{Dependency, Kind, Package};

    #[test]
    fn what_depends_on_testkit_is_seeded() {
        let package = |name: &str, dependency: &str| Package {
            name: name.into(),
            manifest_path: String::new(),
            dependencies: vec![Dependency { name: dependency.into(), kind: Kind::Dev }],
        };
        let packages = [package("a", TESTKIT), package(TESTKIT, "x"), package("b", "x")];
        assert_eq!(seeded(&packages), ["a", TESTKIT]);
    }
}
