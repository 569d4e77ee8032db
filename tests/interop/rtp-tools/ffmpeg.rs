//! ffmpeg as the sender and as the receiver.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use mafalda_api::prelude::MediaKind;

use crate::bridge::{Inlet, Outlet};
use crate::process::Child;
use crate::{Receiver, Stream, record};

/// What is sent: long enough for several key frames.
const SECONDS: u32 = 6;

/// ffmpeg, so that it says what goes wrong and nothing else.
pub(crate) fn command() -> Command {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-hide_banner", "-loglevel", "error", "-y"]);
    command
}

/// Encodes a test picture and a tone as fast as they are played, and sends and keeps the same packets.
pub(crate) fn send(folder: &Path, streams: &[Stream]) -> Result<Child> {
    let mut command = command();
    for stream in streams {
        let source = match stream.kind {
            MediaKind::Audio => format!("sine=frequency=440:sample_rate=48000:duration={SECONDS}"),
            MediaKind::Video => format!("testsrc2=size=320x180:rate=25:duration={SECONDS}"),
        };
        command.args(["-re", "-f", "lavfi", "-i", &source]);
    }
    for (index, stream) in streams.iter().enumerate() {
        command.args(["-map", &index.to_string()]);
        command.args(match stream.kind {
            MediaKind::Audio => &["-c:a", "libopus", "-b:a", "48k", "-ac", "2"][..],
            MediaKind::Video => &[
                "-c:v",
                "libvpx",
                "-deadline",
                "realtime",
                "-cpu-used",
                "8",
                "-b:v",
                "500k",
                "-g",
                "25",
                "-error-resilient",
                "1",
            ],
        });
        let record = record::path(folder, stream.kind);
        command.args(["-f", "tee", &format!("{}|[f=matroska]{}", output(&stream.inlet), record.display())]);
    }
    Child::start([command])
}

/// A slave of the muxer `tee` that sends there. Colons in its URL would end an option.
fn output(inlet: &Inlet) -> String {
    let Inlet { rtp_port, rtcp_port, payload_type, ssrc, .. } = inlet;
    let (scheme, key) = match &inlet.key {
        // 30 bytes are 40 letters, none of which is a sign that ends an option.
        Some(key) => {
            let key = BASE64.encode(key);
            ("srtp", format!(":srtp_out_suite=AES_CM_128_HMAC_SHA1_80:srtp_out_params={key}"))
        }
        None => ("rtp", String::new()),
    };
    let url = format!("{scheme}\\://127.0.0.1\\:{rtp_port}?rtcpport={rtcp_port}&pkt_size=1200");
    format!("[f=rtp:payload_type={payload_type}:ssrc={ssrc}{key}]{url}")
}

/// Receives and writes a line with the hash of each frame.
pub(crate) fn receive(folder: &Path, kind: MediaKind, outlet: &Outlet) -> Result<Receiver> {
    let path = folder.join(format!("{kind:?}.sdp"));
    fs::write(&path, description(kind, outlet))?;
    let mut command = command();
    command.args(["-protocol_whitelist", "file,udp,rtp", "-analyzeduration", "500000", "-i"]).arg(path);
    command.args(["-c", "copy", "-flush_packets", "1", "-f", "framemd5", "-"]);
    Ok(Receiver { child: Child::start([command])?, pictures: None })
}

/// What the receiver is told (RFC 4566): one stream, where it comes in, and its key (RFC 4568 §4).
fn description(kind: MediaKind, outlet: &Outlet) -> String {
    let Outlet { port, payload_type, .. } = outlet;
    let (kind, codec) = match kind {
        MediaKind::Audio => ("audio", "opus/48000/2"),
        MediaKind::Video => ("video", "VP8/90000"),
    };
    let (profile, key) = match &outlet.key {
        Some(key) => ("SAVP", format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{}\n", BASE64.encode(key))),
        None => ("AVP", String::new()),
    };
    format!(
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\n\
         m={kind} {port} RTP/{profile} {payload_type}\na=rtpmap:{payload_type} {codec}\n{key}"
    )
}
