//! GStreamer as the sender and as the receiver of video.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::Result;
use mafalda_api::prelude::MediaKind;

use crate::bridge::{Inlet, Outlet};
use crate::process::Child;
use crate::{Receiver, ffmpeg, record};

/// How its elements name the suite of the bridge.
const SUITE: [(&str, &str); 4] = [
    ("rtp-cipher", "aes-128-icm"),
    ("rtp-auth", "hmac-sha1-80"),
    ("rtcp-cipher", "aes-128-icm"),
    ("rtcp-auth", "hmac-sha1-80"),
];

/// Encodes a test picture as fast as it is played, and sends and keeps the same frames.
pub(crate) fn send(folder: &Path, inlet: &Inlet) -> Result<Child> {
    let protect = match &inlet.key {
        Some(key) => {
            let suite: String = SUITE.iter().map(|(name, value)| format!(" {name}={value}")).collect();
            format!("srtpenc key={}{suite} !", hex(key))
        }
        None => String::new(),
    };
    let Inlet { rtp_port, payload_type, ssrc, .. } = inlet;
    let record = record::path(folder, MediaKind::Video);
    let command = launch(&format!(
        "videotestsrc is-live=true num-buffers=150 pattern=snow ! video/x-raw,width=320,height=180,framerate=25/1 ! \
         vp8enc deadline=1 cpu-used=8 target-bitrate=500000 keyframe-max-dist=25 ! \
         tee name=both \
         both. ! queue ! rtpvp8pay pt={payload_type} ssrc={ssrc} mtu=1200 ! {protect} \
         udpsink host=127.0.0.1 port={rtp_port} \
         both. ! queue ! matroskamux ! filesink location={}",
        record.display()
    ));
    Child::start([command])
}

/// Receives and decodes. ffmpeg writes a line with the hash of each frame.
pub(crate) fn receive(folder: &Path, outlet: &Outlet) -> Result<Receiver> {
    let Outlet { port, payload_type, ssrc, .. } = outlet;
    let media = format!("media=video,clock-rate=90000,encoding-name=VP8,payload={payload_type}");
    let (caps, unprotect) = match &outlet.key {
        Some(key) => {
            // In caps it is srtp-cipher what the encoder calls rtp-cipher.
            let suite: String =
                SUITE.iter().map(|(name, value)| format!(",s{name}=(string){value}")).collect();
            let key = hex(key);
            (
                format!("application/x-srtp,{media},ssrc=(uint){ssrc},srtp-key=(buffer){key}{suite}"),
                "srtpdec !",
            )
        }
        None => (format!("application/x-rtp,{media}"), ""),
    };
    let pictures = folder.join("received.yuv");
    let command = launch(&format!(
        "udpsrc address=127.0.0.1 port={port} caps={caps} ! {unprotect} rtpjitterbuffer latency=200 ! \
         rtpvp8depay ! tee name=both \
         both. ! queue ! matroskamux streamable=true ! fdsink fd=1 \
         both. ! queue ! vp8dec ! videoconvert ! video/x-raw,format=I420 ! \
         filesink buffer-mode=unbuffered location={}",
        pictures.display()
    ));
    let mut hashes = ffmpeg::command();
    hashes.args(["-f", "matroska", "-i", "-", "-c", "copy", "-flush_packets", "1", "-f", "framemd5", "-"]);
    Ok(Receiver { child: Child::start([command, hashes])?, pictures: Some(pictures) })
}

/// A pipeline, given as one would type it.
fn launch(pipeline: &str) -> Command {
    let mut command = Command::new("gst-launch-1.0");
    command.arg("-q").args(pipeline.split_whitespace());
    command
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
