//! Tools that speak RTP and were not made here send into a PlainTransport, and receive out of another one.
//!
//! The sender keeps what its encoder made; what the receiver takes out of the packets must be that, frame by frame: each frame's
//! hash is compared, and with GStreamer each decoded picture too. So nothing may be lost, spoiled or reordered on the way.
//!
//! `rtp-tools ffmpeg` runs the cases that need ffmpeg alone, `rtp-tools gstreamer` those that need GStreamer as well.

mod bridge;
mod ffmpeg;
mod gstreamer;
mod process;
mod record;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use mafalda_api::prelude::MediaKind;

use crate::bridge::{Bridge, Inlet, Outlet};
use crate::process::Child;

/// Who sends or receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tool {
    Ffmpeg,
    GStreamer,
}

/// One way through the bridge.
#[derive(Debug)]
struct Case {
    name: &'static str,
    from: Tool,
    /// Whether what goes in is under SRTP, with the suite AES_CM_128_HMAC_SHA1_80.
    protected_in: bool,
    to: Tool,
    protected_out: bool,
    media: &'static [MediaKind],
}

const BOTH: &[MediaKind] = &[MediaKind::Audio, MediaKind::Video];
const VIDEO: &[MediaKind] = &[MediaKind::Video];

const FFMPEG: [Case; 2] = [
    case("ffmpeg to ffmpeg", (Tool::Ffmpeg, false), (Tool::Ffmpeg, false), BOTH),
    case("ffmpeg to ffmpeg, SRTP both ways", (Tool::Ffmpeg, true), (Tool::Ffmpeg, true), BOTH),
];
const GSTREAMER: [Case; 4] = [
    case("ffmpeg to GStreamer", (Tool::Ffmpeg, false), (Tool::GStreamer, false), VIDEO),
    case("ffmpeg to GStreamer, SRTP both ways", (Tool::Ffmpeg, true), (Tool::GStreamer, true), VIDEO),
    case("GStreamer to ffmpeg", (Tool::GStreamer, false), (Tool::Ffmpeg, false), VIDEO),
    case("GStreamer to GStreamer, SRTP both ways", (Tool::GStreamer, true), (Tool::GStreamer, true), VIDEO),
];

const fn case(
    name: &'static str,
    (from, protected_in): (Tool, bool),
    (to, protected_out): (Tool, bool),
    media: &'static [MediaKind],
) -> Case {
    Case { name, from, protected_in, to, protected_out, media }
}

/// A stream on its way: from the sender, through the Router, to the receiver.
#[derive(Debug)]
struct Stream {
    kind: MediaKind,
    inlet: Inlet,
    outlet: Outlet,
    receiver: Receiver,
}

#[derive(Debug)]
struct Receiver {
    child: Child,
    /// What the decoder made of it, where the receiver decodes.
    pictures: Option<PathBuf>,
}

fn main() -> ExitCode {
    let cases: &[Case] = match std::env::args().nth(1).as_deref() {
        Some("ffmpeg") => &FFMPEG,
        Some("gstreamer") => &GSTREAMER,
        _ => {
            eprintln!("usage: rtp-tools ffmpeg | gstreamer");
            return ExitCode::from(2);
        }
    };
    let failed = cases.iter().filter(|case| !report(case)).count();
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs a case and tells how it went.
#[expect(clippy::print_stdout, reason = "a program that reports to whoever runs it")]
fn report(case: &Case) -> bool {
    let outcome = run(case);
    match &outcome {
        Ok(told) => println!("{}: passed, {told}", case.name),
        Err(error) => println!("{}: FAILED: {error:#}", case.name),
    }
    outcome.is_ok()
}

fn run(case: &Case) -> Result<String> {
    let folder = process::Folder::new()?;
    let bridge = Bridge::new()?;
    let mut streams = Vec::new();
    for kind in case.media {
        let inlet = bridge.inlet(*kind, case.protected_in)?;
        let outlet = bridge.outlet(&inlet, case.protected_out)?;
        let receiver = match case.to {
            Tool::Ffmpeg => ffmpeg::receive(&folder, *kind, &outlet)?,
            Tool::GStreamer => gstreamer::receive(&folder, &outlet)?,
        };
        outlet.wait_for_receiver(&receiver.child)?;
        streams.push(Stream { kind: *kind, inlet, outlet, receiver });
    }
    let sender = match case.from {
        Tool::Ffmpeg => ffmpeg::send(&folder, &streams)?,
        Tool::GStreamer => gstreamer::send(&folder, &streams[0].inlet)?,
    };
    sender.wait().context("the sender")?;
    let told = streams.iter().map(|stream| check(&folder, &bridge, stream));
    Ok(told.collect::<Result<Vec<_>>>()?.join(", "))
}

fn check(folder: &Path, bridge: &Bridge, stream: &Stream) -> Result<String> {
    let sent = record::sent(folder, stream.kind)?;
    record::compare(&sent, &stream.receiver.child).with_context(|| {
        let told = bridge.stats(&stream.inlet, &stream.outlet);
        format!("{:?}, {} frames sent, {told}", stream.kind, sent.len())
    })?;
    let mut told = format!("{} frames of {:?}", sent.len(), stream.kind).to_lowercase();
    if let Some(pictures) = &stream.receiver.pictures {
        let count = record::compare_pictures(folder, pictures, sent.len())?;
        told += &format!(" of which {count} were decoded");
    }
    Ok(told)
}
