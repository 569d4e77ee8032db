//! Who makes Transports, with who publishes beside it and who connects to it.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::super::dialogue::Dialogue;
use super::super::machine;
use super::super::stage::Stage;
use super::super::subject::{self, Kind, OTHER_CPU, Programs, SUBJECT_CPU};
use super::{CONNECTED_AT_ONCE, Case};

/// Media beside operations: its Consumers, packets per second that are published, and how many of them come at a time.
const MEDIA_CONSUMERS: u16 = 10;
const MEDIA_RATE: u16 = 1_000;
const MEDIA_BURST: u16 = 10;

/// How long is published, in seconds: operations have to be over by then. How long before they begin.
const MEDIA_S: u64 = 6;
const LEAD: Duration = Duration::from_millis(300);

/// RTP header (RFC 3550 §5.1), payload, and GCM's tag (RFC 7714 §13.2).
const MEDIA_PACKET_LEN: f64 = 12.0 + 1200.0 + 16.0;

/// What is under way has arrived after that.
const SETTLE: Duration = Duration::from_millis(100);

/// Clients that connect at any time: a crowd that joins, so that the thread is never without work. With eight it sleeps between datagrams
/// on a quiet machine, and waking up for each costs as much as a third of a handshake.
const CLIENTS_AT_ONCE: &str = "32";

/// How a contender is set up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setting {
    in_flight: u16,
    media_consumers: u16,
    /// Whether what is made is connected, and how many of those there will be.
    connected: Option<u16>,
}

impl Setting {
    pub(super) const fn beside_media(in_flight: u16) -> Self {
        Self { in_flight, media_consumers: MEDIA_CONSUMERS, connected: None }
    }

    /// Nothing is forwarded; so many Transports will be made.
    pub(super) fn idle(is_connected: bool, transports: u16) -> Self {
        Self { in_flight: 1, media_consumers: 0, connected: is_connected.then_some(transports) }
    }
}

#[derive(Debug)]
pub(super) struct Contender<'a> {
    stage: &'a Stage,
    program: Dialogue,
    ready: Ready,
    source: Dialogue,
    /// For WebRtcTransports that are connected.
    clients: Option<Dialogue>,
}

#[derive(Debug, Deserialize)]
struct Ready {
    ports: Vec<u16>,
    /// The process that has the Worker, and the Worker's thread.
    process: u32,
    thread: u32,
}

#[derive(Debug, Deserialize)]
struct ClientsReady {
    fingerprint: String,
}

#[derive(Debug, Deserialize)]
struct Answer {
    operations: u64,
    seconds: f64,
    endpoints: Vec<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
struct Published {
    packets: u64,
    seconds: f64,
}

/// What was made beside media.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) operations: u64,
    pub(super) seconds: f64,
    /// Of all threads and processes that take part, media's included.
    pub(super) cpu_s: f64,
    pub(super) media_loss: f64,
}

impl<'a> Contender<'a> {
    /// All of it is on one CPU, publisher and clients are on the other.
    pub(super) fn start(
        programs: &Programs,
        stage: &'a Stage,
        kind: Kind,
        case: Case,
        setting: Setting,
    ) -> Result<Self> {
        let bench = subject::text(&programs.bench)?;
        let (ip, spread) = stage.destinations();
        let to = format!("{ip}:{}", stage.port(0));
        let to = ["--to", &to, "--spread", spread, "--consumers"];
        let mut process = programs.process(stage, kind, SUBJECT_CPU, "control")?;
        process = process.args(["--ip", stage.ip(), "--suite", "gcm"]).args(to);
        process = process.args([setting.media_consumers.to_string()]);
        process = process.args(["--make", case.via.option(), "--with", case.with.option()]);
        process = process.args(["--in-flight", &setting.in_flight.to_string()]);
        let mut clients = None;
        if let Some(transports) = setting.connected {
            process = process.args(["--connect"]);
            if case.via == super::Via::WebRtcServer {
                let options = stage.far(OTHER_CPU, &bench).args(["clients", "--server", stage.ip()]);
                let options = options.args(["--at-once", CLIENTS_AT_ONCE]);
                let options = options.args(to).args([transports.to_string()]);
                let mut dialogue = Dialogue::start("the clients", options)?;
                process = process.args(["--fingerprint", &dialogue.hear::<ClientsReady>()?.fingerprint]);
                clients = Some(dialogue);
            }
        }
        let mut program = Dialogue::start(kind.name(), process)?;
        let ready: Ready = program.hear()?;
        let port = ready.ports.first().context("there is a publisher")?;
        let source =
            stage.near(OTHER_CPU, &bench).args(["source", "--to", &format!("{}:{port}", stage.ip())]);
        let stream = format!("video:1200:{MEDIA_BURST}:1");
        let mut source = Dialogue::start("the source", source.args(["--stream", &stream]))?;
        source.hear::<serde_json::Value>()?;
        Ok(Self { stage, program, ready, source, clients })
    }

