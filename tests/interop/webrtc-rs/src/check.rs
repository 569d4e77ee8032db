//! What is found out: a line per check while it runs, and whether all of them held.

use std::process::ExitCode;

/// The checks so far.
#[derive(Debug, Default)]
pub(crate) struct Checks {
    held: usize,
    failed: usize,
}

impl Checks {
    /// Notes a check and what was seen.
    pub(crate) fn note(&mut self, name: &str, holds: bool, seen: &str) {
        match holds {
            true => self.hold(name, seen),
            false => self.fail(name, seen),
        }
    }

    /// Notes a check that failed.
    pub(crate) fn fail(&mut self, name: &str, seen: &str) {
        self.failed += 1;
        println!("FAILED  {name}: {seen}");
    }

    /// Prints the count.
    pub(crate) fn finish(&self) -> ExitCode {
        println!("{} checks held, {} failed", self.held, self.failed);
        match self.failed {
            0 => ExitCode::SUCCESS,
            _ => ExitCode::FAILURE,
        }
    }

    fn hold(&mut self, name: &str, seen: &str) {
        self.held += 1;
        println!("held    {name}: {seen}");
    }
}
