//! Where the Consumers are, and what carries packets there. It lies in the network of this process alone.

use std::net::Ipv4Addr;
use std::process::Command;

use anyhow::{Result, bail, ensure};
use clap::ValueEnum;

/// The port of all Consumers.
pub(crate) const PORT: u16 = 5000;

/// What carries the packets that go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Device {
    /// A card with UDP segmentation that drops what it is given (ifb)
    Null,
    /// Loopback, to a sink that takes joined datagrams
    Lo,
    /// Loopback, to a sink that takes datagrams one by one
    LoPlain,
}

impl Device {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Lo => "lo with GRO sink",
            Self::LoPlain => "lo with plain sink",
        }
    }

    /// The address to send from, and the first Consumer's.
    pub(crate) fn addresses(self) -> (Ipv4Addr, Ipv4Addr) {
        match self {
            Self::Null => ([198, 18, 0, 1].into(), [198, 18, 1, 1].into()),
            Self::Lo | Self::LoPlain => (Ipv4Addr::LOCALHOST, Ipv4Addr::LOCALHOST),
        }
    }
}

/// Brings up the devices, unless this is the network of the whole machine.
pub(crate) fn set_up() -> Result<()> {
    let links = ip(&["-brief", "link"])?;
    let own = links.lines().filter(|line| !line.is_empty()).all(|line| line.starts_with("lo "));
    ensure!(own, "this is to run in a network of its own: use `cargo xtask bench forward`");
    ip(&["link", "set", "lo", "up"])?;
    ip(&["link", "add", "null", "type", "ifb"])?;
    // RFC 2544 §C.2.2 sets these addresses apart for benchmarks.
    ip(&["address", "add", "198.18.0.1/15", "dev", "null"])?;
    ip(&["link", "set", "null", "up"])?;
    Ok(())
}

fn ip(args: &[&str]) -> Result<String> {
    let output = Command::new("ip").args(args).output()?;
    if !output.status.success() {
        bail!("ip {}: {}", args.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
