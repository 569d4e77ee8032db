//! The engine under test: one Worker, one Producer, a Consumer per destination, each with a Transport of its own.

mod output;

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use futures_lite::future::block_on;
use mafalda_core::consumer::{Consumer, ConsumerRtpStreamStat};
use mafalda_core::plain_transport::PlainTransport;
use mafalda_core::prelude::*;
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;
use serde_json::json;

use self::output::{Output, Outputs, Via};
use crate::addressing::Destinations;
use crate::dialogue::{self, Commands, Endpoint, SubjectCount, SubjectReady};
use crate::packet::{PAYLOAD_TYPE, SSRC};
use crate::suite::Suite;

/// Forward with the engine
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Where Transports listen
    #[arg(long, value_name = "IP", default_value_t = Ipv4Addr::LOCALHOST)]
    ip: Ipv4Addr,
    #[command(flatten)]
    destinations: Destinations,
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

pub(crate) fn run(options: &Options) -> Result<()> {
    let manager = WorkerManager::new();
    let (sender, pinned) = sync_channel(1);
    let mut settings = WorkerSettings::default();
    let cpu = options.cpu;
    settings.thread_initializer = Some(Arc::new(move || pin(cpu, &sender)));
    let scene = block_on(scene(&manager, settings, options))?;
    pinned.recv().context("the Worker's thread is gone")?.context("the Worker can't be pinned")?;
    let (port, process) = (scene.input.tuple().local_port(), std::process::id());
    dialogue::say(&SubjectReady { port, process, keys: scene.keys(), endpoints: scene.endpoints()? })?;
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

/// Runs on the Worker's thread: gives it its CPU and tells how that went.
fn pin(cpu: usize, sender: &SyncSender<nix::Result<()>>) {
    let mut set = CpuSet::new();
    let pinned = set.set(cpu).and_then(|()| sched_setaffinity(Pid::from_raw(0), &set));
    // There is one Worker and room for its message.
    let _ = sender.try_send(pinned);
}

/// Everything that must live while packets are forwarded.
#[derive(Debug)]
struct Scene {
    input: PlainTransport,
    _producer: Producer,
    outputs: Vec<(Output, Consumer)>,
}

async fn scene(manager: &WorkerManager, settings: WorkerSettings, options: &Options) -> Result<Scene> {
    let worker = manager.create_worker(settings).await?;
    let codecs = json!([{ "kind": "video", "mimeType": "video/VP8", "clockRate": 90000 }]);
    let router = worker.create_router(RouterOptions::new(serde_json::from_value(codecs)?)).await?;
    let info = ListenInfo { ip: options.ip.into(), ..ListenInfo::of_place(Protocol::Udp) };
    let mut input = PlainTransportOptions::new(info.clone());
    input.comedia = true;
    let input = router.create_plain_transport(input).await?;
    let parameters = json!({
        "codecs": [{ "mimeType": "video/VP8", "payloadType": PAYLOAD_TYPE, "clockRate": 90000 }],
        "encodings": [{ "ssrc": SSRC }], "rtcp": { "cname": "bench" }
    });
    let parameters = serde_json::from_value(parameters)?;
    let producer = input.produce(ProducerOptions::new(MediaKind::Video, parameters)).await?;
    let capabilities = capabilities(&router, options.twcc)?;
    let outputs = Outputs::new(&worker, &router, options).await?;
    let mut consumers = Vec::new();
    for (index, address) in (0..).zip(options.destinations.addresses()?) {
        let output = outputs.connected(index, address).await?;
        let consumer = output.consume(ConsumerOptions::new(producer.id(), capabilities.clone())).await?;
        consumers.push((output, consumer));
    }
    Ok(Scene { input, _producer: producer, outputs: consumers })
}

/// What subscribers can do: VP8 with retransmission, asked for by NACK, and no header extension but the number that is asked for, as
/// the peer's have.
fn capabilities(router: &Router, twcc: bool) -> Result<RtpCapabilities> {
    const TWCC: &str = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
    let mut capabilities = serde_json::to_value(router.rtp_capabilities())?;
    let extensions = capabilities["headerExtensions"].as_array_mut().context("a Router has extensions")?;
    extensions.retain(|extension| twcc && extension["uri"] == TWCC);
    for codec in capabilities["codecs"].as_array_mut().context("a Router has codecs")? {
        let is_rtx = codec["mimeType"].as_str().is_some_and(|name| name.ends_with("rtx"));
        let mut feedback = vec![json!({ "type": "nack" }), json!({ "type": "nack", "parameter": "pli" })];
        feedback.extend(twcc.then(|| json!({ "type": "transport-cc" })));
        codec["rtcpFeedback"] = if is_rtx { json!([]) } else { feedback.into() };
    }
    Ok(serde_json::from_value(capabilities)?)
}

impl Scene {
    /// Of what each destination gets, as the Transport drew it.
    fn keys(&self) -> Vec<String> {
        self.outputs.iter().filter_map(|(output, _)| output.key_base64()).collect()
    }

    /// Where clients have to connect to.
    fn endpoints(&self) -> Result<Vec<Endpoint>> {
        self.outputs.iter().filter_map(|(output, _)| output.endpoint().transpose()).collect()
    }

    async fn count(&self) -> Result<SubjectCount> {
        let mut count = SubjectCount::default();
        for (_, consumer) in &self.outputs {
            for stat in consumer.get_stats().await? {
                if let ConsumerRtpStreamStat::Outbound(stat) = stat {
                    count.packets += stat.packet_count;
                    count.refused += stat.packets_discarded;
                }
            }
        }
        Ok(count)
    }
}
