//! The engine under test: one Worker, one Producer, a Consumer per destination.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use futures_lite::future::block_on;
use mafalda_core::consumer::{Consumer, ConsumerRtpStreamStat};
use mafalda_core::plain_transport::PlainTransport;
use mafalda_core::prelude::*;
use mafalda_core::types::srtp_parameters::SrtpParameters;
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;
use serde_json::json;

use crate::addressing::Destinations;
use crate::dialogue::{self, Commands, SubjectCount, SubjectReady};
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
    dialogue::say(&SubjectReady { port, process, keys: scene.keys() })?;
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
    outputs: Vec<(PlainTransport, Consumer)>,
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
    let capabilities = capabilities(&router)?;
    let mut outputs = Vec::new();
    for (index, address) in (0..).zip(options.destinations.addresses()?) {
        let mut output = PlainTransportOptions::new(info.clone());
        let crypto_suite = options.suite.crypto_suite();
        output.enable_srtp = crypto_suite.is_some();
        output.srtp_crypto_suite = crypto_suite.unwrap_or_default();
        let output = router.create_plain_transport(output).await?;
        let key = crypto_suite.zip(options.suite.key_base64(index));
        let remote = PlainTransportRemoteParameters {
            ip: Some((*address.ip()).into()),
            port: Some(address.port()),
            rtcp_port: None,
            srtp_parameters: key
                .map(|(crypto_suite, key_base64)| SrtpParameters { crypto_suite, key_base64 }),
        };
        output.connect(remote).await?;
        let consumer = output.consume(ConsumerOptions::new(producer.id(), capabilities.clone())).await?;
        outputs.push((output, consumer));
    }
    Ok(Scene { input, _producer: producer, outputs })
}

/// What subscribers can do: VP8 with retransmission, asked for by NACK, and no header extensions, as the peer's have.
fn capabilities(router: &Router) -> Result<RtpCapabilities> {
    let mut capabilities = serde_json::to_value(router.rtp_capabilities())?;
    capabilities["headerExtensions"] = json!([]);
    for codec in capabilities["codecs"].as_array_mut().context("a Router has codecs")? {
        let is_rtx = codec["mimeType"].as_str().is_some_and(|name| name.ends_with("rtx"));
        let feedback = json!([{ "type": "nack" }, { "type": "nack", "parameter": "pli" }]);
        codec["rtcpFeedback"] = if is_rtx { json!([]) } else { feedback };
    }
    Ok(serde_json::from_value(capabilities)?)
}

impl Scene {
    /// Of what each destination gets, as the Transport drew it.
    fn keys(&self) -> Vec<String> {
        let keys = self.outputs.iter().filter_map(|(output, _)| output.srtp_parameters());
        keys.map(|parameters| parameters.key_base64).collect()
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
