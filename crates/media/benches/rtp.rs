//! What the first looks at a packet cost: which protocol it is of, its header, its extension elements.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mafalda_media::demux::Kind;
use mafalda_media::rtp::RtpHeader;

/// Payload of a packet of video, in bytes.
const PAYLOAD_LEN: usize = 1200;

/// A packet with that block of header extensions (RFC 8285 §4.2), if it isn't empty.
fn packet(elements: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 7];
    if !elements.is_empty() {
        packet[0] |= 0x10;
        let words = elements.len().div_ceil(4);
        packet.extend([0xbe, 0xde, 0, words as u8]);
        packet.extend(elements);
        packet.resize(16 + 4 * words, 0);
    }
    packet.extend([0x5a; PAYLOAD_LEN]);
    packet
}

fn parse(c: &mut Criterion) {
    // As a browser sends video: MID, time of sending, transport-wide number.
    let browser = [0x10, b'0', 0x42, 1, 2, 3, 0x51, 0, 9];
    let mut group = c.benchmark_group("parse");
    group.throughput(Throughput::Elements(1));
    for (name, packet) in [("bare header", packet(&[])), ("three extensions", packet(&browser))] {
        group.bench_function(name, |b| {
            b.iter(|| {
                let packet = black_box(packet.as_slice());
                let header = RtpHeader::parse(packet).expect("a packet");
                let elements = header.elements(packet).map(|(id, value)| usize::from(id) + value.len());
                (header.ssrc, header.payload_range(), elements.sum::<usize>())
            });
        });
    }
    group.finish();
}

fn demultiplex(c: &mut Criterion) {
    // Mostly media, one of each of the others, as a port sees it.
    let first_bytes =
        [[0x80, 96], [0x90, 96], [0x81, 200], [0x80, 0xe0], [22, 254], [0x80, 111], [0, 1], [0x80, 96]];
    let datagrams = first_bytes.map(|first| [first.as_slice(), &[0; 38]].concat());
    let mut group = c.benchmark_group("demultiplex");
    group.throughput(Throughput::Elements(datagrams.len() as u64));
    group.bench_function("mixed", |b| {
        b.iter(|| {
            let kinds = datagrams.iter().map(|datagram| Kind::of(black_box(datagram)));
            kinds.filter(|kind| *kind == Ok(Kind::Rtp)).count()
        });
    });
    group.finish();
}

criterion_group!(benches, parse, demultiplex);
criterion_main!(benches);
