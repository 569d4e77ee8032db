//! The load generator: a scenario from the command line, a target, a summary.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use mafalda::load::{LoadArguments, Screen};
use mafalda_load::{Figures, StopFlag, run};

fn main() -> ExitCode {
    match start() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Standard error may be closed; there is nobody left to tell then.
            let _ = writeln!(io::stderr(), "mafalda-load: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all was as it should be.
#[tokio::main(flavor = "current_thread")]
async fn start() -> Result<bool> {
    let arguments = LoadArguments::parse();
    let scenario = arguments.scenario()?;
    let stop = StopFlag::default();
    end_on_interrupt(stop.clone());

    let target = arguments.target().await?;
    let mut screen = Screen::new(arguments.progress);
    let summary = run(scenario, target, arguments.run_options(), &mut screen, &stop).await?;
    write!(io::stdout(), "{summary}")?;
    if let Some(file) = &arguments.json {
        write_json(file, &Figures::of(&summary))
            .with_context(|| format!("can't write {}", file.display()))?;
    }
    Ok(summary.is_verified())
}

/// The first Ctrl-C ends the run, the second the process.
fn end_on_interrupt(stop: StopFlag) {
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            stop.stop();
        }
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(130);
        }
    });
}

fn write_json(file: &Path, figures: &Figures) -> Result<()> {
    let mut out = BufWriter::new(File::create(file)?);
    serde_json::to_writer_pretty(&mut out, figures)?;
    writeln!(out)?;
    Ok(out.flush()?)
}
