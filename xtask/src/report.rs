//! Everything that this program prints: progress lines, the table of steps, and the closing count.

use std::fmt;
use std::io::{BufRead as _, BufReader, Read};
use std::time::{Duration, Instant};

use anyhow::Result;

/// Prints one line.
#[expect(clippy::print_stdout, reason = "the one place where this program prints")]
pub(crate) fn line(text: impl fmt::Display) {
    println!("{text}");
}

/// Announces a child process.
pub(crate) fn command(text: &str) {
    line(format_args!("    $ {text}"));
}

/// Prints an error with its chain of sources. [`StepsFailed`] was printed when it arose: the count stays the last line.
pub(crate) fn failure(error: &anyhow::Error) {
    if !error.is::<StepsFailed>() {
        eprintln!("error: {error:#}");
    }
}

/// Some steps of a [`Report`] failed.
#[derive(Debug)]
pub(crate) struct StepsFailed;

impl fmt::Display for StepsFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("some steps failed")
    }
}

impl std::error::Error for StepsFailed {}

/// Shows `stream` line by line and returns what it held. Bytes that are no UTF-8 are replaced.
pub(crate) fn tee(stream: impl Read) -> Result<String> {
    let mut reader = BufReader::new(stream);
    let (mut text, mut bytes) = (String::new(), Vec::new());
    while reader.read_until(b'\n', &mut bytes)? > 0 {
        let piece = String::from_utf8_lossy(&bytes);
        line(piece.trim_end());
        text.push_str(&piece);
        bytes.clear();
    }
    Ok(text)
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    Failed,
    /// Not run, with the reason.
    Skipped(String),
}

/// One finished step.
#[derive(Debug)]
struct Step {
    name: &'static str,
    outcome: Outcome,
    took: Duration,
    budget: Option<Duration>,
}

impl Step {
    /// The budget, when the step took longer.
    fn overrun(&self) -> Option<Duration> {
        self.budget.filter(|budget| self.took > *budget)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match &self.outcome {
            Outcome::Passed => "passed",
            Outcome::Failed => "FAILED",
            Outcome::Skipped(_) => "skipped",
        };
        write!(f, "{:<10} {word:<8} {:>7.1} s", self.name, self.took.as_secs_f64())?;
        if let Some(budget) = self.budget {
            write!(f, " of {:>5} s", budget.as_secs())?;
        }
        if self.overrun().is_some() {
            write!(f, "  over its budget")?;
        }
        match &self.outcome {
            Outcome::Skipped(reason) => write!(f, "  ({reason})"),
            Outcome::Passed | Outcome::Failed => Ok(()),
        }
    }
}

/// The steps of a command, in the order they ran.
#[derive(Debug, Default)]
pub(crate) struct Report {
    steps: Vec<Step>,
}

impl Report {
    /// Runs one step, prints its progress, and keeps how it went. Returns whether it did not fail.
    pub(crate) fn step(
        &mut self,
        name: &'static str,
        budget: Option<Duration>,
        body: impl FnOnce() -> Result<Outcome>,
    ) -> bool {
        line(format_args!("\n==> {name}"));
        #[expect(clippy::disallowed_methods, reason = "the wall time of a step is what is asked for")]
        let started = Instant::now();
        let outcome = body().unwrap_or_else(|error| {
            failure(&error);
            Outcome::Failed
        });
        let step = Step { name, outcome, took: started.elapsed(), budget };
        line(format_args!("<== {step}"));
        if let Some(budget) = step.overrun() {
            line(format_args!(
                "warning: {name} took longer than the {} s of docs/testing.md",
                budget.as_secs()
            ));
        }
        let good = step.outcome != Outcome::Failed;
        self.steps.push(step);
        good
    }

    /// Prints the table and, as the last line, the count.
    pub(crate) fn finish(&self) -> Result<(), StepsFailed> {
        line("");
        for step in &self.steps {
            line(step);
        }
        let total: Duration = self.steps.iter().map(|step| step.took).sum();
        line(format_args!("{:<10} {:<8} {:>7.1} s\n", "total", "", total.as_secs_f64()));
        line(self.count());
        if self.failed() == 0 { Ok(()) } else { Err(StepsFailed) }
    }

    /// `N passed, M failed`, and how many were skipped, if any: the form that CI reads.
    fn count(&self) -> String {
        let skipped = self.steps.iter().filter(|step| matches!(step.outcome, Outcome::Skipped(_))).count();
        let passed = self.steps.len() - self.failed() - skipped;
        let text = format!("{passed} passed, {} failed", self.failed());
        if skipped == 0 { text } else { format!("{text}, {skipped} skipped") }
    }

    fn failed(&self) -> usize {
        self.steps.iter().filter(|step| step.outcome == Outcome::Failed).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_count_as_failures_and_skips_are_named() {
        let mut report = Report::default();
        assert!(report.step("one", None, || Ok(Outcome::Passed)));
        assert_eq!(report.count(), "1 passed, 0 failed");
        assert!(report.finish().is_ok());

        assert!(!report.step("two", None, || anyhow::bail!("broken")));
        assert!(report.step("three", None, || Ok(Outcome::Skipped("not installed".into()))));
        assert_eq!(report.count(), "1 passed, 1 failed, 1 skipped");
        assert!(report.finish().is_err());
    }

    #[test]
    fn a_step_over_its_budget_says_so() {
        let step = |took, budget| Step {
            name: "tests",
            outcome: Outcome::Passed,
            took: Duration::from_secs(took),
            budget: Some(Duration::from_secs(budget)),
        };
        assert!(step(61, 60).to_string().ends_with("over its budget"));
        assert!(!step(59, 60).to_string().contains("over"));
    }

    #[test]
    fn teed_text_survives_bytes_that_are_no_text() {
        assert_eq!(tee(&b"a\n\xff\n"[..]).unwrap(), "a\n\u{fffd}\n");
    }
}
