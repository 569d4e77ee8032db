//! The processes of the benches. `cargo xtask bench` starts them, each where it belongs, and reads what they say.
//!
//! Packets come from [`source`], go through a subject (the engine in [`server`], the bare forwarder in [`prototype`], or a program
//! of others) and end in [`sink`], unless the device drops them. Where a subject wants ICE and DTLS, [`client`] does that beforehand.
//! [`control`] is the engine again, with Transports that come and go; [`bare`] is the handshake that it is held against. All of them
//! are spoken to by lines, see [`dialogue`]. What is measured of a subject is measured from outside, where it can be.
#![forbid(unsafe_code)]

mod addressing;
mod bare;
mod client;
mod clock;
mod control;
mod delay;
mod dialogue;
mod packet;
mod prototype;
mod schedule;
mod server;
mod sink;
mod source;
mod suite;

use std::process::ExitCode;

use clap::Parser;

/// Processes of the benches, for `cargo xtask bench`.
#[derive(Debug, Parser)]
#[command(name = "mafalda-bench", max_term_width = 100)]
enum Command {
    Source(source::Options),
    Sink(sink::Options),
    Clients(client::Options),
    Prototype(prototype::Options),
    Server(server::Options),
    Control(control::Options),
    Bare(bare::Options),
}

fn main() -> ExitCode {
    let result = match Command::parse() {
        Command::Source(options) => source::run(&options),
        Command::Sink(options) => sink::run(&options),
        Command::Clients(options) => client::run(&options),
        Command::Prototype(options) => prototype::run(&options),
        Command::Server(options) => server::run(&options),
        Command::Control(options) => control::run(&options),
        Command::Bare(options) => bare::run(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
