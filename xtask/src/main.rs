//! The project's own commands, run as `cargo xtask COMMAND`.
//!
//! Each command is a module of the same name; what they share is [`workspace`] (where things lie), [`process`] (children)
//! and [`report`] (everything that is printed). There is no shell script behind any of them.

mod bench;
mod coverage;
mod debian;
mod fuzz;
mod interop;
mod node_modules;
mod package;
mod parity;
mod process;
mod report;
mod rtp_tools;
mod soak;
mod test;
mod tidy;
mod web;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

/// Builds, proves and maintains this workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Test(test::Options),
    /// Check the architecture: layers, purity, file sizes, unsafe code, names, stubs, fuzz targets
    Tidy,
    Parity(parity::Options),
    Web(web::Options),
    Fuzz(fuzz::Options),
    Soak(soak::Options),
    Interop(interop::Options),
    Coverage(coverage::Options),
    Bench(bench::Options),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::failure(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    let workspace = Workspace::find()?;
    match command {
        Command::Test(options) => test::run(&workspace, &options),
        Command::Tidy => tidy::run(&workspace),
        Command::Parity(options) => parity::run(&workspace, &options),
        Command::Web(options) => web::run(&workspace, &options),
        Command::Fuzz(options) => fuzz::run(&workspace, &options),
        Command::Soak(options) => soak::run(&workspace, &options),
        Command::Interop(options) => interop::run(&workspace, &options),
        Command::Coverage(options) => coverage::run(&workspace, &options),
        Command::Bench(options) => bench::run(&workspace, &options),
    }
}
