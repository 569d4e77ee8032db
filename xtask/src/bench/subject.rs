//! What is measured: a program that forwards, with its publisher and its subscribers.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use super::dialogue::Dialogue;
use super::machine;
use super::matrix::{Case, Stream};
use super::stage::Stage;
use crate::process::Process;

/// The CPU of the thread that forwards. Everything else is on the other one.
pub(super) const SUBJECT_CPU: usize = 0;
pub(super) const OTHER_CPU: usize = 1;

/// The RTP header without extensions (RFC 3550 §5.1).
const HEADER_LEN: f64 = 12.0;

/// Who forwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Prototype,
    Mafalda,
    Mediasoup,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Prototype => "prototype",
            Self::Mafalda => "mafalda",
            Self::Mediasoup => "mediasoup",
        }
    }
}

/// The programs that are started.
#[derive(Debug)]
pub(super) struct Programs {
    /// Ours: source, sink, prototype and engine.
    pub(super) bench: PathBuf,
    /// The script that drives the peer.
    pub(super) peer_script: PathBuf,
    /// Where the peer was built, if it takes part.
    pub(super) peer: Option<PathBuf>,
}

impl Programs {
    /// Who takes part in a case.
    pub(super) fn kinds(&self, case: &Case) -> Vec<Kind> {
        let has_prototype = case.is_of_one_stream() && !case.via.has_feedback();
        let prototype = has_prototype.then_some(Kind::Prototype);
        let peer = self.peer.as_ref().map(|_| Kind::Mediasoup);
        prototype.into_iter().chain([Kind::Mafalda]).chain(peer).collect()
    }

    /// The program of a kind, with the options that are its own. What forwards is on its CPU; what else it has is on `cpu`. `ours` is what
    /// our process is to be.
    pub(super) fn process(&self, stage: &Stage, kind: Kind, cpu: usize, ours: &str) -> Result<Process> {
        let bench = text(&self.bench)?;
        let pinned = ["--cpu", &SUBJECT_CPU.to_string()];
        Ok(match kind {
            Kind::Prototype => stage.near(SUBJECT_CPU, &bench).args(["prototype"]),
            Kind::Mafalda => stage.near(cpu, &bench).args([ours]).args(pinned),
            Kind::Mediasoup => {
                let peer = self.peer.as_deref().context("the peer takes part")?;
                let script = stage.near(cpu, &text(&peer.join("node"))?).args([&self.peer_script]);
                let script = script.env("MEDIASOUP_WORKER_BIN", peer.join("mediasoup-worker"));
                let app = text(&peer.join("app"))? + "/";
                script.args(["--app", &app]).args(pinned)
            }
        })
    }
}

#[derive(Debug, Deserialize)]
struct SubjectReady {
    ports: Vec<u16>,
    process: u32,
    keys: Vec<String>,
    endpoints: Vec<Endpoint>,
    /// Of what clients send.
    #[serde(skip)]
    client_keys: Vec<String>,
}

/// A subject's end of ICE and DTLS, as it says it and clients are told it.
#[derive(Debug, Serialize, Deserialize)]
struct Endpoint {
    port: u16,
    username: String,
    password: String,
}

#[derive(Debug, Deserialize)]
struct ClientsReady {
    fingerprint: String,
}

#[derive(Debug, Deserialize)]
struct ClientsConnected {
    keys: Vec<String>,
    own_keys: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct SubjectCount {
    packets: u64,
}

/// What a sink has received since it was reset.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct SinkCount {
    packets: u64,
    wrong: u64,
    pub(super) p50_us: Option<f64>,
    pub(super) p99_us: Option<f64>,
}

/// What a source has published in one run.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Published {
    pub(super) packets: u64,
    pub(super) refused: u64,
    pub(super) seconds: f64,
}

#[derive(Debug)]
pub(super) struct Subject {
    pub(super) kind: Kind,
    program: Dialogue,
    process: u32,
    source: Dialogue,
    sink: Option<Dialogue>,
    packet_len: f64,
}

impl Subject {
    /// Starts it with its source, and its sink if the device has one. `index` is its number among the subjects of the case.
    pub(super) fn start(
        programs: &Programs,
        stage: &Stage,
        case: &Case,
        kind: Kind,
        index: usize,
    ) -> Result<Self> {
        let port = stage.port(index);
        let (program, ready) = start_program(programs, stage, case, kind, port)?;
        let mut sink =
            stage.device.has_sink().then(|| start_sink(programs, stage, case, port)).transpose()?;
        if let Some(sink) = sink.as_mut().filter(|_| !ready.keys.is_empty()) {
            sink.ask::<serde_json::Value>(&format!("keys {}", ready.keys.join(",")))?;
        }
        if let Some((sink, endpoint)) =
            sink.as_mut().zip(ready.endpoints.first()).filter(|_| case.via.has_feedback())
        {
            // Of a WebRtcServer all have one port.
            let (to, keys) = (format!("{}:{}", stage.ip(), endpoint.port), ready.client_keys.join(","));
            sink.ask::<serde_json::Value>(&format!("feedback {to} {keys}"))?;
        }
        let to: Vec<String> = ready.ports.iter().map(|port| format!("{}:{port}", stage.ip())).collect();
        let source = stage.near(OTHER_CPU, &text(&programs.bench)?).args(["source", "--to", &to.join(",")]);
        let shape = |(name, stream): (&str, Stream)| {
            let Stream { payload_len, burst, frames_per_s } = stream;
            ["--stream".to_owned(), format!("{name}:{payload_len}:{burst}:{frames_per_s}")]
        };
        let mut source = Dialogue::start("the source", source.args(case.load.streams().flat_map(shape)))?;
        source.hear::<serde_json::Value>()?;
        let packet_len = packet_len(kind, case);
        Ok(Self { kind, program, process: ready.process, source, sink, packet_len })
    }

