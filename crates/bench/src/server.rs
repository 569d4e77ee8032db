//! The engine under test: one Worker, publishers with their streams, and for each destination a Transport of its own with a Consumer of
//! each stream that it gets.

mod output;
mod scene;

use std::net::{Ipv4Addr, SocketAddrV4};

use anyhow::{Result, bail};
use clap::Args;
use futures_lite::future::block_on;
use mafalda_core::prelude::*;

pub(crate) use self::output::{Output, Outputs, Via};
pub(crate) use self::scene::{Scene, producer_options};
use crate::addressing::Destinations;
use crate::dialogue::{self, Commands};
use crate::packet::Stream;
use crate::suite::Suite;

/// Forward with the engine. Line: `count`
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Where Transports listen
    #[arg(long, value_name = "IP", default_value_t = Ipv4Addr::LOCALHOST)]
    ip: Ipv4Addr,
    #[command(flatten)]
    destinations: Destinations,
    /// How many publishers
    #[arg(long, value_name = "N", default_value_t = 1)]
    publishers: u16,
    /// What each of them publishes, in this order
    #[arg(long, value_enum, value_delimiter = ',', default_value = "video")]
    streams: Vec<Stream>,
    /// Destinations are the publishers, who don't get what they publish
    #[arg(long)]
    meeting: bool,
    /// How to protect
    #[arg(long, value_enum, default_value = "none")]
    suite: Suite,
    /// What packets leave through
    #[arg(long, value_enum, default_value = "plain")]
    via: Via,
    /// Number packets transport-wide
    #[arg(long)]
    twcc: bool,
    /// SHA-256 of the certificate of all clients, as SDP has it; for WebRtcTransports
    #[arg(long, value_name = "HEX", default_value = "")]
    fingerprint: String,
    /// The CPU of the Worker's thread
    #[arg(long, value_name = "N", default_value_t = 0)]
    cpu: usize,
}

impl Options {
    /// The address that destinations begin at.
    pub(crate) fn first_destination(&self) -> SocketAddrV4 {
        self.destinations.to
    }
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let manager = WorkerManager::new();
    let scene = Scene::start(&manager, options)?;
    scene.say_ready()?;
    let mut commands = Commands::default();
    while let Some(lines) = commands.read()? {
        for line in lines {
            match line.as_str() {
                "count" => dialogue::say(&block_on(scene.count())?)?,
                _ => bail!("no command: {line}"),
            }
        }
    }
    Ok(())
}
