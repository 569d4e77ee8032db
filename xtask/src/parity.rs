//! `parity`: holds `docs/mediasoup-parity.md` against the tests that are there.
//!
//! The document says of each thing that mediasoup has whether it is here, and which test proves it. This command finds rows
//! that name a test that doesn't exist, that have no known state, or that say the same thing twice. Whether a test proves
//! what its row says, only a reader can tell.

mod inventory;
mod table;
mod tally;
mod verdict;

use std::fs;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::report;
use crate::workspace::Workspace;

use inventory::Inventory;
use table::Table;

const DOCUMENT: &str = "docs/mediasoup-parity.md";

/// Check the table of what mediasoup has against the tests that it names, and count its rows.
#[derive(Debug, Default, Args)]
pub(crate) struct Options {
    /// List the rows that are missing, with what they wait for
    #[arg(long)]
    missing: bool,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let table = Table::parse(&fs::read_to_string(workspace.path(DOCUMENT)).context(DOCUMENT)?);
    let findings = verdict::check(&table, &Inventory::read(workspace)?);
    report::line(tally::of(&table.rows));
    if options.missing {
        for row in table.rows.iter().filter(|row| row.state == verdict::MISSING) {
            report::line(format_args!("{}:{}: {} waits for {}", DOCUMENT, row.line, row.item, row.proof));
        }
    }
    for finding in &findings {
        report::line(format_args!("{DOCUMENT}:{finding}"));
    }
    match findings.len() {
        0 => Ok(()),
        count => bail!("{DOCUMENT} has {count} rows that don't hold"),
    }
}
