//! `interop`: an independent client, made of the crate `webrtc`, against the demo.
//!
//! The client is a package in a workspace of its own, since it pulls in some two hundred crates that nothing else needs. That
//! is why `test` leaves it out.

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::process::{Background, Process};
use crate::report::{self, Outcome, Report};
use crate::workspace::Workspace;

/// Folder of the client's package.
const CLIENT: &str = "tests/interop/webrtc-rs";

/// What the demo prints when it is ready.
const READY: &str = "Ctrl-C";

/// Run a client made of webrtc-rs against the demo: it sends, receives, loses packets and leaves.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Build and run the demo in release mode
    #[arg(long)]
    release: bool,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let target = workspace.target.join("interop");
    let mut report = Report::default();
    let is_built = report.step("demo", None, || {
        let mode: &[&str] = if options.release { &["--release"] } else { &[] };
        Process::cargo().args(["build"]).args(mode).dir(&workspace.root).run()?;
        Ok(Outcome::Passed)
    }) && report.step("client", None, || {
        for command in ["build", "test"] {
            let cargo = Process::cargo().args([command, "--locked"]).dir(&workspace.path(CLIENT));
            cargo.env("CARGO_TARGET_DIR", &target).run()?;
        }
        Ok(Outcome::Passed)
    });
    if is_built {
        report.step("interop", None, || meet(&demo_path(workspace, options), &target));
    }
    Ok(report.finish()?)
}

fn demo_path(workspace: &Workspace, options: &Options) -> PathBuf {
    let mode = if options.release { "release" } else { "debug" };
    workspace.target.join(mode).join("mafalda-demo")
}

/// Starts the demo on loopback, runs the client against it, and ends the demo.
fn meet(demo: &Path, target: &Path) -> Result<Outcome> {
    let address = format!("{}:{}", Ipv4Addr::LOCALHOST, free_port()?);
    let ip = Ipv4Addr::LOCALHOST.to_string();
    let demo = Process::new(demo).args(["--listen", &address, "--media-address", &ip, "--log", "warn"]);
    let mut demo = demo.start()?;
    wait_until_ready(&mut demo)?;
    let client = Process::new(target.join("debug/mafalda-interop-webrtc-rs"));
    client.args([format!("http://{address}")]).run()?;
    Ok(Outcome::Passed)
}

/// A port that nobody has at the moment.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free")?;
    Ok(listener.local_addr()?.port())
}

fn wait_until_ready(demo: &mut Background) -> Result<()> {
    let mut output = BufReader::new(demo.stdout()?);
    let mut text = String::new();
    while output.read_line(&mut text)? > 0 {
        if text.contains(READY) {
            report::line("    the demo is ready");
            return Ok(());
        }
    }
    bail!("the demo doesn't start: {}", text.trim())
}
