//! Publishers: bursts of equal packets at a steady rate, each burst one message with segmentation offload.

use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::os::fd::AsFd as _;
use std::str::FromStr;

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum as _};
use mafalda_media::rtp::FIXED_HEADER_LEN;
use mafalda_net::{Message, Outbox, Refusal};
use serde::Serialize;
use socket2::SockRef;

use crate::clock;
use crate::dialogue::{self, Commands};
use crate::packet::{self, Stream};
use crate::schedule::{Due, Flow, Schedule};

/// Asked for as the socket's buffer: a turn of the machine in which the source doesn't run must not become a loss here.
const BUFFER_BYTES: usize = 8 << 20;

/// Publish to a subject. Each line `run RATE SECONDS` is a piece of all streams, answered when it is over
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The subject's address for each publisher
    #[arg(long, value_name = "IP:PORT", value_delimiter = ',', required = true)]
    to: Vec<SocketAddrV4>,
    /// A stream of each publisher: video or audio, a packet's payload in bytes, how many packets leave together (a frame), and frames
    /// per second, which say how streams share a rate
    #[arg(long, value_name = "KIND:BYTES:BURST:FRAMES", required = true)]
    stream: Vec<Shape>,
}

/// What a stream looks like.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Shape {
    stream: Stream,
    payload_len: usize,
    flow: Flow,
}

impl FromStr for Shape {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let [kind, payload, burst, frames] = text.split(':').collect::<Vec<_>>()[..] else {
            return Err("not of four parts".to_owned());
        };
        let payload_len: usize = payload.parse().map_err(|_| "no length")?;
        let burst: u16 = burst.parse().map_err(|_| "no burst")?;
        let bursts_per_s: f64 = frames.parse().map_err(|_| "no rate")?;
        let is_sane = (packet::PAYLOAD_MIN..=PAYLOAD_MAX).contains(&payload_len)
            && (1..=BURST_MAX).contains(&burst)
            && bursts_per_s.is_finite()
            && bursts_per_s > 0.0;
        let stream = Stream::from_str(kind, false)?;
        let shape = Self { stream, payload_len, flow: Flow { burst, bursts_per_s } };
        is_sane.then_some(shape).ok_or_else(|| "out of bounds".to_owned())
    }
}

/// The longest payload, and the longest burst: what fits into packets and messages.
const PAYLOAD_MAX: usize = 1200;
const BURST_MAX: u16 = 50;

/// What went out in one run.
#[derive(Debug, Default, Serialize)]
struct Published {
    /// Packets that the kernel took.
    packets: u64,
    /// Packets that it didn't.
    refused: u64,
    /// How long the run took.
    seconds: f64,
    /// The most that a burst was late, in microseconds: how much the source itself was held up.
    late_max_us: u64,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let mut publishers = Publishers::new(options)?;
    let mut commands = Commands::default();
    dialogue::say(&serde_json::json!({ "ready": true }))?;
    while let Some(lines) = commands.read()? {
        for line in lines {
            let schedule = line.strip_prefix("run ").and_then(Schedule::parse);
            let Some(schedule) = schedule else { bail!("no command: {line}") };
            dialogue::say(&publishers.publish(schedule)?)?;
        }
    }
    Ok(())
}

/// All streams of all publishers.
#[derive(Debug)]
struct Publishers {
    sockets: Vec<(UdpSocket, SocketAddrV4)>,
    tracks: Vec<Track>,
    flows: Vec<Flow>,
    outbox: Outbox,
}

/// One stream, from its first packet to its last.
#[derive(Debug)]
struct Track {
    /// Whose.
    publisher: usize,
    shape: Shape,
    /// A burst.
    bytes: Vec<u8>,
    number: u64,
    frame: u64,
}

