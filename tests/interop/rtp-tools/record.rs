//! What was sent and what was received, frame by frame.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use mafalda_api::prelude::MediaKind;

use crate::ffmpeg;
use crate::process::Child;

/// Bytes of a picture of 320 by 180 in I420.
const PICTURE_LEN: usize = 320 * 180 * 3 / 2;
/// Pictures that a decoder may keep to itself until more comes.
const DECODING_MAX: usize = 8;

/// Where a sender keeps what it sends.
pub(crate) fn path(folder: &Path, kind: MediaKind) -> PathBuf {
    folder.join(format!("{kind:?}.mkv"))
}

/// The hashes of the frames that were sent, in order.
pub(crate) fn sent(folder: &Path, kind: MediaKind) -> Result<Vec<String>> {
    let mut command = ffmpeg::command();
    command.arg("-i").arg(path(folder, kind)).args(["-c", "copy", "-f", "framemd5", "-"]);
    let output = command.output()?;
    let text = String::from_utf8(output.stdout)?;
    Ok(text.lines().filter_map(hash).map(str::to_owned).collect())
}

/// The hash in a line of `framemd5`: stream, two times, duration, size, hash, and maybe more.
fn hash(line: &str) -> Option<&str> {
    let hash = line.split(',').nth(5)?.trim();
    (!line.starts_with('#')).then_some(hash)
}

/// Sees to it that the receiver gets what was sent: each frame, unchanged, in order, and none too much.
pub(crate) fn compare(sent: &[String], receiver: &Child) -> Result<()> {
    let mut frames = 0;
    for expected in sent {
        let frame = loop {
            let line = receiver.next_line().with_context(|| format!("{frames} frames came"))?;
            let line = line.with_context(|| format!("it ended after {frames} frames"))?;
            if let Some(frame) = hash(&line) {
                break frame.to_owned();
            }
        };
        if frame != *expected {
            let sent = sent.iter().position(|sent| *sent == frame);
            bail!("frame {frames} is not the one that was sent, but number {sent:?}");
        }
        frames += 1;
    }
    if frames == 0 { bail!("nothing was sent") } else { Ok(()) }
}

/// Sees to it that the receiver's decoder made the same pictures of it as another one makes of what was sent; how many.
pub(crate) fn compare_pictures(folder: &Path, pictures: &Path, frames: usize) -> Result<usize> {
    let mut command = ffmpeg::command();
    command.arg("-i").arg(path(folder, MediaKind::Video));
    let sent = command.args(["-f", "rawvideo", "-pix_fmt", "yuv420p", "-"]).output()?.stdout;
    let received = fs::read(pictures)?;
    let count = received.len() / PICTURE_LEN;
    if count + DECODING_MAX < frames {
        bail!("{count} pictures of {frames} frames were decoded");
    }
    let pairs = sent.chunks_exact(PICTURE_LEN).zip(received.chunks_exact(PICTURE_LEN));
    match pairs.clone().position(|(sent, received)| sent != received) {
        Some(wrong) => bail!("picture {wrong} is not the one that was sent"),
        None => Ok(pairs.count()),
    }
}
