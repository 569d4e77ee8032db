//! The engine's control plane under test: Transports made by the hundred, with a Consumer or a Producer each, beside the media of a
//! [`Scene`] or while nothing is forwarded.

use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use futures_lite::future::block_on;
use futures_util::stream::{StreamExt as _, TryStreamExt as _, iter};
use mafalda_core::consumer::Consumer;
use mafalda_core::prelude::*;
use serde::Serialize;

use crate::dialogue::{self, Commands, Endpoint};
use crate::packet::Stream;
use crate::server::{self, Output, Outputs, Scene, Via};

/// Make Transports with something on them. Lines: `make N`, `close`
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    scene: server::Options,
    /// Which Transports are made
    #[arg(long, value_enum, default_value = "plain")]
    make: Via,
    /// What is made on each
    #[arg(long, value_enum, default_value = "consumer")]
    with: With,
    /// Connect each: a PlainTransport to the first destination, a WebRtcTransport to a client with the fingerprint
    #[arg(long)]
    connect: bool,
    /// How many are being made at any time
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    in_flight: u16,
}

/// What is on a Transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum With {
    Nothing,
    Consumer,
    Producer,
}

/// A Transport with what is on it, kept until it is to be closed.
#[derive(Debug)]
struct Made {
    transport: Output,
    _consumer: Option<Consumer>,
    _producer: Option<Producer>,
}

/// What was made.
#[derive(Debug, Serialize)]
struct Answer {
    /// Requests that took.
    operations: u64,
    /// On the wall clock.
    seconds: f64,
    /// Where clients have to connect to.
    endpoints: Vec<Endpoint>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let manager = WorkerManager::new();
    let scene = Scene::start(&manager, &options.scene)?;
    let outputs = block_on(Outputs::new(&scene, options.make, &options.scene))?;
    let mut all = Vec::new();
    scene.say_ready()?;
    let mut commands = Commands::default();
    while let Some(lines) = commands.read()? {
        for line in lines {
            match line.split_once(' ').unwrap_or((&line, "")) {
                ("make", count) => {
                    let count = count.parse().with_context(|| format!("no count: {line}"))?;
                    let (made, answer) = block_on(make(options, &scene, &outputs, count))?;
                    all.extend(made);
                    dialogue::say(&answer)?;
                }
                ("close", "") => {
                    all.clear();
                    // Its answer comes after all that was closed before.
                    block_on(scene.router.dump())?;
                    dialogue::say(&serde_json::json!({ "closed": true }))?;
                }
                _ => bail!("no command: {line}"),
            }
        }
    }
    Ok(())
}

async fn make(
    options: &Options,
    scene: &Scene,
    outputs: &Outputs<'_>,
    count: u16,
) -> Result<(Vec<Made>, Answer)> {
    let begin = now();
    let producer = scene.first_producer()?;
    let one = |index| async move {
        let transport = outputs.transport().await?;
        if options.connect {
            outputs.connect(&transport, index, options.scene.first_destination()).await?;
        }
        let (consumer, producer) = match options.with {
            With::Nothing => (None, None),
            With::Consumer => (Some(transport.consume(scene.consumer_options(producer)).await?), None),
            With::Producer => {
                (None, Some(transport.produce(server::producer_options(Stream::Video)?).await?))
            }
        };
        anyhow::Ok(Made { transport, _consumer: consumer, _producer: producer })
    };
    let made = iter(0..count).map(one).buffer_unordered(options.in_flight.into());
    let made: Vec<Made> = made.try_collect().await?;
    let seconds = begin.elapsed().as_secs_f64();
    let each = 1 + u64::from(options.connect) + u64::from(options.with != With::Nothing);
    let endpoints = if options.connect {
        made.iter().filter_map(|made| made.transport.endpoint().transpose()).collect::<Result<_>>()?
    } else {
        Vec::new()
    };
    Ok((made, Answer { operations: u64::from(count) * each, seconds, endpoints }))
}

#[expect(clippy::disallowed_methods, reason = "a bench measures time")]
fn now() -> Instant {
    Instant::now()
}