    /// Begins to publish; [`Subject::published`] waits for the end.
    pub(super) fn publish(&mut self, rate: f64, seconds: f64) -> Result<()> {
        self.source.say(&format!("run {rate} {seconds}"))
    }

    pub(super) fn published(&mut self) -> Result<Published> {
        self.source.hear()
    }

    /// How long it has run, in seconds: all its threads.
    pub(super) fn run_time(&self) -> Result<f64> {
        machine::run_time(self.process)
    }

    /// What it says that it has forwarded.
    pub(super) fn forwarded(&mut self) -> Result<u64> {
        self.program.ask::<SubjectCount>("count").map(|count| count.packets)
    }

    /// What has arrived where it was to, in packets.
    pub(super) fn arrived(&mut self, stage: &Stage) -> Result<u64> {
        match &mut self.sink {
            Some(_) => self.received().map(|count| count.map_or(0, |count| count.packets)),
            None => Ok(stage.dropped()?.packets(self.packet_len)),
        }
    }

    /// What the sink says, if there is one.
    pub(super) fn received(&mut self) -> Result<Option<SinkCount>> {
        let count = self.sink.as_mut().map(|sink| sink.ask::<SinkCount>("count")).transpose()?;
        if let Some(count) = count {
            ensure!(count.wrong == 0, "{}: {} packets are not what was sent", self.kind.name(), count.wrong);
        }
        Ok(count)
    }

    /// Lets the sink count anew.
    pub(super) fn reset(&mut self) -> Result<()> {
        self.sink.as_mut().map(|sink| sink.ask::<serde_json::Value>("reset")).transpose().map(drop)
    }
}

fn start_sink(programs: &Programs, stage: &Stage, case: &Case, port: u16) -> Result<Dialogue> {
    let (ip, _) = stage.destinations();
    let sink = stage.far(OTHER_CPU, &text(&programs.bench)?).args(["sink", "--ip", ip]);
    let sink = sink.args(["--port", &port.to_string(), "--consumers", &case.destinations.to_string()]);
    let gro: &[&str] = if stage.device.joins_received() { &["--gro"] } else { &[] };
    let mut sink = Dialogue::start("the sink", sink.args(["--suite", case.suite.option()]).args(gro))?;
    sink.hear::<serde_json::Value>()?;
    Ok(sink)
}

/// What a packet has on the wire above UDP, on average.
fn packet_len(kind: Kind, case: &Case) -> f64 {
    // The prototype sends headers as they came.
    let extensions_len = if kind == Kind::Prototype { 0 } else { case.via.extensions_len() };
    HEADER_LEN + case.load.payload_len() + (extensions_len + case.suite.tag_len()) as f64
}

/// Starts what forwards, and connects clients to it if it wants some.
fn start_program(
    programs: &Programs,
    stage: &Stage,
    case: &Case,
    kind: Kind,
    port: u16,
) -> Result<(Dialogue, SubjectReady)> {
    let (ip, spread) = stage.destinations();
    let (to, consumers) = (format!("{ip}:{port}"), case.destinations.to_string());
    let destinations = ["--to", &to, "--spread", spread, "--consumers", &consumers];
    let process = programs.process(stage, kind, OTHER_CPU, "server")?.args([
        "--ip",
        stage.ip(),
        "--suite",
        case.suite.option(),
    ]);
    let process = process.args(destinations);
    if kind == Kind::Prototype {
        return ready(kind, process);
    }
    let streams: Vec<&str> = case.load.streams().map(|(name, _)| name).collect();
    let publishers = case.load.publishers.to_string();
    let process = process.args(["--publishers", &publishers, "--streams", &streams.join(",")]);
    let process = process.args(case.load.is_meeting.then_some("--meeting"));
    if !case.via.is_webrtc() {
        return ready(kind, process);
    }
    let clients = stage.far(OTHER_CPU, &text(&programs.bench)?).args(["clients", "--server", stage.ip()]);
    let mut clients = Dialogue::start("the clients", clients.args(destinations))?;
    let ClientsReady { fingerprint } = clients.hear()?;
    let process = process.args(case.via.options()).args(["--fingerprint", &fingerprint]);
    let (program, mut ready) = ready(kind, process)?;
    let endpoints = serde_json::to_string(&ready.endpoints)?;
    let connected = stage.with_clients(|| clients.ask(&format!("connect {endpoints}")));
    let ClientsConnected { keys, own_keys } =
        connected.with_context(|| format!("clients of {}", kind.name()))?;
    (ready.keys, ready.client_keys) = (keys, own_keys);
    Ok((program, ready))
}

fn ready(kind: Kind, process: Process) -> Result<(Dialogue, SubjectReady)> {
    let mut program = Dialogue::start(kind.name(), process)?;
    let ready = program.hear()?;
    Ok((program, ready))
}

pub(super) fn text(path: &Path) -> Result<String> {
    path.to_str().map(ToOwned::to_owned).with_context(|| format!("{} is no UTF-8", path.display()))
}
