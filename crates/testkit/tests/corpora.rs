//! Replays the seed corpora of the fuzz targets: what a target must survive, plain `cargo test` proves.
//!
//! The bodies are those of the targets themselves, so a crash that fuzzing found stays a test once its input is in the corpus.
#![expect(unreachable_pub, reason = "the bodies are shared with the fuzz crate")]

use std::fs;
use std::path::{Path, PathBuf};

#[path = "../../../fuzz/bodies/codec.rs"]
mod codec;
#[path = "../../../fuzz/bodies/demux.rs"]
mod demux;
#[path = "../../../fuzz/bodies/dtls.rs"]
mod dtls;
#[path = "../../../fuzz/bodies/red.rs"]
mod red;
#[path = "../../../fuzz/bodies/rtcp.rs"]
mod rtcp;
#[path = "../../../fuzz/bodies/rtp.rs"]
mod rtp;
#[path = "../../../fuzz/bodies/sdp.rs"]
mod sdp;
#[path = "../../../fuzz/bodies/srtp.rs"]
mod srtp;
#[path = "../../../fuzz/bodies/stun.rs"]
mod stun;
#[path = "../../../fuzz/bodies/tcp.rs"]
mod tcp;

/// Feeds a body nothing at all, then each file of its corpus. The last name printed is the one that broke it.
fn replay(target: &str, body: fn(&[u8])) {
    eprintln!("{target}: empty input");
    body(&[]);
    let seeds = seeds(target);
    assert!(!seeds.is_empty(), "fuzz/corpus/{target} has no seed");
    for seed in seeds {
        eprintln!("{target}: {}", seed.display());
        body(&fs::read(seed).expect("a seed that is listed can be read"));
    }
}

fn seeds(target: &str) -> Vec<PathBuf> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let entries = fs::read_dir(&corpus).unwrap_or_else(|error| panic!("{}: {error}", corpus.display()));
    let mut seeds: Vec<_> = entries.map(|entry| entry.expect("a folder can be listed").path()).collect();
    seeds.sort();
    seeds
}

#[test]
fn codec_survives_its_corpus() {
    replay("codec", codec::run);
}

#[test]
fn demux_survives_its_corpus() {
    replay("demux", demux::run);
}

#[test]
fn dtls_survives_its_corpus() {
    replay("dtls", dtls::run);
}

#[test]
fn red_survives_its_corpus() {
    replay("red", red::run);
}

#[test]
fn rtcp_survives_its_corpus() {
    replay("rtcp", rtcp::run);
}

#[test]
fn rtp_survives_its_corpus() {
    replay("rtp", rtp::run);
}

#[test]
fn sdp_survives_its_corpus() {
    replay("sdp", sdp::run);
}

#[test]
fn srtp_survives_its_corpus() {
    replay("srtp", srtp::run);
}

#[test]
fn stun_survives_its_corpus() {
    replay("stun", stun::run);
}

#[test]
fn tcp_survives_its_corpus() {
    replay("tcp", tcp::run);
}
