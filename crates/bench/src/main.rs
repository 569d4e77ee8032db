//! Benchmarks of whole processes. `cargo xtask bench` builds this and runs it in a network of its own.
//!
//! `forward` measures what a forwarded packet costs. It starts the contenders (each a process of this binary, or the peer's),
//! pins them to one CPU and itself to another, and gives each the same packets, round by round.

mod case;
mod chart;
mod contender;
mod cpu;
mod device;
mod forward;
mod output;
mod prototype;
mod server;
mod sink;
mod source;

use clap::{Parser, Subcommand};

/// Benchmarks of whole processes.
#[derive(Debug, Parser)]
#[command(name = "mafalda-bench", max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Forward(forward::Options),
    /// A contender: this project's engine
    Server(contender::Arguments),
    /// A contender: receiving, encrypting and sending, and nothing else
    Prototype(contender::Arguments),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Forward(options) => forward::run(&options),
        Command::Server(arguments) => server::run(&arguments),
        Command::Prototype(arguments) => prototype::run(&arguments),
    }
}