impl Publishers {
    fn new(options: &Options) -> Result<Self> {
        let socket = |to: &SocketAddrV4| -> Result<_> {
            let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).context("no port to send from")?;
            SockRef::from(&socket).set_send_buffer_size(BUFFER_BYTES)?;
            Ok((socket, *to))
        };
        let of = |publisher| options.stream.iter().map(move |shape| Track::new(publisher, *shape));
        let tracks: Vec<Track> = (0..options.to.len()).flat_map(of).collect();
        Ok(Self {
            sockets: options.to.iter().map(socket).collect::<Result<_>>()?,
            flows: tracks.iter().map(|track| track.shape.flow).collect(),
            tracks,
            outbox: Outbox::new(),
        })
    }

    fn publish(&mut self, schedule: Schedule) -> Result<Published> {
        let mut published = Published::default();
        let bursts = schedule.bursts(&self.flows);
        self.tracks.iter_mut().for_each(Track::begin);
        let begin = clock::nanos()?;
        for Due { nanos, flow } in bursts {
            let due = begin + nanos;
            let mut now = clock::nanos()?;
            if now < due {
                clock::sleep_until(due);
                now = clock::nanos()?;
            }
            published.late_max_us = published.late_max_us.max(now.saturating_sub(due) / 1000);
            let burst = u64::from(self.flows[flow].burst);
            if self.send_burst(flow, now)? {
                published.packets += burst;
            } else {
                published.refused += burst;
            }
        }
        published.seconds = (clock::nanos()? - begin) as f64 / 1e9;
        Ok(published)
    }

    /// Whether the kernel took it. What it refuses for want of room has numbers all the same: it is lost.
    fn send_burst(&mut self, flow: usize, nanos: u64) -> Result<bool> {
        let track = &mut self.tracks[flow];
        let (socket, to) = &self.sockets[track.publisher];
        let segment_size = u16::try_from(track.shape.packet_len())?;
        let message = Message { remote: (*to).into(), bytes: track.write(nanos), segment_size };
        let sent = self.outbox.send(socket.as_fd(), &[message].into_iter());
        match sent.refusal {
            None => Ok(true),
            Some(Refusal::Full | Refusal::Destination) => Ok(false),
            Some(refusal) => bail!("can't send to {to}: {refusal:?}"),
        }
    }
}

impl Shape {
    fn packet_len(&self) -> usize {
        FIXED_HEADER_LEN + self.payload_len
    }
}

impl Track {
    fn new(publisher: usize, shape: Shape) -> Self {
        let len = shape.packet_len() * usize::from(shape.flow.burst);
        let bytes = (0..len).map(|at| (at * 31) as u8).collect();
        // The first packet's number is 1: a stream that is protected starts under 2^15 (RFC 3711 §3.3.1).
        Self { publisher, shape, bytes, number: 1, frame: 0 }
    }

    /// A piece of a stream begins with a key frame, so that who waits for one doesn't wait into the measurement.
    fn begin(&mut self) {
        self.frame = self.frame.next_multiple_of(packet::KEY_FRAME_INTERVAL);
    }

    /// The next burst.
    fn write(&mut self, nanos: u64) -> &[u8] {
        let mut packets = self.bytes.chunks_exact_mut(self.shape.packet_len()).peekable();
        let (stream, frame, mut is_first) = (self.shape.stream, self.frame, true);
        while let Some(bytes) = packets.next() {
            let (number, is_last) = (self.number, packets.peek().is_none());
            packet::write(bytes, packet::Outgoing { stream, number, frame, is_first, is_last, nanos });
            self.number += 1;
            is_first = false;
        }
        self.frame += 1;
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_is_parsed_or_refused() {
        let shape: Shape = "audio:100:1:50".parse().unwrap();
        assert_eq!((shape.stream, shape.packet_len()), (Stream::Audio, 112));
        assert_eq!(shape.flow, Flow { burst: 1, bursts_per_s: 50.0 });
        for text in [
            "",
            "video:1200:16",
            "text:100:1:50",
            "video:39:1:1",
            "video:1201:1:1",
            "video:99:0:1",
            "video:99:51:1",
            "video:99:1:0",
        ] {
            assert!(text.parse::<Shape>().is_err(), "{text}");
        }
    }

    #[test]
    fn bursts_go_on_where_the_last_one_ended() {
        let mut track = Track::new(0, "video:100:2:30".parse().unwrap());
        track.begin();
        let numbers = |burst: &[u8]| -> Vec<u64> {
            burst.chunks(112).filter_map(packet::read).map(|mark| mark.number).collect()
        };
        assert_eq!(numbers(track.write(1)), [1, 2]);
        assert_eq!(numbers(track.write(1)), [3, 4]);
        track.begin();
        assert_eq!((track.frame, track.number), (packet::KEY_FRAME_INTERVAL, 5));
    }
}
