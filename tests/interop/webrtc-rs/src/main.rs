//! An independent client against a running `mafalda-demo`: two peers made of webrtc-rs meet in a room, one sends, the other
//! receives. `cargo xtask interop` starts both sides.
//!
//! Usage: `mafalda-interop-webrtc-rs http://127.0.0.1:3000`. Prints a line per check; ends with failure if one fails.

mod audio;
mod check;
mod link;
mod parameters;
mod received;
mod receiver;
mod scenario;
mod sdp;
mod sender;
mod signaling;
mod tap;
mod video;

use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::check::Checks;

#[tokio::main]
async fn main() -> ExitCode {
    let mut checks = Checks::default();
    if let Err(error) = run(&mut checks).await {
        checks.fail("run", &format!("{error:#}"));
    }
    checks.finish()
}

async fn run(checks: &mut Checks) -> Result<()> {
    let url = std::env::args().nth(1).context("the URL of a mafalda-demo is missing")?;
    scenario::run(&url, checks).await
}
