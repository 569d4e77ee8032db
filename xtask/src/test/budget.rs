//! Time budgets, read from the table in `docs/testing.md` so that the document and the check can't differ.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;

const DOCUMENT: &str = "docs/testing.md";

/// The head of the table's column that holds seconds.
const COLUMN: &str = "budget (s)";

#[derive(Debug)]
pub(super) struct Budgets {
    by_step: BTreeMap<String, Duration>,
}

impl Budgets {
    pub(super) fn read(workspace: &Workspace) -> Result<Self> {
        Self::parse(&fs::read_to_string(workspace.path(DOCUMENT)).context(DOCUMENT)?)
    }

    /// Reads the first table with a column of budgets. Its first column has the name of a step in backticks.
    pub(super) fn parse(document: &str) -> Result<Self> {
        let mut tables = document.lines().skip_while(|line| !line.contains(COLUMN));
        let head = tables.next().with_context(|| format!("{DOCUMENT} has no table with `{COLUMN}`"))?;
        let column =
            cells(head).position(|cell| cell == COLUMN).context("the column is a cell of its own")?;
        let rows = tables.skip(1).take_while(|line| line.starts_with('|'));
        Ok(Self { by_step: rows.map(|row| parse_row(row, column)).collect::<Result<_>>()? })
    }

    /// The budget of a step, if the table has it.
    pub(super) fn of(&self, step: &str) -> Option<Duration> {
        self.by_step.get(step).copied()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.by_step.len()
    }
}

fn parse_row(row: &str, column: usize) -> Result<(String, Duration)> {
    let name = cells(row).next().unwrap_or_default().trim_matches('`').to_owned();
    let Some(seconds) = cells(row).nth(column).and_then(|cell| cell.parse().ok()) else {
        bail!("{DOCUMENT}: no whole number of seconds in: {row}");
    };
    Ok((name, Duration::from_secs(seconds)))
}

fn cells(row: &str) -> impl Iterator<Item = &str> {
    row.trim_matches('|').split('|').map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_table() {
        let document =
            "# Tests\n\n| step | what | budget (s) |\n|---|---|---|\n| `lints` | x | 90 |\n\n| a | b |\n";
        let budgets = Budgets::parse(document).unwrap();
        assert_eq!(budgets.of("lints"), Some(Duration::from_secs(90)));
        assert_eq!(budgets.of("a"), None);
    }

    #[test]
    fn a_table_without_numbers_is_an_error() {
        assert!(Budgets::parse("no table").is_err());
        assert!(Budgets::parse("| step | budget (s) |\n|---|---|\n| `lints` | soon |\n").is_err());
    }
}