    /// Makes so many with what is on them, while a publisher's packets are forwarded.
    pub(super) fn make_beside_media(mut self, transports: u16) -> Result<Made> {
        let before = self.stage.dropped()?.packets(MEDIA_PACKET_LEN);
        self.source.say(&format!("run {MEDIA_RATE} {MEDIA_S}"))?;
        sleep(LEAD);
        let cpu_s = self.run_time()?;
        let answer = self.make(transports)?;
        let cpu_s = self.run_time()? - cpu_s;
        let published: Published = self.source.hear()?;
        sleep(SETTLE);
        let arrived = self.stage.dropped()?.packets(MEDIA_PACKET_LEN) - before;
        let is_beside = answer.seconds + LEAD.as_secs_f64() <= published.seconds;
        ensure!(is_beside, "{:.1} s of operations took longer than media", answer.seconds);
        let due = (published.packets * u64::from(MEDIA_CONSUMERS)) as f64;
        let media_loss = (1.0 - arrived as f64 / due).max(0.0);
        Ok(Made { operations: answer.operations, seconds: answer.seconds, cpu_s, media_loss })
    }

    /// Makes so many, connects clients to them if they are to be connected, and says how long the Worker's thread ran while clients
    /// connected, in seconds.
    pub(super) fn make_idle(&mut self, transports: u16) -> Result<f64> {
        let mut spent = 0.0;
        let mut left = transports;
        while left > 0 {
            let count = left.min(CONNECTED_AT_ONCE);
            left -= count;
            let answer = self.make(count)?;
            let Some(clients) = &mut self.clients else { continue };
            let before = machine::thread_run_time(self.ready.thread)?;
            let endpoints = serde_json::to_string(&answer.endpoints)?;
            self.stage.with_clients(|| clients.ask::<serde_json::Value>(&format!("connect {endpoints}")))?;
            spent += machine::thread_run_time(self.ready.thread)? - before;
        }
        Ok(spent)
    }

    /// What the process with the Worker has in memory that is its own, in bytes.
    pub(super) fn memory(&self) -> Result<f64> {
        let path = format!("/proc/{}/status", self.ready.process);
        let kilobytes = anonymous_kilobytes(&fs::read_to_string(path)?).context("status has another form")?;
        Ok(kilobytes as f64 * 1024.0)
    }

    fn make(&mut self, transports: u16) -> Result<Answer> {
        self.program.ask(&format!("make {transports}"))
    }

    /// Of the process with the Worker, and of the one that drives it if that is another.
    fn run_time(&self) -> Result<f64> {
        let (driver, worker) = (self.program.process_id(), self.ready.process);
        let of_driver = if driver == worker { 0.0 } else { machine::run_time(driver)? };
        Ok(of_driver + machine::run_time(worker)?)
    }
}

/// RssAnon of a process' status (proc(5)).
fn anonymous_kilobytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// Handshakes by the bare crate.
#[derive(Debug)]
pub(super) struct Bare(Dialogue);

#[derive(Debug, Deserialize)]
struct Handshakes {
    handshakes: u64,
    nanos: u64,
}

impl Bare {
    pub(super) fn start(bench: &Path, stage: &Stage) -> Result<Self> {
        let mut process = Dialogue::start(
            "the bare crate",
            stage.near(SUBJECT_CPU, &subject::text(bench)?).args(["bare"]),
        )?;
        process.hear::<serde_json::Value>()?;
        Ok(Self(process))
    }

    /// Of the server's end alone.
    pub(super) fn per_second(&mut self, count: u16) -> Result<f64> {
        self.ask("handshakes", count)
    }

    /// The same with our guard around it.
    pub(super) fn guarded_per_second(&mut self, count: u16) -> Result<f64> {
        self.ask("guarded", count)
    }

    fn ask(&mut self, what: &str, count: u16) -> Result<f64> {
        let Handshakes { handshakes, nanos } = self.0.ask(&format!("{what} {count}"))?;
        Ok(handshakes as f64 * 1e9 / nanos as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_what_is_anonymous() {
        let status = "VmRSS:\t   5000 kB\nRssAnon:\t    1234 kB\nRssFile:\t 9 kB\n";
        assert_eq!(anonymous_kilobytes(status), Some(1234));
        assert_eq!(anonymous_kilobytes("VmRSS: 1 kB\n"), None);
    }
}
