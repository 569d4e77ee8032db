//! `interop`: clients and tools that were not made here, and that `test` leaves out since they take long to install or to build.
//!
//! GStreamer sends into PlainTransports and receives out of them; two tabs of Firefox meet in the conference page, with a publisher
//! made of GStreamer's webrtcbin; a client made of the crate `webrtc`, a package in a workspace of its own with some two hundred
//! crates, sends, receives and loses packets.

use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::process::{Background, Process, find_program};
use crate::report::{self, Outcome, Report};
use crate::workspace::Workspace;
use crate::{debian, node_modules, rtp_tools};

/// Folder of the tests in Firefox, with their package.json.
const FIREFOX: &str = "tests/interop/firefox";

/// Folder of the client's package.
const CLIENT: &str = "tests/interop/webrtc-rs";

/// What the demo prints when it is ready.
const READY: &str = "Ctrl-C";

/// What the cases need that a Debian package brings.
struct Need {
    package: &'static str,
    purpose: &'static str,
    is_there: fn() -> bool,
}

const NEEDS: [Need; 10] = [
    Need {
        package: "ffmpeg",
        purpose: "hashes what GStreamer sends and receives",
        is_there: || has("ffmpeg"),
    },
    Need {
        package: "gstreamer1.0-tools",
        purpose: "sends and receives RTP",
        is_there: || has("gst-launch-1.0"),
    },
    Need {
        package: "gstreamer1.0-plugins-base",
        purpose: "test pictures and sound",
        is_there: || has_element("videotestsrc"),
    },
    Need {
        package: "gstreamer1.0-plugins-good",
        purpose: "VP8, RTP, Matroska",
        is_there: || has_element("vp8enc"),
    },
    Need {
        package: "gstreamer1.0-plugins-bad",
        purpose: "SRTP, webrtcbin",
        is_there: || has_element("srtpenc"),
    },
    Need { package: "gstreamer1.0-nice", purpose: "ICE of webrtcbin", is_there: || has_element("nicesrc") },
    Need { package: "python3-gst-1.0", purpose: "webrtcbin as a publisher", is_there: has_bindings },
    Need {
        package: "gir1.2-gst-plugins-bad-1.0",
        purpose: "webrtcbin as a publisher",
        is_there: has_bindings,
    },
    Need { package: "firefox-esr", purpose: "a browser of another make", is_there: || firefox().is_some() },
    Need { package: "iproute2", purpose: "networks for Firefox and webrtcbin", is_there: || has("ip") },
];

/// Clients and tools of others against the demo and PlainTransports: GStreamer, Firefox, webrtcbin, webrtc-rs.
///
/// Installs what it needs and doesn't find. Networks are made for Firefox and webrtcbin, which takes root.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Build and run the demo in release mode
    #[arg(long)]
    release: bool,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let target = workspace.target.join("interop");
    let mut report = Report::default();
    report.step("tools", None, || tools(workspace));
    report.step("ffmpeg", None, || rtp_tools::run(workspace, "ffmpeg"));
    report.step("gstreamer", None, || rtp_tools::run(workspace, "gstreamer"));
    let is_built = report.step("demo", None, || {
        let mode: &[&str] = if options.release { &["--release"] } else { &[] };
        Process::cargo().args(["build"]).args(mode).dir(&workspace.root).run()?;
        Ok(Outcome::Passed)
    });
    if is_built {
        let demo = demo_path(workspace, options);
        report.step("firefox", None, || meet_in_firefox(workspace, &demo));
        let has_client = report.step("client", None, || build_client(workspace, &target));
        if has_client {
            report.step("webrtc-rs", None, || meet(&demo, &target));
        }
    }
    Ok(report.finish()?)
}

fn tools(workspace: &Workspace) -> Result<Outcome> {
    let missing = NEEDS.iter().filter(|need| !(need.is_there)());
    let missing: Vec<_> =
        missing.map(|need| debian::Missing { package: need.package, purpose: need.purpose }).collect();
    debian::install(&missing)?;
    node_modules::ensure(&workspace.path(FIREFOX))?;
    Ok(Outcome::Passed)
}

fn has(program: &str) -> bool {
    find_program(program).is_some()
}

fn has_element(name: &str) -> bool {
    Process::new("gst-inspect-1.0").args([name]).succeeds()
}

fn has_bindings() -> bool {
    let import = "import gi; gi.require_version('GstWebRTC', '1.0'); from gi.repository import GstWebRTC";
    Process::new("/usr/bin/python3").args(["-c", import]).succeeds()
}

/// The Firefox to test with: the one that `FIREFOX` names, or the one that is installed.
fn firefox() -> Option<PathBuf> {
    let named = env::var_os("FIREFOX").map(PathBuf::from).filter(|path| path.is_file());
    named.or_else(|| ["firefox-esr", "firefox"].iter().find_map(|name| find_program(name)))
}

fn meet_in_firefox(workspace: &Workspace, demo: &Path) -> Result<Outcome> {
    let firefox = firefox().context("no Firefox: apt-get install firefox-esr, or set FIREFOX to its path")?;
    let artifacts = workspace.target.join("browser");
    fs::create_dir_all(&artifacts)?;
    let process = Process::new("node").args(["conference.mjs"]).dir(&workspace.path(FIREFOX));
    process.env("FIREFOX", firefox).env("MAFALDA_DEMO", demo).env("MAFALDA_ARTIFACTS", artifacts).run()?;
    Ok(Outcome::Passed)
}

fn build_client(workspace: &Workspace, target: &Path) -> Result<Outcome> {
    for command in ["build", "test"] {
        let cargo = Process::cargo().args([command, "--locked"]).dir(&workspace.path(CLIENT));
        cargo.env("CARGO_TARGET_DIR", target).run()?;
    }
    Ok(Outcome::Passed)
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
