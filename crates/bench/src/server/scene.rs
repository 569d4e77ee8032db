//! Everything that must live while packets are forwarded.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

use anyhow::{Context as _, Result};
use futures_lite::future::block_on;
use mafalda_core::consumer::{Consumer, ConsumerRtpStreamStat};
use mafalda_core::plain_transport::PlainTransport;
use mafalda_core::prelude::*;
use mafalda_core::worker::Worker;
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::{Pid, gettid};
use serde_json::json;

use super::{Options, Output, Outputs};
use crate::dialogue::{self, Endpoint, SubjectCount, SubjectReady};
use crate::packet::Stream;

#[derive(Debug)]
pub(crate) struct Scene {
    pub(super) worker: Worker,
    pub(crate) router: Router,
    /// The Worker's thread.
    thread: i32,
    /// Each publisher with its streams.
    inputs: Vec<(PlainTransport, Vec<Producer>)>,
    /// Each destination with what it gets.
    outputs: Vec<(Output, Vec<Consumer>)>,
    capabilities: RtpCapabilities,
}

impl Scene {
    pub(crate) fn start(manager: &WorkerManager, options: &Options) -> Result<Self> {
        let (sender, pinned) = sync_channel(1);
        let mut settings = WorkerSettings::default();
        let cpu = options.cpu;
        settings.thread_initializer = Some(Arc::new(move || pin(cpu, &sender)));
        let mut scene = block_on(Self::empty(manager, settings, options))?;
        let pinned = pinned.recv().context("the Worker's thread is gone")?;
        scene.thread = pinned.context("the Worker can't be pinned")?.as_raw();
        block_on(scene.fill(options))?;
        Ok(scene)
    }

    async fn empty(manager: &WorkerManager, settings: WorkerSettings, options: &Options) -> Result<Self> {
        let worker = manager.create_worker(settings).await?;
        let codecs = json!([
            { "kind": "video", "mimeType": "video/VP8", "clockRate": 90000 },
            { "kind": "audio", "mimeType": "audio/opus", "clockRate": 48000, "channels": 2 },
        ]);
        let router = worker.create_router(RouterOptions::new(serde_json::from_value(codecs)?)).await?;
        let capabilities = capabilities(&router, options.twcc)?;
        Ok(Self { worker, router, thread: 0, inputs: Vec::new(), outputs: Vec::new(), capabilities })
    }

    async fn fill(&mut self, options: &Options) -> Result<()> {
        for _ in 0..options.publishers {
            self.inputs.push(self.input(options).await?);
        }
        let outputs = Outputs::new(self, options.via, options).await?;
        let mut filled = Vec::new();
        for (index, address) in (0..).zip(options.destinations.addresses()?) {
            let output = outputs.transport().await?;
            outputs.connect(&output, index, address).await?;
            let mut consumers = Vec::new();
            for (publisher, (_, producers)) in (0..).zip(&self.inputs) {
                if options.meeting && publisher == index {
                    continue;
                }
                for producer in producers {
                    consumers.push(output.consume(self.consumer_options(producer)).await?);
                }
            }
            filled.push((output, consumers));
        }
        drop(outputs);
        self.outputs = filled;
        Ok(())
    }

    async fn input(&self, options: &Options) -> Result<(PlainTransport, Vec<Producer>)> {
        let info = ListenInfo { ip: options.ip.into(), ..ListenInfo::of_place(Protocol::Udp) };
        let mut input = PlainTransportOptions::new(info);
        input.comedia = true;
        let input = self.router.create_plain_transport(input).await?;
        let mut producers = Vec::new();
        for &stream in &options.streams {
            producers.push(input.produce(producer_options(stream)?).await?);
        }
        Ok((input, producers))
    }

    pub(crate) fn consumer_options(&self, producer: &Producer) -> ConsumerOptions {
        ConsumerOptions::new(producer.id(), self.capabilities.clone())
    }

    /// What whoever consumes one stream consumes.
    pub(crate) fn first_producer(&self) -> Result<&Producer> {
        self.inputs.first().and_then(|(_, producers)| producers.first()).context("nobody publishes")
    }

    pub(crate) fn say_ready(&self) -> Result<()> {
        let output = |(output, _): &(Output, _)| output.endpoint().transpose();
        let endpoints: Vec<Endpoint> = self.outputs.iter().filter_map(output).collect::<Result<_>>()?;
        dialogue::say(&SubjectReady {
            ports: self.inputs.iter().map(|(input, _)| input.tuple().local_port()).collect(),
            process: std::process::id(),
            thread: self.thread,
            keys: self.outputs.iter().filter_map(|(output, _)| output.key_base64()).collect(),
            endpoints,
        })
    }

    pub(super) async fn count(&self) -> Result<SubjectCount> {
        let mut count = SubjectCount::default();
        for consumer in self.outputs.iter().flat_map(|(_, consumers)| consumers) {
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

/// What a publisher says of a stream.
pub(crate) fn producer_options(stream: Stream) -> Result<ProducerOptions> {
    let codec = match stream {
        Stream::Video => json!({ "mimeType": "video/VP8", "clockRate": 90000 }),
        Stream::Audio => json!({ "mimeType": "audio/opus", "clockRate": 48000, "channels": 2 }),
    };
    let mut parameters = json!({
        "codecs": [codec], "encodings": [{ "ssrc": stream.ssrc() }], "rtcp": { "cname": "bench" }
    });
    parameters["codecs"][0]["payloadType"] = stream.payload_type().into();
    let kind = match stream {
        Stream::Video => MediaKind::Video,
        Stream::Audio => MediaKind::Audio,
    };
    Ok(ProducerOptions::new(kind, serde_json::from_value(parameters)?))
}

/// What subscribers can do: VP8 with retransmission, asked for by NACK, Opus, and no header extension but the number that is asked for,
/// as the peer's have.
fn capabilities(router: &Router, twcc: bool) -> Result<RtpCapabilities> {
    const TWCC: &str = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
    let mut capabilities = serde_json::to_value(router.rtp_capabilities())?;
    let extensions = capabilities["headerExtensions"].as_array_mut().context("a Router has extensions")?;
    extensions.retain(|extension| twcc && extension["uri"] == TWCC);
    for codec in capabilities["codecs"].as_array_mut().context("a Router has codecs")? {
        let mut feedback = Vec::new();
        if codec["mimeType"].as_str().is_some_and(|name| name.ends_with("VP8")) {
            feedback.extend([json!({ "type": "nack" }), json!({ "type": "nack", "parameter": "pli" })]);
        }
        if codec["mimeType"].as_str().is_some_and(|name| !name.ends_with("rtx")) && twcc {
            feedback.push(json!({ "type": "transport-cc" }));
        }
        codec["rtcpFeedback"] = feedback.into();
    }
    Ok(serde_json::from_value(capabilities)?)
}

/// Runs on the Worker's thread: gives it its CPU and tells how that went, and which thread it is.
fn pin(cpu: usize, sender: &SyncSender<nix::Result<Pid>>) {
    let mut set = CpuSet::new();
    let pinned = set.set(cpu).and_then(|()| sched_setaffinity(Pid::from_raw(0), &set));
    // There is one Worker and room for its message.
    let _ = sender.try_send(pinned.map(|()| gettid()));
}
